//! The schema, as numbered migrations.
//!
//! 1. Migrations run in the order of their numbers, all pending ones in one transaction, under an advisory lock: of many
//!    processes that start at once one migrates, and the others find it done.
//! 2. What was applied is recorded with a checksum of its text; a text that has changed since is `Corrupt`.
//! 3. A schema with a migration that this version does not know is `NewerSchema`, and is not touched.

use backstitch::store::{Migration, Result, StoreError, StoreErrorKind, pending};

use crate::connection::{Connections, Open, execute, query};
use crate::error::from_postgres;

/// All steps; a step that was released is never edited.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration { number: 1, sql: include_str!("schema/1.sql") }];

/// PostgreSQL 13.
const OLDEST_SERVER: i32 = 130_000;

pub(crate) async fn run(connections: &Connections, migrations: &[Migration], create: bool) -> Result<()> {
    let open = Open::begin(connections.get().await?, "BEGIN").await?;
    let client = open.client()?;
    let version = query(client, "SELECT current_setting('server_version_num')::integer", &[]).await?;
    let version: i32 = version.first().and_then(|row| row.try_get(0).ok()).unwrap_or_default();
    if version < OLDEST_SERVER {
        let message = format!("PostgreSQL 13 or newer is needed; this server is {}", version / 10_000);
        return Err(StoreError::new(StoreErrorKind::Unsupported, message));
    }
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
