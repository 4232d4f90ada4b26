//! Collection schemas: JSON schema with `bsonType`, as `schema.json` holds it.

mod parse;
mod relationship;
mod resolver;
mod validate;

pub use relationship::Relationship;
pub use resolver::{CustomResolver, ResolverType};
pub use validate::{NullHandling, Violation};

/// The schema of a collection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CollectionSchema {
    /// The root object; its `title` names the GraphQL type.
    pub root: ObjectSchema,
    /// All that a document has to fulfil.
    check: validate::Node,
}

/// An object: the root or an embedded one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectSchema {
    /// `title`.
    pub title: Option<String>,
    /// `properties`, in the order of the file.
    pub properties: Vec<(String, Property)>,
    /// `required`.
    pub required: Vec<String>,
    /// Nothing but `properties` is allowed: `additionalProperties: false` without `patternProperties`.
    pub closed: bool,
    /// `validate`.
    pub rule: Option<RuleText>,
}

/// A `validate` expression as it was written: rules read it.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleText {
    /// The expression.
    pub json: serde_json::Value,
    /// Where it stands in the file.
    pub pointer: String,
}

/// One property, or the items of an array.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// `title`; on a relationship field it renames the resolved field, on an object it names the type.
    pub title: Option<String>,
    /// What values it takes.
    pub kind: PropertyKind,
    /// Whether `null` is allowed beside the kind (a `bsonType` list with `"null"`).
    pub nullable: bool,
    /// `validate`.
    pub rule: Option<RuleText>,
}

/// What values a property takes.
#[derive(Clone, Debug, PartialEq)]
pub enum PropertyKind {
    /// A scalar.
    Scalar(BsonType),
    /// An embedded object. Without properties it is free-form.
    Object(ObjectSchema),
    /// An array.
    Array(Box<Property>),
    /// One of several, in the order of the schema.
    OneOf(Vec<PropertyKind>),
    /// Anything: no `bsonType`, or `mixed`.
    Any,
}

/// The scalar BSON types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum BsonType {
    String,
    ObjectId,
    Int,
    Long,
    Double,
    /// `number`: any numeric width; shown as a double.
    Number,
    Decimal,
    Bool,
    Date,
    Timestamp,
    Uuid,
    BinData,
    Regex,
    Null,
    Symbol,
    Javascript,
    MinKey,
    MaxKey,
}

#[cfg(test)]
impl CollectionSchema {
    /// One that is only shown, and checks nothing.
    pub(crate) fn shown(root: ObjectSchema) -> Self {
        Self { root, ..Self::default() }
    }
}
