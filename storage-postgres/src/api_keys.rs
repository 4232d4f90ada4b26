//! API keys.

use async_trait::async_trait;
use backstitch::id::{ApiKeyId, AppId, UserId};
use backstitch::store::{ApiKey, ApiKeyOwner, ApiKeyStore, Result};
use tokio_postgres::Row;

use crate::PostgresStore;
use crate::connection::Parameters;
use crate::error::corrupt;
use crate::keys::ALONE;
use crate::text::{from_column, to_column};
use crate::users::{bytes, column, object_id_at};

/// The columns of a key, in the order that [`key_of`] reads them.
const KEY: &str = "id, name, owner, user_id, hash, disabled, created_at";

#[async_trait]
impl ApiKeyStore for PostgresStore {
    /// A user that is gone breaks the foreign key, which is `Conflict`.
    async fn insert_api_key(&self, app: &AppId, key: &ApiKey, most: usize) -> Result<bool> {
        let siblings = match key.owner {
            ApiKeyOwner::Server => "owner = 'server'",
            ApiKeyOwner::User => "owner = 'user' AND user_id = $5",
        };
        let sql = format!(
            "INSERT INTO api_keys (app, {KEY}) SELECT $1, $2, $3, $4, $5, $6, $7, $8
             WHERE (SELECT count(*) FROM api_keys WHERE app = $1 AND {siblings}) < $9"
        );
        let (app, name, owner) = (app.as_str(), to_column(&key.name), owner_name(key.owner));
        let (id, user, hash) = (bytes(&key.id.object_id()), bytes(&key.user.object_id()), &key.hash[..]);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let lock: Parameters<'_> = &[&app];
        let parameters: Parameters<'_> =
            &[&app, &id, &name, &owner, &user, &hash, &key.disabled, &key.created_at, &most];
        self.connections.change_after((ALONE, lock), (&sql, parameters)).await.map(|rows| rows > 0)
    }

    async fn api_key(&self, app: &AppId, id: ApiKeyId) -> Result<Option<ApiKey>> {
        let sql = format!("SELECT {KEY} FROM api_keys WHERE app = $1 AND id = $2");
        one_key(&self.connections.read(&sql, &[&app.as_str(), &bytes(&id.object_id())]).await?)
    }

    async fn api_key_by_hash(&self, app: &AppId, hash: &[u8; 32]) -> Result<Option<ApiKey>> {
        let sql = format!("SELECT {KEY} FROM api_keys WHERE app = $1 AND hash = $2");
        one_key(&self.connections.read(&sql, &[&app.as_str(), &hash.as_slice()]).await?)
    }

    async fn api_keys(&self, app: &AppId, of: Option<UserId>) -> Result<Vec<ApiKey>> {
        let select =
            |whose| format!("SELECT {KEY} FROM api_keys WHERE app = $1 AND {whose} ORDER BY created_at, id");
        let rows = match of {
            None => self.connections.read(&select("owner = 'server'"), &[&app.as_str()]).await?,
            Some(user) => {
                let (sql, user) = (select("owner = 'user' AND user_id = $2"), bytes(&user.object_id()));
                self.connections.read(&sql, &[&app.as_str(), &user]).await?
            }
        };
        rows.iter().map(key_of).collect()
    }

    async fn set_api_key_disabled(&self, app: &AppId, id: ApiKeyId, disabled: bool) -> Result<bool> {
        let sql = "UPDATE api_keys SET disabled = $3 WHERE app = $1 AND id = $2";
        let parameters: Parameters<'_> = &[&app.as_str(), &bytes(&id.object_id()), &disabled];
        self.connections.change(sql, parameters).await.map(|rows| rows > 0)
    }

    async fn delete_api_key(&self, app: &AppId, id: ApiKeyId) -> Result<bool> {
        let sql = "DELETE FROM api_keys WHERE app = $1 AND id = $2";
        self.connections.change(sql, &[&app.as_str(), &bytes(&id.object_id())]).await.map(|rows| rows > 0)
    }
}

fn one_key(rows: &[Row]) -> Result<Option<ApiKey>> {
    rows.first().map(key_of).transpose()
}

fn key_of(row: &Row) -> Result<ApiKey> {
    Ok(ApiKey {
        id: ApiKeyId::new(object_id_at(row, 0)?),
        name: from_column(column(row, 1)?),
        owner: match column::<&str>(row, 2)? {
            "server" => ApiKeyOwner::Server,
            "user" => ApiKeyOwner::User,
            _ => return Err(corrupt("a stored API key is of an unknown owner")),
        },
        user: UserId::new(object_id_at(row, 3)?),
        hash: column::<&[u8]>(row, 4)?.try_into().map_err(|_| corrupt("a stored hash has not 32 bytes"))?,
        disabled: column(row, 5)?,
        created_at: column(row, 6)?,
    })
}

/// The word that the partial indexes know.
fn owner_name(owner: ApiKeyOwner) -> &'static str {
    match owner {
        ApiKeyOwner::Server => "server",
        ApiKeyOwner::User => "user",
    }
}
