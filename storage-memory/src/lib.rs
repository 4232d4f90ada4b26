//! Backstitch on in-memory storage: the model that other backends are compared with.
//!
//! 1. What a filter matches is `filter::matches`, and what a document sorts by is
//!    `filter::key::sort_key`; indexes only leave out what cannot match.
//! 2. A snapshot is one pointer. Writers copy what they change, never what readers hold.
//! 3. One transaction at a time, in the order in which they were asked for.

mod access;
mod accounts;
mod api_keys;
mod collection;
mod cursor;
mod documents;
mod index;
mod keys;
mod sessions;
mod snapshot;
mod sorted;
mod tickets;
mod transaction;
mod turns;
mod users;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use backstitch::env::{Clock, SystemClock};

use crate::accounts::Accounts;
use crate::documents::Documents;

/// A store in memory. A clone is another handle on the same data.
#[derive(Clone)]
pub struct MemoryStore {
    accounts: Arc<Mutex<Accounts>>,
    documents: Arc<Documents>,
}

impl MemoryStore {
    /// An empty store with the machine's clock.
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// An empty store whose transactions' deadlines go by this clock.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { accounts: Arc::default(), documents: Arc::new(Documents::new(clock)) }
    }

    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        lock(&self.accounts)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemoryStore")
    }
}

/// A thread that panicked left nothing half done: every change is one step under its lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
