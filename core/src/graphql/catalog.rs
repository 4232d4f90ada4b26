//! The generated API as data: types, inputs, enums and root fields.
//!
//! The catalog is the one description of the schema. juniper's types, the SDL, variable coercion,
//! filters and plans are all derived from it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::filter::{Direction, FieldPath};
use crate::id::CollectionId;

/// The generated API of one app.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Output types: one per collection and per embedded object, and then those of custom resolvers.
    pub objects: Vec<ObjectType>,
    /// Input types.
    pub inputs: Vec<InputObject>,
    /// Sort enums.
    pub enums: Vec<SortEnum>,
    /// Collections with a GraphQL type.
    pub collections: Vec<CollectionApi>,
    /// What custom resolvers are, by their place.
    pub resolvers: Vec<Resolver>,
    /// Fields of `Query`, in SDL order.
    pub queries: Vec<RootField>,
    /// Fields of `Mutation`, in SDL order.
    pub mutations: Vec<RootField>,
    /// Index of every input by name.
    pub inputs_by_name: HashMap<String, InputIndex>,
    /// Index of every enum by name.
    pub enums_by_name: HashMap<String, usize>,
}

/// Place of an [`ObjectType`] in the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ObjectIndex(pub usize);

/// Place of an [`InputObject`] in the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InputIndex(pub usize);

/// Place of a [`CollectionApi`] in the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CollectionIndex(pub usize);

/// Place of a [`Resolver`] in the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResolverIndex(pub usize);

/// A collection with a GraphQL type.
#[derive(Clone, Debug)]
pub struct CollectionApi {
    /// The collection.
    pub id: CollectionId,
    /// Its type.
    pub object: ObjectIndex,
}

/// An output type.
#[derive(Clone, Debug)]
pub struct ObjectType {
    /// The GraphQL name.
    pub name: String,
    /// Its fields, sorted by name as the original printed them.
    pub fields: Vec<Field>,
    /// Places of the fields by name.
    pub by_name: HashMap<String, usize>,
}

/// A field of an output type.
#[derive(Clone, Debug)]
pub struct Field {
    /// The GraphQL name.
    pub name: String,
    /// The key inside the stored document (differs for renamed fields).
    pub stored: String,
    /// What it holds.
    pub shape: Shape,
    /// Non-null in the schema.
    pub required: bool,
}

/// What a field holds.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A scalar.
    Scalar(Scalar),
    /// An embedded object.
    Object(ObjectIndex),
    /// A list; its elements are nullable.
    List(Box<Shape>),
    /// The related document, or documents.
    Relation(Arc<Relation>),
    /// What a function computes of the object; only fields of objects have it.
    Computed(ResolverIndex),
}

/// A field that a function answers.
#[derive(Clone, Debug)]
pub struct Resolver {
    /// The function's name.
    pub function: String,
    /// The type of the argument `input`; it is never required.
    pub input: Option<InputType>,
    /// What it answers: a scalar, an object, or lists of them.
    pub payload: Shape,
    /// Whether it answers `DefaultPayload`, whatever the function gives.
    pub is_default: bool,
}

/// A relation field.
#[derive(Clone, Debug)]
pub struct Relation {
    /// The collection it leads to.
    pub target: CollectionIndex,
    /// Where the key (or the list of keys) is in the source document, from its root.
    pub source: FieldPath,
    /// The target's field that the keys are values of.
    pub foreign: FieldPath,
    /// The type of that field.
    pub key: Scalar,
    /// Whether it holds a list.
    pub is_list: bool,
}

/// The scalars, with the BSON type that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// `String`.
    String,
    /// `Int`, a 32-bit integer.
    Int,
    /// `Long`, a 64-bit integer; JSON string on the wire.
    Long,
    /// `Float`, stored as a double.
    Float,
    /// `Float`, stored as a decimal.
    Decimal,
    /// `Boolean`.
    Boolean,
    /// `ObjectId`, 24 hexadecimal digits.
    ObjectId,
    /// `DateTime`, RFC 3339 in UTC with milliseconds, stored as a date.
    DateTime,
    /// `DateTime`, stored as a timestamp.
    Timestamp,
}

impl Scalar {
    /// The GraphQL type's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::Int => "Int",
            Self::Long => "Long",
            Self::Float | Self::Decimal => "Float",
            Self::Boolean => "Boolean",
            Self::ObjectId => "ObjectId",
            Self::DateTime | Self::Timestamp => "DateTime",
        }
    }
}

/// An input type.
#[derive(Clone, Debug)]
pub struct InputObject {
    /// The GraphQL name.
    pub name: String,
    /// Its fields, sorted by name.
    pub fields: Vec<InputField>,
    /// Places of the fields by name.
    pub by_name: HashMap<String, usize>,
}

/// A field of an input type, with what it means.
#[derive(Clone, Debug)]
pub struct InputField {
    /// The GraphQL name.
    pub name: String,
    /// Its type.
    pub ty: InputType,
    /// What it means.
    pub meaning: Meaning,
}

/// The type of an input field, an argument or a variable.
#[derive(Clone, Debug, PartialEq)]
pub enum InputType {
    /// A scalar.
    Scalar(Scalar),
    /// An enum of the catalog.
    Enum(usize),
    /// An input object.
    Object(InputIndex),
    /// A list.
    List(Box<InputType>),
    /// Not null.
    NonNull(Box<InputType>),
}

/// What an input field means.
#[derive(Clone, Debug)]
pub enum Meaning {
    /// `AND` in a query input.
    And,
    /// `OR` in a query input.
    Or,
    /// A condition on a stored field of a query input. `stored` is relative to the input's object.
    Query {
        /// The key inside the document (or inside the embedded object).
        stored: String,
        /// What is asked.
        operator: QueryOperator,
    },
    /// A value to store under this key (insert and update inputs).
    Set {
        /// The key inside the document (or inside the embedded object).
        stored: String,
        /// The relation, when the value is a relation input.
        relation: Option<Arc<Relation>>,
    },
    /// `<f>_unset`.
    Unset {
        /// The key.
        stored: String,
    },
    /// `<f>_inc`.
    Increment {
        /// The key.
        stored: String,
    },
    /// `create` of a relation input.
    Create,
    /// `link` of a relation input.
    Link,
    /// A member of what a function is called with.
    Member,
}

/// The operators of a query input (app-services.md §5.5).
#[derive(Clone, Debug)]
pub enum QueryOperator {
    /// `f`: equality of a scalar, whole-array equality of a list of scalars.
    Eq,
    /// `f_ne`.
    Ne,
    /// `f_gt`.
    Gt,
    /// `f_gte`.
    Gte,
    /// `f_lt`.
    Lt,
    /// `f_lte`.
    Lte,
    /// `f_in`.
    In,
    /// `f_nin`.
    Nin,
    /// `f_exists`: present and not null, or null or missing.
    Exists,
    /// `f` on an embedded object: the query input below it.
    Embedded,
    /// `f` on an array of objects: each query is matched by some element.
    EachElement,
    /// `f_in` on an array of objects: some query is matched by some element.
    AnyElement,
    /// `f_nin` on an array of objects: no query is matched by any element.
    NoElement,
    /// `f` on a to-one relation: the related document matches.
    Related(Arc<Relation>),
    /// `f` on a to-many relation: each query is matched by some related document.
    EachRelated(Arc<Relation>),
    /// `f_in` on a to-many relation: some related document matches one of the queries.
    AnyRelated(Arc<Relation>),
    /// `f_nin` on a to-many relation: none does.
    NoRelated(Arc<Relation>),
}

/// A `<T>SortByInput`.
#[derive(Clone, Debug)]
pub struct SortEnum {
    /// The GraphQL name.
    pub name: String,
    /// Value, field and direction.
    pub values: Vec<(String, FieldPath, Direction)>,
}

/// A field of `Query` or `Mutation`.
#[derive(Clone, Debug)]
pub struct RootField {
    /// The GraphQL name.
    pub name: String,
    /// What answers it.
    pub resolution: Resolution,
    /// Its arguments: name, type, default as GraphQL text.
    pub arguments: Vec<(&'static str, InputType, Option<&'static str>)>,
}

/// What answers a root field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// An operation on a collection.
    Collection(CollectionIndex, Operation),
    /// A function.
    Custom(ResolverIndex),
}

/// What a root field does with its collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The first match, or null.
    FindOne,
    /// All matches.
    FindMany,
    /// Inserts one.
    InsertOne,
    /// Inserts many.
    InsertMany,
    /// Updates the first match.
    UpdateOne,
    /// Updates all matches.
    UpdateMany,
    /// Replaces the first match or inserts.
    UpsertOne,
    /// Replaces the first match.
    ReplaceOne,
    /// Deletes the first match.
    DeleteOne,
    /// Deletes all matches.
    DeleteMany,
}
