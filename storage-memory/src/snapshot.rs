//! A snapshot: the documents as they were when it was opened.

use std::sync::Arc;

use async_trait::async_trait;
use backstitch::rules::ScopedQuery;
use backstitch::store::{Cursor, Result, Snapshot};

use crate::cursor::MemoryCursor;
use crate::documents::State;

/// A consistent view.
pub(crate) struct MemorySnapshot(pub(crate) Arc<State>);

#[async_trait]
impl Snapshot for MemorySnapshot {
    async fn find(&self, query: &ScopedQuery) -> Result<Box<dyn Cursor>> {
        Ok(Box::new(MemoryCursor::open(self.0.collection(query.collection()), query)))
    }

    async fn count(&self, query: &ScopedQuery) -> Result<u64> {
        Ok(MemoryCursor::count(self.0.collection(query.collection()), query))
    }
}
