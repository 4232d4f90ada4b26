//! Building a plan from an operation and the catalog.

use super::collect::{Collected, Switches, collect};
use super::prepared::Prepared;
use super::tree::{
    Call, Content, DocumentPlan, PayloadContent, PayloadField, Plan, RelationPlan, Root, RootAction,
    SelectedField, Selection, ValuePlan,
};
use crate::graphql::ast::{FieldNode, OperationKind, SelectionNode};
use crate::graphql::catalog::{Catalog, CollectionIndex, ObjectIndex, Operation, RootField, Shape};
use crate::graphql::error::{GraphqlError, code};
use crate::limits::Limits;

/// Documents that a to-many relation is taken to give, for the cost.
const RELATED_DOCUMENTS: u64 = 100;

impl Plan {
    /// The plan of an operation for these values of its switches.
    ///
    /// # Errors
    /// A request error when a limit is passed.
    pub(crate) fn build(
        prepared: &Prepared,
        switches: &[bool],
        catalog: &Catalog,
        limits: &Limits,
    ) -> Result<Self, GraphqlError> {
        let switches = Switches { names: &prepared.switches, values: switches };
        let operation = &prepared.operation;
        let (type_name, fields) = match operation.kind {
            OperationKind::Query => ("Query", &catalog.queries),
            OperationKind::Mutation => ("Mutation", &catalog.mutations),
        };
        let builder = Builder { catalog, limits, switches };
        let collected = collect(&[&operation.selections], type_name, switches);
        if collected.len() > limits.graphql_root_fields {
            let message = format!("more than {} fields at the root", limits.graphql_root_fields);
            return Err(GraphqlError::request(code::LIMIT, message));
        }
        let mut plan = Self { kind: operation.kind, roots: Vec::new(), introspection: Vec::new() };
        for field in &collected {
            let action = match field.node.name.as_str() {
                "__typename" => RootAction::Typename(type_name),
                "__schema" | "__type" => {
                    plan.introspection.push(merged(field));
                    RootAction::Introspection
                }
                "_empty" => RootAction::Empty,
                name => {
                    let place = fields.iter().position(|known| known.name == name);
                    let known = place.and_then(|place| Some((place, fields.get(place)?)));
                    let (place, known) = known.ok_or_else(|| unknown(field.node, type_name))?;
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
        Ok(plan)
    }
}

struct Builder<'b> {
    catalog: &'b Catalog,
    limits: &'b Limits,
    switches: Switches<'b>,
}

impl Builder<'_> {
    fn root(
        &self,
        place: usize,
        field: &RootField,
        collected: &Collected<'_>,
    ) -> Result<RootAction, GraphqlError> {
        let call = Call {
            field: place,
            operation: field.operation,
            collection: field.collection,
            arguments: collected.node.arguments.clone(),
        };
        let payload = match field.operation {
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
                let document = self.document(field.collection, &collected.selections, 0)?;
                return Ok(RootAction::Documents(call, document));
            }
        };
        Ok(RootAction::Payload(call, self.payload(payload, &collected.selections)?))
    }

    fn payload(
        &self,
        type_name: &'static str,
        groups: &[&[SelectionNode]],
    ) -> Result<Vec<PayloadField>, GraphqlError> {
        let fields = collect(groups, type_name, self.switches);
        fields
            .iter()
            .map(|field| {
                let content = match field.node.name.as_str() {
                    "__typename" => PayloadContent::Typename(type_name),
                    "insertedIds" => PayloadContent::InsertedIds,
                    "matchedCount" => PayloadContent::MatchedCount,
                    "modifiedCount" => PayloadContent::ModifiedCount,
                    "deletedCount" => PayloadContent::DeletedCount,
                    _ => return Err(unknown(field.node, type_name)),
                };
                Ok(PayloadField { label: label(&field.node.response_key), content })
            })
            .collect()
    }

    /// What is selected of a collection's documents, `depth` relations below the root.
    fn document(
        &self,
        collection: CollectionIndex,
        groups: &[&[SelectionNode]],
        depth: usize,
    ) -> Result<DocumentPlan, GraphqlError> {
        let api = self.catalog.collections.get(collection.0);
        let api = api.ok_or_else(|| GraphqlError::request(code::INTERNAL, "internal server error"))?;
        let mut relations = Vec::new();
        let selection = self.selection(api.object, groups, &mut relations, depth)?;
        let weight = relations.iter().fold(1_u64, |sum, below| {
            let rows = if below.relation.is_list { RELATED_DOCUMENTS } else { 1 };
            sum.saturating_add(below.document.weight.saturating_mul(rows))
        });
        Ok(DocumentPlan { collection, selection, relations, weight })
    }

    fn selection(
        &self,
        object: ObjectIndex,
        groups: &[&[SelectionNode]],
        relations: &mut Vec<RelationPlan>,
        depth: usize,
    ) -> Result<Selection, GraphqlError> {
        let object = self.catalog.objects.get(object.0);
        let object = object.ok_or_else(|| GraphqlError::request(code::INTERNAL, "internal server error"))?;
        let mut selection = Selection::default();
        for collected in collect(groups, &object.name, self.switches) {
            let node = collected.node;
            let (required, content) = if node.name == "__typename" {
                (true, Content::Typename(format!("\"{}\"", object.name).into_bytes().into()))
            } else {
                let place = object.by_name.get(&node.name);
                let field = place.and_then(|place| object.fields.get(*place));
                let field = field.ok_or_else(|| unknown(node, &object.name))?;
                let content = match &field.shape {
                    Shape::Relation(relation) => {
                        if depth >= self.limits.relation_depth {
                            let error = GraphqlError::request(code::LIMIT, "max relationship depth exceeded");
                            return Err(error.at(node.location));
                        }
                        let document = self.document(relation.target, &collected.selections, depth + 1)?;
                        relations.push(RelationPlan { relation: relation.clone(), document });
                        Content::Relation { place: relations.len() - 1, stored: field.stored.clone() }
                    }
                    shape => Content::Stored {
                        slot: selection.slots.add(&field.stored),
                        value: self.value(shape, &collected, relations, depth)?,
                    },
                };
                (field.required, content)
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

    fn value(
        &self,
        shape: &Shape,
        collected: &Collected<'_>,
        relations: &mut Vec<RelationPlan>,
        depth: usize,
    ) -> Result<ValuePlan, GraphqlError> {
        Ok(match shape {
            Shape::Scalar(scalar) => ValuePlan::Scalar(*scalar),
            Shape::Object(object) => {
                ValuePlan::Object(self.selection(*object, &collected.selections, relations, depth)?)
            }
            Shape::List(item) => ValuePlan::List(Box::new(self.value(item, collected, relations, depth)?)),
            Shape::Relation(_) => {
                return Err(GraphqlError::request(code::INTERNAL, "internal server error"));
            }
        })
    }
}

fn label(key: &str) -> Box<[u8]> {
    // A response key is a GraphQL name: nothing in it needs escaping.
    format!("\"{key}\":").into_bytes().into()
}

fn merged(field: &Collected<'_>) -> FieldNode {
    let selections = field.selections.iter().flat_map(|group| group.iter().cloned()).collect();
    FieldNode { selections, ..field.node.clone() }
}

fn unknown(node: &FieldNode, type_name: &str) -> GraphqlError {
    let message = format!("unknown field `{}` on type `{type_name}`", node.name);
    GraphqlError::request(code::VALIDATION, message).at(node.location)
}
