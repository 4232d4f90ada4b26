//! The schema, as numbered migrations.
//!
//! 1. Migrations run in the order of their numbers, all pending ones in one transaction.
//! 2. What was applied is recorded with a checksum of its text; a text that has changed since is `Corrupt`.
//! 3. A database with a migration that this version does not know is `NewerSchema`, and is not touched.

use backstitch::store::{Result, StoreError, StoreErrorKind};
use rusqlite::{Connection, TransactionBehavior, params};

use crate::error::{corrupt, from_sqlite};

/// One step of the schema.
pub(crate) struct Migration {
    pub(crate) number: i64,
    pub(crate) sql: &'static str,
}

/// All steps; a step that was released is never edited.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, sql: include_str!("schema/1.sql") },
    Migration { number: 2, sql: include_str!("schema/2.sql") },
];

pub(crate) fn run(connection: &mut Connection, migrations: &[Migration]) -> Result<()> {
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(from_sqlite)?;
    transaction
        .execute_batch(
            "CREATE TABLE IF NOT EXISTS schema_migrations
                 (number INTEGER PRIMARY KEY, checksum INTEGER NOT NULL) STRICT",
        )
        .map_err(from_sqlite)?;
    let applied = applied(&transaction).map_err(from_sqlite)?;
    for (number, checksum_then) in &applied {
        match migrations.iter().find(|migration| migration.number == *number) {
            None => {
                let message = format!("the database has schema {number}, which this version does not know");
                return Err(StoreError::new(StoreErrorKind::NewerSchema, message));
            }
            Some(known) if checksum(known.sql) != *checksum_then => {
                return Err(corrupt("a migration differs from the one that was applied"));
            }
            Some(_) => {}
        }
    }
    for migration in migrations.iter().filter(|one| applied.iter().all(|(number, _)| *number != one.number)) {
        apply(&transaction, migration).map_err(from_sqlite)?;
    }
    transaction.commit().map_err(from_sqlite)
}

fn applied(connection: &Connection) -> rusqlite::Result<Vec<(i64, i64)>> {
    let mut statement =
        connection.prepare("SELECT number, checksum FROM schema_migrations ORDER BY number")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn apply(connection: &Connection, migration: &Migration) -> rusqlite::Result<()> {
    connection.execute_batch(migration.sql)?;
    connection.execute(
        "INSERT INTO schema_migrations (number, checksum) VALUES (?1, ?2)",
        params![migration.number, checksum(migration.sql)],
    )?;
    Ok(())
}

/// FNV-1a: it finds accidents, which is all that it is for.
fn checksum(text: &str) -> i64 {
    text.bytes()
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
        .cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Migration = Migration { number: 1, sql: "CREATE TABLE a (x INTEGER) STRICT" };
    const TWO: Migration = Migration { number: 2, sql: "ALTER TABLE a ADD COLUMN y INTEGER" };
    const BROKEN: Migration = Migration { number: 3, sql: "CREATE TABLE b (x INTEGER) STRICT; nonsense" };

    fn kind(result: Result<()>) -> StoreErrorKind {
        result.unwrap_err().kind()
    }

    #[test]
    fn an_old_file_is_upgraded_and_keeps_its_rows() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &[ONE]).unwrap();
        connection.execute("INSERT INTO a (x) VALUES (7)", []).unwrap();
        run(&mut connection, &[ONE, TWO]).unwrap();
        run(&mut connection, &[ONE, TWO]).unwrap();
        let row: (i64, Option<i64>) =
            connection.query_row("SELECT x, y FROM a", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(row, (7, None));
    }

    #[test]
    fn a_newer_schema_and_an_edited_migration_are_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &[ONE, TWO]).unwrap();
        assert_eq!(kind(run(&mut connection, &[ONE])), StoreErrorKind::NewerSchema);
        let edited = Migration { number: 1, sql: "CREATE TABLE a (x TEXT) STRICT" };
        assert_eq!(kind(run(&mut connection, &[edited, TWO])), StoreErrorKind::Corrupt);
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing_behind() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &[ONE]).unwrap();
        assert!(run(&mut connection, &[ONE, TWO, BROKEN]).is_err());
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'b'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 0);
        assert_eq!(applied(&connection).unwrap().len(), 1);
    }
}
