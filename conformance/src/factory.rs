//! How the checks get at a store.

use std::sync::Arc;

use async_trait::async_trait;
use backstitch::store::Store;

/// Opens stores of one backend.
#[async_trait]
pub trait StoreFactory: Send + Sync {
    /// A fresh, empty store that shares nothing with any other.
    async fn open(&self) -> Arc<dyn Store>;

    /// The same data as another process would find it; `None` when the backend is not persistent.
    ///
    /// The handle passed in is the last one: dropping it closes the store.
    async fn reopen(&self, store: Arc<dyn Store>) -> Option<Arc<dyn Store>>;
}
