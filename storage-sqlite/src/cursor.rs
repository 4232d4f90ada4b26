//! Cursors: over a snapshot, or over what a transaction has found.

use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::vec;

use async_trait::async_trait;
use backstitch::bson::RawDocumentBuf;
use backstitch::env::Executor;
use backstitch::error::{Error, ErrorKind};
use backstitch::store::{Cursor, Result, StoreError, StoreErrorKind};

use crate::readers::Lease;
use crate::walk::{Progress, Walk};

/// So many rows are examined on the caller's thread; what takes more goes on on the executor.
pub(crate) const INLINE_ROWS: usize = 1024;

/// Reads a snapshot, which it keeps open.
pub(crate) struct SnapshotCursor {
    pub(crate) lease: Arc<Mutex<Lease>>,
    pub(crate) executor: Arc<dyn Executor>,
    /// Away while the executor works with it.
    pub(crate) walk: Option<Walk>,
}

/// What was found already.
pub(crate) struct Found(pub(crate) vec::IntoIter<RawDocumentBuf>);

#[async_trait]
impl Cursor for SnapshotCursor {
    async fn next(&mut self, batch: usize) -> Result<Vec<RawDocumentBuf>> {
        let mut walk = self.walk.take().ok_or_else(interrupted)?;
        let mut found = Vec::new();
        let progress = match self.lease.try_lock() {
            Ok(lease) => walk.step(&lease.reader()?.connection, batch, Some(INLINE_ROWS), &mut found)?,
            // Another cursor of the snapshot is on the executor: wait there, not here.
            Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => Progress::Paused,
        };
        if progress == Progress::Paused {
            let lease = Arc::clone(&self.lease);
            let work = move || {
                let lease = lease.lock().unwrap_or_else(PoisonError::into_inner);
                walk.step(&lease.reader()?.connection, batch, None, &mut found)?;
                Ok((walk, found))
            };
            (walk, found) = self.executor.run(work).await.map_err(from_executor)??;
        }
        self.walk = Some(walk);
        Ok(found)
    }
}

#[async_trait]
impl Cursor for Found {
    async fn next(&mut self, batch: usize) -> Result<Vec<RawDocumentBuf>> {
        Ok(self.0.by_ref().take(batch).collect())
    }
}

/// A full queue is transient; a job that died is not.
pub(crate) fn from_executor(error: Error) -> StoreError {
    let kind = match error.kind() {
        ErrorKind::Unavailable => StoreErrorKind::Busy,
        _ => StoreErrorKind::Io,
    };
    StoreError::new(kind, "the scan could not be run").with_cause(error)
}

fn interrupted() -> StoreError {
    StoreError::new(StoreErrorKind::Io, "the cursor failed or was interrupted before")
}
