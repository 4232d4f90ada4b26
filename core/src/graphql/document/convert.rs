//! juniper's borrowed AST into our owned one, fragments spread out, under the limits.

use std::collections::HashMap;

use juniper::{Definition, InputValue, Operation, Selection};

use super::{introspection_refused, location, too_much};
use crate::graphql::ast::{
    Condition, FieldNode, Location, OperationKind, OperationNode, SelectionNode, TypeNode, ValueNode,
    VariableNode,
};
use crate::graphql::error::GraphqlError;
use crate::graphql::juniper::Introspection;
use crate::graphql::scalars::Literal;
use crate::limits::Limits;

/// A fragment: its type and its selections.
type Fragment<'d, 's> = (&'s str, &'d [Selection<'s, Literal>]);

/// Spreads out one operation.
pub(super) struct Converter<'d, 's> {
    fragments: HashMap<&'s str, Fragment<'d, 's>>,
    limits: &'d Limits,
    introspection: Introspection,
    /// Fragments on the way down: a cycle is cut here and reported by validation.
    open: Vec<&'s str>,
    fields: usize,
    root_fields: usize,
}

/// The directives of a node, as (name, arguments); juniper does not export their type.
macro_rules! conditions {
    ($directives:expr) => {
        $directives
            .iter()
            .flatten()
            .filter_map(|directive| {
                let arguments = directive.item.arguments.iter().flat_map(|found| found.item.iter());
                let mut values =
                    arguments.filter(|(name, _)| name.item == "if").map(|(_, value)| &value.item);
                condition(directive.item.name.item, values.next()?)
            })
            .collect()
    };
}

impl<'d, 's> Converter<'d, 's> {
    pub(super) fn new(
        document: &'d [Definition<'s, Literal>],
        limits: &'d Limits,
        introspection: Introspection,
    ) -> Self {
        let fragments = document.iter().filter_map(|definition| match definition {
            Definition::Fragment(found) => {
                let (name, on) = (found.item.name.item, found.item.type_condition.item);
                Some((name, (on, found.item.selection_set.as_slice())))
            }
            Definition::Operation(_) => None,
        });
        Self {
            fragments: fragments.collect(),
            limits,
            introspection,
            open: Vec::new(),
            fields: 0,
            root_fields: 0,
        }
    }

    pub(super) fn operation(
        mut self,
        kind: OperationKind,
        operation: &'d Operation<'s, Literal>,
    ) -> Result<OperationNode, GraphqlError> {
        let variables = operation.variables_definition.iter().flat_map(|found| found.item.iter());
        let variables = variables.map(|(name, definition)| VariableNode {
            name: name.item.to_owned(),
            ty: type_node(&definition.var_type.item.to_string()),
            default: definition.default_value.as_ref().map(|default| value(&default.item)),
        });
        let variables = variables.collect();
        Ok(OperationNode { kind, variables, selections: self.selections(&operation.selection_set, 1)? })
    }

    /// `depth` counts selection sets of fields; fragments stay on the level they are spread at.
    fn selections(
        &mut self,
        nodes: &'d [Selection<'s, Literal>],
        depth: usize,
    ) -> Result<Vec<SelectionNode>, GraphqlError> {
        if depth > self.limits.graphql_depth {
            return Err(too_much("graphql_depth", self.limits.graphql_depth));
        }
        nodes.iter().map(|node| self.selection(node, depth)).filter_map(Result::transpose).collect()
    }

    fn selection(
        &mut self,
        node: &'d Selection<'s, Literal>,
        depth: usize,
    ) -> Result<Option<SelectionNode>, GraphqlError> {
        match node {
            Selection::Field(found) => {
                let at = location(found.span.start);
                self.count(found.item.name.item, depth, at)?;
                let below = found.item.selection_set.as_deref().unwrap_or_default();
                let arguments = found.item.arguments.iter().flat_map(|found| found.item.iter());
                let name = found.item.name.item;
                Ok(Some(SelectionNode::Field(FieldNode {
                    response_key: found.item.alias.as_ref().map_or(name, |alias| alias.item).to_owned(),
                    name: name.to_owned(),
                    arguments: arguments
                        .map(|(name, found)| (name.item.to_owned(), value(&found.item)))
                        .collect(),
                    conditions: conditions!(found.item.directives),
                    selections: if below.is_empty() {
                        Vec::new()
                    } else {
                        self.selections(below, depth + 1)?
                    },
                    location: at,
                })))
            }
            Selection::InlineFragment(found) => {
                let on = found.item.type_condition.as_ref().map(|on| on.item);
                let conditions = conditions!(found.item.directives);
                self.fragment(on, conditions, &found.item.selection_set, depth).map(Some)
            }
            Selection::FragmentSpread(found) => {
                let name = found.item.name.item;
                let conditions = conditions!(found.item.directives);
                let Some((on, selections)) = self.fragments.get(name).copied() else { return Ok(None) };
                if self.open.contains(&name) {
                    return Ok(None);
                }
                self.open.push(name);
                let fragment = self.fragment(Some(on), conditions, selections, depth);
                self.open.pop();
                fragment.map(Some)
            }
        }
    }

    fn fragment(
        &mut self,
        on: Option<&str>,
        conditions: Vec<Condition>,
        selections: &'d [Selection<'s, Literal>],
        depth: usize,
    ) -> Result<SelectionNode, GraphqlError> {
        // A fragment counts like a field: a bomb of spreads grows before it reaches a field.
        self.grow(None)?;
        Ok(SelectionNode::Fragment {
            on: on.map(str::to_owned),
            conditions,
            selections: self.selections(selections, depth)?,
        })
    }

    fn count(&mut self, name: &str, depth: usize, at: Location) -> Result<(), GraphqlError> {
        if self.introspection == Introspection::Disabled && matches!(name, "__schema" | "__type") {
            return Err(introspection_refused().at(at));
        }
        self.grow(Some(at))?;
        self.root_fields += usize::from(depth == 1);
        if self.root_fields > self.limits.graphql_root_fields {
            return Err(too_much("graphql_root_fields", self.limits.graphql_root_fields).at(at));
        }
        Ok(())
    }

    fn grow(&mut self, at: Option<Location>) -> Result<(), GraphqlError> {
        self.fields += 1;
        if self.fields <= self.limits.graphql_fields {
            return Ok(());
        }
        let error = too_much("graphql_fields", self.limits.graphql_fields);
        Err(match at {
            Some(at) => error.at(at),
            None => error,
        })
    }
}

fn condition(name: &str, given: &InputValue<Literal>) -> Option<Condition> {
    let wanted = match name {
        "include" => true,
        "skip" => false,
        _ => return None,
    };
    Some(Condition { wanted, value: value(given) })
}

/// juniper does not export the parts of a type, so its text is read.
fn type_node(text: &str) -> TypeNode {
    if let Some(inner) = text.strip_suffix('!') {
        return TypeNode::NonNull(Box::new(type_node(inner)));
    }
    match text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        Some(inner) => TypeNode::List(Box::new(type_node(inner))),
        None => TypeNode::Named(text.to_owned()),
    }
}

fn value(given: &InputValue<Literal>) -> ValueNode {
    match given {
        InputValue::Null => ValueNode::Null,
        InputValue::Scalar(Literal::Boolean(truth)) => ValueNode::Boolean(*truth),
        InputValue::Scalar(Literal::Int(number)) => ValueNode::Int(i64::from(*number)),
        InputValue::Scalar(Literal::Long(number)) => ValueNode::Int(*number),
        InputValue::Scalar(Literal::Float(number)) => ValueNode::Float(*number),
        InputValue::Scalar(Literal::String(text)) => ValueNode::String(text.clone()),
        InputValue::Enum(name) => ValueNode::Enum(name.clone()),
        InputValue::Variable(name) => ValueNode::Variable(name.clone()),
        InputValue::List(items) => ValueNode::List(items.iter().map(|item| value(&item.item)).collect()),
        InputValue::Object(fields) => ValueNode::Object(
            fields.iter().map(|(name, found)| (name.item.clone(), value(&found.item))).collect(),
        ),
    }
}
