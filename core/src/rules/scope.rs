//! Where the user's request and the rules meet; the only maker of scoped requests.
//!
//! 1. An [`Access`] is made from an [`Actor`] and a collection's rules.
//! 2. [`Access::find`] joins what is asked with what may be read.
//! 3. [`Access::insert`], [`Access::replace`] and [`Access::delete`] check a write against the rules.
//! 4. A store accepts only [`ScopedQuery`] and [`ScopedWrite`], whose fields nothing else can set.

use bson::{Bson, RawDocument, RawDocumentBuf};

use crate::filter::{Filter, SortKey};
use crate::id::CollectionId;

/// What an actor may see and do in one collection.
#[derive(Clone, Debug)]
pub struct Access {
    collection: CollectionId,
}

impl Access {
    /// Everything: what [`Actor::system`](crate::actor::Actor::system) may do.
    pub fn system(collection: CollectionId) -> Self {
        Self { collection }
    }

    /// What is asked, narrowed to what may be read.
    ///
    /// # Errors
    /// `FieldNotReadable` when the filter or the sort names a field that the actor can never read.
    pub fn find(&self, query: Query) -> Result<ScopedQuery, Denied> {
        Ok(ScopedQuery {
            collection: self.collection.clone(),
            filter: query.filter,
            sort: query.sort,
            limit: query.limit,
        })
    }

    /// An insert, if the rules allow it.
    pub fn insert(&self, document: RawDocumentBuf) -> Result<ScopedWrite, Denied> {
        Ok(self.write(WriteOperation::Insert(document)))
    }

    /// A replacement of `before` by `after`, if the rules allow every field that changes.
    pub fn replace(&self, before: &RawDocument, after: RawDocumentBuf) -> Result<ScopedWrite, Denied> {
        Ok(self.write(WriteOperation::Replace { id: id_of(before), document: after }))
    }

    /// A deletion, if the rules allow it.
    pub fn delete(&self, before: &RawDocument) -> Result<ScopedWrite, Denied> {
        Ok(self.write(WriteOperation::Delete { id: id_of(before) }))
    }

    fn write(&self, operation: WriteOperation) -> ScopedWrite {
        ScopedWrite { collection: self.collection.clone(), operation }
    }
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

    /// At most how many documents the store yields.
    pub fn limit(&self) -> Option<u64> {
        self.limit
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
