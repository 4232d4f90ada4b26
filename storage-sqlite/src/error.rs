//! SQLite's failures as the store's.

use backstitch::store::{StoreError, StoreErrorKind};
use rusqlite::ffi::{self, ErrorCode};

/// Whatever fails, as the kind that the engine branches on.
pub(crate) fn from_sqlite(error: rusqlite::Error) -> StoreError {
    let kind = match error.sqlite_error() {
        Some(failure) => kind_of(failure),
        // A column of another type than the schema says.
        None => StoreErrorKind::Corrupt,
    };
    StoreError::new(kind, message_of(kind)).with_cause(error)
}

pub(crate) fn corrupt(what: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, what)
}

fn kind_of(failure: &ffi::Error) -> StoreErrorKind {
    match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreErrorKind::Busy,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreErrorKind::Corrupt,
        ErrorCode::ConstraintViolation => match failure.extended_code {
            // What a row points at is gone: another state than the one it was made for.
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => StoreErrorKind::Conflict,
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => StoreErrorKind::DuplicateKey,
            _ => StoreErrorKind::Corrupt,
        },
        _ => StoreErrorKind::Io,
    }
}

fn message_of(kind: StoreErrorKind) -> &'static str {
    match kind {
        StoreErrorKind::Busy => "the database is locked",
        StoreErrorKind::DuplicateKey => "a unique key is taken",
        StoreErrorKind::Conflict => "what the row belongs to does not exist",
        StoreErrorKind::Corrupt => "the database cannot be read",
        _ => "the database failed",
    }
}
