//! Users, their identities, and registrations.

use async_trait::async_trait;
use backstitch::bson::oid::ObjectId;
use backstitch::bson::raw::cstr;
use backstitch::bson::{Document, RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf};
use backstitch::id::{AppId, UserId};
use backstitch::secret::Secret;
use backstitch::store::{
    Durability, Identity, Registration, Result, StoreError, StoreErrorKind, User, UserKind, UserStore,
};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};

use crate::SqliteStore;
use crate::error::{corrupt, from_sqlite};
use crate::time::{from_column, to_column};

/// The columns of a user, in the order that [`user_at`] reads them.
pub(crate) const USER: &str =
    "u.id, u.kind, u.disabled, u.epoch, u.identities, u.created_at, u.last_login_at";

#[async_trait]
impl UserStore for SqliteStore {
    async fn insert_user(&self, app: &AppId, user: &User) -> Result<()> {
        let (app, user) = (app.clone(), user.clone());
        self.writer
            .once(Durability::Process, move |backend| {
                let sql = "INSERT INTO users (app, id, kind, disabled, epoch, identities, created_at, last_login_at)
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
                write_user(&backend.connection, sql, &app, &user)?;
                insert_identities(&backend.connection, &app, &user)
            })
            .await
    }

    async fn user(&self, app: &AppId, id: UserId) -> Result<Option<User>> {
        self.readers.read(|connection| {
            let sql = format!("SELECT {USER} FROM users u WHERE u.app = ?1 AND u.id = ?2");
            one_user(connection, &sql, params![app.as_str(), id.object_id().bytes()])
        })
    }

    async fn user_by_identity(&self, app: &AppId, provider: &str, identity_id: &str) -> Result<Option<User>> {
        self.readers.read(|connection| {
            let sql = format!(
                "SELECT {USER} FROM identities i CROSS JOIN users u ON u.app = i.app AND u.id = i.user
                 WHERE i.app = ?1 AND i.provider = ?2 AND i.id = ?3"
            );
            one_user(connection, &sql, params![app.as_str(), provider, identity_id])
        })
    }

    async fn replace_user(&self, app: &AppId, user: &User, expected_epoch: u32) -> Result<()> {
        let (app, user) = (app.clone(), user.clone());
        self.writer
            .once(Durability::Power, move |backend| {
                let sql = format!(
                    "UPDATE users SET kind = ?3, disabled = ?4, epoch = ?5, identities = ?6, created_at = ?7,
                     last_login_at = ?8 WHERE app = ?1 AND id = ?2 AND epoch = {expected_epoch}"
                );
                if write_user(&backend.connection, &sql, &app, &user)? == 0 {
                    return Err(StoreError::new(StoreErrorKind::Conflict, "the user has changed meanwhile"));
                }
                execute(
                    &backend.connection,
                    "DELETE FROM identities WHERE app = ?1 AND user = ?2",
                    params![app.as_str(), user.id.object_id().bytes()],
                )?;
                insert_identities(&backend.connection, &app, &user)
            })
            .await
    }

    async fn touch_user(&self, app: &AppId, id: UserId, now: DateTime<Utc>) -> Result<()> {
        let app = app.clone();
        self.writer
            .once(Durability::Process, move |backend| {
                let sql = "UPDATE users SET last_login_at = ?3 WHERE app = ?1 AND id = ?2";
                let parameters = params![app.as_str(), id.object_id().bytes(), to_column(now)];
                execute(&backend.connection, sql, parameters).map(drop)
            })
            .await
    }

    async fn delete_user(&self, app: &AppId, id: UserId) -> Result<bool> {
        let app = app.clone();
        self.writer
            .once(Durability::Power, move |backend| {
                // Identities and sessions go with it, by their foreign keys.
                let sql = "DELETE FROM users WHERE app = ?1 AND id = ?2";
                let parameters = params![app.as_str(), id.object_id().bytes()];
                execute(&backend.connection, sql, parameters).map(|rows| rows > 0)
            })
            .await
    }

    async fn list_users(&self, app: &AppId, after: Option<UserId>, limit: usize) -> Result<Vec<User>> {
        self.readers.read(|connection| {
            let sql =
                format!("SELECT {USER} FROM users u WHERE u.app = ?1 AND u.id > ?2 ORDER BY u.id LIMIT ?3");
            let after = after.map(|id| id.object_id().bytes().to_vec()).unwrap_or_default();
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut statement = connection.prepare_cached(&sql).map_err(from_sqlite)?;
            let mut rows = statement.query(params![app.as_str(), after, limit]).map_err(from_sqlite)?;
            let mut users = Vec::new();
            while let Some(row) = rows.next().map_err(from_sqlite)? {
                users.push(user_at(row, 0)?);
            }
            Ok(users)
        })
    }

    async fn insert_registration(&self, app: &AppId, registration: &Registration) -> Result<()> {
        let (app, registration) = (app.clone(), registration.clone());
        self.writer
            .once(Durability::Process, move |backend| {
                let sql = "INSERT INTO registrations
                           (app, email, identity_id, password_hash, confirmed, created_at)
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                let parameters = params![
                    app.as_str(),
                    registration.email,
                    registration.identity_id,
                    registration.password_hash.expose(),
                    registration.confirmed,
                    to_column(registration.created_at)
                ];
                execute(&backend.connection, sql, parameters).map(drop)
            })
            .await
    }

    async fn registration(&self, app: &AppId, email: &str) -> Result<Option<Registration>> {
        self.readers.read(|connection| {
            let mut statement = connection
                .prepare_cached(
                    "SELECT email, identity_id, password_hash, confirmed, created_at
                     FROM registrations WHERE app = ?1 AND email = ?2",
                )
                .map_err(from_sqlite)?;
            let mut rows = statement.query(params![app.as_str(), email]).map_err(from_sqlite)?;
            rows.next().map_err(from_sqlite)?.map(registration_of).transpose()
        })
    }

    async fn replace_registration(
        &self,
        app: &AppId,
        registration: &Registration,
        expected_hash: &Secret,
    ) -> Result<()> {
        let (app, registration, expected) = (app.clone(), registration.clone(), expected_hash.clone());
        self.writer
            .once(Durability::Power, move |backend| {
                let sql = "UPDATE registrations
                           SET identity_id = ?3, password_hash = ?4, confirmed = ?5, created_at = ?6
                           WHERE app = ?1 AND email = ?2 AND password_hash = ?7";
                let parameters = params![
                    app.as_str(),
                    registration.email,
                    registration.identity_id,
                    registration.password_hash.expose(),
                    registration.confirmed,
                    to_column(registration.created_at),
                    expected.expose()
                ];
                match execute(&backend.connection, sql, parameters)? {
                    0 => Err(StoreError::new(StoreErrorKind::Conflict, "the password has changed meanwhile")),
                    _ => Ok(()),
                }
            })
            .await
    }

    async fn delete_registration(&self, app: &AppId, email: &str) -> Result<bool> {
        let (app, email) = (app.clone(), email.to_owned());
        self.writer
            .once(Durability::Power, move |backend| {
                let sql = "DELETE FROM registrations WHERE app = ?1 AND email = ?2";
                execute(&backend.connection, sql, params![app.as_str(), email]).map(|rows| rows > 0)
            })
            .await
    }
}

/// Runs a cached statement; says how many rows it changed.
pub(crate) fn execute(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<usize> {
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    statement.execute(parameters).map_err(from_sqlite)
}

/// Reads the columns [`USER`], of which the first is at `first`.
pub(crate) fn user_at(row: &Row<'_>, first: usize) -> Result<User> {
    let kind = match row.get_ref(first + 1).and_then(|kind| Ok(kind.as_str()?)).map_err(from_sqlite)? {
        "normal" => UserKind::Normal,
        "server" => UserKind::Server,
        _ => return Err(corrupt("a stored user is of an unknown kind")),
    };
    let identities = row.get_ref(first + 4).and_then(|bytes| Ok(bytes.as_blob()?)).map_err(from_sqlite)?;
    Ok(User {
        id: UserId::new(object_id_at(row, first)?),
        kind,
        disabled: row.get(first + 2).map_err(from_sqlite)?,
        epoch: row.get(first + 3).map_err(from_sqlite)?,
        identities: read_identities(identities).ok_or_else(|| corrupt("stored identities cannot be read"))?,
        created_at: from_column(row.get(first + 5).map_err(from_sqlite)?)?,
        last_login_at: from_column(row.get(first + 6).map_err(from_sqlite)?)?,
    })
}

pub(crate) fn object_id_at(row: &Row<'_>, column: usize) -> Result<ObjectId> {
    row.get(column).map(ObjectId::from_bytes).map_err(from_sqlite)
}

fn one_user(connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Result<Option<User>> {
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    let mut rows = statement.query(parameters).map_err(from_sqlite)?;
    rows.next().map_err(from_sqlite)?.map(|row| user_at(row, 0)).transpose()
}

fn write_user(connection: &Connection, sql: &str, app: &AppId, user: &User) -> Result<usize> {
    let parameters = params![
        app.as_str(),
        user.id.object_id().bytes(),
        user.kind.as_str(),
        user.disabled,
        user.epoch,
        write_identities(&user.identities)?,
        to_column(user.created_at),
        to_column(user.last_login_at)
    ];
    execute(connection, sql, parameters)
}

fn insert_identities(connection: &Connection, app: &AppId, user: &User) -> Result<()> {
    let sql = "INSERT INTO identities (app, provider, id, user) VALUES (?1, ?2, ?3, ?4)";
    for identity in &user.identities {
        let parameters = params![app.as_str(), identity.provider, identity.id, user.id.object_id().bytes()];
        execute(connection, sql, parameters)?;
    }
    Ok(())
}

fn registration_of(row: &Row<'_>) -> Result<Registration> {
    let hash: String = row.get(2).map_err(from_sqlite)?;
    Ok(Registration {
        email: row.get(0).map_err(from_sqlite)?,
        identity_id: row.get(1).map_err(from_sqlite)?,
        password_hash: Secret::new(hash),
        confirmed: row.get(3).map_err(from_sqlite)?,
        created_at: from_column(row.get(4).map_err(from_sqlite)?)?,
    })
}

/// `{"": [[provider, provider_id, id, data], …]}`: read on every request, so nothing in it is named.
fn write_identities(identities: &[Identity]) -> Result<Vec<u8>> {
    let mut all = RawArrayBuf::new();
    for identity in identities {
        let data = RawDocumentBuf::try_from(&identity.data).map_err(|cause| {
            StoreError::new(StoreErrorKind::Unsupported, "an identity's data cannot be stored")
                .with_cause(cause)
        })?;
        let mut one = RawArrayBuf::new();
        one.push(identity.provider.as_str());
        one.push(identity.provider_id);
        one.push(identity.id.as_str());
        one.push(data);
        all.push(one);
    }
    let mut whole = RawDocumentBuf::new();
    whole.append(cstr!(""), all);
    Ok(whole.into_bytes())
}

fn read_identities(bytes: &[u8]) -> Option<Vec<Identity>> {
    let all = RawDocument::from_bytes(bytes).ok()?.get_array("").ok()?;
    all.into_iter().map(|one| read_identity(one.ok()?)).collect()
}

fn read_identity(one: RawBsonRef<'_>) -> Option<Identity> {
    let mut parts = one.as_array()?.into_iter().map_while(std::result::Result::ok);
    Some(Identity {
        provider: parts.next()?.as_str()?.to_owned(),
        provider_id: parts.next()?.as_object_id()?,
        id: parts.next()?.as_str()?.to_owned(),
        data: Document::try_from(parts.next()?.as_document()?).ok()?,
    })
}
