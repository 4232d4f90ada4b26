//! Backstitch on SQLite: one file that holds users, sessions, tickets, keys and documents.
//!
//! 1. The database is in WAL mode: readers never wait for the writer, nor it for them.
//! 2. One connection writes, on a thread of its own, in the order of asking; every write is one
//!    `BEGIN IMMEDIATE` transaction. Waiting too long for a turn is `Busy`.
//! 3. Reads go through a pool of connections. Point reads (session, user, key, ticket) run on the
//!    caller's thread, where a hop would cost more than the read.
//! 4. Documents are stored as BSON bytes. Indexes hold order-preserving keys; what they yield is
//!    checked against the whole filter with `filter::matches`, so no part is approximated.

mod api_keys;
mod backup;
mod catalog;
mod config;
mod connection;
mod cursor;
mod documents;
mod error;
mod idle;
mod index;
mod keys;
#[cfg(test)]
mod lowered;
mod merge;
mod migrate;
mod readers;
mod registrations;
mod sessions;
mod tickets;
mod time;
mod transaction;
mod users;
mod walk;
mod writer;

use std::sync::Arc;

use backstitch::env::Executor;
use backstitch::store::Result;
pub use config::SqliteConfig;
use readers::Readers;
use writer::Writer;

/// Backstitch's storage in one SQLite file. Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct SqliteStore {
    writer: Writer,
    readers: Arc<Readers>,
    executor: Arc<dyn Executor>,
}

impl SqliteStore {
    /// Opens the file, makes it when it is missing, and brings its schema up to date.
    ///
    /// # Errors
    /// - `NewerSchema` when a newer version wrote the file;
    /// - `Corrupt` when it is not a Backstitch database, or its schema was tampered with;
    /// - `Busy` when another process holds the write lock for longer than the busy timeout.
    pub fn open(config: SqliteConfig) -> Result<Self> {
        let mut connection = connection::open(&config)?;
        connection::claim(&connection)?;
        migrate::run(&mut connection, migrate::MIGRATIONS)?;
        let writer = Writer::start(connection, &config)?;
        let executor = Arc::clone(&config.executor);
        Ok(Self { writer, readers: Arc::new(Readers::new(config)), executor })
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteStore")
    }
}
