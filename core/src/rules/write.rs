//! Whether a role allows a write.
//!
//! 1. The role is picked on the previous document, for an insert on the new one.
//! 2. Its permissions have to hold on both images; `%%this` is the new value on either.
//! 3. Field by field, only what changes is asked for; setting a field to its value is no change.
//! 4. An update and a delete need a document that can be read; a delete needs `delete` and the right
//!    to write all fields that are there.

use std::collections::BTreeMap;

use bson::{RawBsonRef, RawDocument};

use super::answers::Answers;
use super::condition::{Condition, Scene};
use super::grants::{BoundField, BoundRole, Fields, deciding};

pub(crate) fn may_insert(roles: &[BoundRole], new: &RawDocument, answers: &Answers) -> bool {
    let scene = Scene::of(new, (None, new), answers);
    deciding(roles, scene).is_some_and(|role| {
        // Nothing to judge by the fields is nothing that they allow.
        let judged = role.write.is_some() || !new.is_empty();
        judged
            && role.insert.holds(scene)
            && writes(role, Change { before: None, after: Some(new) }, &[scene])
    })
}

pub(crate) fn may_replace(
    roles: &[BoundRole],
    (before, after): (&RawDocument, &RawDocument),
    answers: &Answers,
) -> bool {
    let scenes = [before, after].map(|root| Scene::of(root, (Some(before), after), answers));
    readable(roles, before, answers)
        .is_some_and(|role| writes(role, Change { before: Some(before), after: Some(after) }, &scenes))
}

pub(crate) fn may_delete(roles: &[BoundRole], before: &RawDocument, answers: &Answers) -> bool {
    let scene = Scene::stored(before, answers);
    readable(roles, before, answers).is_some_and(|role| {
        role.delete.holds(scene) && writes(role, Change { before: Some(before), after: None }, &[scene])
    })
}

/// The fields whose change the field rules refuse, as paths.
pub(crate) fn refused_fields(
    role: &BoundRole,
    (before, after): (Option<&RawDocument>, Option<&RawDocument>),
    scenes: &[Scene<'_>],
) -> Vec<String> {
    let mut paths = Vec::new();
    refused_below(&role.fields, Change { before, after }, (scenes, ""), &mut paths);
    paths
}

fn refused_below(
    fields: &Fields,
    change: Change<'_>,
    (scenes, parent): (&[Scene<'_>], &str),
    paths: &mut Vec<String>,
) {
    for (name, Sides { before, after }) in change.fields().unwrap_or_default() {
        if before == after || field_allowed(fields, name, (before, after), scenes) {
            continue;
        }
        let path = if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") };
        let nested = fields.named.get(name).and_then(|field| field.nested.as_ref());
        match (nested, embedded((before, after))) {
            (Some(nested), Some(change)) if change.has_field() => {
                refused_below(nested, change, (scenes, &path), paths);
            }
            _ => paths.push(path),
        }
    }
}

/// A document, or an embedded one, before and after.
#[derive(Clone, Copy)]
struct Change<'a> {
    before: Option<&'a RawDocument>,
    after: Option<&'a RawDocument>,
}

fn readable<'r>(roles: &'r [BoundRole], document: &RawDocument, answers: &Answers) -> Option<&'r BoundRole> {
    let scene = Scene::stored(document, answers);
    deciding(roles, scene).filter(|role| role.reads.holds(scene))
}

fn writes(role: &BoundRole, change: Change<'_>, scenes: &[Scene<'_>]) -> bool {
    on_all(&role.write_gate, scenes)
        && match &role.write {
            Some(write) => on_all(write, scenes),
            None => changes_allowed(&role.fields, change, scenes),
        }
}

fn on_all(condition: &Condition, scenes: &[Scene<'_>]) -> bool {
    scenes.iter().all(|scene| condition.holds(*scene))
}

fn changes_allowed(fields: &Fields, change: Change<'_>, scenes: &[Scene<'_>]) -> bool {
    // Bytes that cannot be read cannot be judged.
    change.fields().is_some_and(|changed| {
        changed.into_iter().all(|(name, Sides { before, after })| {
            before == after || field_allowed(fields, name, (before, after), scenes)
        })
    })
}

fn field_allowed(
    fields: &Fields,
    name: &str,
    values: (Option<RawBsonRef<'_>>, Option<RawBsonRef<'_>>),
    scenes: &[Scene<'_>],
) -> bool {
    match fields.named.get(name) {
        None => on_all(&fields.other_write.about(name), scenes),
        Some(BoundField { nested: Some(nested), .. }) => match embedded(values) {
            // An embedded document that comes or goes without a field is no field's change.
            Some(change) => change.has_field() && changes_allowed(nested, change, scenes),
            None => false,
        },
        Some(field) => on_all(&field.write, scenes),
    }
}

/// The change of an embedded document; `None` where something else comes or goes.
fn embedded<'a>(values: (Option<RawBsonRef<'a>>, Option<RawBsonRef<'a>>)) -> Option<Change<'a>> {
    let document = |value: Option<RawBsonRef<'a>>| match value {
        None => Some(None),
        Some(RawBsonRef::Document(document)) => Some(Some(document)),
        Some(_) => None,
    };
    Some(Change { before: document(values.0)?, after: document(values.1)? })
}

/// A field's values before and after.
#[derive(Default)]
struct Sides<'a> {
    before: Option<RawBsonRef<'a>>,
    after: Option<RawBsonRef<'a>>,
}

impl<'a> Change<'a> {
    /// All fields of either side; `None` where one is repeated or cannot be read.
    fn fields(self) -> Option<BTreeMap<&'a str, Sides<'a>>> {
        let mut fields: BTreeMap<&str, Sides<'_>> = BTreeMap::new();
        for entry in self.before.into_iter().flatten() {
            let (name, value) = entry.ok()?;
            if fields.entry(name.as_str()).or_default().before.replace(value).is_some() {
                return None;
            }
        }
        for entry in self.after.into_iter().flatten() {
            let (name, value) = entry.ok()?;
            if fields.entry(name.as_str()).or_default().after.replace(value).is_some() {
                return None;
            }
        }
        Some(fields)
    }

    fn has_field(self) -> bool {
        [self.before, self.after].into_iter().flatten().any(|document| !document.is_empty())
    }
}
