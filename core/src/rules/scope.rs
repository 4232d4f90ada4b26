//! Where the user's request and the rules meet; the only maker of scoped requests.
//!
//! 1. An [`Access`] is made from an [`Actor`] and a collection's rules.
//! 2. [`Access::find`] joins what is asked with what may be read.
//! 3. [`Access::insert`], [`Access::replace`] and [`Access::delete`] check a write against the rules.
//! 4. A store accepts only [`ScopedQuery`] and [`ScopedWrite`], whose fields nothing else can set.

use std::sync::Arc;

use bson::{Bson, RawDocument, RawDocumentBuf};

use super::answers::Answers;
use super::bound::BoundRules;
use super::condition::{Check, Condition, Scene, Verdict};
use super::grants::{BoundRole, deciding};
use super::visibility::Visibility;
use super::{narrow, write};
use crate::filter::{Filter, SortKey};
use crate::id::CollectionId;

/// What an actor may see and do in one collection.
#[derive(Clone, Debug)]
pub struct Access {
    collection: CollectionId,
    standing: Standing,
    answers: Answers,
}

/// What binds the actor.
#[derive(Clone, Debug)]
enum Standing {
    /// Nothing.
    System,
    /// No rule covers the collection: nothing is allowed.
    Uncovered,
    /// The rules with the actor known.
    Rules(Arc<BoundRules>),
}

impl Access {
    /// Everything: what [`Actor::system`](crate::actor::Actor::system) may do.
    pub fn system(collection: CollectionId) -> Self {
        Self { collection, standing: Standing::System, answers: Answers::default() }
    }

    pub(crate) fn uncovered(collection: CollectionId) -> Self {
        Self { collection, standing: Standing::Uncovered, answers: Answers::default() }
    }

    pub(crate) fn under(collection: CollectionId, rules: BoundRules, answers: &Answers) -> Self {
        Self { collection, standing: Standing::Rules(Arc::new(rules)), answers: answers.clone() }
    }

    /// The collection.
    pub fn collection(&self) -> &CollectionId {
        &self.collection
    }

    /// The rules, of those whom rules bind.
    pub(super) fn bound(&self) -> Option<&BoundRules> {
        match &self.standing {
            Standing::System | Standing::Uncovered => None,
            Standing::Rules(rules) => Some(rules),
        }
    }

    /// Whether no rule covers the collection, so that nothing is allowed.
    pub fn is_uncovered(&self) -> bool {
        matches!(self.standing, Standing::Uncovered)
    }

    /// Whether every field of every document may be seen; then [`visibility`](Self::visibility) need
    /// not be asked.
    pub fn reads_everything(&self) -> bool {
        match &self.standing {
            Standing::System => true,
            Standing::Uncovered => false,
            Standing::Rules(rules) => {
                rules.is_unfiltered()
                    && rules.roles.first().is_some_and(|role| {
                        let all = [&role.applies, &role.reads, &role.reads_whole];
                        all.into_iter().all(|it| *it == Condition::Always)
                    })
            }
        }
    }

    /// Whether judging a document may call a function.
    pub(crate) fn calls(&self) -> bool {
        match &self.standing {
            Standing::System | Standing::Uncovered => false,
            Standing::Rules(rules) => rules.calls,
        }
    }

    /// Whether of every document that [`find`](Self::find) has let through every field may be seen: the
    /// row rules have been asked already, and no role that can read hides a field.
    pub fn reads_all_it_finds(&self) -> bool {
        match &self.standing {
            Standing::System => true,
            Standing::Uncovered => false,
            Standing::Rules(rules) => {
                rules.filters.projection.is_none()
                    && rules.roles.iter().all(|role| role.hides_no_field || role.reads == Condition::Never)
            }
        }
    }

    /// What may be seen of this document.
    pub fn visibility<'a>(&'a self, document: &'a RawDocument) -> Visibility<'a> {
        match &self.standing {
            Standing::System => Visibility::Whole,
            Standing::Uncovered => Visibility::Hidden,
            Standing::Rules(rules) => Visibility::of(rules, Scene::stored(document, &self.answers)),
        }
    }

    /// Judges all that reading a document may ask, so that the functions it takes are known to be wanted.
    pub(crate) fn judge_reading(&self, document: &RawDocument) {
        if let Visibility::Fields(mask) = self.visibility(document) {
            mask.judge_all();
        }
    }

    /// Which role decides on a stored document, for the log.
    pub(crate) fn decider(&self, document: &RawDocument) -> Decider<'_> {
        self.deciding(Scene::stored(document, &self.answers))
    }

    /// Which role decides on the insertion of a document, for the log.
    pub(crate) fn decider_of_insert(&self, new: &RawDocument) -> Decider<'_> {
        self.deciding(Scene::of(new, (None, new), &self.answers))
    }

    fn deciding(&self, scene: Scene<'_>) -> Decider<'_> {
        match &self.standing {
            Standing::System | Standing::Uncovered => Decider::Unruled,
            Standing::Rules(rules) => {
                deciding(&rules.roles, scene).map_or(Decider::NoRole, |role| Decider::Role(&role.name))
            }
        }
    }

    /// What is asked, narrowed to what may be read.
    ///
    /// # Errors
    /// `FieldNotReadable` when the filter or the sort names a field that the actor can never read,
    /// or the sort one that is hidden on some documents: where a document stands would tell of it.
    /// `MixedProjections` when the collection's filters contradict each other.
    pub fn find(&self, query: Query) -> Result<ScopedQuery, Denied> {
        self.scoped(query, |_| Condition::Always)
    }

    /// As [`find`](Self::find), for a search in texts: roles whose `search` does not hold deny the document.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn search(&self, query: Query) -> Result<ScopedQuery, Denied> {
        self.scoped(query, |role| role.search.clone())
    }

    fn scoped(&self, query: Query, admits: impl Fn(&BoundRole) -> Condition) -> Result<ScopedQuery, Denied> {
        let Query { filter, sort, limit } = query;
        let (filter, check) = match &self.standing {
            Standing::System => (filter, None),
            Standing::Uncovered => (Filter::Never, None),
            Standing::Rules(rules) => {
                match narrow::narrowed(rules, (&filter, &sort), admits)?.verdict(&self.answers) {
                    Verdict::Always => (Filter::Always, None),
                    Verdict::Never => (Filter::Never, None),
                    Verdict::When(filter) => (filter, None),
                    Verdict::PerDocument(filter, check) => (filter, Some(check)),
                }
            }
        };
        Ok(ScopedQuery { collection: self.collection.clone(), filter, sort, limit, check })
    }

    /// An insert, if the rules allow it.
    ///
    /// # Errors
    /// `Insert` when they do not.
    pub fn insert(&self, document: RawDocumentBuf) -> Result<ScopedWrite, Denied> {
        self.allow(Denied::Insert, |rules| write::may_insert(&rules.roles, &document, &self.answers))?;
        Ok(self.write(WriteOperation::Insert(document)))
    }

    /// A replacement of `before` by `after`, if the rules allow every field that changes.
    ///
    /// # Errors
    /// `Update` when they do not, or `before` cannot be read.
    pub fn replace(&self, before: &RawDocument, after: RawDocumentBuf) -> Result<ScopedWrite, Denied> {
        self.allow(Denied::Update, |rules| {
            rules.finds(before, &self.answers)
                && write::may_replace(&rules.roles, (before, &after), &self.answers)
        })?;
        Ok(self.write(WriteOperation::Replace { id: id_of(before), document: after }))
    }

    /// A deletion, if the rules allow it.
    ///
    /// # Errors
    /// `Delete` when they do not, or `before` cannot be read.
    pub fn delete(&self, before: &RawDocument) -> Result<ScopedWrite, Denied> {
        self.allow(Denied::Delete, |rules| {
            rules.finds(before, &self.answers) && write::may_delete(&rules.roles, before, &self.answers)
        })?;
        Ok(self.write(WriteOperation::Delete { id: id_of(before) }))
    }

    fn allow(&self, denial: Denied, allowed: impl Fn(&BoundRules) -> bool) -> Result<(), Denied> {
        let allowed = match &self.standing {
            Standing::System => true,
            Standing::Uncovered => false,
            Standing::Rules(rules) => allowed(rules),
        };
        if allowed { Ok(()) } else { Err(denial) }
    }

    fn write(&self, operation: WriteOperation) -> ScopedWrite {
        ScopedWrite { collection: self.collection.clone(), operation }
    }
}

/// What decides on a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decider<'a> {
    /// There are no roles: the system asks, or no rule covers the collection.
    Unruled,
    /// None of the roles applies.
    NoRole,
    /// The role of this name.
    Role(&'a str),
}

/// Why the rules refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// `insert not permitted`.
    Insert,
    /// `update not permitted`.
    Update,
    /// `delete not permitted`.
    Delete,
    /// The field can never be read by this actor, so it cannot be filtered or sorted by.
    FieldNotReadable(String),
    /// Filters of the collection include and exclude fields at once.
    MixedProjections,
}

fn id_of(document: &RawDocument) -> Bson {
    document.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok()).unwrap_or(Bson::Null)
}

/// What a caller asks a collection for.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Which documents.
    pub filter: Filter,
    /// In which order.
    pub sort: Vec<SortKey>,
    /// At most how many.
    pub limit: Option<u64>,
}

impl Default for Query {
    fn default() -> Self {
        Self { filter: Filter::Always, sort: Vec::new(), limit: None }
    }
}

/// A query that carries the caller's rules.
#[derive(Clone, Debug)]
pub struct ScopedQuery {
    collection: CollectionId,
    filter: Filter,
    sort: Vec<SortKey>,
    limit: Option<u64>,
    /// What no filter can say of a rule.
    check: Option<Check>,
}

impl ScopedQuery {
    /// The collection.
    pub fn collection(&self) -> &CollectionId {
        &self.collection
    }

    /// What is asked AND what may be seen.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The order.
    pub fn sort(&self) -> &[SortKey] {
        &self.sort
    }

    /// At most how many documents the store yields; none where documents are checked one by one.
    pub fn limit(&self) -> Option<u64> {
        if self.check.is_some() { None } else { self.limit }
    }

    /// At most how many documents the caller gets, after the check.
    pub fn wanted(&self) -> Option<u64> {
        self.limit
    }

    /// Whether what the filter lets through is all that may be seen; otherwise every document has to be
    /// [accepted](Self::accepts), and a store's count is too high.
    pub fn is_exact(&self) -> bool {
        self.check.is_none()
    }

    /// Whether checking a document may call a function.
    pub(crate) fn calls(&self) -> bool {
        self.check.as_ref().is_some_and(Check::calls)
    }

    /// Whether a document that the filter has let through may be seen.
    pub fn accepts(&self, document: &RawDocument) -> bool {
        self.check.as_ref().is_none_or(|check| check.accepts(document))
    }
}

/// A write that the rules have allowed.
#[derive(Clone, Debug)]
pub struct ScopedWrite {
    collection: CollectionId,
    operation: WriteOperation,
}

/// What a write does.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteOperation {
    /// Adds a document.
    Insert(RawDocumentBuf),
    /// Puts a document in the place of another with the same `_id`.
    Replace {
        /// The `_id`.
        id: Bson,
        /// The new document.
        document: RawDocumentBuf,
    },
    /// Removes a document.
    Delete {
        /// The `_id`.
        id: Bson,
    },
}

impl ScopedWrite {
    /// The collection.
    pub fn collection(&self) -> &CollectionId {
        &self.collection
    }

    /// What it does.
    pub fn operation(&self) -> &WriteOperation {
        &self.operation
    }
}
