//! How long is measured, and the stores that are.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use backstitch::env::Env;
use backstitch::store::Store;
use backstitch_storage_memory::MemoryStore;
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};
use criterion::Criterion;

static STARTED: OnceLock<SystemTime> = OnceLock::new();

/// Half a second to warm up and two to measure; the command line may say otherwise.
pub fn criterion() -> Criterion {
    STARTED.get_or_init(SystemTime::now);
    Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args()
}

/// When [`criterion`] was first called.
pub(crate) fn started() -> Option<SystemTime> {
    STARTED.get().copied()
}

/// An empty store in memory.
pub fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

/// A new database, opened as a server opens it.
pub fn sqlite(file: &Path) -> Arc<dyn Store> {
    let env = Env::system();
    let config = SqliteConfig::new(file, env.executor, env.clock);
    Arc::new(SqliteStore::open(config).expect("a database"))
}
