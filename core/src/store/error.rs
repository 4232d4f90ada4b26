//! What a store can fail with.

use std::error::Error as StdError;
use std::fmt;

/// A storage failure: a kind to branch on, a message for the log, the cause.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// The kinds of storage failure.
///
/// Exhaustive: the engine decides for each of them what a client learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreErrorKind {
    /// Transient: locked, out of connections, restarting. Nothing was written; a retry may succeed.
    Busy,
    /// Another transaction came in between. Nothing was written; begun again, from its first read, this one may
    /// succeed at once.
    Contended,
    /// A transaction outlived its deadline and was rolled back.
    DeadlineExceeded,
    /// A unique key (`_id`, a unique index, an identity, an e-mail address) is taken.
    DuplicateKey,
    /// A conditional write found another state than the one it was made for.
    Conflict,
    /// The backend cannot do this, and says so instead of approximating.
    Unsupported,
    /// Stored bytes cannot be read.
    Corrupt,
    /// The database was written by a newer version.
    NewerSchema,
    /// Everything else: disk full, connection lost.
    Io,
}

impl StoreError {
    /// An error of this kind; the message is for the log.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), cause: None }
    }

    /// The failure behind this one.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// What happened, to branch on.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}
