//! API keys.

use async_trait::async_trait;
use backstitch::id::{ApiKeyId, AppId, UserId};
use backstitch::store::{ApiKey, ApiKeyOwner, ApiKeyStore, Durability, Result};
use rusqlite::{Connection, Row, params};

use crate::SqliteStore;
use crate::error::{corrupt, from_sqlite};
use crate::time::{from_column, to_column};
use crate::users::{execute, object_id_at};

/// The columns of a key, in the order that [`key_of`] reads them.
const KEY: &str = "id, name, owner, user, hash, disabled, created_at";

#[async_trait]
impl ApiKeyStore for SqliteStore {
    async fn insert_api_key(&self, app: &AppId, key: &ApiKey, most: usize) -> Result<bool> {
        let (app, key) = (app.clone(), key.clone());
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.writer
            .once(Durability::Power, move |backend| insert(&backend.connection, &app, &key, most))
            .await
    }

    async fn api_key(&self, app: &AppId, id: ApiKeyId) -> Result<Option<ApiKey>> {
        self.readers.read(|connection| {
            let sql = format!("SELECT {KEY} FROM api_keys WHERE app = ?1 AND id = ?2");
            one_key(connection, &sql, params![app.as_str(), id.object_id().bytes()])
        })
    }

    async fn api_key_by_hash(&self, app: &AppId, hash: &[u8; 32]) -> Result<Option<ApiKey>> {
        self.readers.read(|connection| {
            let sql = format!("SELECT {KEY} FROM api_keys WHERE app = ?1 AND hash = ?2");
            one_key(connection, &sql, params![app.as_str(), hash])
        })
    }

    async fn api_keys(&self, app: &AppId, of: Option<UserId>) -> Result<Vec<ApiKey>> {
        self.readers.read(|connection| {
            let whose = match of {
                None => "owner = 'server'",
                Some(_) => "owner = 'user' AND user = ?2",
            };
            let sql =
                format!("SELECT {KEY} FROM api_keys WHERE app = ?1 AND {whose} ORDER BY created_at, id");
            let mut statement = connection.prepare_cached(&sql).map_err(from_sqlite)?;
            let mut rows = match of {
                None => statement.query(params![app.as_str()]),
                Some(user) => statement.query(params![app.as_str(), user.object_id().bytes()]),
            }
            .map_err(from_sqlite)?;
            let mut keys = Vec::new();
            while let Some(row) = rows.next().map_err(from_sqlite)? {
                keys.push(key_of(row)?);
            }
            Ok(keys)
        })
    }

    async fn set_api_key_disabled(&self, app: &AppId, id: ApiKeyId, disabled: bool) -> Result<bool> {
        let app = app.clone();
        self.writer
            .once(Durability::Power, move |backend| {
                let sql = "UPDATE api_keys SET disabled = ?3 WHERE app = ?1 AND id = ?2";
                let parameters = params![app.as_str(), id.object_id().bytes(), disabled];
                execute(&backend.connection, sql, parameters).map(|rows| rows > 0)
            })
            .await
    }

    async fn delete_api_key(&self, app: &AppId, id: ApiKeyId) -> Result<bool> {
        let app = app.clone();
        self.writer
            .once(Durability::Power, move |backend| {
                let sql = "DELETE FROM api_keys WHERE app = ?1 AND id = ?2";
                let parameters = params![app.as_str(), id.object_id().bytes()];
                execute(&backend.connection, sql, parameters).map(|rows| rows > 0)
            })
            .await
    }
}

/// One statement counts and adds. A user that is gone breaks the foreign key, which is `Conflict`.
fn insert(connection: &Connection, app: &AppId, key: &ApiKey, most: i64) -> Result<bool> {
    let siblings = match key.owner {
        ApiKeyOwner::Server => "owner = 'server'",
        ApiKeyOwner::User => "owner = 'user' AND user = ?5",
    };
    let sql = format!(
        "INSERT INTO api_keys (app, {KEY}) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
         WHERE (SELECT count(*) FROM api_keys WHERE app = ?1 AND {siblings}) < ?9"
    );
    let parameters = params![
        app.as_str(),
        key.id.object_id().bytes(),
        key.name,
        owner_name(key.owner),
        key.user.object_id().bytes(),
        key.hash,
        key.disabled,
        to_column(key.created_at),
        most
    ];
    execute(connection, &sql, parameters).map(|rows| rows > 0)
}

fn one_key(connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Result<Option<ApiKey>> {
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    let mut rows = statement.query(parameters).map_err(from_sqlite)?;
    rows.next().map_err(from_sqlite)?.map(key_of).transpose()
}

fn key_of(row: &Row<'_>) -> Result<ApiKey> {
    Ok(ApiKey {
        id: ApiKeyId::new(object_id_at(row, 0)?),
        name: row.get(1).map_err(from_sqlite)?,
        owner: match row.get_ref(2).and_then(|owner| Ok(owner.as_str()?)).map_err(from_sqlite)? {
            "server" => ApiKeyOwner::Server,
            "user" => ApiKeyOwner::User,
            _ => return Err(corrupt("a stored API key is of an unknown owner")),
        },
        user: UserId::new(object_id_at(row, 3)?),
        hash: row.get(4).map_err(from_sqlite)?,
        disabled: row.get(5).map_err(from_sqlite)?,
        created_at: from_column(row.get(6).map_err(from_sqlite)?)?,
    })
}

/// The word that the partial indexes know.
fn owner_name(owner: ApiKeyOwner) -> &'static str {
    match owner {
        ApiKeyOwner::Server => "server",
        ApiKeyOwner::User => "user",
    }
}
