//! Roles: which one decides, and what it lets be read (§6.2 and §6.3).

use bson::{Bson, Document};
use serde_json::Value;

use super::expression::Scene;
use super::filters::Screen;
use super::understood;
use super::value::lookup_below;
use super::world::World;

/// The rules of one collection, as they are for one user.
#[derive(Debug)]
pub struct Rules<'a> {
    pub(super) world: &'a World,
    pub(super) roles: Vec<Role<'a>>,
    pub(super) screen: Screen<'a>,
}

/// What a user sees of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Sight {
    /// It is as if it did not exist.
    Nothing,
    /// These of its fields; perhaps none, where those that may be read are not there.
    Part(Document),
}

/// A role.
#[derive(Clone, Copy, Debug)]
pub(super) struct Role<'a> {
    pub(super) json: &'a Value,
    /// When it decides; a constant where that is not understood, so that it stands in the way of those that follow.
    pub(super) applies: &'a Value,
    /// Whether a part of it is not understood: then it allows nothing, but still decides.
    pub(super) closed: bool,
}

impl<'a> Rules<'a> {
    /// The rules as they stand in `rules.json`: `{"roles": […], "filters": […]}`.
    pub fn new(json: &'a Value, world: &'a World) -> Self {
        let roles = json["roles"].as_array().into_iter().flatten().map(Role::new).collect();
        Self { world, roles, screen: Screen::of(&json["filters"], world) }
    }

    /// The first role that applies (§6.2): its place in the list.
    pub fn deciding(&self, scene: &Scene<'_>) -> Option<usize> {
        self.roles.iter().position(|role| scene.holds(role.applies))
    }

    pub(super) fn role(&self, scene: &Scene<'_>) -> Option<Role<'a>> {
        self.roles.iter().find(|role| scene.holds(role.applies)).copied()
    }

    /// What the user sees of a stored document; `search` is whether it is searched for (§6.3).
    pub fn sight(&self, document: &Document, search: bool) -> Sight {
        let scene = Scene::reading(self.world, document);
        let screen = &self.screen;
        if !screen.admits(&scene) {
            return Sight::Nothing;
        }
        let Some(role) = self.role(&scene).filter(|role| role.opens(&scene, search)) else {
            return Sight::Nothing;
        };
        let whole = matches!(role.whole(&scene), Whole::Yes);
        // A document of which no field may be read is left out.
        if !role.reads_any(whole, &scene, screen) {
            return Sight::Nothing;
        }
        let mut seen = Document::new();
        for (name, value) in document.iter().filter(|(name, _)| screen.shows(name)) {
            let part = if whole { Some(value.clone()) } else { cut_field(role.field(name), value, &scene) };
            seen.extend(part.map(|part| (name.clone(), part)));
        }
        Sight::Part(seen)
    }

    /// Whether the user, who sees the document, may read the whole of what a path leads to.
    pub fn reads_path(&self, document: &Document, path: &str) -> bool {
        let scene = Scene::reading(self.world, document);
        let names: Vec<&str> = path.split('.').filter(|name| name.parse::<usize>().is_err()).collect();
        self.screen.shows(names[0]) && self.role(&scene).is_some_and(|role| role.reads(&names, &scene))
    }
}

/// A permission of three states: true, false, or not given.
pub(super) fn permission(rule: &Value, name: &str, scene: &Scene<'_>) -> Option<bool> {
    let expression = &rule[name];
    (!expression.is_null()).then(|| scene.holds(expression))
}

/// The decision on a whole document, or that its fields decide.
enum Whole {
    Yes,
    No,
    Fields,
}

impl<'a> Role<'a> {
    fn new(json: &'a Value) -> Self {
        const ALWAYS: &Value = &Value::Bool(true);
        let applies = &json["apply_when"];
        let is_clear = understood::expression(applies, understood::Place::Document);
        Self { json, applies: if is_clear { applies } else { ALWAYS }, closed: !understood::role(json) }
    }

    /// Steps A to C: whether the document can be read, or has fields that decide.
    fn opens(&self, scene: &Scene<'_>, search: bool) -> bool {
        // A: a search asks for `search`, which is true when omitted.
        let searchable = !search || permission(self.json, "search", scene).unwrap_or(true);
        !self.closed && searchable && self.gate(scene) && !matches!(self.whole(scene), Whole::No)
    }

    /// B, as decision 15 settles it: an undefined half does not gate, and a `write` that is true opens.
    fn gate(&self, scene: &Scene<'_>) -> bool {
        let gates = &self.json["document_filters"];
        permission(gates, "read", scene) != Some(false) || permission(gates, "write", scene) == Some(true)
    }

    /// C.
    fn whole(&self, scene: &Scene<'_>) -> Whole {
        let write = permission(self.json, "write", scene);
        match (permission(self.json, "read", scene), write) {
            // C1; and in C2 and C3 a `write` that is true implies reading.
            (Some(true), _) | (_, Some(true)) => Whole::Yes,
            // C2.
            (Some(false), _) => Whole::No,
            // C3.
            (None, _) => Whole::Fields,
        }
    }

    /// D: the rule of a field, or that of the fields that none names.
    pub(super) fn field(&self, name: &str) -> &'a Value {
        let named = &self.json["fields"][name];
        if named.is_null() { &self.json["additional_fields"] } else { named }
    }

    /// Whether all of what a path leads to may be read where the document can be (D and E).
    fn reads(&self, path: &[&str], scene: &Scene<'_>) -> bool {
        let value = scene.root.and_then(|root| root.get(path[0]));
        matches!(self.whole(scene), Whole::Yes)
            || reads_field(self.field(path[0]), (&path[1..], false), value, scene)
    }

    /// Whether some field, be it there or not, may be read in part.
    fn reads_any(&self, whole: bool, scene: &Scene<'_>, screen: &Screen<'_>) -> bool {
        let root = scene.root.expect("a document is read");
        let named = self.json["fields"].as_object();
        let names = named.into_iter().flatten().map(|(name, _)| name).chain(root.keys());
        // A name that no document has stands for all the fields that are not there.
        let mut names =
            names.map(String::as_str).chain(screen.included()).chain(["a field that is not there"]);
        let reads = |name: &str| reads_field(self.field(name), (&[], true), root.get(name), scene);
        names.any(|name| screen.shows(name) && (whole || reads(name)))
    }
}

/// E: what the rule of a field says of it as a whole; `None` when its nested `fields` decide.
fn field_as_whole(rule: &Value, value: Option<&Bson>, scene: &Scene<'_>) -> Option<bool> {
    let scene = scene.at(value, value);
    match (permission(rule, "read", &scene), permission(rule, "write", &scene)) {
        (None, None) => rule["fields"].is_null().then_some(false),
        // A rule of the parent overrides the nested ones. Write implies read at the same scope.
        (read, write) => Some(read == Some(true) || write == Some(true)),
    }
}

fn reads_field(rule: &Value, at: (&[&str], bool), value: Option<&Bson>, scene: &Scene<'_>) -> bool {
    if let Some(decided) = field_as_whole(rule, value, scene) {
        return decided;
    }
    let (rest, part) = at;
    // In an array each element has a field of the name; it is enough that one may be read.
    let reads_member = |name: &str, rule: &Value, rest: &[&str]| {
        let mut members = lookup_below(value, name);
        members.resize(members.len().max(1), None);
        members.into_iter().any(|member| reads_field(rule, (rest, part), member, scene))
    };
    let nested = &rule["fields"];
    match rest.split_first() {
        Some((name, rest)) => reads_member(name, &nested[*name], rest),
        // Under nested rules there is no rule by which all of it could be read.
        None if !part => false,
        None => {
            let mut nested = nested.as_object().into_iter().flatten();
            nested.any(|(name, rule)| reads_member(name, rule, &[]))
        }
    }
}

fn cut_field(rule: &Value, value: &Bson, scene: &Scene<'_>) -> Option<Bson> {
    if let Some(decided) = field_as_whole(rule, Some(value), scene) {
        return decided.then(|| value.clone());
    }
    // Of an array each element is cut, and keeps its place.
    if let Bson::Array(items) = value {
        let nothing = !reads_field(rule, (&[], true), Some(value), scene);
        let items = items.iter().map(|item| cut_nested(rule, item, scene).unwrap_or(Bson::Null));
        return (!nothing).then(|| items.collect::<Vec<_>>().into());
    }
    cut_nested(rule, value, scene)
}

/// The part that nested rules let through; they speak of documents and of nothing else.
fn cut_nested(rule: &Value, value: &Bson, scene: &Scene<'_>) -> Option<Bson> {
    let inner = match value {
        Bson::Document(inner) => inner,
        Bson::Array(items) => {
            let items = items.iter().map(|item| cut_nested(rule, item, scene).unwrap_or(Bson::Null));
            return Some(items.collect::<Vec<_>>().into());
        }
        _ => return None,
    };
    let mut seen = Document::new();
    for (name, value) in inner {
        if let Some(value) = cut_field(&rule["fields"][name], value, scene) {
            seen.insert(name, value);
        }
    }
    // An embedded document without a readable field is as if it were not there; an empty one hides nothing.
    (!seen.is_empty() || inner.is_empty() && reads_field(rule, (&[], true), Some(value), scene))
        .then(|| seen.into())
}
