//! Documents: snapshots, transactions, collections and indexes made ready.

use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use async_trait::async_trait;
use backstitch::env::Executor;
use backstitch::id::CollectionId;
use backstitch::rules::ScopedQuery;
use backstitch::store::keyed::Collection;
use backstitch::store::{
    Capabilities, CollectionSpec, Cursor, DocumentStore, Durability, Result, Snapshot, Transaction,
    TransactionOptions,
};

use crate::SqliteStore;
use crate::catalog::Collections;
use crate::cursor::{INLINE_ROWS, SnapshotCursor, from_executor};
use crate::index;
use crate::readers::Lease;
use crate::transaction::SqliteTransaction;
use crate::walk::{Search, Walk};

#[async_trait]
impl DocumentStore for SqliteStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { persistent: true, snapshot_isolation: true }
    }

    async fn prepare(&self, collections: &[CollectionSpec]) -> Result<()> {
        let collections = collections.to_vec();
        self.writer
            .once(Durability::Process, move |backend| {
                collections.iter().try_for_each(|collection| index::prepare(backend, collection))
            })
            .await
    }

    async fn collections(&self) -> Result<Vec<CollectionSpec>> {
        let lease = self.readers.lease().await?;
        let collections = lease.reader()?.catalog.collections();
        let spec = |(id, collection): (&CollectionId, &Arc<Collection>)| collection.spec(id);
        let mut collections: Vec<_> = collections.iter().map(spec).collect();
        collections.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(collections)
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        let lease = self.readers.lease().await?;
        let collections = lease.reader()?.catalog.collections();
        let executor = Arc::clone(&self.executor);
        Ok(Box::new(SqliteSnapshot { lease: Arc::new(Mutex::new(lease)), collections, executor }))
    }

    async fn begin(&self, options: TransactionOptions) -> Result<Box<dyn Transaction>> {
        Ok(Box::new(SqliteTransaction::new(self.writer.begin(options).await?)))
    }
}

/// An open read transaction.
struct SqliteSnapshot {
    lease: Arc<Mutex<Lease>>,
    collections: Arc<Collections>,
    executor: Arc<dyn Executor>,
}

#[async_trait]
impl Snapshot for SqliteSnapshot {
    async fn find(&self, query: &ScopedQuery) -> Result<Box<dyn Cursor>> {
        let walk = Walk::new(Search::new(&self.collections, query, query.sort()));
        Ok(Box::new(SnapshotCursor {
            lease: Arc::clone(&self.lease),
            executor: Arc::clone(&self.executor),
            walk: Some(walk),
        }))
    }

    async fn count(&self, query: &ScopedQuery) -> Result<u64> {
        let search = Search::new(&self.collections, query, &[]);
        let counted = match self.lease.try_lock() {
            Ok(lease) => search.count(&lease.reader()?.connection, Some(INLINE_ROWS))?,
            Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => None,
        };
        if let Some(count) = counted {
            return Ok(count);
        }
        let lease = Arc::clone(&self.lease);
        let work = move || {
            let lease = lease.lock().unwrap_or_else(PoisonError::into_inner);
            search.count(&lease.reader()?.connection, None)
        };
        Ok(self.executor.run(work).await.map_err(from_executor)??.unwrap_or_default())
    }
}
