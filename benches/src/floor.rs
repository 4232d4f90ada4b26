//! The tables that somebody would write down for the world's documents, read with rusqlite alone.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Params, params, params_from_iter};

use crate::world::{OWNERS, page, places};

/// The world's documents in two tables with the indexes that its queries want.
pub struct Floor {
    connection: Connection,
}

impl Floor {
    /// Makes and fills a new database.
    pub fn new(file: &Path) -> Self {
        let connection = bare(file);
        connection
            .execute_batch(
                "CREATE TABLE items
                     (seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, owner TEXT, rank INTEGER, body BLOB) STRICT;
                 CREATE INDEX by_owner ON items (owner, rank);
                 CREATE TABLE places (number INTEGER PRIMARY KEY, body BLOB) STRICT;
                 BEGIN;",
            )
            .expect("tables");
        for document in (0..OWNERS).flat_map(page) {
            let sql = "INSERT INTO items (id, owner, rank, body) VALUES (?1, ?2, ?3, ?4)";
            let id = document.get_object_id("_id").expect("an id").bytes();
            let owner = document.get_str("owner").expect("an owner");
            let rank = document.get_i32("rank").expect("a rank");
            let mut statement = connection.prepare_cached(sql).expect("SQL");
            statement.execute(params![id, owner, rank, document.to_vec().expect("BSON")]).expect("an item");
        }
        for (number, document) in places().iter().enumerate() {
            let row = params![number as i64, document.to_vec().expect("BSON")];
            connection.execute("INSERT INTO places VALUES (?1, ?2)", row).expect("a place");
        }
        connection.execute_batch("COMMIT").expect("the fixture is stored");
        Self { connection }
    }

    /// The page of one owner.
    pub fn items(&self, owner: &str) -> Vec<Vec<u8>> {
        fetch(&self.connection, "SELECT body FROM items WHERE owner = ?1 ORDER BY rank LIMIT 50", [owner])
    }

    /// One item.
    pub fn item(&self, id: &[u8]) -> Vec<Vec<u8>> {
        fetch(&self.connection, "SELECT body FROM items WHERE id = ?1", [id])
    }

    /// The first so many places, by the text of [`places_sql`].
    pub fn places(&self, sql: &str, count: usize) -> Vec<Vec<u8>> {
        fetch(&self.connection, sql, params_from_iter(0..count as i64))
    }
}

/// The query for so many places.
pub fn places_sql(count: usize) -> String {
    format!("SELECT body FROM places WHERE number IN ({})", vec!["?"; count].join(","))
}

/// A connection that is set up as the store's connections are.
pub fn bare(file: &Path) -> Connection {
    let connection = Connection::open(file).expect("a database");
    // As the store does: or a cached statement is planned anew for every bound value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).expect("a setting");
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA synchronous = NORMAL;")
        .expect("settings");
    connection
}

/// The bodies that a query finds.
pub fn fetch(connection: &Connection, sql: &str, parameters: impl Params) -> Vec<Vec<u8>> {
    let mut statement = connection.prepare_cached(sql).expect("SQL");
    let rows = statement.query_map(parameters, |row| row.get::<_, Vec<u8>>(0)).expect("a query");
    rows.map(|row| row.expect("a row")).collect()
}
