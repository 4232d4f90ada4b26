//! One connection, set up alike for readers and the writer.

use backstitch::store::{Result, StoreError, StoreErrorKind};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::SqliteConfig;
use crate::error::{corrupt, from_sqlite};

/// `BSti`: marks the file as ours (`PRAGMA application_id`).
const APPLICATION_ID: i32 = 0x4253_7469;
/// Texts of statements differ by collection, index and number of ranges.
const CACHED_STATEMENTS: usize = 256;

pub(crate) fn open(config: &SqliteConfig) -> Result<Connection> {
    let connection = Connection::open(&config.path).map_err(from_sqlite)?;
    set_up(&connection, config).map_err(from_sqlite)?;
    let foreign_keys: bool =
        connection.pragma_query_value(None, "foreign_keys", |row| row.get(0)).map_err(from_sqlite)?;
    if !foreign_keys {
        return Err(StoreError::new(StoreErrorKind::Unsupported, "this SQLite has no foreign keys"));
    }
    Ok(connection)
}

/// Refuses a file of another application and marks a new one.
pub(crate) fn claim(connection: &Connection) -> Result<()> {
    let id: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(from_sqlite)?;
    if id == APPLICATION_ID {
        return Ok(());
    }
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(from_sqlite)?;
    if id != 0 || tables != 0 {
        return Err(corrupt("the file belongs to another application"));
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(from_sqlite)
}

fn set_up(connection: &Connection, config: &SqliteConfig) -> rusqlite::Result<()> {
    connection.busy_timeout(config.busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    // A cached statement keeps its plan whatever is bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    if let Some(pages) = config.max_pages {
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    Ok(())
}
