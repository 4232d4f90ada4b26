//! Which types a value may have: what a schema says of a field, and what is known of an operand.

use std::fmt;

use bson::Bson;

use super::super::expr::{Conversion, Known, Operand};
use crate::schema::{BsonType, ObjectSchema, PropertyKind};

/// A set of types: MongoDB's brackets, within which values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Types(u16);

impl Types {
    /// Null, and nothing at all.
    pub(super) const NULL: Self = Self(1);
    pub(super) const ARRAY: Self = Self(1 << 1);
    pub(super) const STRING: Self = Self(1 << 2);
    pub(super) const OBJECT_ID: Self = Self(1 << 3);
    pub(super) const BINARY: Self = Self(1 << 4);
    const NUMBER: Self = Self(1 << 5);
    const BOOL: Self = Self(1 << 6);
    const DATE: Self = Self(1 << 7);
    const TIMESTAMP: Self = Self(1 << 8);
    const OBJECT: Self = Self(1 << 9);
    pub(super) const ANY: Self = Self(u16::MAX);

    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether they have a type in common.
    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn union(sets: impl IntoIterator<Item = Self>) -> Self {
        sets.into_iter().fold(Self(0), Self::or)
    }

    /// Of a value; an array stands for its elements too.
    pub(super) fn of_value(value: &Bson) -> Self {
        match value {
            Bson::Null | Bson::Undefined => Self::NULL,
            Bson::String(_) => Self::STRING,
            Bson::ObjectId(_) => Self::OBJECT_ID,
            Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) | Bson::Decimal128(_) => Self::NUMBER,
            Bson::Boolean(_) => Self::BOOL,
            Bson::DateTime(_) => Self::DATE,
            Bson::Timestamp(_) => Self::TIMESTAMP,
            Bson::Binary(_) => Self::BINARY,
            Bson::Document(_) => Self::OBJECT,
            Bson::Array(items) => Self::union(items.iter().map(Self::of_value)).or(Self::ARRAY),
            _ => Self::ANY,
        }
    }

    /// Of an operand that is no field.
    pub(super) fn of_operand(operand: &Operand) -> Self {
        match operand {
            Operand::Literal(value) => Self::of_value(value),
            Operand::Known(Known::User, path) if path == "id" || path == "type" => Self::STRING,
            Operand::Document(_) => Self::OBJECT,
            Operand::Convert(conversion, _) => Self::of_converted(*conversion).1,
            Operand::Known(..) | Operand::Stored(..) | Operand::List(_) | Operand::Call(..) => Self::ANY,
        }
    }

    /// What a conversion takes, and what it gives.
    pub(super) fn of_converted(conversion: Conversion) -> (Self, Self) {
        match conversion {
            Conversion::StringToOid => (Self::STRING, Self::OBJECT_ID),
            Conversion::OidToString => (Self::OBJECT_ID, Self::STRING),
            Conversion::StringToUuid => (Self::STRING, Self::BINARY),
            Conversion::UuidToString => (Self::BINARY, Self::STRING),
        }
    }

    /// Of the field at a dotted path, the elements of arrays among them; `None` for a field that the schema refuses.
    pub(super) fn of_field(schema: &ObjectSchema, path: &str) -> Option<Self> {
        // `_id` is allowed also where it is not declared.
        let found = of_object(schema, path);
        found.or_else(|| (path == "_id").then_some(Self::ANY))
    }

    fn of_scalar(scalar: BsonType) -> Self {
        match scalar {
            BsonType::String => Self::STRING,
            BsonType::ObjectId => Self::OBJECT_ID,
            BsonType::Int | BsonType::Long | BsonType::Double | BsonType::Number | BsonType::Decimal => {
                Self::NUMBER
            }
            BsonType::Bool => Self::BOOL,
            BsonType::Date => Self::DATE,
            BsonType::Timestamp => Self::TIMESTAMP,
            BsonType::Uuid | BsonType::BinData => Self::BINARY,
            BsonType::Null => Self::NULL,
            BsonType::Regex
            | BsonType::Symbol
            | BsonType::Javascript
            | BsonType::MinKey
            | BsonType::MaxKey => Self::ANY,
        }
    }
}

fn of_object(schema: &ObjectSchema, path: &str) -> Option<Types> {
    let (head, rest) = match path.split_once('.') {
        Some((head, rest)) => (head, Some(rest)),
        None => (path, None),
    };
    match schema.properties.iter().find(|(name, _)| name == head) {
        Some((_, property)) => of_kind(&property.kind, rest),
        None if schema.closed => None,
        None => Some(Types::ANY),
    }
}

/// Of what stands at the rest of a path below a value of this kind.
fn of_kind(kind: &PropertyKind, rest: Option<&str>) -> Option<Types> {
    match (kind, rest) {
        (PropertyKind::Any, _) => Some(Types::ANY),
        (PropertyKind::Scalar(scalar), None) => Some(Types::of_scalar(*scalar).or(Types::NULL)),
        (PropertyKind::Scalar(_), Some(_)) => None,
        (PropertyKind::Object(_), None) => Some(Types::OBJECT.or(Types::NULL)),
        (PropertyKind::Object(schema), Some(rest)) => of_object(schema, rest),
        (PropertyKind::Array(item), rest) => {
            let (head, below) = rest.map_or(("", None), |rest| match rest.split_once('.') {
                Some((head, below)) => (head, Some(below)),
                None => (rest, None),
            });
            let is_index = !head.is_empty() && head.bytes().all(|byte| byte.is_ascii_digit());
            let below = if is_index { below } else { rest };
            of_kind(&item.kind, below).map(|types| types.or(Types::ARRAY).or(Types::NULL))
        }
        (PropertyKind::OneOf(kinds), rest) => {
            let mut found = kinds.iter().filter_map(|kind| of_kind(kind, rest)).peekable();
            found.peek().is_some().then(|| Types::union(found))
        }
    }
}

/// What it is besides null.
impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [(Types, &str); 9] = [
            (Types::STRING, "string"),
            (Types::OBJECT_ID, "objectId"),
            (Types::NUMBER, "number"),
            (Types::BOOL, "bool"),
            (Types::DATE, "date"),
            (Types::TIMESTAMP, "timestamp"),
            (Types::BINARY, "binary"),
            (Types::OBJECT, "object"),
            (Types::ARRAY, "array"),
        ];
        let names: Vec<_> =
            NAMES.iter().filter(|(types, _)| types.meets(*self)).map(|(_, name)| *name).collect();
        f.write_str(if names.is_empty() { "null".to_owned() } else { names.join(" or ") }.as_str())
    }
}
