//! What a plan consists of.

use std::sync::Arc;

use super::slots::Slots;
use crate::graphql::ast::{FieldNode, Location, OperationKind, ValueNode};
use crate::graphql::catalog::{CollectionIndex, Operation, Relation, ResolverIndex, Scalar};
use crate::graphql::error::GraphqlError;

/// A plan of an operation.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) kind: OperationKind,
    pub(crate) roots: Vec<Root>,
    /// `__schema` and `__type`, merged by response key.
    pub(crate) introspection: Vec<FieldNode>,
    /// Why nothing runs: a condition at the root is null.
    pub(crate) refused: Option<GraphqlError>,
    /// All calls of functions, at the root and in the documents.
    pub(crate) calls: Vec<FunctionUse>,
}

/// A field at the root.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) key: String,
    /// `"key":`
    pub(crate) label: Box<[u8]>,
    pub(crate) location: Location,
    pub(crate) action: RootAction,
}

/// What a field at the root does.
#[derive(Debug)]
pub(crate) enum RootAction {
    /// `__typename`.
    Typename(&'static str),
    /// `_empty`, which is always null.
    Empty,
    /// One of the plan's introspection fields.
    Introspection,
    /// Gives documents.
    Documents(Call, DocumentPlan),
    /// Gives counts or ids.
    Payload(Call, Result<Vec<PayloadField>, GraphqlError>),
    /// Gives what a function answers.
    Resolved(Resolved),
}

/// A field that calls a function, and its argument as written.
#[derive(Debug)]
pub(crate) struct FunctionUse {
    pub(crate) resolver: ResolverIndex,
    pub(crate) arguments: Vec<(String, ValueNode)>,
    pub(crate) location: Location,
}

/// What is wanted of a function's answers.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// Place in [`Plan::calls`].
    pub(crate) call: usize,
    pub(crate) form: Form,
    /// Of each object in the answers; of a [`Form::Value`], of the document that it is wrapped in.
    pub(crate) document: DocumentPlan,
}

/// What a function answers.
#[derive(Debug)]
pub(crate) enum Form {
    /// A value without relations; it stands in a document of its own, under [`WRAPPED`].
    Value(ValuePlan),
    /// One object.
    Object,
    /// A list of objects.
    Objects,
}

/// The key of a value in the document that it is wrapped in.
pub(crate) const WRAPPED: &str = "value";

/// A generated root field and its arguments as written.
#[derive(Debug)]
pub(crate) struct Call {
    /// Place in the catalog's queries or mutations.
    pub(crate) field: usize,
    pub(crate) operation: Operation,
    pub(crate) collection: CollectionIndex,
    pub(crate) arguments: Vec<(String, ValueNode)>,
}

/// A field of a payload.
#[derive(Debug)]
pub(crate) struct PayloadField {
    pub(crate) label: Box<[u8]>,
    pub(crate) content: PayloadContent,
}

/// What a payload's field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PayloadContent {
    Typename(&'static str),
    InsertedIds,
    MatchedCount,
    ModifiedCount,
    DeletedCount,
}

/// What is wanted of the documents of a level.
#[derive(Debug, Default)]
pub(crate) struct DocumentPlan {
    pub(crate) selection: Selection,
    /// The relations that the selection follows, embedded objects included.
    pub(crate) relations: Vec<RelationPlan>,
    /// The fields that functions compute, embedded objects included.
    pub(crate) computed: Vec<ComputedPlan>,
    /// The cost of one document with all that is below it.
    pub(crate) weight: u64,
}

/// A relation that is followed.
#[derive(Debug)]
pub(crate) struct RelationPlan {
    pub(crate) relation: Arc<Relation>,
    pub(crate) document: DocumentPlan,
}

impl DocumentPlan {
    /// Whether something below the documents is asked of the store.
    pub(crate) fn reads_store(&self) -> bool {
        !self.relations.is_empty() || self.computed.iter().any(|below| below.resolved.document.reads_store())
    }
}

/// A field that a function computes.
#[derive(Debug)]
pub(crate) struct ComputedPlan {
    /// The stored keys from the document to the objects that have the field, arrays left out.
    pub(crate) path: Vec<String>,
    pub(crate) resolved: Resolved,
}

/// What is wanted of an object.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// In the order of the answer.
    pub(crate) fields: Vec<SelectedField>,
    /// The stored keys to look for; fields refer to them by place.
    pub(crate) slots: Slots,
    /// Why no object is written: a condition among the fields is null.
    pub(crate) refused: Option<GraphqlError>,
}

/// A field of the answer.
#[derive(Debug)]
pub(crate) struct SelectedField {
    pub(crate) key: String,
    /// `"key":`
    pub(crate) label: Box<[u8]>,
    pub(crate) location: Location,
    pub(crate) required: bool,
    pub(crate) content: Content,
}

/// Where a field's value comes from.
#[derive(Debug)]
pub(crate) enum Content {
    /// The type's name as JSON.
    Typename(Box<[u8]>),
    /// A stored value.
    Stored { slot: usize, value: ValuePlan },
    /// Related documents: a place in [`DocumentPlan::relations`], and the key that rules know.
    Relation { place: usize, stored: String },
    /// What a function computes: a place in [`DocumentPlan::computed`].
    Computed { place: usize },
}

/// How a stored value is written.
#[derive(Debug)]
pub(crate) enum ValuePlan {
    Scalar(Scalar),
    Object(Selection),
    List(Box<ValuePlan>),
}
