//! How a database is opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use backstitch::env::{Clock, Executor};

/// How a database is opened.
#[derive(Clone)]
#[non_exhaustive]
pub struct SqliteConfig {
    /// The file; `-wal` and `-shm` files stand beside it.
    pub path: PathBuf,
    /// How long to wait for a lock that another process holds.
    pub busy_timeout: Duration,
    /// How long a write or a transaction waits for its turn before it is `Busy`.
    pub turn_timeout: Duration,
    /// How many reading connections are kept open.
    pub readers: usize,
    /// How many snapshots may be open at once; further ones wait.
    pub max_snapshots: usize,
    /// The size that the file may not exceed, in pages of 4 KiB; SQLite's own limit when absent.
    pub max_pages: Option<u32>,
    /// Where long scans and sorts run.
    pub executor: Arc<dyn Executor>,
    /// The time, for deadlines.
    pub clock: Arc<dyn Clock>,
}

impl SqliteConfig {
    /// The defaults for a file.
    pub fn new(path: impl Into<PathBuf>, executor: Arc<dyn Executor>, clock: Arc<dyn Clock>) -> Self {
        Self {
            path: path.into(),
            busy_timeout: Duration::from_secs(5),
            turn_timeout: Duration::from_secs(10),
            readers: std::thread::available_parallelism().map_or(4, usize::from).max(4),
            max_snapshots: 64,
            max_pages: None,
            executor,
            clock,
        }
    }
}

impl std::fmt::Debug for SqliteConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteConfig").field("path", &self.path).finish_non_exhaustive()
    }
}
