//! The stores that every story runs on.

use std::path::Path;
use std::sync::Arc;

use backstitch::env::Env;
use backstitch::store::Store;
use backstitch_storage_memory::MemoryStore;
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};

/// An empty store of each kind; files go into the folder.
pub fn both_stores(folder: &Path) -> [Arc<dyn Store>; 2] {
    let env = Env::system();
    let config = SqliteConfig::new(folder.join("story.db"), env.executor, env.clock);
    [Arc::new(MemoryStore::new()), Arc::new(SqliteStore::open(config).expect("a database"))]
}
