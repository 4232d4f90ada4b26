//! The connections that read.
//!
//! 1. A point read takes a connection for as long as it runs, and never waits: when none is idle,
//!    one more is opened.
//! 2. A snapshot keeps its connection, with an open read transaction, until it and its cursors are
//!    dropped. There are at most `max_snapshots`; further ones wait in the order of asking.
//! 3. At most `readers` idle connections are kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use backstitch::store::{Result, StoreError, StoreErrorKind};
use futures_channel::oneshot;
use rusqlite::Connection;

use crate::catalog::CatalogCache;
use crate::error::from_sqlite;
use crate::{SqliteConfig, connection};

/// How many may wait for a snapshot, for each one that can be open.
const WAITING_PER_SNAPSHOT: usize = 16;

pub(crate) struct Readers {
    config: SqliteConfig,
    state: Mutex<State>,
}

/// A connection for reading, with what it knows of the catalog.
pub(crate) struct Reader {
    pub(crate) connection: Connection,
    pub(crate) catalog: CatalogCache,
}

/// An open read transaction; dropping it ends it and gives the connection back.
pub(crate) struct Lease {
    readers: Arc<Readers>,
    reader: Option<Reader>,
}

#[derive(Default)]
struct State {
    idle: Vec<Reader>,
    snapshots: usize,
    waiting: VecDeque<oneshot::Sender<()>>,
}

impl Readers {
    pub(crate) fn new(config: SqliteConfig) -> Self {
        Self { config, state: Mutex::new(State::default()) }
    }

    /// A point read on this thread.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let reader = self.take()?;
        let result = work(&reader.connection);
        self.give_back(reader);
        result
    }

    /// Opens a read transaction and runs `first` in it, which makes it see the present state.
    pub(crate) async fn lease(self: &Arc<Self>) -> Result<Lease> {
        let turn = {
            let mut state = self.lock();
            if state.snapshots < self.config.max_snapshots {
                state.snapshots += 1;
                None
            } else if state.waiting.len() < self.config.max_snapshots.saturating_mul(WAITING_PER_SNAPSHOT) {
                let (turn, given) = oneshot::channel();
                state.waiting.push_back(turn);
                Some(given)
            } else {
                return Err(StoreError::new(StoreErrorKind::Busy, "too many wait for a snapshot"));
            }
        };
        if let Some(given) = turn {
            given.await.map_err(|_| StoreError::new(StoreErrorKind::Io, "the store was closed"))?;
        }
        // From here on the place is given back by the lease's drop.
        let mut lease = Lease { readers: Arc::clone(self), reader: None };
        let mut reader = self.take()?;
        reader
            .connection
            .prepare_cached("BEGIN")
            .and_then(|mut begin| begin.execute([]))
            .map_err(from_sqlite)?;
        let refreshed = reader.catalog.refresh(&reader.connection);
        lease.reader = Some(reader);
        refreshed.map(|()| lease)
    }

    fn take(&self) -> Result<Reader> {
        if let Some(reader) = self.lock().idle.pop() {
            return Ok(reader);
        }
        let connection = connection::open(&self.config)?;
        Ok(Reader { connection, catalog: CatalogCache::default() })
    }

    fn give_back(&self, reader: Reader) {
        let mut state = self.lock();
        if state.idle.len() < self.config.readers {
            state.idle.push(reader);
        }
    }

    fn end_snapshot(&self) {
        let mut state = self.lock();
        while let Some(next) = state.waiting.pop_front() {
            // The place goes on to the next one that still waits.
            if next.send(()).is_ok() {
                return;
            }
        }
        state.snapshots -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    pub(crate) fn reader(&self) -> Result<&Reader> {
        self.reader.as_ref().ok_or_else(|| StoreError::new(StoreErrorKind::Io, "the snapshot is closed"))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            let ended =
                reader.connection.prepare_cached("COMMIT").and_then(|mut end| end.execute([])).is_ok();
            // A connection that cannot end its transaction is closed instead.
            if ended || reader.connection.is_autocommit() {
                self.readers.give_back(reader);
            }
        }
        self.readers.end_snapshot();
    }
}
