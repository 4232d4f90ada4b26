//! Checks a document against its collection's schema.
//!
//! 1. `bsonType` is exact: an int is no long, only `number` takes every width.
//! 2. An explicit null is refused where a type is asked, unless the type list has `"null"`, or the field
//!    is optional and [`NullHandling::AllowedWhereOptional`] is chosen.
//! 3. `_id` is always allowed at the root, even of a closed schema: every document has one.
//! 4. The first violation ends the check.

use std::collections::HashSet;
use std::fmt;

use bson::{Bson, RawArray, RawBsonRef, RawDocument};

use super::{BsonType, CollectionSchema, Constraints, ObjectSchema, Property, PropertyKind};
use crate::filter::{self, Direction};

/// What becomes of an explicit null in a typed field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NullHandling {
    /// Only types that name `"null"` take it.
    #[default]
    Refused,
    /// Optional fields take it too (`null_type_schema_validation`).
    AllowedWhereOptional,
}

/// What a document does not fulfil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The dotted path of the value; empty for the document itself.
    pub path: String,
    /// The keyword that it breaks.
    pub keyword: &'static str,
    /// What is wrong: lower case, no full stop.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "`{}`: ", self.path)?;
        }
        write!(f, "{} (`{}`)", self.message, self.keyword)
    }
}

impl std::error::Error for Violation {}

impl CollectionSchema {
    /// Whether the document fits.
    ///
    /// # Errors
    /// The first [`Violation`].
    pub fn check(&self, document: &RawDocument, nulls: NullHandling) -> Result<(), Violation> {
        Check { nulls, path: Vec::new() }.object(&self.root, document)
    }
}

struct Check<'a> {
    nulls: NullHandling,
    path: Vec<Segment<'a>>,
}

enum Segment<'a> {
    Field(&'a str),
    Index(usize),
}

impl<'a> Check<'a> {
    fn object(&mut self, schema: &ObjectSchema, document: &'a RawDocument) -> Result<(), Violation> {
        let mut seen = HashSet::new();
        for element in document {
            let Ok((name, value)) = element else {
                return Err(self.violation("bsonType", "the document cannot be read"));
            };
            let name = name.as_str();
            seen.insert(name);
            let root = self.path.is_empty();
            self.path.push(Segment::Field(name));
            match schema.properties.iter().find(|(known, _)| known == name) {
                Some((_, property)) => {
                    let optional = !schema.required.iter().any(|required| required == name);
                    self.field(property, value, optional)?;
                }
                None if schema.closed && !(root && name == "_id") => {
                    return Err(self.violation("additionalProperties", "the field is not in the schema"));
                }
                None => {}
            }
            self.path.pop();
        }
        match schema.required.iter().find(|required| !seen.contains(required.as_str())) {
            Some(missing) => Err(self.violation("required", format!("the field `{missing}` is missing"))),
            None => Ok(()),
        }
    }

    fn field(&mut self, property: &Property, value: RawBsonRef<'a>, optional: bool) -> Result<(), Violation> {
        if value == RawBsonRef::Null && optional && self.nulls == NullHandling::AllowedWhereOptional {
            return Ok(());
        }
        self.value(property, value)
    }

    fn value(&mut self, property: &Property, value: RawBsonRef<'a>) -> Result<(), Violation> {
        if !(property.nullable && value == RawBsonRef::Null) {
            self.kind(&property.kind, value)?;
        }
        self.constraints(&property.constraints, value)
    }

    fn kind(&mut self, kind: &PropertyKind, value: RawBsonRef<'a>) -> Result<(), Violation> {
        match (kind, value) {
            (PropertyKind::Any, _) => Ok(()),
            (PropertyKind::OneOf(kinds), _) => self.one_of(kinds, value),
            (PropertyKind::Object(schema), RawBsonRef::Document(document)) => self.object(schema, document),
            (PropertyKind::Object(_), _) => Err(self.wrong_type("an object")),
            (PropertyKind::Array(items), RawBsonRef::Array(array)) => self.items(items, array),
            (PropertyKind::Array(_), _) => Err(self.wrong_type("an array")),
            (PropertyKind::Scalar(scalar), value) if is_of(*scalar, value) => Ok(()),
            (PropertyKind::Scalar(scalar), _) => {
                Err(self.wrong_type(&format!("of type `{}`", name_of(*scalar))))
            }
        }
    }

    fn one_of(&mut self, kinds: &[PropertyKind], value: RawBsonRef<'a>) -> Result<(), Violation> {
        let depth = self.path.len();
        for kind in kinds {
            match self.kind(kind, value) {
                Ok(()) => return Ok(()),
                // What is wrong inside of an object or array is worth telling.
                Err(violation) if self.path.len() > depth => return Err(violation),
                Err(_) => {}
            }
        }
        Err(self.wrong_type("of one of the types in the list"))
    }

    fn items(&mut self, items: &Property, array: &'a RawArray) -> Result<(), Violation> {
        for (index, element) in array.into_iter().enumerate() {
            let Ok(value) = element else {
                return Err(self.violation("bsonType", "the array cannot be read"));
            };
            self.path.push(Segment::Index(index));
            self.value(items, value)?;
            self.path.pop();
        }
        Ok(())
    }

    fn constraints(&self, constraints: &Constraints, value: RawBsonRef<'a>) -> Result<(), Violation> {
        if let Some(allowed) = &constraints.one_of {
            let given = self.owned(value)?;
            if !allowed.iter().any(|one| filter::equal(one, &given)) {
                return Err(self.violation("enum", "the value is not one of those allowed"));
            }
        }
        match value {
            RawBsonRef::String(text) => self.length(constraints, text),
            RawBsonRef::Array(array) => self.array(constraints, array),
            RawBsonRef::Int32(_)
            | RawBsonRef::Int64(_)
            | RawBsonRef::Double(_)
            | RawBsonRef::Decimal128(_) => self.range(constraints, &self.owned(value)?),
            _ => Ok(()),
        }
    }

    fn range(&self, constraints: &Constraints, number: &Bson) -> Result<(), Violation> {
        if let Some(minimum) = constraints.minimum {
            let order = filter::compare(number, &Bson::Double(minimum));
            if order.is_lt() || (constraints.exclusive_minimum && order.is_eq()) {
                let word = if constraints.exclusive_minimum { "more than" } else { "at least" };
                return Err(self.violation("minimum", format!("the number must be {word} {minimum}")));
            }
        }
        if let Some(maximum) = constraints.maximum {
            let order = filter::compare(number, &Bson::Double(maximum));
            if order.is_gt() || (constraints.exclusive_maximum && order.is_eq()) {
                let word = if constraints.exclusive_maximum { "less than" } else { "at most" };
                return Err(self.violation("maximum", format!("the number must be {word} {maximum}")));
            }
        }
        Ok(())
    }

    fn length(&self, constraints: &Constraints, text: &str) -> Result<(), Violation> {
        if constraints.min_length.is_none() && constraints.max_length.is_none() {
            return Ok(());
        }
        let length = text.chars().count() as u64;
        match (constraints.min_length, constraints.max_length) {
            (Some(least), _) if length < least => {
                Err(self.violation("minLength", format!("the text must have at least {least} characters")))
            }
            (_, Some(most)) if length > most => {
                Err(self.violation("maxLength", format!("the text must have at most {most} characters")))
            }
            _ => Ok(()),
        }
    }

    fn array(&self, constraints: &Constraints, array: &'a RawArray) -> Result<(), Violation> {
        if constraints.min_items.is_none() && constraints.max_items.is_none() && !constraints.unique_items {
            return Ok(());
        }
        let mut count = 0_u64;
        let mut keys = HashSet::new();
        for element in array {
            let Ok(value) = element else {
                return Err(self.violation("bsonType", "the array cannot be read"));
            };
            count += 1;
            // Keys are equal exactly when the values are: no pairwise comparison of a long list.
            if constraints.unique_items
                && !keys.insert(filter::key::encode(&self.owned(value)?, Direction::Ascending))
            {
                return Err(self.violation("uniqueItems", "the list has an element twice"));
            }
        }
        match (constraints.min_items, constraints.max_items) {
            (Some(least), _) if count < least => {
                Err(self.violation("minItems", format!("the list must have at least {least} elements")))
            }
            (_, Some(most)) if count > most => {
                Err(self.violation("maxItems", format!("the list must have at most {most} elements")))
            }
            _ => Ok(()),
        }
    }

    fn owned(&self, value: RawBsonRef<'_>) -> Result<Bson, Violation> {
        Bson::try_from(value).map_err(|_| self.violation("bsonType", "the value cannot be read"))
    }

    fn wrong_type(&self, expected: &str) -> Violation {
        self.violation("bsonType", format!("the value must be {expected}"))
    }

    fn violation(&self, keyword: &'static str, message: impl Into<String>) -> Violation {
        let segments = self.path.iter().map(|segment| match segment {
            Segment::Field(name) => (*name).to_owned(),
            Segment::Index(index) => index.to_string(),
        });
        Violation { path: segments.collect::<Vec<_>>().join("."), keyword, message: message.into() }
    }
}

fn is_of(scalar: BsonType, value: RawBsonRef<'_>) -> bool {
    use bson::spec::BinarySubtype;
    match (scalar, value) {
        (
            BsonType::Number,
            RawBsonRef::Int32(_) | RawBsonRef::Int64(_) | RawBsonRef::Double(_) | RawBsonRef::Decimal128(_),
        )
        | (BsonType::String, RawBsonRef::String(_))
        | (BsonType::ObjectId, RawBsonRef::ObjectId(_))
        | (BsonType::Int, RawBsonRef::Int32(_))
        | (BsonType::Long, RawBsonRef::Int64(_))
        | (BsonType::Double, RawBsonRef::Double(_))
        | (BsonType::Decimal, RawBsonRef::Decimal128(_))
        | (BsonType::Bool, RawBsonRef::Boolean(_))
        | (BsonType::Date, RawBsonRef::DateTime(_))
        | (BsonType::Timestamp, RawBsonRef::Timestamp(_))
        | (BsonType::BinData, RawBsonRef::Binary(_))
        | (BsonType::Regex, RawBsonRef::RegularExpression(_))
        | (BsonType::Null, RawBsonRef::Null)
        | (BsonType::Symbol, RawBsonRef::Symbol(_))
        | (BsonType::Javascript, RawBsonRef::JavaScriptCode(_) | RawBsonRef::JavaScriptCodeWithScope(_))
        | (BsonType::MinKey, RawBsonRef::MinKey)
        | (BsonType::MaxKey, RawBsonRef::MaxKey) => true,
        (BsonType::Uuid, RawBsonRef::Binary(binary)) => binary.subtype == BinarySubtype::Uuid,
        _ => false,
    }
}

fn name_of(scalar: BsonType) -> &'static str {
    match scalar {
        BsonType::String => "string",
        BsonType::ObjectId => "objectId",
        BsonType::Int => "int",
        BsonType::Long => "long",
        BsonType::Double => "double",
        BsonType::Number => "number",
        BsonType::Decimal => "decimal",
        BsonType::Bool => "bool",
        BsonType::Date => "date",
        BsonType::Timestamp => "timestamp",
        BsonType::Uuid => "uuid",
        BsonType::BinData => "binData",
        BsonType::Regex => "regex",
        BsonType::Null => "null",
        BsonType::Symbol => "symbol",
        BsonType::Javascript => "javascript",
        BsonType::MinKey => "minKey",
        BsonType::MaxKey => "maxKey",
    }
}

#[cfg(test)]
mod tests {
    use bson::{RawDocumentBuf, doc};
    use serde_json::{Value, json};

    use super::*;
    use crate::report::Report;

    /// The path and the keyword of the first violation of `{a: schema}`.
    fn check(schema: Value, document: bson::Document) -> Option<(String, &'static str)> {
        check_root(json!({ "properties": { "a": schema } }), document, NullHandling::Refused)
    }

    fn check_root(
        schema: Value,
        document: bson::Document,
        nulls: NullHandling,
    ) -> Option<(String, &'static str)> {
        let schema = CollectionSchema::parse(&schema, "", &mut Report::default()).unwrap();
        let document = RawDocumentBuf::try_from(&document).unwrap();
        schema.check(&document, nulls).err().map(|violation| (violation.path, violation.keyword))
    }

    #[test]
    fn each_keyword_accepts_and_refuses() {
        let cases = [
            (json!({"bsonType": "string"}), doc! {"a": "x"}, doc! {"a": 1}, "bsonType"),
            (json!({"bsonType": "long"}), doc! {"a": 1_i64}, doc! {"a": 1_i32}, "bsonType"),
            (json!({"bsonType": "double"}), doc! {"a": 1.0}, doc! {"a": 1_i32}, "bsonType"),
            (json!({"bsonType": "number"}), doc! {"a": 1_i32}, doc! {"a": "1"}, "bsonType"),
            (json!({"bsonType": "object"}), doc! {"a": {"b": 1}}, doc! {"a": [1]}, "bsonType"),
            (json!({"bsonType": "array"}), doc! {"a": [1, "x"]}, doc! {"a": {}}, "bsonType"),
            (json!({"bsonType": "string"}), doc! {}, doc! {"a": null}, "bsonType"),
            (json!({"bsonType": "string", "enum": ["x"]}), doc! {"a": "x"}, doc! {"a": "y"}, "enum"),
            (json!({"bsonType": "int", "minimum": 1}), doc! {"a": 1}, doc! {"a": 0}, "minimum"),
            (
                json!({"bsonType": "int", "minimum": 1, "exclusiveMinimum": true}),
                doc! {"a": 2},
                doc! {"a": 1},
                "minimum",
            ),
            (json!({"bsonType": "int", "maximum": 1}), doc! {"a": 1}, doc! {"a": 2}, "maximum"),
            (json!({"bsonType": "string", "minLength": 2}), doc! {"a": "éé"}, doc! {"a": "é"}, "minLength"),
            (json!({"bsonType": "string", "maxLength": 1}), doc! {"a": "é"}, doc! {"a": "éé"}, "maxLength"),
            (json!({"bsonType": "array", "minItems": 1}), doc! {"a": [1]}, doc! {"a": []}, "minItems"),
            (json!({"bsonType": "array", "maxItems": 1}), doc! {"a": [1]}, doc! {"a": [1, 2]}, "maxItems"),
            (
                json!({"bsonType": "array", "uniqueItems": true}),
                doc! {"a": [1, 2]},
                doc! {"a": [1, 1.0]},
                "uniqueItems",
            ),
        ];
        for (schema, good, bad, keyword) in cases {
            assert_eq!(check(schema.clone(), good), None, "{schema}");
            assert_eq!(check(schema.clone(), bad), Some(("a".to_owned(), keyword)), "{schema}");
        }
    }

    #[test]
    fn a_violation_names_the_path_through_lists_and_objects() {
        let schema = json!({ "bsonType": "array", "items": {
            "bsonType": "object", "required": ["b"], "properties": { "b": { "bsonType": "int" } } } });
        assert_eq!(
            check(schema.clone(), doc! {"a": [{"b": 1}, {"b": "x"}]}),
            Some(("a.1.b".into(), "bsonType"))
        );
        assert_eq!(check(schema, doc! {"a": [{"b": 1}, {}]}), Some(("a.1".into(), "required")));
    }

    #[test]
    fn a_closed_schema_refuses_other_fields_but_never_the_id() {
        let schema = json!({ "additionalProperties": false, "properties": { "a": {"bsonType": "int"} } });
        let check = |document| check_root(schema.clone(), document, NullHandling::Refused);
        assert_eq!(check(doc! {"_id": 1, "a": 1}), None);
        assert_eq!(check(doc! {"b": 1}), Some(("b".into(), "additionalProperties")));
    }

    #[test]
    fn null_is_taken_where_the_type_says_so_or_optional_fields_may_be_null() {
        let schema = json!({ "required": ["r"], "properties": {
            "r": { "bsonType": "string" }, "o": { "bsonType": "string" }, "n": { "bsonType": ["string", "null"] } } });
        let optional = doc! {"r": "x", "o": null};
        let required = doc! {"r": null};
        let nullable = doc! {"r": "x", "n": null};
        let check = |document: &bson::Document, nulls| check_root(schema.clone(), document.clone(), nulls);
        assert_eq!(check(&optional, NullHandling::Refused), Some(("o".into(), "bsonType")));
        assert_eq!(check(&optional, NullHandling::AllowedWhereOptional), None);
        assert_eq!(check(&required, NullHandling::AllowedWhereOptional), Some(("r".into(), "bsonType")));
        assert_eq!(check(&nullable, NullHandling::Refused), None);
    }
}
