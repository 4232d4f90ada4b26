//! The schema, as numbered migrations.
//!
//! 1. Migrations run in the order of their numbers, all pending ones in one transaction, under an advisory lock: of many
//!    processes that start at once one migrates, and the others find it done.
//! 2. What was applied is recorded with a checksum of its text; a text that has changed since is `Corrupt`.
//! 3. A schema with a migration that this version does not know is `NewerSchema`, and is not touched.

use backstitch::store::{Migration, Result, StoreError, StoreErrorKind, pending};

use crate::connection::{Connection, Connections, Open, execute, query};
use crate::error::{corrupt, from_postgres};
use crate::users::column;

/// All steps; a step that was released is never edited.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration { number: 1, sql: include_str!("schema/1.sql") }];

/// PostgreSQL 13.
const OLDEST_SERVER: i32 = 130_000;

pub(crate) async fn run(connections: &Connections, migrations: &[Migration], create: bool) -> Result<()> {
    let open = Open::begin(connections.get().await?, "BEGIN").await?;
    let client = open.client()?;
    suits(client).await?;
    let schema = connections.schema();
    query(client, "SELECT pg_advisory_xact_lock(hashtextextended('backstitch/' || $1::text, 0))", &[&schema])
        .await?;
    let exists = query(client, "SELECT 1 FROM pg_namespace WHERE nspname = $1", &[&schema]).await?;
    // Who may use a schema need not have the right to make one.
    if exists.is_empty() {
        if !create {
            let message = format!("there is no schema `{schema}` in the database");
            return Err(StoreError::new(StoreErrorKind::Unsupported, message));
        }
        let quoted = schema.replace('"', "\"\"");
        client.batch_execute(&format!("CREATE SCHEMA \"{quoted}\"")).await.map_err(from_postgres)?;
    }
    client
        .batch_execute(
            "SET LOCAL client_min_messages TO warning;
             CREATE TABLE IF NOT EXISTS schema_migrations (number bigint PRIMARY KEY, checksum bigint NOT NULL)",
        )
        .await
        .map_err(from_postgres)?;
    let applied =
        query(client, "SELECT number, checksum FROM schema_migrations ORDER BY number", &[]).await?;
    let applied: Vec<(i64, i64)> = applied.iter().map(|row| (row.get(0), row.get(1))).collect();
    for migration in pending(migrations, &applied)? {
        client.batch_execute(migration.sql).await.map_err(from_postgres)?;
        let sql = "INSERT INTO schema_migrations (number, checksum) VALUES ($1, $2)";
        execute(client, sql, &[&migration.number, &migration.checksum()]).await?;
    }
    open.commit().await
}

/// Whether the server and the database are such that everything can be kept in them.
async fn suits(client: &Connection) -> Result<()> {
    let sql = "SELECT current_setting('server_version_num')::integer, current_setting('server_encoding')";
    let told = query(client, sql, &[]).await?;
    let row = told.first().ok_or_else(|| corrupt("the server does not tell its version"))?;
    let (version, encoding): (i32, &str) = (column(row, 0)?, column(row, 1)?);
    let unsuited = |message| Err(StoreError::new(StoreErrorKind::Unsupported, message));
    if version < OLDEST_SERVER {
        return unsuited(format!("PostgreSQL 13 or newer is needed; this server is {}", version / 10_000));
    }
    if encoding != "UTF8" {
        return unsuited(format!("a database of the encoding UTF8 is needed; this one is {encoding}"));
    }
    Ok(())
}
