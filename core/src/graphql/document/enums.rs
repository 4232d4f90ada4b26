//! Enum values in a document, checked against the catalog.
//!
//! juniper takes any enum value for any enum that is made at run time, in arguments and in the defaults of
//! variables alike.

use crate::graphql::ast::{
    FieldNode, Location, OperationKind, OperationNode, SelectionNode, TypeNode, ValueNode,
};
use crate::graphql::catalog::{Catalog, InputType, RootField};

/// What is wrong, and where.
pub(super) fn check(catalog: &Catalog, operation: &OperationNode) -> Vec<(String, Location)> {
    let mut errors = Vec::new();
    for variable in &operation.variables {
        if let (Some(place), Some(default)) = (enum_of(catalog, &variable.ty), &variable.default) {
            value(catalog, &InputType::Enum(place), default, Location { line: 1, column: 1 }, &mut errors);
        }
    }
    let roots = match operation.kind {
        OperationKind::Query => &catalog.queries,
        OperationKind::Mutation => &catalog.mutations,
    };
    selections(catalog, roots, &operation.selections, &mut errors);
    errors
}

fn enum_of(catalog: &Catalog, ty: &TypeNode) -> Option<usize> {
    match ty {
        TypeNode::Named(name) => catalog.enums_by_name.get(name).copied(),
        TypeNode::List(inner) | TypeNode::NonNull(inner) => enum_of(catalog, inner),
    }
}

fn selections(
    catalog: &Catalog,
    roots: &[RootField],
    nodes: &[SelectionNode],
    errors: &mut Vec<(String, Location)>,
) {
    for node in nodes {
        match node {
            SelectionNode::Field(node) => field(catalog, roots, node, errors),
            SelectionNode::Fragment { selections: inner, .. } => selections(catalog, roots, inner, errors),
        }
    }
}

fn field(catalog: &Catalog, roots: &[RootField], node: &FieldNode, errors: &mut Vec<(String, Location)>) {
    let Some(root) = roots.iter().find(|root| root.name == node.name) else { return };
    for (name, given) in &node.arguments {
        if let Some((_, ty, _)) = root.arguments.iter().find(|(known, ..)| known == name) {
            value(catalog, ty, given, node.location, errors);
        }
    }
}

/// Input objects of the catalog hold no enums, so they are not entered.
fn value(
    catalog: &Catalog,
    ty: &InputType,
    given: &ValueNode,
    at: Location,
    errors: &mut Vec<(String, Location)>,
) {
    match (ty, given) {
        (InputType::NonNull(inner), _) => value(catalog, inner, given, at, errors),
        (InputType::List(inner), ValueNode::List(items)) => {
            items.iter().for_each(|item| value(catalog, inner, item, at, errors));
        }
        (InputType::List(inner), _) => value(catalog, inner, given, at, errors),
        (InputType::Enum(_), ValueNode::List(items)) => {
            items.iter().for_each(|item| value(catalog, ty, item, at, errors));
        }
        (InputType::Enum(place), ValueNode::Enum(name)) => {
            let Some(known) = catalog.enums.get(*place) else { return };
            if !known.values.iter().any(|(value, ..)| value == name) {
                errors.push((format!("`{name}` is not a value of the enum `{}`", known.name), at));
            }
        }
        _ => {}
    }
}
