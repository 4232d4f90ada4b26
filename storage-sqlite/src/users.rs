//! Users, their identities, and registrations.

use async_trait::async_trait;
use backstitch::bson::oid::ObjectId;
use backstitch::id::{AppId, UserId};
use backstitch::secret::Secret;
use backstitch::store::{
    Durability, Registration, Registrations, Result, StoreError, StoreErrorKind, User, UserKind, UserStore,
    read_identities, write_identities,
};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};

use crate::error::{corrupt, from_sqlite};
use crate::time::{from_column, to_column};
use crate::{SqliteStore, idle, registrations};

/// The columns of a user, in the order that [`user_at`] reads them.
pub(crate) const USER: &str =
    "u.id, u.kind, u.disabled, u.epoch, u.identities, u.created_at, u.last_login_at";

#[async_trait]
impl UserStore for SqliteStore {
    async fn insert_user(&self, app: &AppId, user: &User) -> Result<()> {
        let (app, user) = (app.clone(), user.clone());
        self.writer
            .once(Durability::Process, move |backend| {
                write_user(&backend.connection, &app, &user)?;
                insert_identities(&backend.connection, &app, &user)
            })
            .await
    }

    async fn insert_registered_user(&self, app: &AppId, user: &User, email: &str) -> Result<()> {
        let (app, user, email) = (app.clone(), user.clone(), email.to_owned());
        self.writer
            .once(Durability::Process, move |backend| {
                let found = registrations::find(&backend.connection, &app, &email)?;
                if !found.is_some_and(|found| user.has_registration(&found)) {
                    return Err(StoreError::new(StoreErrorKind::Conflict, "the registration is gone"));
                }
                write_user(&backend.connection, &app, &user)?;
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

    async fn replace_user(&self, app: &AppId, user: &User, expected: &User) -> Result<()> {
        let (app, user, expected) = (app.clone(), user.clone(), expected.clone());
        self.writer
            .once(Durability::Power, move |backend| {
                if overwrite_user(&backend.connection, &app, &user, &expected)? == 0 {
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
        self.writer.once(Durability::Power, move |backend| remove_user(&backend.connection, &app, id)).await
    }

    async fn delete_idle_users(
        &self,
        app: &AppId,
        provider: &str,
        created_before: DateTime<Utc>,
        active_before: DateTime<Utc>,
    ) -> Result<u64> {
        idle::delete(self, app, provider, (to_column(created_before), to_column(active_before))).await
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
                registrations::insert(&backend.connection, &app, &registration)
            })
            .await
    }

    async fn registration(&self, app: &AppId, email: &str) -> Result<Option<Registration>> {
        self.readers.read(|connection| registrations::find(connection, app, email))
    }

    async fn replace_registration(
        &self,
        app: &AppId,
        registration: &Registration,
        expected_hash: &Secret,
    ) -> Result<()> {
        self.move_registration(app, &registration.email, registration, expected_hash).await
    }

    async fn move_registration(
        &self,
        app: &AppId,
        email: &str,
        registration: &Registration,
        expected_hash: &Secret,
    ) -> Result<()> {
        let (app, email) = (app.clone(), email.to_owned());
        let (registration, expected) = (registration.clone(), expected_hash.clone());
        self.writer
            .once(Durability::Power, move |backend| {
                registrations::replace(&backend.connection, &app, (&email, &expected), &registration)
            })
            .await
    }

    async fn list_registrations(
        &self,
        app: &AppId,
        which: Registrations,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Registration>> {
        self.readers.read(|connection| registrations::listed(connection, app, (after, limit), which))
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

/// Removes a user with all that belongs to it; says whether there was one.
pub(crate) fn remove_user(connection: &Connection, app: &AppId, id: UserId) -> Result<bool> {
    registrations::delete_of(connection, app, id)?;
    // Identities, sessions and API keys go with it, by their foreign keys.
    let sql = "DELETE FROM users WHERE app = ?1 AND id = ?2";
    execute(connection, sql, params![app.as_str(), id.object_id().bytes()]).map(|rows| rows > 0)
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

fn write_user(connection: &Connection, app: &AppId, user: &User) -> Result<usize> {
    let sql = "INSERT INTO users (app, id, kind, disabled, epoch, identities, created_at, last_login_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
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

/// Writes a user over the `expected` one; says how many rows that changed.
fn overwrite_user(connection: &Connection, app: &AppId, user: &User, expected: &User) -> Result<usize> {
    let sql = "UPDATE users SET kind = ?3, disabled = ?4, epoch = ?5, identities = ?6, created_at = ?7,
                   last_login_at = max(last_login_at, ?8)
               WHERE app = ?1 AND id = ?2 AND kind = ?9 AND disabled = ?10 AND epoch = ?11
                   AND identities = ?12";
    let parameters = params![
        app.as_str(),
        user.id.object_id().bytes(),
        user.kind.as_str(),
        user.disabled,
        user.epoch,
        write_identities(&user.identities)?,
        to_column(user.created_at),
        to_column(user.last_login_at),
        expected.kind.as_str(),
        expected.disabled,
        expected.epoch,
        write_identities(&expected.identities)?
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
