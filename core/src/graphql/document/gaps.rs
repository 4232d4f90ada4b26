//! What the specification's validation asks and juniper's does not.

use juniper::{Definition, Selection};

use super::location;
use crate::graphql::ast::Location;
use crate::graphql::scalars::Literal;

/// A directive's name and place; juniper does not export the type of directives.
type Place<'s> = (&'s str, Location);

macro_rules! places {
    ($directives:expr) => {
        $directives.iter().flatten().map(|found| (found.item.name.item, location(found.span.start)))
    };
}

/// Directives that stand twice at one location (GraphQL, section 5.7.3); none of ours is repeatable.
pub(super) fn repeated_directives(document: &[Definition<'_, Literal>]) -> Vec<(String, Location)> {
    let mut repeated = Vec::new();
    for definition in document {
        match definition {
            Definition::Operation(operation) => {
                note(places!(operation.item.directives), &mut repeated);
                let variables = operation.item.variables_definition.iter().flat_map(|all| &all.item.items);
                for (_, variable) in variables {
                    note(places!(variable.directives), &mut repeated);
                }
                selections(&operation.item.selection_set, &mut repeated);
            }
            Definition::Fragment(fragment) => {
                note(places!(fragment.item.directives), &mut repeated);
                selections(&fragment.item.selection_set, &mut repeated);
            }
        }
    }
    let told = |(name, at)| (format!("the directive `@{name}` stands twice at one place"), at);
    repeated.into_iter().map(told).collect()
}

fn selections<'s>(nodes: &[Selection<'s, Literal>], repeated: &mut Vec<Place<'s>>) {
    for node in nodes {
        match node {
            Selection::Field(field) => {
                note(places!(field.item.directives), repeated);
                selections(field.item.selection_set.as_deref().unwrap_or_default(), repeated);
            }
            Selection::FragmentSpread(spread) => note(places!(spread.item.directives), repeated),
            Selection::InlineFragment(fragment) => {
                note(places!(fragment.item.directives), repeated);
                selections(&fragment.item.selection_set, repeated);
            }
        }
    }
}

fn note<'s>(places: impl Iterator<Item = Place<'s>>, repeated: &mut Vec<Place<'s>>) {
    let mut seen: Vec<&str> = Vec::new();
    for (name, at) in places {
        if seen.contains(&name) {
            repeated.push((name, at));
        } else {
            seen.push(name);
        }
    }
}

/// Takes defaults away that juniper misjudges; validation is all that the document serves after this.
///
/// 1. Null defaults of variables that may be null: only a default that is not null lets such a variable stand where
///    null is not allowed (GraphQL, section 5.8.5), and juniper takes any for one.
/// 2. Defaults of variables of an unknown type: juniper panics on them, and says what is wrong without them.
pub(super) fn drop_defaults(document: &mut [Definition<'_, Literal>], is_type: impl Fn(&str) -> bool) {
    for definition in document {
        let Definition::Operation(operation) = definition else { continue };
        let variables = operation.item.variables_definition.iter_mut().flat_map(|all| &mut all.item.items);
        for (_, variable) in variables {
            let is_null = variable.default_value.as_ref().is_some_and(|default| default.item.is_null());
            let ty = &variable.var_type.item;
            if (is_null && !ty.is_non_null()) || !is_type(ty.innermost_name()) {
                variable.default_value = None;
            }
        }
    }
}
