//! The PostgreSQL store is a store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use backstitch::env::Env;
use backstitch::store::Store;
use backstitch_conformance::{StoreFactory, differential, run_all};
use backstitch_storage_postgres::{PostgresConfig, PostgresStore};
use backstitch_test_postgres::Server;

/// Each store is a schema of its own.
struct Postgres {
    server: &'static Server,
    name: &'static str,
    opened: AtomicUsize,
}

impl Postgres {
    fn new(name: &'static str) -> Option<Self> {
        Some(Self { server: Server::shared()?, name, opened: AtomicUsize::new(0) })
    }

    async fn at(&self, number: usize) -> Arc<dyn Store> {
        let mut config = PostgresConfig::new(self.server.url(), Env::system().clock);
        config.schema = format!("{}_{number}", self.name);
        Arc::new(PostgresStore::open(config).await.unwrap())
    }
}

#[async_trait]
impl StoreFactory for Postgres {
    async fn open(&self) -> Arc<dyn Store> {
        self.at(self.opened.fetch_add(1, Ordering::SeqCst)).await
    }

    /// The schema that was opened last, by another pool.
    async fn reopen(&self, store: Arc<dyn Store>) -> Option<Arc<dyn Store>> {
        drop(store);
        Some(self.at(self.opened.load(Ordering::SeqCst) - 1).await)
    }
}

#[test]
fn the_postgres_store_keeps_every_promise() {
    if let Some(postgres) = Postgres::new("checks") {
        run_all(&postgres, &[]);
    }
}

#[test]
fn the_postgres_store_agrees_with_the_reference() {
    if let Some(postgres) = Postgres::new("cases") {
        let cases = std::env::var("BACKSTITCH_STORE_CASES").map_or(128, |cases| cases.parse().unwrap());
        differential(&postgres, cases);
    }
}
