//! The types that a schema names, and what sloppy names stand for.

use serde_json::{Map, Value};

use super::{Parser, child};
use crate::schema::BsonType;

/// What `bsonType` (or `type`) says.
#[derive(Default)]
pub(in crate::schema) struct Types {
    pub(in crate::schema) declared: bool,
    pub(in crate::schema) null: bool,
    /// The types beside null, in their order.
    pub(in crate::schema) named: Vec<Named>,
}

/// A type.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::schema) enum Named {
    Object,
    Array,
    Scalar(BsonType),
    /// `mixed`, or one that is not known.
    Any,
}

impl Types {
    pub(in crate::schema) fn of(node: &Map<String, Value>, at: &str, parser: &mut Parser<'_>) -> Self {
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
        for (index, json) in names.iter().enumerate() {
            match json.as_str() {
                Some("null") => self.null = true,
                Some(name) => self.add(name, &child(at, &index.to_string()), parser),
                None => parser.warn(&child(at, &index.to_string()), "a type must be a name; ignored"),
            }
        }
        if self.named.is_empty() && self.null {
            self.named.push(Named::Scalar(BsonType::Null));
        }
        if self.named.len() > 1 {
            parser.warn(at, "of several types GraphQL shows the first that it can carry");
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
        let named = match instead.unwrap_or(name) {
            "object" => Named::Object,
            "array" => Named::Array,
            "mixed" => Named::Any,
            name => scalar(name).map_or_else(
                || {
                    parser.warn(at, format!("unknown type `{name}`; anything is accepted"));
                    Named::Any
                },
                Named::Scalar,
            ),
        };
        if !self.named.contains(&named) {
            self.named.push(named);
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
