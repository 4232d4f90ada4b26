//! Filters: what is as if it did not exist, and what is left out of every document (§6.6).

use std::collections::BTreeSet;

use serde_json::Value;

use super::expression::Scene;
use super::understood::{self, Place};
use super::world::World;

/// All filters that apply to one user, together.
#[derive(Debug)]
pub(super) struct Screen<'a> {
    queries: Vec<&'a Value>,
    included: Option<BTreeSet<&'a str>>,
    excluded: BTreeSet<&'a str>,
    /// Whether a filter is not understood: then nothing exists.
    closed: bool,
}

impl<'a> Screen<'a> {
    /// The filters whose `apply_when` holds, which knows no document.
    pub(super) fn of(filters: &'a Value, world: &World) -> Self {
        let mut screen =
            Self { queries: Vec::new(), included: None, excluded: BTreeSet::new(), closed: false };
        for filter in filters.as_array().into_iter().flatten() {
            screen.add(filter, world);
        }
        screen
    }

    fn add(&mut self, filter: &'a Value, world: &World) {
        let applies = &filter["apply_when"];
        let query = &filter["query"];
        let is_clear = |value: &Value, place| value.is_null() || understood::expression(value, place);
        if !is_clear(applies, Place::NoDocument) || !is_clear(query, Place::Document) {
            self.closed = true;
            return;
        }
        if !applies.is_null() && !Scene::of(world).holds(applies) {
            return;
        }
        self.queries.extend((!query.is_null()).then_some(query));
        // The documentation spells it both ways.
        let projection = [&filter["projection"], &filter["project"]].into_iter().find_map(Value::as_object);
        for (name, value) in projection.into_iter().flatten() {
            let is_included = value.as_bool().unwrap_or_else(|| value.as_f64() != Some(0.0));
            if is_included {
                self.included.get_or_insert_default().insert(name);
            } else {
                self.excluded.insert(name);
            }
        }
    }

    /// Whether a document exists behind the filters: the meaning of MongoDB's queries, after expansion.
    pub(super) fn admits(&self, scene: &Scene<'_>) -> bool {
        let scene = Scene { query: true, ..*scene };
        !self.closed && !self.is_contradictory() && self.queries.iter().all(|query| scene.holds(query))
    }

    /// Including and excluding at once, other than of `_id`, is an error.
    pub(super) fn is_contradictory(&self) -> bool {
        let includes = self.included.as_ref().is_some_and(|names| names.iter().any(|name| *name != "_id"));
        includes && self.excluded.iter().any(|name| *name != "_id")
    }

    /// Whether a filter is not understood, which closes the collection.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// The names that projections include.
    pub(super) fn included(&self) -> impl Iterator<Item = &'a str> {
        self.included.iter().flatten().copied()
    }

    /// Whether the projections leave the field in.
    pub(super) fn shows(&self, name: &str) -> bool {
        if self.excluded.contains(name) {
            return false;
        }
        // Beside what is excluded, `_id` may be included, and that includes nothing else.
        let excludes = self.excluded.iter().any(|name| *name != "_id");
        let included = self.included.as_ref().filter(|_| !excludes);
        included.is_none_or(|names| name == "_id" || names.contains(name))
    }
}
