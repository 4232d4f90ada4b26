//! The types that a schema names, and what sloppy names stand for.

use serde_json::{Map, Value};

use super::{Parser, child};
use crate::schema::BsonType;

/// What `bsonType` (or `type`) says.
#[derive(Default)]
pub(super) struct Types {
    pub(super) declared: bool,
    pub(super) null: bool,
    pub(super) object: bool,
    pub(super) array: bool,
    pub(super) several: bool,
    pub(super) scalar: Option<BsonType>,
}

impl Types {
    pub(super) fn of(node: &Map<String, Value>, at: &str, parser: &mut Parser<'_>) -> Self {
        let (keyword, json) = match (node.get("bsonType"), node.get("type")) {
            (Some(json), _) => ("bsonType", json),
            (None, Some(json)) => ("type", json),
            (None, None) => return Self::default(),
        };
        let at = child(at, keyword);
        let mut types = Self { declared: true, ..Self::default() };
        match json {
            Value::String(name) => types.add(name, &at, parser),
            Value::Array(names) => types.add_list(names, &at, parser),
            _ => {
                parser.warn(&at, format!("`{keyword}` must be a name or a list of names; ignored"));
                types.declared = false;
            }
        }
        types
    }

    fn add_list(&mut self, names: &[Value], at: &str, parser: &mut Parser<'_>) {
        let mut others = 0;
        for (index, json) in names.iter().enumerate() {
            match json.as_str() {
                Some("null") => self.null = true,
                Some(name) => {
                    others += 1;
                    self.add(name, &child(at, &index.to_string()), parser);
                }
                None => parser.warn(&child(at, &index.to_string()), "a type must be a name; ignored"),
            }
        }
        if others == 0 && self.null {
            self.scalar = Some(BsonType::Null);
        }
        if others > 1 {
            self.several = true;
            parser.warn(at, "several types at once are not enforced yet; anything is accepted");
        }
    }

    fn add(&mut self, name: &str, at: &str, parser: &mut Parser<'_>) {
        let instead = match name {
            "boolean" => Some("bool"),
            "float" => Some("number"),
            "integer" => Some("int"),
            "binary" => Some("binData"),
            _ => None,
        };
        if let Some(instead) = instead {
            parser.warn(at, format!("`{name}` is no BSON type; read as `{instead}`"));
        } else if name == "number" {
            parser.warn(at, "`number` takes every numeric type and is shown as a double");
        }
        match instead.unwrap_or(name) {
            "object" => self.object = true,
            "array" => self.array = true,
            "mixed" => {}
            name => {
                self.scalar = scalar(name);
                if self.scalar.is_none() {
                    parser.warn(at, format!("unknown type `{name}`; anything is accepted"));
                }
            }
        }
    }
}

fn scalar(name: &str) -> Option<BsonType> {
    Some(match name {
        "string" => BsonType::String,
        "objectId" => BsonType::ObjectId,
        "int" => BsonType::Int,
        "long" => BsonType::Long,
        "double" => BsonType::Double,
        "number" => BsonType::Number,
        "decimal" => BsonType::Decimal,
        "bool" => BsonType::Bool,
        "date" => BsonType::Date,
        "timestamp" => BsonType::Timestamp,
        "uuid" => BsonType::Uuid,
        "binData" => BsonType::BinData,
        "regex" => BsonType::Regex,
        "null" => BsonType::Null,
        "symbol" => BsonType::Symbol,
        "javascript" | "function" => BsonType::Javascript,
        "minKey" => BsonType::MinKey,
        "maxKey" => BsonType::MaxKey,
        _ => return None,
    })
}
