//! The roles of a collection with the actor known: what decides on every document.
//!
//! 1. The first role that applies to a document decides on it; a closed one denies.
//! 2. Reading: the gate, then the whole document, then field by field. `write` implies `read` at the
//!    same scope; a `read` that is given and false denies the document unless `write` is true.
//! 3. A field with `read` or `write` of its own does not consult its nested `fields`.
//! 4. What a function has not answered yet permits nothing, and is no reason to go on to the next role.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bind::{Facts, bind};
use super::condition::{Condition, Judgement, Scene};
use super::expr::Expression;
use super::projection::{Fetched, Tree};
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
    /// Whether that holds on every document that may be seen: no field decides on its own.
    pub(crate) hides_no_field: bool,
    pub(crate) write_gate: Condition,
    /// `None`: field by field.
    pub(crate) write: Option<Condition>,
    pub(crate) insert: Condition,
    pub(crate) delete: Condition,
    pub(crate) search: Condition,
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
    /// The role, where no more is fetched than the projection says.
    pub(crate) fn bind(role: &Role, fetched: Option<&Tree>, facts: Facts<'_>) -> Self {
        let name = Arc::clone(&role.name);
        let applies = bind(&role.apply_when, facts);
        match &role.grants {
            Some(grants) => Self::granting((name, applies), grants, (fetched, facts)),
            None => Self {
                name,
                applies,
                reads: Condition::Never,
                reads_whole: Condition::Never,
                hides_no_field: true,
                write_gate: Condition::Never,
                write: Some(Condition::Never),
                insert: Condition::Never,
                delete: Condition::Never,
                search: Condition::Never,
                fields: Fields {
                    named: BTreeMap::new(),
                    other_read: Condition::Never,
                    other_write: Condition::Never,
                },
            },
        }
    }

    fn granting(
        (name, applies): (Arc<str>, Condition),
        grants: &Grants,
        (fetched, facts): (Option<&Tree>, Facts<'_>),
    ) -> Self {
        let bound = |expression: &Option<Expression>| expression.as_ref().map(|found| bind(found, facts));
        let fields = Fields::bind(&grants.fields, &grants.additional, facts);
        let (read, write) = (bound(&grants.read), bound(&grants.write));
        let read_gate = match (bound(&grants.read_gate), bound(&grants.write_gate)) {
            (None, _) => Condition::Always,
            (Some(read), write) => Condition::any([read, write.unwrap_or(Condition::Never)]),
        };
        let by_field = if read.is_some() { Condition::Never } else { fields.any_read(fetched) };
        let reads_whole = Condition::any([read, write.clone()].into_iter().flatten());
        let hides_no_field = by_field == Condition::Never || reads_whole == Condition::Always;
        Self {
            name,
            applies,
            hides_no_field,
            reads: Condition::all([read_gate, Condition::any([reads_whole.clone(), by_field])]),
            reads_whole,
            write_gate: bound(&grants.write_gate).unwrap_or(Condition::Always),
            write,
            insert: bound(&grants.insert).unwrap_or(Condition::Always),
            delete: bound(&grants.delete).unwrap_or(Condition::Always),
            search: bound(&grants.search).unwrap_or(Condition::Always),
            fields,
        }
    }

    /// Whether judging it may call a function.
    pub(crate) fn calls(&self) -> bool {
        let own =
            [&self.applies, &self.reads, &self.reads_whole, &self.write_gate, &self.insert, &self.delete];
        let searched = self.search.calls() || self.write.as_ref().is_some_and(Condition::calls);
        own.into_iter().any(Condition::calls) || searched || self.fields.calls()
    }

    /// Whether this path may be seen on a document that this role decides on and that may be seen.
    pub(crate) fn reads_path(&self, path: &str) -> Condition {
        if self.hides_no_field {
            return Condition::Always;
        }
        Condition::any([self.reads_whole.clone(), self.fields.reads_path(path)])
    }
}

/// The role that decides on the scene's document; `None` also as long as that is not known.
pub(crate) fn deciding<'r>(roles: &'r [BoundRole], scene: Scene<'_>) -> Option<&'r BoundRole> {
    let judged = roles.iter().map(|role| (role, role.applies.judge(scene)));
    let (role, judgement) = judged.into_iter().find(|(_, judgement)| *judgement != Judgement::Fails)?;
    (judgement == Judgement::Holds).then_some(role)
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
pub(crate) fn reachable(roles: &[Role], fetched: Option<&Tree>, facts: Facts<'_>) -> Vec<BoundRole> {
    let mut kept = Vec::new();
    for role in roles.iter().map(|role| BoundRole::bind(role, fetched, facts)) {
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

    /// Whether some field that is fetched may be seen.
    fn any_read(&self, fetched: Option<&Tree>) -> Condition {
        let is_fetched = |name: &str| match fetched.map(|projection| (projection, projection.field(name))) {
            None | Some((_, Some(Fetched::Whole(true) | Fetched::Part(_)))) => true,
            Some((_, Some(Fetched::Whole(false)))) => false,
            Some((projection, None)) => projection.fetches_others(),
        };
        let named =
            self.named.iter().filter(|(name, _)| is_fetched(name)).map(|(_, field)| field.seen.clone());
        let others = fetched.is_none_or(|projection| {
            let mut others = projection.names().filter(|name| !self.named.contains_key(*name));
            projection.fetches_others() || others.any(is_fetched)
        });
        let but = self.named.keys().cloned().collect();
        let other = others.then(|| Condition::some_field(but, self.other_read.clone()));
        Condition::any(named.chain(other))
    }

    /// Whether judging it may call a function.
    fn calls(&self) -> bool {
        self.other_read.calls() || self.other_write.calls() || self.named.values().any(BoundField::calls)
    }

    /// Digits are names here: under nested rules `list.0.x` is refused, for it may be an element's
    /// `x` or that of a field called `0`, whose rules differ.
    fn reads_path(&self, path: &str) -> Condition {
        let (head, rest) = match path.split_once('.') {
            Some((head, rest)) => (head, Some(rest)),
            None => (path, None),
        };
        match (self.named.get(head), rest) {
            (None, _) => self.other_read.about(head).into_owned(),
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
            let seen = nested.any_read(None);
            return Self { read: Condition::Never, write: Condition::Never, nested: Some(nested), seen };
        }
        let write = bound(&rule.write).unwrap_or(Condition::Never);
        let read = Condition::any([bound(&rule.read).unwrap_or(Condition::Never), write.clone()]);
        Self { seen: read.clone(), read, write, nested: None }
    }

    fn calls(&self) -> bool {
        let own = self.read.calls() || self.write.calls() || self.seen.calls();
        own || self.nested.as_ref().is_some_and(Fields::calls)
    }
}
