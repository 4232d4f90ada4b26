//! A schema as it is checked: every keyword compiled once.

use bson::Bson;

use super::number::Multiple;
use super::text::{Format, Pattern};
use crate::schema::BsonType;

/// What a value has to fulfil. What is `None` asks nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::schema) struct Node {
    /// `bsonType` or `type`; an empty list takes nothing.
    pub(super) types: Option<Vec<Type>>,
    /// `enum`.
    pub(super) one_of: Option<Vec<Bson>>,
    /// `const`.
    pub(super) constant: Option<Bson>,
    pub(super) numbers: Option<Box<Numbers>>,
    pub(super) texts: Option<Box<Texts>>,
    pub(super) lists: Option<Box<Lists>>,
    pub(super) objects: Option<Box<Objects>>,
    pub(super) combined: Option<Box<Combined>>,
}

/// A type that a value may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::schema) enum Type {
    Object,
    Array,
    Scalar(BsonType),
}

/// Keywords for numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Numbers {
    /// `minimum`, and whether it is exclusive.
    pub(super) minimum: Option<(f64, bool)>,
    /// `maximum`, and whether it is exclusive.
    pub(super) maximum: Option<(f64, bool)>,
    /// `multipleOf`.
    pub(super) multiple_of: Option<Multiple>,
}

/// Keywords for texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Texts {
    /// `minLength`, in characters.
    pub(super) min: Option<u64>,
    /// `maxLength`, in characters.
    pub(super) max: Option<u64>,
    /// `pattern`.
    pub(super) pattern: Option<Pattern>,
    /// `format`.
    pub(super) format: Option<Format>,
}

/// Keywords for arrays.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lists {
    /// `items`, where it is one schema.
    pub(super) items: Option<Node>,
    /// `items`, where it is a list of schemas: one for each place.
    pub(super) places: Vec<Node>,
    /// `additionalItems`: what stands beyond those places.
    pub(super) others: Option<Node>,
    /// `contains`.
    pub(super) contains: Option<Node>,
    /// `minItems`.
    pub(super) min: Option<u64>,
    /// `maxItems`.
    pub(super) max: Option<u64>,
    /// `uniqueItems`.
    pub(super) unique: bool,
}

/// Keywords for objects.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Objects {
    /// `properties`.
    pub(super) properties: Vec<(String, Node)>,
    /// `patternProperties`.
    pub(super) patterns: Vec<(Pattern, Node)>,
    /// `additionalProperties: false`.
    pub(super) closed: bool,
    /// `additionalProperties`, where it is a schema.
    pub(super) others: Option<Node>,
    /// `required`.
    pub(super) required: Vec<String>,
    /// `propertyNames`.
    pub(super) names: Option<Node>,
    /// `minProperties`.
    pub(super) min: Option<u64>,
    /// `maxProperties`.
    pub(super) max: Option<u64>,
    /// `dependencies`.
    pub(super) dependencies: Vec<(String, Dependency)>,
}

/// What a property asks for by being there.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Dependency {
    /// These properties.
    Properties(Vec<String>),
    /// That the object fits this.
    Schema(Node),
}

/// Keywords that combine schemas.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Combined {
    /// `allOf`.
    pub(super) all: Vec<Node>,
    /// `anyOf`.
    pub(super) any: Option<Vec<Node>>,
    /// `oneOf`.
    pub(super) one: Option<Vec<Node>>,
    /// `not`.
    pub(super) not: Option<Node>,
    /// `if`, `then`, `else`.
    pub(super) condition: Option<(Node, Option<Node>, Option<Node>)>,
}

impl Node {
    /// Takes nothing.
    pub(super) fn nothing() -> Self {
        Self { types: Some(Vec::new()), ..Self::default() }
    }
}

/// The keywords, if one of them is given.
pub(super) fn given<T: Default + PartialEq>(keywords: T) -> Option<Box<T>> {
    (keywords != T::default()).then(|| Box::new(keywords))
}
