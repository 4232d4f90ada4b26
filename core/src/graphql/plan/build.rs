//! Building a plan from an operation and the catalog.

use std::sync::Arc;

use super::collect::{Collected, Switches, collect};
use super::prepared::Prepared;
use super::tree::{
    Call, ComputedPlan, Content, DocumentPlan, FunctionUse, PayloadContent, PayloadField, Plan, RelationPlan,
    Root, RootAction, SelectedField, Selection, ValuePlan,
};
use crate::filter::FieldPath;
use crate::graphql::ast::{FieldNode, OperationKind, SelectionNode};
use crate::graphql::catalog::{
    Catalog, CollectionIndex, Field, ObjectIndex, Operation, Relation, Resolution, RootField, Shape,
};
use crate::graphql::error::{GraphqlError, code};
use crate::limits::Limits;

/// Documents that a to-many relation is taken to give, for the cost.
pub(super) const RELATED_DOCUMENTS: u64 = 100;

impl Plan {
    /// The plan of an operation for these values of its switches.
    ///
    /// # Errors
    /// A request error when a limit is passed.
    pub(crate) fn build(
        prepared: &Prepared,
        switches: &[Option<bool>],
        catalog: &Catalog,
        limits: &Limits,
    ) -> Result<Self, GraphqlError> {
        let switches = Switches { names: &prepared.switches, values: switches };
        let operation = &prepared.operation;
        let (type_name, fields) = match operation.kind {
            OperationKind::Query => ("Query", &catalog.queries),
            OperationKind::Mutation => ("Mutation", &catalog.mutations),
        };
        let mut builder = Builder { catalog, limits, switches, calls: Vec::new(), resolvers: 0 };
        let (collected, refused) = match collect(&[&operation.selections], type_name, switches) {
            Ok(collected) => (collected, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        if collected.len() > limits.graphql_root_fields {
            let message = format!("more than {} fields at the root", limits.graphql_root_fields);
            return Err(GraphqlError::request(code::LIMIT, message));
        }
        let kind = operation.kind;
        let mut plan =
            Self { kind, roots: Vec::new(), introspection: Vec::new(), refused, calls: Vec::new() };
        for field in &collected {
            let action = match field.node.name.as_str() {
                "__typename" => RootAction::Typename(type_name),
                "__schema" | "__type" => {
                    plan.introspection.push(merged(field));
                    RootAction::Introspection
                }
                "_empty" if fields.is_empty() => RootAction::Empty,
                name => {
                    let place = fields.iter().position(|known| known.name == name);
                    let known = place.and_then(|place| Some((place, fields.get(place)?)));
                    let (place, known) = known.ok_or_else(|| unknown(field.node))?;
                    builder.root(place, known, field)?
                }
            };
            plan.roots.push(Root {
                key: field.node.response_key.clone(),
                label: label(&field.node.response_key),
                location: field.node.location,
                action,
            });
        }
        plan.calls = builder.calls;
        Ok(plan)
    }
}

pub(super) struct Builder<'b> {
    pub(super) catalog: &'b Catalog,
    limits: &'b Limits,
    switches: Switches<'b>,
    /// Fields that ask a store or a function, so far.
    resolvers: usize,
    pub(super) calls: Vec<FunctionUse>,
}

/// What is found below the documents of a level, and where in them the builder stands.
#[derive(Default)]
pub(super) struct Below {
    relations: Vec<RelationPlan>,
    computed: Vec<ComputedPlan>,
    /// The stored keys from the document to the object.
    pub(super) path: Vec<String>,
    /// Relations and functions' objects that were followed from the root.
    pub(super) depth: usize,
}

impl Below {
    pub(super) fn at(depth: usize) -> Self {
        Self { depth, ..Self::default() }
    }

    /// The plan of the level's documents.
    pub(super) fn document(self, selection: Selection) -> DocumentPlan {
        let related = self.relations.iter().fold(1_u64, |sum, below| {
            let rows = if below.relation.is_list { RELATED_DOCUMENTS } else { 1 };
            sum.saturating_add(below.document.weight.saturating_mul(rows))
        });
        let weight =
            self.computed.iter().fold(related, |sum, below| sum.saturating_add(below.resolved.weight()));
        DocumentPlan { selection, relations: self.relations, computed: self.computed, weight }
    }
}

impl Builder<'_> {
    fn root(
        &mut self,
        place: usize,
        field: &RootField,
        collected: &Collected<'_>,
    ) -> Result<RootAction, GraphqlError> {
        self.count(collected.node)?;
        let (collection, operation) = match field.resolution {
            Resolution::Collection(collection, operation) => (collection, operation),
            Resolution::Custom(index) => {
                return Ok(RootAction::Resolved(self.resolved(index, collected, 0)?));
            }
        };
        let arguments = collected.node.arguments.clone();
        let call = Call { field: place, operation, collection, arguments };
        let payload = match operation {
            Operation::InsertMany => "InsertManyPayload",
            Operation::UpdateMany => "UpdateManyPayload",
            Operation::DeleteMany => "DeleteManyPayload",
            Operation::FindOne
            | Operation::FindMany
            | Operation::InsertOne
            | Operation::UpdateOne
            | Operation::UpsertOne
            | Operation::ReplaceOne
            | Operation::DeleteOne => {
                let document = self.document(collection, &collected.selections, 0)?;
                return Ok(RootAction::Documents(call, document));
            }
        };
        Ok(RootAction::Payload(call, self.payload(payload, &collected.selections)?))
    }

    fn payload(
        &self,
        type_name: &'static str,
        groups: &[&[SelectionNode]],
    ) -> Result<Result<Vec<PayloadField>, GraphqlError>, GraphqlError> {
        let fields = match collect(groups, type_name, self.switches) {
            Ok(fields) => fields,
            Err(refused) => return Ok(Err(refused)),
        };
        let fields: Result<Vec<_>, _> = fields
            .iter()
            .map(|field| {
                let content = match field.node.name.as_str() {
                    "__typename" => PayloadContent::Typename(type_name),
                    "insertedIds" => PayloadContent::InsertedIds,
                    "matchedCount" => PayloadContent::MatchedCount,
                    "modifiedCount" => PayloadContent::ModifiedCount,
                    "deletedCount" => PayloadContent::DeletedCount,
                    _ => return Err(unknown(field.node)),
                };
                Ok(PayloadField { label: label(&field.node.response_key), content })
            })
            .collect();
        fields.map(Ok)
    }

    /// What is selected of a collection's documents, `depth` relations below the root.
    fn document(
        &mut self,
        collection: CollectionIndex,
        groups: &[&[SelectionNode]],
        depth: usize,
    ) -> Result<DocumentPlan, GraphqlError> {
        let api = self.catalog.collections.get(collection.0).ok_or_else(internal)?;
        self.object(api.object, groups, depth)
    }

    /// What is selected of documents of a type.
    pub(super) fn object(
        &mut self,
        object: ObjectIndex,
        groups: &[&[SelectionNode]],
        depth: usize,
    ) -> Result<DocumentPlan, GraphqlError> {
        let mut below = Below::at(depth);
        let selection = self.selection(object, groups, &mut below)?;
        Ok(below.document(selection))
    }

    fn selection(
        &mut self,
        object: ObjectIndex,
        groups: &[&[SelectionNode]],
        below: &mut Below,
    ) -> Result<Selection, GraphqlError> {
        let object = self.catalog.objects.get(object.0).ok_or_else(internal)?;
        let mut selection = Selection::default();
        let fields = match collect(groups, &object.name, self.switches) {
            Ok(fields) => fields,
            Err(refused) => return Ok(Selection { refused: Some(refused), ..selection }),
        };
        for collected in fields {
            let node = collected.node;
            let (required, content) = if node.name == "__typename" {
                (true, Content::Typename(format!("\"{}\"", object.name).into_bytes().into()))
            } else {
                let place = object.by_name.get(&node.name);
                let field = place.and_then(|place| object.fields.get(*place));
                let field = field.ok_or_else(|| unknown(node))?;
                (field.required, self.content(field, &collected, &mut selection, below)?)
            };
            selection.fields.push(SelectedField {
                key: node.response_key.clone(),
                label: label(&node.response_key),
                location: node.location,
                required,
                content,
            });
        }
        Ok(selection)
    }

    fn content(
        &mut self,
        field: &Field,
        collected: &Collected<'_>,
        selection: &mut Selection,
        below: &mut Below,
    ) -> Result<Content, GraphqlError> {
        let stored = &field.stored;
        Ok(match &field.shape {
            Shape::Relation(relation) => {
                self.check_depth(below.depth + 1, collected.node)?;
                self.count(collected.node)?;
                let document = self.document(relation.target, &collected.selections, below.depth + 1)?;
                let relation = below.follow(relation, stored);
                below.relations.push(RelationPlan { relation, document });
                Content::Relation { place: below.relations.len() - 1, stored: stored.clone() }
            }
            Shape::Computed(index) => {
                self.count(collected.node)?;
                let resolved = self.resolved(*index, collected, below.depth + 1)?;
                below.computed.push(ComputedPlan { path: below.path.clone(), resolved });
                Content::Computed { place: below.computed.len() - 1 }
            }
            shape => {
                below.path.push(stored.clone());
                let value = self.value(shape, collected, below)?;
                below.path.pop();
                Content::Stored { slot: selection.slots.add(stored), value }
            }
        })
    }

    /// Refuses to go further from the root than the limit allows: the root's own documents are at depth 0.
    pub(super) fn check_depth(&self, depth: usize, node: &FieldNode) -> Result<(), GraphqlError> {
        if depth <= self.limits.relation_depth {
            return Ok(());
        }
        Err(GraphqlError::request(code::LIMIT, "max relationship depth exceeded").at(node.location))
    }

    /// Counts a field that asks a store or a function.
    fn count(&mut self, node: &FieldNode) -> Result<(), GraphqlError> {
        self.resolvers += 1;
        if self.resolvers <= self.limits.graphql_resolvers {
            return Ok(());
        }
        Err(GraphqlError::request(code::LIMIT, "max number of queries reached").at(node.location))
    }

    pub(super) fn value(
        &mut self,
        shape: &Shape,
        collected: &Collected<'_>,
        below: &mut Below,
    ) -> Result<ValuePlan, GraphqlError> {
        Ok(match shape {
            Shape::Scalar(scalar) => ValuePlan::Scalar(*scalar),
            Shape::Object(object) => {
                ValuePlan::Object(self.selection(*object, &collected.selections, below)?)
            }
            Shape::List(item) => ValuePlan::List(Box::new(self.value(item, collected, below)?)),
            Shape::Relation(_) | Shape::Computed(_) => return Err(internal()),
        })
    }
}

impl Below {
    /// The relation of a field, seen from the documents of this level: those that a function gives may be
    /// objects that are embedded elsewhere.
    fn follow(&self, relation: &Arc<Relation>, stored: &str) -> Arc<Relation> {
        let path: Vec<&str> = self.path.iter().map(String::as_str).chain([stored]).collect();
        let source = FieldPath::from(path.join("."));
        if source == relation.source {
            relation.clone()
        } else {
            Arc::new(Relation { source, ..(**relation).clone() })
        }
    }
}

pub(super) fn internal() -> GraphqlError {
    GraphqlError::request(code::INTERNAL, "internal server error")
}

fn label(key: &str) -> Box<[u8]> {
    // A response key is a GraphQL name: nothing in it needs escaping.
    format!("\"{key}\":").into_bytes().into()
}

fn merged(field: &Collected<'_>) -> FieldNode {
    let selections = field.selections.iter().flat_map(|group| group.iter().cloned()).collect();
    FieldNode { selections, ..field.node.clone() }
}

/// Validation has found it before; what it says is what the client has sent.
fn unknown(node: &FieldNode) -> GraphqlError {
    let message = format!("unknown field `{}`", node.name);
    GraphqlError::request(code::VALIDATION, message).at(node.location)
}
