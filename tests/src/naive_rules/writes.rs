//! Whether a write is allowed (§6.4, decisions 15, 16, 17, 35).

use bson::{Bson, Document};
use serde_json::Value;

use super::expression::Scene;
use super::roles::{Role, Rules, Sight, permission};

impl Rules<'_> {
    /// Whether a document may be inserted. Filters do not touch inserts, unless one is not understood.
    pub fn may_insert(&self, document: &Document) -> bool {
        let scene = Scene { root: Some(document), ..Scene::of(self.world) };
        let none = Document::new();
        self.role(&scene).filter(|_| !self.screen.is_closed()).is_some_and(|role| {
            // B3 and B4: beside the write, `insert`, which is true when omitted.
            role.writes(&none, document, &scene) && permission(role.json, "insert", &scene).unwrap_or(true)
        })
    }

    /// Whether a document may be changed so; one that the user does not see cannot.
    pub fn may_update(&self, before: &Document, after: &Document) -> bool {
        let scene = Scene::reading(self.world, before);
        // The role is picked on the previous document, and its permissions hold on both.
        let on = |image| Scene { root: Some(image), ..scene };
        self.sight(before, false) != Sight::Nothing
            && self.role(&scene).is_some_and(|role| {
                role.writes(before, after, &on(before)) && role.writes(before, after, &on(after))
            })
    }

    /// Whether a document may be deleted; one that the user does not see cannot.
    pub fn may_delete(&self, document: &Document) -> bool {
        let scene = Scene { is_deletion: true, ..Scene::reading(self.world, document) };
        let none = Document::new();
        self.sight(document, false) != Sight::Nothing
            && self.role(&scene).is_some_and(|role| {
                // B1 and C2: `delete`, which is true when omitted, and the write of every field.
                permission(role.json, "delete", &scene).unwrap_or(true)
                    && role.writes(document, &none, &scene)
            })
    }

    /// Whether filters leave this user any reading at all: not where projections contradict each other.
    pub fn refuses_every_read(&self) -> bool {
        self.screen.is_contradictory()
    }
}

impl Role<'_> {
    /// Steps A and B2 to B4: whether the change is allowed, seen from one image of the document.
    fn writes(&self, before: &Document, after: &Document, scene: &Scene<'_>) -> bool {
        if self.closed {
            return false;
        }
        // A: an undefined half does not gate.
        if permission(&self.json["document_filters"], "write", scene) == Some(false) {
            return false;
        }
        match permission(self.json, "write", scene) {
            // B2 and B3.
            Some(decided) => decided,
            // B4: each changed field.
            None => changed(before, after)
                .all(|name| writes_field(self.field(name), before.get(name), after.get(name), scene)),
        }
    }
}

/// The names of the fields that differ; setting a field to the value it has is no change.
fn changed<'a>(before: &'a Document, after: &'a Document) -> impl Iterator<Item = &'a str> {
    let added = after.keys().filter(|name| !before.contains_key(name));
    let names = before.keys().chain(added).map(String::as_str);
    names.filter(|name| !is_same(before.get(name), after.get(name)))
}

/// Whether two values are the same to the byte: of the same width, with their fields in the same order.
fn is_same(before: Option<&Bson>, after: Option<&Bson>) -> bool {
    let order = |value: &Document| value.keys().cloned().collect::<Vec<_>>();
    match (before, after) {
        (Some(Bson::Document(before)), Some(Bson::Document(after))) => {
            order(before) == order(after)
                && before.iter().all(|(name, value)| is_same(Some(value), after.get(name)))
        }
        (Some(Bson::Array(before)), Some(Bson::Array(after))) => {
            before.len() == after.len()
                && before.iter().zip(after).all(|(before, after)| is_same(Some(before), Some(after)))
        }
        (before, after) => before == after,
    }
}

fn writes_field(rule: &Value, before: Option<&Bson>, after: Option<&Bson>, scene: &Scene<'_>) -> bool {
    // A deletion is judged on what is stored: there is no value after it.
    let this = if scene.is_deletion { before } else { after };
    let at = scene.at(this, before);
    match (permission(rule, "read", &at), permission(rule, "write", &at)) {
        (_, Some(decided)) => return decided,
        // The parent's rule overrides the nested ones.
        (Some(_), None) => return false,
        (None, None) => {}
    }
    // The nested rules decide on an embedded document that stays or comes to be one.
    let none = Document::new();
    let inner = |value: Option<&Bson>| match value {
        None => Some(none.clone()),
        Some(Bson::Document(inner)) => Some(inner.clone()),
        Some(_) => None,
    };
    let (Some(before), Some(after)) = (inner(before), inner(after)) else { return false };
    // What no rule permits is denied: also a change in which no field has a part.
    !(before.is_empty() && after.is_empty())
        && changed(&before, &after)
            .all(|name| writes_field(&rule["fields"][name], before.get(name), after.get(name), scene))
}
