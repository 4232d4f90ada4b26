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
            let part = if whole {
                Some(value.clone())
            } else {
                cut_field(role.field(name), value, &[Some(value)], &scene)
            };
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
            || reads_field(self.field(path[0]), (&path[1..], false), &[value], scene)
    }

    /// Whether some field, be it there or not, may be read in part.
    fn reads_any(&self, whole: bool, scene: &Scene<'_>, screen: &Screen<'_>) -> bool {
        let root = scene.root.expect("a document is read");
        let named = self.json["fields"].as_object();
        let names = named.into_iter().flatten().map(|(name, _)| name).chain(root.keys());
        // A name that no document has stands for all the fields that are not there.
        let mut names =
            names.map(String::as_str).chain(screen.included()).chain(["a field that is not there"]);
        let reads = |name: &str| reads_field(self.field(name), (&[], true), &[root.get(name)], scene);
        names.any(|name| screen.shows(name) && (whole || reads(name)))
    }
}

/// The values that a rule of a field speaks of: one, or one for each document of the arrays on the way to it. The
/// elements of an array are decided on together, so that each of them has to fulfil the rule.
type Peers<'a> = [Option<&'a Bson>];

/// The values of a field inside of these.
fn members<'a>(peers: &Peers<'a>, name: &str) -> Vec<Option<&'a Bson>> {
    let found: Vec<_> = peers.iter().flat_map(|value| lookup_below(*value, name)).collect();
    // Where there is no document to have it, it is missing.
    if found.is_empty() { vec![None] } else { found }
}

/// E: what the rule of a field says of it as a whole; `None` when its nested `fields` decide.
fn field_as_whole(rule: &Value, peers: &Peers<'_>, scene: &Scene<'_>) -> Option<bool> {
    let of_each = |name: &str| {
        let holds = |value: &Option<&Bson>| scene.at(*value, *value).holds(&rule[name]);
        (!rule[name].is_null()).then(|| peers.iter().all(holds))
    };
    match (of_each("read"), of_each("write")) {
        (None, None) => rule["fields"].is_null().then_some(false),
        // A rule of the parent overrides the nested ones. Write implies read at the same scope.
        (read, write) => Some(read == Some(true) || write == Some(true)),
    }
}

fn reads_field(rule: &Value, (rest, part): (&[&str], bool), peers: &Peers<'_>, scene: &Scene<'_>) -> bool {
    if let Some(decided) = field_as_whole(rule, peers, scene) {
        return decided;
    }
    let nested = &rule["fields"];
    match rest.split_first() {
        Some((name, rest)) => reads_field(&nested[*name], (rest, part), &members(peers, name), scene),
        // Under nested rules there is no rule by which all of it could be read.
        None if !part => false,
        None => {
            let mut nested = nested.as_object().into_iter().flatten();
            nested.any(|(name, rule)| reads_field(rule, (&[], part), &members(peers, name), scene))
        }
    }
}

/// The part of a value, one of its peers, that may be read.
fn cut_field(rule: &Value, value: &Bson, peers: &Peers<'_>, scene: &Scene<'_>) -> Option<Bson> {
    match field_as_whole(rule, peers, scene) {
        Some(decided) => decided.then(|| value.clone()),
        None if !reads_field(rule, (&[], true), peers, scene) => None,
        None => cut_nested(rule, value, peers, scene),
    }
}

/// The part that nested rules let through; they speak of documents and of nothing else.
fn cut_nested(rule: &Value, value: &Bson, peers: &Peers<'_>, scene: &Scene<'_>) -> Option<Bson> {
    let inner = match value {
        Bson::Document(inner) => inner,
        // Of an array each element is cut, and keeps its place.
        Bson::Array(items) => {
            let items = items.iter().map(|item| cut_nested(rule, item, peers, scene).unwrap_or(Bson::Null));
            return Some(items.collect::<Vec<_>>().into());
        }
        _ => return None,
    };
    let mut seen = Document::new();
    for (name, value) in inner {
        if let Some(value) = cut_field(&rule["fields"][name], value, &members(peers, name), scene) {
            seen.insert(name, value);
        }
    }
    // An embedded document without a readable field is as if it were not there; an empty one hides nothing.
    (!seen.is_empty() || inner.is_empty()).then(|| seen.into())
}
