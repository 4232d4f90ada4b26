//! The memory store is a store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use async_trait::async_trait;
use backstitch::store::Store;
use backstitch_conformance::{Category, StoreFactory, differential, run_all};
use backstitch_storage_memory::MemoryStore;

struct Memory;

#[async_trait]
impl StoreFactory for Memory {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(MemoryStore::new())
    }

    async fn reopen(&self, _store: Arc<dyn Store>) -> Option<Arc<dyn Store>> {
        None
    }
}

#[test]
fn the_memory_store_keeps_every_promise() {
    run_all(&Memory, &[(Category::Restart, "memory ends with the process")]);
}

#[test]
fn the_memory_store_agrees_with_the_reference() {
    differential(&Memory, 256);
}
