//! Backstitch on PostgreSQL: one database that many engine processes share.
//!
//! 1. Nothing that matters is in one process's memory: a session that is ended by one process is ended for all at once.
//! 2. Documents are stored as BSON, with the same document as `jsonb` beside it for people and their tools. Indexes hold
//!    order-preserving keys in tables of their own, as in the SQLite store; what they yield is checked against the whole
//!    filter with `filter::matches`, so no part is approximated.
//! 3. Transactions are `SERIALIZABLE`. One that PostgreSQL cannot put in a row with others is `Contended`; begun again, it
//!    takes its turn behind the others that were.
//! 4. Snapshots are `REPEATABLE READ`; they are opened with the first statement, in the same round trip.
//! 5. Connections are driven by the tokio runtime that the store is used in.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use backstitch::{app::AppConfig, engine::Engine, env::Env};
//! use backstitch_storage_postgres::{PostgresConfig, PostgresStore};
//!
//! # async fn build(app: AppConfig) -> Result<Engine, Box<dyn std::error::Error>> {
//! let env = Env::system();
//! let url = "postgres://backstitch@db.example.com/backstitch?sslmode=require";
//! let store = PostgresStore::open(PostgresConfig::new(url, env.clock.clone())).await?;
//! let engine = Engine::builder().store(Arc::new(store)).env(env).public_url("https://api.example.com").app(app);
//! # Ok(engine.build().await?)
//! # }
//! ```

mod api_keys;
mod catalog;
mod config;
mod connection;
mod cursor;
mod documents;
mod error;
mod idle;
mod index;
mod json;
mod keys;
mod migrate;
mod narrow;
mod registrations;
mod sessions;
mod statement;
mod stored_key;
mod text;
mod tickets;
mod transaction;
mod users;
mod walk;

use std::sync::Arc;

use backstitch::env::Clock;
use backstitch::store::Result;
pub use config::PostgresConfig;

use crate::catalog::CatalogCache;
use crate::connection::Connections;

/// Backstitch's storage in one schema of a PostgreSQL database. Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct PostgresStore {
    connections: Connections,
    catalog: Arc<CatalogCache>,
    clock: Arc<dyn Clock>,
}

impl PostgresStore {
    /// Connects, makes the schema when it is missing, and brings it up to date. Any number of processes may do so at once.
    ///
    /// # Errors
    /// - `Busy` when the server cannot be reached, or does not answer in time;
    /// - `NewerSchema` when a newer version wrote the schema;
    /// - `Corrupt` when it was tampered with;
    /// - `Unsupported` when the address cannot be read, the server is older than PostgreSQL 13, or the database is not
    ///   of the encoding UTF8;
    /// - `Unsupported` when there is no such schema and none is to be made.
    pub async fn open(config: PostgresConfig) -> Result<Self> {
        let connections = Connections::new(&config)?;
        migrate::run(&connections, migrate::MIGRATIONS, config.create).await?;
        Ok(Self { connections, catalog: Arc::default(), clock: config.clock })
    }

    /// How many statements were sent since it was opened, but those that open and end transactions: for tests and meters.
    pub fn statements(&self) -> u64 {
        self.connections.statements()
    }
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgresStore")
    }
}
