//! The stores that every story runs on.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use backstitch::env::Env;
use backstitch::store::Store;
use backstitch_storage_memory::MemoryStore;
use backstitch_storage_postgres::{PostgresConfig, PostgresStore};
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};
use backstitch_test_postgres::Server;

/// An empty store of each kind; files go into the folder. Where PostgreSQL is not installed, the two that need nothing.
pub async fn every_store(folder: &Path) -> Vec<Arc<dyn Store>> {
    let mut stores = vec![memory_store(), sqlite_store(folder)];
    if let Some(store) = postgres_store().await {
        stores.push(store);
    }
    stores
}

/// An empty store in memory.
pub fn memory_store() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

/// The store in a file of this folder.
pub fn sqlite_store(folder: &Path) -> Arc<dyn Store> {
    let env = Env::system();
    let config = SqliteConfig::new(folder.join("story.db"), env.executor, env.clock);
    Arc::new(SqliteStore::open(config).expect("a database"))
}

/// An empty store on PostgreSQL, if it is installed: a schema of its own.
pub async fn postgres_store() -> Option<Arc<dyn Store>> {
    let config = postgres_config()?;
    Some(Arc::new(PostgresStore::open(config).await.expect("a schema")))
}

/// Where a fresh store on PostgreSQL may be made, if it is installed.
pub fn postgres_config() -> Option<PostgresConfig> {
    static OPENED: AtomicUsize = AtomicUsize::new(0);
    let mut config = PostgresConfig::new(Server::shared()?.url(), Env::system().clock);
    config.schema = format!("story_{}", OPENED.fetch_add(1, Ordering::SeqCst));
    Some(config)
}
