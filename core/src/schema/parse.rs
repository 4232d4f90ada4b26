//! Reads `schema.json`, leniently: real exports are clean JSON and sloppy schemas.
//!
//! 1. The root is an object, whatever it says; an empty schema is none.
//! 2. `type` counts as `bsonType`; `boolean` means `bool`, `float` and `number` are numbers.
//! 3. A list of types with `"null"` makes the rest nullable; with several others it takes each of them.
//! 4. What is misspelt counts as absent, what is not enforced stays unenforced; both are reported.
//! 5. `required` of a field that is not declared is left out: no insert could ever fulfil it.

pub(super) mod types;

use bson::Bson;
use serde_json::{Map, Value};

use self::types::{Named, Types};
use super::validate::Compiler;
use super::{CollectionSchema, ObjectSchema, Property, PropertyKind, RuleText};
use crate::report::Report;

/// Deeper schemas are cut: real ones have at most seven levels.
pub(super) const MAX_DEPTH: usize = 64;

/// Keywords that are read by name but not enforced.
const NOT_ENFORCED: [&str; 2] = ["$ref", "definitions"];

/// Keywords that say nothing about values.
const ANNOTATIONS: [&str; 9] =
    ["title", "description", "default", "examples", "$schema", "$comment", "$id", "id", "_id"];

/// Keywords that are obeyed, beside [`NOT_OF_OBJECTS`]: the structure here, the values in `validate`.
const OBEYED: [&str; 23] = [
    "bsonType",
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "validate",
    "enum",
    "const",
    "additionalItems",
    "contains",
    "minProperties",
    "maxProperties",
    "patternProperties",
    "propertyNames",
    "dependencies",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
];

/// Keywords that are obeyed too, for values that are no objects.
const NOT_OF_OBJECTS: [&str; 12] = [
    "minimum",
    "exclusiveMinimum",
    "maximum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minItems",
    "maxItems",
    "uniqueItems",
];

impl CollectionSchema {
    /// Reads a schema; `None` when it is empty or no schema at all.
    pub fn parse(json: &Value, file: &str, report: &mut Report) -> Option<Self> {
        let mut parser = Parser { file, report };
        let Some(node) = json.as_object() else {
            parser.error("", "a schema must be an object");
            return None;
        };
        if node.is_empty() {
            return None;
        }
        let types = Types::of(node, "", &mut parser);
        if types.declared && !types.named.contains(&Named::Object) {
            parser.warn("/bsonType", "the root of a schema is an object; read as one");
        }
        for keyword in NOT_OF_OBJECTS.iter().filter(|keyword| node.contains_key(**keyword)) {
            parser.warn(&child("", keyword), format!("`{keyword}` means nothing on the root"));
        }
        parser.keywords(node, "");
        let root = parser.object(node, "", 0);
        let check = Compiler { file, report }.root(node, &root);
        Some(Self { root, check })
    }
}

impl Property {
    /// Reads the schema of any value, which stands at this pointer of the file.
    pub fn parse(json: &Value, (file, pointer): (&str, &str), report: &mut Report) -> Self {
        Parser { file, report }.property(json, pointer, 0)
    }
}

pub(super) struct Parser<'a> {
    pub(super) file: &'a str,
    pub(super) report: &'a mut Report,
}

impl Parser<'_> {
    fn object(&mut self, node: &Map<String, Value>, at: &str, depth: usize) -> ObjectSchema {
        let properties = self.properties(node, at, depth);
        ObjectSchema {
            title: title(node),
            required: self.required(node, at, &properties),
            properties,
            closed: self.closed(node, at),
            rule: rule(node, at),
        }
    }

    fn properties(&mut self, node: &Map<String, Value>, at: &str, depth: usize) -> Vec<(String, Property)> {
        let at = child(at, "properties");
        match node.get("properties") {
            None => Vec::new(),
            Some(Value::Object(map)) => map
                .iter()
                .map(|(name, json)| (name.clone(), self.property(json, &child(&at, name), depth + 1)))
                .collect(),
            Some(_) => {
                self.warn(&at, "`properties` must be an object; ignored");
                Vec::new()
            }
        }
    }

    fn property(&mut self, json: &Value, at: &str, depth: usize) -> Property {
        let anything = Property { title: None, kind: PropertyKind::Any, nullable: true, rule: None };
        let Some(node) = json.as_object() else {
            self.warn(at, "a property's schema must be an object; anything is accepted");
            return anything;
        };
        if depth > MAX_DEPTH {
            self.error(at, format!("schemas deeper than {MAX_DEPTH} levels are not read"));
            return anything;
        }
        self.keywords(node, at);
        let types = Types::of(node, at, self);
        let kind = self.kind(&types, node, at, depth);
        let nullable = types.null || kind == PropertyKind::Any;
        Property { title: title(node), kind, nullable, rule: rule(node, at) }
    }

    fn kind(&mut self, types: &Types, node: &Map<String, Value>, at: &str, depth: usize) -> PropertyKind {
        let mut named = |named: &Named| match named {
            Named::Object => PropertyKind::Object(self.object(node, at, depth)),
            Named::Array => PropertyKind::Array(Box::new(self.items(node, at, depth))),
            Named::Scalar(scalar) => PropertyKind::Scalar(*scalar),
            Named::Any => PropertyKind::Any,
        };
        match types.named.as_slice() {
            [] if types.declared => return PropertyKind::Any,
            [] => {}
            [one] => return named(one),
            several if several.contains(&Named::Any) => return PropertyKind::Any,
            several => return PropertyKind::OneOf(several.iter().map(named).collect()),
        }
        if node.get("items").is_some_and(Value::is_object) {
            self.warn(at, "`items` without `bsonType`: read as an array");
            return PropertyKind::Array(Box::new(self.items(node, at, depth)));
        }
        if node.get("properties").is_some_and(Value::is_object) {
            self.warn(at, "`properties` without `bsonType`: read as an object");
            return PropertyKind::Object(self.object(node, at, depth));
        }
        self.warn(at, "no `bsonType`: anything is accepted");
        PropertyKind::Any
    }

    fn items(&mut self, node: &Map<String, Value>, at: &str, depth: usize) -> Property {
        let at = child(at, "items");
        match node.get("items") {
            Some(json @ Value::Object(items)) if !items.is_empty() => self.property(json, &at, depth + 1),
            Some(Value::Array(_)) => {
                self.warn(&at, "GraphQL cannot show items that differ by their places");
                self.any_item()
            }
            None | Some(Value::Object(_)) => self.any_item(),
            Some(_) => {
                self.warn(&at, "`items` must be an object; anything is accepted");
                self.any_item()
            }
        }
    }

    fn any_item(&self) -> Property {
        Property { title: None, kind: PropertyKind::Any, nullable: true, rule: None }
    }

    fn required(
        &mut self,
        node: &Map<String, Value>,
        at: &str,
        properties: &[(String, Property)],
    ) -> Vec<String> {
        let at = child(at, "required");
        let Some(json) = node.get("required") else { return Vec::new() };
        let Some(list) = json.as_array() else {
            self.warn(&at, "`required` must be a list of names; ignored");
            return Vec::new();
        };
        let mut names: Vec<String> = Vec::new();
        for (index, json) in list.iter().enumerate() {
            let here = child(&at, &index.to_string());
            let Some(name) = json.as_str() else {
                self.warn(&here, "a required field's name must be a string; ignored");
                continue;
            };
            // A free-form object declares nothing, so it may require anything.
            let declared = properties.is_empty() || properties.iter().any(|(known, _)| known == name);
            if !declared {
                self.warn(&here, format!("required field `{name}` is not declared; not required"));
            } else if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    fn closed(&mut self, node: &Map<String, Value>, at: &str) -> bool {
        match node.get("additionalProperties") {
            None | Some(Value::Bool(true)) => false,
            // Which names a pattern allows is known to validation alone.
            Some(Value::Bool(false)) => !node.contains_key("patternProperties"),
            Some(Value::Object(_)) => false,
            Some(_) => {
                let at = child(at, "additionalProperties");
                self.warn(&at, "`additionalProperties` must be true, false or a schema; ignored");
                false
            }
        }
    }

    pub(super) fn keywords(&mut self, node: &Map<String, Value>, at: &str) {
        for keyword in node.keys().map(String::as_str) {
            let known = [&OBEYED[..], &NOT_OF_OBJECTS, &ANNOTATIONS].iter().any(|set| set.contains(&keyword));
            if NOT_ENFORCED.contains(&keyword) {
                self.warn(&child(at, keyword), format!("`{keyword}` is not enforced yet"));
            } else if !known {
                self.warn(&child(at, keyword), format!("unknown keyword `{keyword}`; ignored"));
            }
        }
    }

    fn warn(&mut self, at: &str, message: impl Into<String>) {
        self.report.warn(self.file, at, message);
    }

    fn error(&mut self, at: &str, message: impl Into<String>) {
        self.report.error(self.file, at, message);
    }
}

fn rule(node: &Map<String, Value>, at: &str) -> Option<RuleText> {
    node.get("validate").map(|json| RuleText { json: json.clone(), pointer: child(at, "validate") })
}

fn title(node: &Map<String, Value>) -> Option<String> {
    node.get("title").and_then(Value::as_str).filter(|title| !title.trim().is_empty()).map(str::to_owned)
}

/// A number, also in canonical extended JSON (`{"$numberInt": "1"}`).
pub(super) fn number(json: &Value) -> Option<f64> {
    if let Some(number) = json.as_f64() {
        return Some(number);
    }
    match Bson::try_from(json.clone()).ok()? {
        Bson::Int32(number) => Some(number.into()),
        #[expect(clippy::cast_precision_loss, reason = "bounds are doubles")]
        Bson::Int64(number) => Some(number as f64),
        Bson::Double(number) => Some(number),
        _ => None,
    }
}

/// RFC 6901: `~` and `/` are escaped.
pub(super) fn child(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::BsonType;

    fn parse(json: &Value) -> (Option<CollectionSchema>, Report) {
        let mut report = Report::default();
        let schema = CollectionSchema::parse(json, "schema.json", &mut report);
        (schema, report)
    }

    /// Parses one property, and says where the problems are.
    fn property(json: Value) -> (Property, Vec<String>) {
        let (schema, report) = parse(&json!({ "properties": { "a": json } }));
        let at = report.problems().iter().map(|problem| problem.pointer.clone()).collect();
        (schema.unwrap().root.properties.remove(0).1, at)
    }

    #[test]
    fn a_root_without_a_type_is_an_object_and_keeps_the_order_of_its_fields() {
        let (schema, report) = parse(
            &json!({ "title": "Note", "required": ["z"], "properties": { "z": {"bsonType": "string"}, "a": {"bsonType": "int"} } }),
        );
        let root = schema.unwrap().root;
        assert_eq!(report.problems(), []);
        assert_eq!(root.title.as_deref(), Some("Note"));
        assert_eq!(root.required, ["z"]);
        assert_eq!(root.properties.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["z", "a"]);
        assert!(!root.closed);
    }

    #[test]
    fn an_empty_schema_is_none() {
        assert_eq!(parse(&json!({})), (None, Report::default()));
    }

    #[test]
    fn a_schema_that_is_no_object_is_an_error() {
        let (schema, report) = parse(&json!([1]));
        assert!(schema.is_none() && report.has_errors());
    }

    #[test]
    fn types_and_their_aliases_are_understood() {
        let cases = [
            (json!({"bsonType": "string"}), PropertyKind::Scalar(BsonType::String), false, 0),
            (json!({"type": "string"}), PropertyKind::Scalar(BsonType::String), false, 0),
            (json!({"bsonType": "boolean"}), PropertyKind::Scalar(BsonType::Bool), false, 1),
            (json!({"bsonType": "float"}), PropertyKind::Scalar(BsonType::Number), false, 1),
            (json!({"bsonType": "number"}), PropertyKind::Scalar(BsonType::Number), false, 1),
            (json!({"bsonType": "mixed"}), PropertyKind::Any, true, 0),
            (json!({"bsonType": "strnig"}), PropertyKind::Any, true, 1),
            (json!({"bsonType": ["string", "null"]}), PropertyKind::Scalar(BsonType::String), true, 0),
            (
                json!({"bsonType": ["string", "null", "int", "string"]}),
                PropertyKind::OneOf(
                    [BsonType::String, BsonType::Int].into_iter().map(PropertyKind::Scalar).collect(),
                ),
                true,
                1,
            ),
            (json!({"bsonType": ["string", "mixed"]}), PropertyKind::Any, true, 1),
            (json!({"bsonType": ["null"]}), PropertyKind::Scalar(BsonType::Null), true, 0),
            (json!({"bsonType": "object"}), PropertyKind::Object(ObjectSchema::default()), false, 0),
            (json!({}), PropertyKind::Any, true, 1),
        ];
        for (json, kind, nullable, problems) in cases {
            let (property, at) = property(json.clone());
            assert_eq!((property.kind, property.nullable, at.len()), (kind, nullable, problems), "{json}");
        }
    }

    #[test]
    fn items_without_a_type_are_an_array() {
        let (property, at) = property(json!({ "items": { "bsonType": "string" } }));
        assert!(
            matches!(property.kind, PropertyKind::Array(items) if items.kind == PropertyKind::Scalar(BsonType::String))
        );
        assert_eq!(at, ["/properties/a"]);
    }

    #[test]
    fn misspelt_keywords_are_reported_and_count_as_absent() {
        let (property, at) = property(json!({ "bsonType:": "string", "desciption": "x" }));
        assert_eq!(property.kind, PropertyKind::Any);
        assert_eq!(at, ["/properties/a/bsonType:", "/properties/a/desciption", "/properties/a"]);
    }

    #[test]
    fn required_fields_that_nobody_declared_are_reported_and_not_required() {
        let (schema, report) = parse(
            &json!({ "required": ["owmer", "owner"], "properties": { "owner": {"bsonType": "string"} } }),
        );
        assert_eq!(schema.unwrap().root.required, ["owner"]);
        assert_eq!(report.problems()[0].pointer, "/required/0");
    }

    #[test]
    fn every_keyword_that_is_not_enforced_is_reported_by_name() {
        for keyword in NOT_ENFORCED {
            let (_, report) = parse(&json!({ "properties": { "a": { "bsonType": "string", keyword: {} } } }));
            let problem = &report.problems()[0];
            assert_eq!(problem.pointer, format!("/properties/a/{keyword}"));
            assert_eq!(problem.message, format!("`{keyword}` is not enforced yet"));
        }
    }
}
