//! PostgreSQL's failures as the store's.

use backstitch::store::{StoreError, StoreErrorKind};
use deadpool_postgres::PoolError;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// Whatever fails, as the kind that the engine branches on.
pub(crate) fn from_postgres(error: Error) -> StoreError {
    let kind = kind_of(&error);
    StoreError::new(kind, message_of(kind)).with_cause(error)
}

/// What fails while a commit is under way: when the connection breaks, nobody knows whether it was done.
pub(crate) fn from_commit(error: Error) -> StoreError {
    // A server that goes down may have committed before it says so.
    if error.as_db_error().is_none() || is_shutdown(&error) {
        return StoreError::new(StoreErrorKind::Io, "the connection broke during a commit").with_cause(error);
    }
    from_postgres(error)
}

pub(crate) fn from_pool(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => from_postgres(error),
        PoolError::Timeout(_) => {
            StoreError::new(StoreErrorKind::Busy, "waited too long for a connection").with_cause(error)
        }
        other => StoreError::new(StoreErrorKind::Io, "there is no connection").with_cause(other),
    }
}

pub(crate) fn corrupt(what: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, what)
}

/// Whether the connection is lost, so that another one may do better.
pub(crate) fn is_lost(error: &StoreError) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<Error>());
    cause.is_some_and(|cause| is_of_connection(cause) || is_shutdown(cause))
}

/// The name of the constraint that a duplicate key broke.
pub(crate) fn constraint(error: &StoreError) -> Option<&str> {
    let cause = std::error::Error::source(error)?.downcast_ref::<Error>()?;
    cause.as_db_error()?.constraint()
}

/// Whether it is no answer of the server: it is not there, or the connection broke. What cannot be written as a parameter is
/// no such thing.
fn is_of_connection(error: &Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        if next.is::<std::io::Error>() {
            return true;
        }
        cause = next.source();
    }
    // The driver tells the kind of a timeout by its text alone.
    error.is_closed() || (error.code().is_none() && error.to_string().starts_with("timeout"))
}

fn is_shutdown(error: &Error) -> bool {
    let states = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW];
    error.code().is_some_and(|code| states.contains(code))
}

fn kind_of(error: &Error) -> StoreErrorKind {
    let Some(state) = error.code() else {
        return if is_of_connection(error) { StoreErrorKind::Busy } else { StoreErrorKind::Io };
    };
    if *state == SqlState::T_R_SERIALIZATION_FAILURE || *state == SqlState::T_R_DEADLOCK_DETECTED {
        return StoreErrorKind::Contended;
    }
    if *state == SqlState::UNIQUE_VIOLATION {
        return StoreErrorKind::DuplicateKey;
    }
    if *state == SqlState::FOREIGN_KEY_VIOLATION {
        return StoreErrorKind::Conflict;
    }
    if *state == SqlState::QUERY_CANCELED || *state == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT {
        return StoreErrorKind::DeadlineExceeded;
    }
    if is_shutdown(error)
        || *state == SqlState::LOCK_NOT_AVAILABLE
        || *state == SqlState::TOO_MANY_CONNECTIONS
    {
        return StoreErrorKind::Busy;
    }
    match state.code().get(..2) {
        // Connection exceptions, and a program limit that a document exceeds.
        Some("08") => StoreErrorKind::Busy,
        Some("54") => StoreErrorKind::Unsupported,
        _ => StoreErrorKind::Io,
    }
}

fn message_of(kind: StoreErrorKind) -> &'static str {
    match kind {
        StoreErrorKind::Busy => "the database cannot be reached",
        StoreErrorKind::Contended => "another transaction came in between",
        StoreErrorKind::DuplicateKey => "a unique key is taken",
        StoreErrorKind::Conflict => "what the row belongs to does not exist",
        StoreErrorKind::DeadlineExceeded => "the transaction outlived its deadline",
        StoreErrorKind::Unsupported => "the database has no room for this",
        _ => "the database failed",
    }
}
