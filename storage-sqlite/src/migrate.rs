//! The schema, as numbered migrations.
//!
//! 1. Migrations run in the order of their numbers, all pending ones in one transaction.
//! 2. What was applied is recorded with a checksum of its text; a text that has changed since is `Corrupt`.
//! 3. A database with a migration that this version does not know is `NewerSchema`, and is not touched.

use backstitch::store::{Migration, Result, pending};
use rusqlite::{Connection, TransactionBehavior, params};

use crate::error::from_sqlite;

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
    for migration in pending(migrations, &applied)? {
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
        params![migration.number, migration.checksum()],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use backstitch::bson::oid::ObjectId;
    use backstitch::bson::{Document, doc};
    use backstitch::env::Env;
    use backstitch::id::{AppId, SessionId, UserId};
    use backstitch::store::{
        Identity, KeyAlgorithm, KeyStore, ListedSession, Registrations, SessionStore, StoreErrorKind,
        UserStore, write_identities,
    };

    use super::*;
    use crate::{SqliteConfig, SqliteStore, connection};

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

    #[tokio::test]
    async fn a_version_1_file_is_upgraded_and_keeps_its_rows() {
        let folder = tempfile::TempDir::new().unwrap();
        let env = Env::system();
        let config = SqliteConfig::new(folder.path().join("old.db"), env.executor, env.clock);
        let mut old = connection::open(&config).unwrap();
        connection::claim(&old).unwrap();
        run(&mut old, &MIGRATIONS[..1]).unwrap();
        let (app, user, id) = (AppId::new("movies-abcde"), [1_u8; 12], [2_u8; 12]);
        let identity = Identity {
            provider: "local-userpass".to_owned(),
            provider_id: ObjectId::from_bytes([3; 12]),
            id: "i".to_owned(),
            data: doc! {"email": "ada@x"},
        };
        let identities = write_identities(std::slice::from_ref(&identity)).unwrap();
        for (sql, parameters) in [
            (
                "INSERT INTO users VALUES (?1, ?2, 'normal', 0, 3, ?3, 10, 20)",
                params![app.as_str(), user, identities],
            ),
            ("INSERT INTO identities VALUES (?1, 'local-userpass', 'i', ?2)", params![app.as_str(), user]),
            (
                "INSERT INTO sessions VALUES (?1, ?3, ?2, 'local-userpass', ?2, 1, 2, 3, 3, 0)",
                params![app.as_str(), user, id],
            ),
            ("INSERT INTO registrations VALUES (?1, 'ada@x', 'i', 'hash', 0, 5)", params![app.as_str()]),
            ("INSERT INTO signing_keys VALUES (7, ?1, 'k', ?2, 6)", params![app.as_str(), user]),
        ] {
            assert_eq!(old.execute(sql, parameters).unwrap(), 1);
        }
        drop(old);

        let store = SqliteStore::open(config.clone()).unwrap();
        let (user, id) = (UserId::new(ObjectId::from_bytes(user)), SessionId::new(ObjectId::from_bytes(id)));
        let live = store.live_session(&app, id).await.unwrap().unwrap();
        assert_eq!((live.user.id, live.user.epoch, live.user.identities), (user, 3, vec![identity]));
        assert_eq!((live.session.identity.as_str(), live.session.epoch), ("", 3));
        let listed = store.sessions_of(&app, user).await.unwrap();
        assert_eq!(listed, [ListedSession { session: live.session, client: Document::new() }]);
        let keys = store.signing_keys(&app).await.unwrap();
        assert_eq!(
            keys.iter().map(|key| (key.id.as_str(), key.algorithm)).collect::<Vec<_>>(),
            [("k", KeyAlgorithm::Hs256)]
        );
        assert_eq!(
            store.list_registrations(&app, Registrations::Pending, None, 9).await.unwrap()[0].email,
            "ada@x"
        );
        // What is new works on what is old.
        assert!(store.delete_user(&app, user).await.unwrap());
        assert_eq!(store.registration(&app, "ada@x").await.unwrap(), None);
        drop(store);
        SqliteStore::open(config).unwrap();
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
