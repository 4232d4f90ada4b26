//! The SQLite store is a store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use backstitch::env::Env;
use backstitch::store::Store;
use backstitch_conformance::{StoreFactory, differential, run_all};
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};
use tempfile::TempDir;

struct Sqlite {
    folder: TempDir,
    opened: AtomicUsize,
    env: Env,
}

impl Sqlite {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), opened: AtomicUsize::new(0), env: Env::system() }
    }

    fn path(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("{number}.db"))
    }

    fn at(&self, path: PathBuf) -> Arc<dyn Store> {
        let config = SqliteConfig::new(path, self.env.executor.clone(), self.env.clock.clone());
        Arc::new(SqliteStore::open(config).unwrap())
    }
}

#[async_trait]
impl StoreFactory for Sqlite {
    async fn open(&self) -> Arc<dyn Store> {
        self.at(self.path(self.opened.fetch_add(1, Ordering::SeqCst)))
    }

    /// The database that was opened last, by another handle.
    async fn reopen(&self, store: Arc<dyn Store>) -> Option<Arc<dyn Store>> {
        drop(store);
        Some(self.at(self.path(self.opened.load(Ordering::SeqCst) - 1)))
    }
}

#[test]
fn the_sqlite_store_keeps_every_promise() {
    run_all(&Sqlite::new(), &[]);
}

#[test]
fn the_sqlite_store_agrees_with_the_reference() {
    differential(&Sqlite::new(), 128);
}
