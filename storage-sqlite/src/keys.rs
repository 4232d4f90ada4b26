//! Signing keys and small named facts.

use async_trait::async_trait;
use backstitch::id::AppId;
use backstitch::store::{Durability, KeyAlgorithm, KeyStore, MetaStore, Result, SigningKeyRecord};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::SqliteStore;
use crate::error::{corrupt, from_sqlite};
use crate::time::{from_column, to_column};
use crate::users::execute;

#[async_trait]
impl KeyStore for SqliteStore {
    async fn signing_keys(&self, app: &AppId) -> Result<Vec<SigningKeyRecord>> {
        self.readers.read(|connection| {
            let sql =
                "SELECT id, secret, created_at, algorithm FROM signing_keys WHERE app = ?1 ORDER BY created_at, seq";
            let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
            let mut rows = statement.query(params![app.as_str()]).map_err(from_sqlite)?;
            let mut keys = Vec::new();
            while let Some(row) = rows.next().map_err(from_sqlite)? {
                keys.push(SigningKeyRecord {
                    id: row.get(0).map_err(from_sqlite)?,
                    algorithm: algorithm_at(row, 3)?,
                    secret: row.get(1).map_err(from_sqlite)?,
                    created_at: from_column(row.get(2).map_err(from_sqlite)?)?,
                });
            }
            Ok(keys)
        })
    }

    async fn insert_signing_key(&self, app: &AppId, key: &SigningKeyRecord, expected: usize) -> Result<bool> {
        let (app, key) = (app.clone(), key.clone());
        let expected = i64::try_from(expected).unwrap_or(i64::MAX);
        self.writer
            .once(Durability::Power, move |backend| {
                let sql = "INSERT INTO signing_keys (app, id, secret, created_at, algorithm)
                           SELECT ?1, ?2, ?3, ?4, ?6
                           WHERE (SELECT count(*) FROM signing_keys WHERE app = ?1) = ?5";
                let parameters = params![
                    app.as_str(),
                    key.id,
                    key.secret,
                    to_column(key.created_at),
                    expected,
                    key.algorithm.as_str()
                ];
                execute(&backend.connection, sql, parameters).map(|rows| rows > 0)
            })
            .await
    }

    async fn delete_signing_key(&self, app: &AppId, id: &str) -> Result<bool> {
        let (app, id) = (app.clone(), id.to_owned());
        self.writer
            .once(Durability::Power, move |backend| {
                let sql = "DELETE FROM signing_keys WHERE app = ?1 AND id = ?2";
                execute(&backend.connection, sql, params![app.as_str(), id]).map(|rows| rows > 0)
            })
            .await
    }
}

#[async_trait]
impl MetaStore for SqliteStore {
    async fn apps(&self) -> Result<Vec<AppId>> {
        self.readers.read(|connection| {
            let sql = "SELECT DISTINCT app FROM meta ORDER BY app";
            let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
            let apps = statement.query_map([], |row| row.get::<_, String>(0)).map_err(from_sqlite)?;
            apps.map(|app| app.map(AppId::new).map_err(from_sqlite)).collect()
        })
    }

    async fn facts(&self, app: &AppId) -> Result<Vec<(String, String)>> {
        self.readers.read(|connection| {
            let sql = "SELECT key, value FROM meta WHERE app = ?1 ORDER BY key";
            let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
            let facts = statement.query_map([app.as_str()], |row| Ok((row.get(0)?, row.get(1)?)));
            facts.map_err(from_sqlite)?.map(|fact| fact.map_err(from_sqlite)).collect()
        })
    }

    async fn meta(&self, app: &AppId, key: &str) -> Result<Option<String>> {
        self.readers.read(|connection| value_of(connection, app, key))
    }

    async fn meta_or_insert(&self, app: &AppId, key: &str, value: &str) -> Result<String> {
        if let Some(present) = self.meta(app, key).await? {
            return Ok(present);
        }
        let (app, key, value) = (app.clone(), key.to_owned(), value.to_owned());
        self.writer
            .once(Durability::Power, move |backend| {
                if let Some(present) = value_of(&backend.connection, &app, &key)? {
                    return Ok(present);
                }
                let sql = "INSERT INTO meta (app, key, value) VALUES (?1, ?2, ?3)";
                execute(&backend.connection, sql, params![app.as_str(), key, value]).map(|_| value)
            })
            .await
    }
}

fn algorithm_at(row: &Row<'_>, column: usize) -> Result<KeyAlgorithm> {
    match row.get_ref(column).and_then(|name| Ok(name.as_str()?)).map_err(from_sqlite)? {
        "HS256" => Ok(KeyAlgorithm::Hs256),
        "ES256" => Ok(KeyAlgorithm::Es256),
        "EdDSA" => Ok(KeyAlgorithm::EdDsa),
        _ => Err(corrupt("a stored signing key is of an unknown algorithm")),
    }
}

fn value_of(connection: &Connection, app: &AppId, key: &str) -> Result<Option<String>> {
    let sql = "SELECT value FROM meta WHERE app = ?1 AND key = ?2";
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    statement.query_row(params![app.as_str(), key], |row| row.get(0)).optional().map_err(from_sqlite)
}
