//! Documents: snapshots to read, transactions to write, both on scoped requests only.

use std::time::Duration;

use async_trait::async_trait;
use bson::{RawDocument, RawDocumentBuf};

use super::Result;
use crate::filter::{Direction, FieldPath};
use crate::id::CollectionId;
use crate::rules::{ScopedQuery, ScopedWrite};

/// What a backend can do. The engine refuses what it cannot before asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Documents are still there after the process has ended.
    pub persistent: bool,
    /// All reads of a snapshot see one state, whatever is written meanwhile.
    pub snapshot_isolation: bool,
}

/// A collection that will be used, with its indexes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectionSpec {
    /// The collection.
    pub id: CollectionId,
    /// Its indexes beside the one on `_id`, which is always there and unique.
    pub indexes: Vec<IndexSpec>,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IndexSpec {
    /// The keys, most significant first; never empty.
    pub keys: Vec<IndexKey>,
    /// No two documents share a key. A missing field counts as null.
    pub unique: bool,
}

/// One key of an index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IndexKey {
    /// The field; arrays are indexed by their elements.
    pub path: FieldPath,
    /// Which way.
    pub direction: Direction,
}

/// How a transaction is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionOptions {
    /// From begin to commit; later it is rolled back.
    pub deadline: Duration,
    /// What a commit survives.
    pub durability: Durability,
    /// How often it was begun before and was [`Contended`](super::StoreErrorKind::Contended). A store lets repeated ones
    /// take turns, so that each of them succeeds in the end.
    pub attempt: u32,
}

impl Default for TransactionOptions {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(30), durability: Durability::Process, attempt: 0 }
    }
}

/// What a commit survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process, but perhaps not a power loss in the next moments.
    Process,
    /// A power loss.
    Power,
}

/// Keeps documents.
#[async_trait]
pub trait DocumentStore: Send + Sync {
    /// What this backend can do.
    fn capabilities(&self) -> Capabilities;

    /// Makes collections and indexes ready; called before they are used, and again after changes.
    ///
    /// **Behaviour**
    /// - calling it twice is no error; an index that is no longer listed goes away;
    /// - a new index covers the documents that are already there;
    /// - a unique index over duplicates that are already there is `DuplicateKey`, and names the index.
    async fn prepare(&self, collections: &[CollectionSpec]) -> Result<()>;

    /// The collections that were prepared or written to, in the byte order of their groups, services, databases and names,
    /// with the indexes that they have.
    async fn collections(&self) -> Result<Vec<CollectionSpec>>;

    /// Opens a consistent view for reading. Dropping it closes it.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>>;

    /// Opens a transaction; waits for its turn, then fails with `Busy`.
    async fn begin(&self, options: TransactionOptions) -> Result<Box<dyn Transaction>>;
}

/// A consistent view.
#[async_trait]
pub trait Snapshot: Send + Sync {
    /// Finds what the query matches.
    ///
    /// **Behaviour**
    /// - yields exactly the documents that `filter::matches` accepts: no part is approximated;
    /// - in the order of the sort keys (missing counts as null, an array as its smallest or largest
    ///   element), ties and unsorted queries in the order of insertion;
    /// - at most as many as the query's limit;
    /// - a collection that nothing was ever written to is empty.
    async fn find(&self, query: &ScopedQuery) -> Result<Box<dyn Cursor>>;

    /// How many documents match; the limit counts, the sort does not.
    async fn count(&self, query: &ScopedQuery) -> Result<u64>;
}

/// A pull cursor: pages can be refilled after a check, exports stream.
#[async_trait]
pub trait Cursor: Send {
    /// The next documents.
    ///
    /// **Behaviour**
    /// - at most `batch` documents; an empty answer means the end, and stays the end;
    /// - a cursor reads the state of its snapshot (or transaction, as it was at `find`) to its end.
    async fn next(&mut self, batch: usize) -> Result<Vec<RawDocumentBuf>>;
}

/// A transaction: an owned handle. Dropping it rolls back.
///
/// Those that are committed are as if they had run one after the other. A store that runs them side by side fails those that
/// cannot be put in a row with `Contended`, at whatever step.
#[async_trait]
pub trait Transaction: Send {
    /// Finds in the transaction's state: it sees its own writes.
    async fn find(&mut self, query: &ScopedQuery) -> Result<Box<dyn Cursor>>;

    /// Carries out the writes in order; one storage request for all of them.
    ///
    /// **Behaviour**
    /// - an insert of a taken `_id`, or a write that breaks a unique index, is `DuplicateKey`;
    /// - a replace or delete of an `_id` that is not there is `Conflict`;
    /// - after a failure nothing but `rollback` is of use: no part of the transaction is ever committed;
    /// - an `_id` may be of any type but array, and may not change in a replace.
    async fn write(&mut self, writes: &[ScopedWrite]) -> Result<()>;

    /// Makes everything visible at once.
    ///
    /// **Behaviour**
    /// - of 50 parallel transactions that read a number and write one more, each of which begins again after `Contended`,
    ///   none is lost;
    /// - past the deadline it is `DeadlineExceeded`, and nothing was written.
    async fn commit(self: Box<Self>) -> Result<()>;

    /// Undoes everything.
    async fn rollback(self: Box<Self>) -> Result<()>;
}

/// What users of a cursor call.
#[async_trait]
pub trait ReadExt {
    /// All that is left, keeping only what `keep` accepts, until there are `limit`.
    ///
    /// Pages are refilled: a document that `keep` refuses does not count.
    async fn collect_where(
        &mut self,
        limit: Option<u64>,
        keep: &(dyn for<'a> Fn(&'a RawDocument) -> bool + Sync),
    ) -> Result<Vec<RawDocumentBuf>>;

    /// All that the query wants, of what its rules accept; the cursor has to be the query's.
    async fn collect_scoped(&mut self, query: &ScopedQuery) -> Result<Vec<RawDocumentBuf>>;
}

#[async_trait]
impl ReadExt for dyn Cursor + '_ {
    async fn collect_where(
        &mut self,
        limit: Option<u64>,
        keep: &(dyn for<'a> Fn(&'a RawDocument) -> bool + Sync),
    ) -> Result<Vec<RawDocumentBuf>> {
        const BATCH: usize = 1000;
        let wanted = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let mut kept = Vec::new();
        while kept.len() < wanted {
            let mut batch = self.next(BATCH.min(wanted - kept.len())).await?;
            if batch.is_empty() {
                break;
            }
            batch.retain(|document| keep(document));
            if kept.is_empty() {
                kept = batch;
            } else {
                kept.append(&mut batch);
            }
        }
        Ok(kept)
    }

    async fn collect_scoped(&mut self, query: &ScopedQuery) -> Result<Vec<RawDocumentBuf>> {
        self.collect_where(query.wanted(), &|document| query.accepts(document)).await
    }
}
