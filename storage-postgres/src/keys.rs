//! Signing keys and small named facts.

use async_trait::async_trait;
use backstitch::id::AppId;
use backstitch::store::{KeyAlgorithm, KeyStore, MetaStore, Result, SigningKeyRecord};
use tokio_postgres::Row;

use crate::PostgresStore;
use crate::connection::{Parameters, query};
use crate::error::corrupt;
use crate::text::{from_column, to_column};
use crate::users::column;

/// Whoever counts an app's keys and adds one does so alone.
pub(crate) const ALONE: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/keys/' || $1::text, 0))";

#[async_trait]
impl KeyStore for PostgresStore {
    async fn signing_keys(&self, app: &AppId) -> Result<Vec<SigningKeyRecord>> {
        let sql = "SELECT id, algorithm, secret, created_at FROM signing_keys WHERE app = $1 ORDER BY created_at, seq";
        self.connections.read(sql, &[&app.as_str()]).await?.iter().map(record_of).collect()
    }

    async fn insert_signing_key(&self, app: &AppId, key: &SigningKeyRecord, expected: usize) -> Result<bool> {
        let sql = "INSERT INTO signing_keys (app, id, algorithm, secret, created_at)
                   SELECT $1, $2, $3, $4, $5 WHERE (SELECT count(*) FROM signing_keys WHERE app = $1) = $6";
        let expected = i64::try_from(expected).unwrap_or(i64::MAX);
        let (app, id, algorithm) = (app.as_str(), to_column(&key.id), key.algorithm.as_str());
        let lock: Parameters<'_> = &[&app];
        let parameters: Parameters<'_> = &[&app, &id, &algorithm, &key.secret, &key.created_at, &expected];
        self.connections.change_after((ALONE, lock), (sql, parameters)).await.map(|rows| rows > 0)
    }

    async fn delete_signing_key(&self, app: &AppId, id: &str) -> Result<bool> {
        let sql = "DELETE FROM signing_keys WHERE app = $1 AND id = $2";
        self.connections.change(sql, &[&app.as_str(), &to_column(id)]).await.map(|rows| rows > 0)
    }
}

#[async_trait]
impl MetaStore for PostgresStore {
    async fn apps(&self) -> Result<Vec<AppId>> {
        let rows = self.connections.read("SELECT DISTINCT app FROM meta ORDER BY app", &[]).await?;
        rows.iter().map(|row| column::<String>(row, 0).map(AppId::new)).collect()
    }

    async fn facts(&self, app: &AppId) -> Result<Vec<(String, String)>> {
        let sql = "SELECT key, value FROM meta WHERE app = $1 ORDER BY key";
        let rows = self.connections.read(sql, &[&app.as_str()]).await?;
        rows.iter().map(|row| Ok((from_column(column(row, 0)?), from_column(column(row, 1)?)))).collect()
    }

    async fn meta(&self, app: &AppId, key: &str) -> Result<Option<String>> {
        let sql = "SELECT value FROM meta WHERE app = $1 AND key = $2";
        let rows = self.connections.read(sql, &[&app.as_str(), &to_column(key)]).await?;
        rows.first().map(|row| column(row, 0).map(from_column)).transpose()
    }

    async fn meta_or_insert(&self, app: &AppId, key: &str, value: &str) -> Result<String> {
        if let Some(present) = self.meta(app, key).await? {
            return Ok(present);
        }
        // Of one that is there already the statement gives the value too: an update that changes nothing.
        let sql = "INSERT INTO meta AS m (app, key, value) VALUES ($1, $2, $3)
                   ON CONFLICT (app, key) DO UPDATE SET value = m.value RETURNING value";
        let client = self.connections.get().await?;
        let rows = query(&client, sql, &[&app.as_str(), &to_column(key), &to_column(value)]).await?;
        rows.first()
            .map_or_else(|| Err(corrupt("a value is not there")), |row| column(row, 0).map(from_column))
    }
}

fn record_of(row: &Row) -> Result<SigningKeyRecord> {
    let algorithm = match column::<&str>(row, 1)? {
        "HS256" => KeyAlgorithm::Hs256,
        "ES256" => KeyAlgorithm::Es256,
        "EdDSA" => KeyAlgorithm::EdDsa,
        _ => return Err(corrupt("a stored signing key is of an unknown algorithm")),
    };
    Ok(SigningKeyRecord {
        id: from_column(column(row, 0)?),
        algorithm,
        secret: column(row, 2)?,
        created_at: column(row, 3)?,
    })
}
