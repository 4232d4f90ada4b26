//! Field rules by the path of the field, and fields that are cut.

use bson::{RawBsonRef, RawDocument};

use super::super::expr::Expression;
use super::super::role::{FieldRule, Grants};
use crate::rules::Visibility;

/// Read or write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    Read,
    Write,
}

/// The rules that decide on a field, each with its place in the role.
pub(super) fn rules_of<'g>(
    grants: &'g Grants,
    path: &str,
    rights: &[Right],
) -> Vec<(String, Option<&'g Expression>)> {
    let mut place = "fields".to_owned();
    let mut fields = &grants.fields;
    for name in path.split('.') {
        let Some(rule) = fields.get(name) else { break };
        place = format!("{place}.{name}");
        if rule.read.is_some() || rule.write.is_some() || rule.fields.is_empty() {
            return parts(&place, rule, rights);
        }
        place.push_str(".fields");
        fields = &rule.fields;
    }
    // Below a field there are no additional ones.
    if place == "fields" {
        parts("additional_fields", &grants.additional, rights)
    } else {
        vec![(place, None)]
    }
}

fn parts<'g>(place: &str, rule: &'g FieldRule, rights: &[Right]) -> Vec<(String, Option<&'g Expression>)> {
    rights
        .iter()
        .map(|right| match right {
            Right::Read => (format!("{place}.read"), rule.read.as_ref()),
            Right::Write => (format!("{place}.write"), rule.write.as_ref()),
        })
        .collect()
}

/// The paths of the fields that may not be seen.
pub(super) fn cut(visibility: Visibility<'_>, document: &RawDocument) -> Vec<String> {
    let mut paths = Vec::new();
    collect(visibility, document, "", &mut paths);
    paths
}

fn collect(visibility: Visibility<'_>, document: &RawDocument, parent: &str, paths: &mut Vec<String>) {
    for (name, value) in document.iter().map_while(Result::ok) {
        let name = name.as_str();
        let path = if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") };
        match (visibility.field(name), value) {
            (Visibility::Whole, _) => {}
            (seen @ Visibility::Fields(_), RawBsonRef::Document(inner)) if !seen.hides_all_of(inner) => {
                collect(seen, inner, &path, paths);
            }
            // Of an array some elements may be seen in part.
            (Visibility::Fields(_), RawBsonRef::Array(_)) => {}
            (Visibility::Hidden | Visibility::Fields(_), _) => paths.push(path),
        }
    }
}
