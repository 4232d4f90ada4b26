//! The roles of a collection with the actor known: what decides on every document.
//!
//! 1. The first role that applies to a document decides on it; a closed one denies.
//! 2. Reading: the gate, then the whole document, then field by field. `write` implies `read` at the
//!    same scope; a `read` that is given and false denies the document unless `write` is true.
//! 3. A field with `read` or `write` of its own does not consult its nested `fields`.

use std::collections::BTreeMap;
use std::sync::Arc;

use bson::RawDocument;

use super::bind::{Facts, bind};
use super::condition::{Condition, Scene};
use super::expr::Expression;
use super::role::{FieldRule, Grants, Role};

/// A role with the actor known.
#[derive(Clone, Debug)]
pub(crate) struct BoundRole {
    /// What the log calls it.
    pub(crate) name: Arc<str>,
    /// Whether the role's own `apply_when` holds.
    pub(crate) applies: Condition,
    /// Whether the document may be seen at all, by this role.
    pub(crate) reads: Condition,
    /// Whether every field may be seen, if the document may.
    pub(crate) reads_whole: Condition,
    pub(crate) write_gate: Condition,
    /// `None`: field by field.
    pub(crate) write: Option<Condition>,
    pub(crate) insert: Condition,
    pub(crate) delete: Condition,
    pub(crate) fields: Fields,
}

/// The fields of a document, or of an embedded one.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) named: BTreeMap<String, BoundField>,
    pub(crate) other_read: Condition,
    pub(crate) other_write: Condition,
}

/// A field with the actor known.
#[derive(Clone, Debug)]
pub(crate) struct BoundField {
    /// All of it may be seen.
    pub(crate) read: Condition,
    /// All of it may be changed.
    pub(crate) write: Condition,
    /// What holds for the fields below; `None` where the field's own rule decides.
    pub(crate) nested: Option<Fields>,
    /// Some of it may be seen.
    pub(crate) seen: Condition,
}

impl BoundRole {
    pub(crate) fn bind(role: &Role, facts: Facts<'_>) -> Self {
        let name = Arc::clone(&role.name);
        let applies = bind(&role.apply_when, facts);
        match &role.grants {
            Some(grants) => Self::granting((name, applies), grants, facts),
            None => Self {
                name,
                applies,
                reads: Condition::Never,
                reads_whole: Condition::Never,
                write_gate: Condition::Never,
                write: Some(Condition::Never),
                insert: Condition::Never,
                delete: Condition::Never,
                fields: Fields {
                    named: BTreeMap::new(),
                    other_read: Condition::Never,
                    other_write: Condition::Never,
                },
            },
        }
    }

    fn granting((name, applies): (Arc<str>, Condition), grants: &Grants, facts: Facts<'_>) -> Self {
        let bound = |expression: &Option<Expression>| expression.as_ref().map(|found| bind(found, facts));
        let fields = Fields::bind(&grants.fields, &grants.additional, facts);
        let (read, write) = (bound(&grants.read), bound(&grants.write));
        let read_gate = match (bound(&grants.read_gate), bound(&grants.write_gate)) {
            (None, _) => Condition::Always,
            (Some(read), write) => Condition::any([read, write.unwrap_or(Condition::Never)]),
        };
        let by_field = if read.is_some() { Condition::Never } else { fields.any_read() };
        let reads_whole = Condition::any([read, write.clone()].into_iter().flatten());
        Self {
            name,
            applies,
            reads: Condition::all([read_gate, Condition::any([reads_whole.clone(), by_field])]),
            reads_whole,
            write_gate: bound(&grants.write_gate).unwrap_or(Condition::Always),
            write,
            insert: bound(&grants.insert).unwrap_or(Condition::Always),
            delete: bound(&grants.delete).unwrap_or(Condition::Always),
            fields,
        }
    }

    /// Whether this path may be seen on a document that this role decides on and that may be seen.
    pub(crate) fn reads_path(&self, path: &str) -> Condition {
        Condition::any([self.reads_whole.clone(), self.fields.reads_path(path)])
    }
}

/// The role that decides on the scene's document.
pub(crate) fn deciding<'r>(roles: &'r [BoundRole], scene: Scene<'_>) -> Option<&'r BoundRole> {
    roles.iter().find(|role| role.applies.holds(scene))
}

/// OR over the roles of (this one decides AND what is asked of it).
pub(crate) fn over_roles(roles: &[BoundRole], asked: impl Fn(&BoundRole) -> Condition) -> Condition {
    let mut earlier: Vec<Condition> = Vec::new();
    let mut parts = Vec::new();
    for role in roles {
        let mine = [role.applies.clone(), asked(role)];
        parts.push(Condition::all(mine.into_iter().chain(earlier.iter().cloned())));
        earlier.push(role.applies.clone().negate());
    }
    Condition::any(parts)
}

/// The roles that can decide on some document.
pub(crate) fn reachable(roles: &[Role], facts: Facts<'_>) -> Vec<BoundRole> {
    let mut kept = Vec::new();
    for role in roles.iter().map(|role| BoundRole::bind(role, facts)) {
        if role.applies == Condition::Never {
            continue;
        }
        let decides = role.applies == Condition::Always;
        kept.push(role);
        if decides {
            break;
        }
    }
    kept
}

impl Fields {
    fn bind(rules: &BTreeMap<String, FieldRule>, other: &FieldRule, facts: Facts<'_>) -> Self {
        let other = BoundField::bind(other, facts);
        let named = rules.iter().map(|(name, rule)| (name.clone(), BoundField::bind(rule, facts))).collect();
        Self { named, other_read: other.read, other_write: other.write }
    }

    /// Whether some field may be seen.
    fn any_read(&self) -> Condition {
        let named = self.named.values().map(|field| field.seen.clone());
        Condition::any(named.chain([self.other_read.clone()]))
    }

    /// Digits are names here: under nested rules `list.0.x` is refused, for it may be an element's
    /// `x` or that of a field called `0`, whose rules differ.
    fn reads_path(&self, path: &str) -> Condition {
        let (head, rest) = match path.split_once('.') {
            Some((head, rest)) => (head, Some(rest)),
            None => (path, None),
        };
        match (self.named.get(head), rest) {
            (None, _) => self.other_read.clone(),
            (Some(BoundField { nested: Some(nested), .. }), Some(rest)) => nested.reads_path(rest),
            (Some(field), _) => field.read.clone(),
        }
    }
}

impl BoundField {
    fn bind(rule: &FieldRule, facts: Facts<'_>) -> Self {
        let bound = |expression: &Option<Expression>| expression.as_ref().map(|found| bind(found, facts));
        if rule.read.is_none() && rule.write.is_none() && !rule.fields.is_empty() {
            let nested = Fields::bind(&rule.fields, &FieldRule::default(), facts);
            let seen = nested.any_read();
            return Self { read: Condition::Never, write: Condition::Never, nested: Some(nested), seen };
        }
        let write = bound(&rule.write).unwrap_or(Condition::Never);
        let read = Condition::any([bound(&rule.read).unwrap_or(Condition::Never), write.clone()]);
        Self { seen: read.clone(), read, write, nested: None }
    }
}

/// What may be seen of a document or an embedded one.
#[derive(Clone, Copy, Debug)]
pub enum Visibility<'a> {
    /// All of it.
    Whole,
    /// Nothing of it: a document is left out, a field reads as null.
    Hidden,
    /// Some of its fields.
    Fields(FieldMask<'a>),
}

/// Which fields may be seen. Elements of an array share the mask of the array.
#[derive(Clone, Copy, Debug)]
pub struct FieldMask<'a> {
    fields: &'a Fields,
    document: &'a RawDocument,
}

impl<'a> Visibility<'a> {
    pub(crate) fn of(roles: &'a [BoundRole], document: &'a RawDocument) -> Self {
        let scene = Scene::stored(document);
        match deciding(roles, scene) {
            Some(role) if !role.reads.holds(scene) => Self::Hidden,
            Some(role) if role.reads_whole.holds(scene) => Self::Whole,
            Some(role) => Self::Fields(FieldMask { fields: &role.fields, document }),
            None => Self::Hidden,
        }
    }
}

impl<'a> FieldMask<'a> {
    /// What may be seen of the field of this name, one level down.
    pub fn field(&self, name: &str) -> Visibility<'a> {
        let scene = Scene::stored(self.document);
        let whole = match self.fields.named.get(name) {
            None => self.fields.other_read.holds(scene),
            Some(BoundField { nested: Some(nested), seen, .. }) if seen.holds(scene) => {
                return Visibility::Fields(FieldMask { fields: nested, document: self.document });
            }
            Some(field) => field.read.holds(scene),
        };
        if whole { Visibility::Whole } else { Visibility::Hidden }
    }
}
