//! Users and their identities. A change is one statement, or one after the user's row was locked.

use async_trait::async_trait;
use backstitch::bson::oid::ObjectId;
use backstitch::id::{AppId, UserId};
use backstitch::secret::Secret;
use backstitch::store::{
    Identity, Registration, Registrations, Result, StoreError, StoreErrorKind, User, UserKind, UserStore,
    read_identities, write_identities,
};
use chrono::{DateTime, Utc};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql};

use crate::connection::Parameters;
use crate::error::corrupt;
use crate::json::profile_of;
use crate::text::to_column;
use crate::{PostgresStore, idle, registrations};

/// The columns of a user, in the order that [`user_at`] reads them.
pub(crate) const USER: &str =
    "u.id, u.kind, u.disabled, u.epoch, u.identities, u.created_at, u.last_login_at";

/// A user's row, until the transaction has ended.
pub(crate) const LOCK: &str = "SELECT 1 FROM users WHERE app = $1 AND id = $2 FOR UPDATE";

/// What goes with a user beside what its foreign keys take along.
pub(crate) const REGISTRATIONS: &str = "DELETE FROM registrations WHERE app = $1 AND identity_id IN
         (SELECT id FROM identities WHERE app = $1 AND user_id = $2 AND provider = 'local-userpass')";

/// Where its parameters end, others may follow.
const INSERT: &str = "INSERT INTO users
         (app, id, kind, disabled, epoch, identities, profile, created_at, last_login_at)
     SELECT $1, $2, $3, $4, $5, $6, ($7::text)::jsonb, $8, $9";

const INSERT_IDENTITIES: &str = "INSERT INTO identities (app, provider, id, user_id)
     SELECT $1, i.provider, i.id, $2 FROM u, unnest($10::text[], $11::text[]) AS i (provider, id)";

#[async_trait]
impl UserStore for PostgresStore {
    async fn insert_user(&self, app: &AppId, user: &User) -> Result<()> {
        let sql = format!("WITH u AS ({INSERT} RETURNING 1) {INSERT_IDENTITIES}");
        let columns = Columns::of(user)?;
        self.connections.change(&sql, &columns.parameters(&app.as_str(), user)).await.map(drop)
    }

    async fn insert_registered_user(&self, app: &AppId, user: &User, email: &str) -> Result<()> {
        // The registration's lock keeps it until the user is there.
        let sql = format!(
            "WITH r AS (SELECT 1 FROM registrations r WHERE r.app = $1 AND r.email = $12 AND EXISTS
                       (SELECT 1 FROM unnest($10::text[], $11::text[]) AS i (provider, id)
                        WHERE i.provider = 'local-userpass' AND i.id = r.identity_id) FOR SHARE),
                  u AS ({INSERT} FROM r RETURNING 1)
             {INSERT_IDENTITIES}"
        );
        let (columns, app, email) = (Columns::of(user)?, app.as_str(), to_column(email));
        let mut parameters = columns.parameters(&app, user).to_vec();
        parameters.push(&email);
        match self.connections.change(&sql, &parameters).await? {
            0 => Err(StoreError::new(StoreErrorKind::Conflict, "the registration is gone")),
            _ => Ok(()),
        }
    }

    async fn user(&self, app: &AppId, id: UserId) -> Result<Option<User>> {
        let sql = format!("SELECT {USER} FROM users u WHERE u.app = $1 AND u.id = $2");
        one_user(&self.connections.read(&sql, &[&app.as_str(), &bytes(&id.object_id())]).await?)
    }

    async fn user_by_identity(&self, app: &AppId, provider: &str, identity_id: &str) -> Result<Option<User>> {
        let sql = format!(
            "SELECT {USER} FROM identities i JOIN users u ON u.app = i.app AND u.id = i.user_id
             WHERE i.app = $1 AND i.provider = $2 AND i.id = $3"
        );
        let (provider, identity) = (to_column(provider), to_column(identity_id));
        one_user(&self.connections.read(&sql, &[&app.as_str(), &provider, &identity]).await?)
    }

    async fn replace_user(&self, app: &AppId, user: &User, expected: &User) -> Result<()> {
        // Of the identities only those that change are touched: a key that is deleted and inserted by one statement
        // would be in its own way.
        let sql = "WITH u AS (UPDATE users
                       SET kind = $3, disabled = $4, epoch = $5, identities = $6, profile = ($7::text)::jsonb,
                           created_at = $8, last_login_at = greatest(last_login_at, $9)
                       WHERE app = $1 AND id = $2 AND kind = $12 AND disabled = $13 AND epoch = $14
                           AND identities = $15
                       RETURNING 1),
                   n AS (SELECT i.provider, i.id FROM u, unnest($10::text[], $11::text[]) AS i (provider, id)),
                   d AS (DELETE FROM identities o USING u WHERE o.app = $1 AND o.user_id = $2
                         AND NOT EXISTS (SELECT 1 FROM n WHERE n.provider = o.provider AND n.id = o.id)),
                   i AS (INSERT INTO identities (app, provider, id, user_id)
                         SELECT $1, n.provider, n.id, $2 FROM n WHERE NOT EXISTS
                             (SELECT 1 FROM identities o WHERE o.app = $1 AND o.user_id = $2
                              AND o.provider = n.provider AND o.id = n.id))
                   SELECT 1 FROM u";
        let (columns, app) = (Columns::of(user)?, app.as_str());
        let before = Columns::of(expected)?;
        let mut parameters = columns.parameters(&app, user).to_vec();
        let asked: [&(dyn ToSql + Sync); 4] =
            [&before.kind, &expected.disabled, &before.epoch, &before.identities];
        parameters.extend(asked);
        // A statement that gives a row has changed the user.
        match self.connections.change(sql, &parameters).await? {
            0 => Err(StoreError::new(StoreErrorKind::Conflict, "the user has changed meanwhile")),
            _ => Ok(()),
        }
    }

    async fn touch_user(&self, app: &AppId, id: UserId, now: DateTime<Utc>) -> Result<()> {
        let sql = "UPDATE users SET last_login_at = $3 WHERE app = $1 AND id = $2";
        self.connections.change(sql, &[&app.as_str(), &bytes(&id.object_id()), &now]).await.map(drop)
    }

    async fn delete_user(&self, app: &AppId, id: UserId) -> Result<bool> {
        // Identities, sessions and API keys go with it, by their foreign keys.
        let sql = format!("WITH r AS ({REGISTRATIONS}) DELETE FROM users WHERE app = $1 AND id = $2");
        let (app, id) = (app.as_str(), bytes(&id.object_id()));
        let parameters: Parameters<'_> = &[&app, &id];
        self.connections.change_after((LOCK, parameters), (&sql, parameters)).await.map(|rows| rows > 0)
    }

    async fn delete_idle_users(
        &self,
        app: &AppId,
        provider: &str,
        created_before: DateTime<Utc>,
        active_before: DateTime<Utc>,
    ) -> Result<u64> {
        idle::delete(self, app, provider, (created_before, active_before)).await
    }

    async fn list_users(&self, app: &AppId, after: Option<UserId>, limit: usize) -> Result<Vec<User>> {
        let sql = format!("SELECT {USER} FROM users u WHERE u.app = $1 AND u.id > $2 ORDER BY u.id LIMIT $3");
        let after = after.map(|id| bytes(&id.object_id())).unwrap_or_default();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.connections.read(&sql, &[&app.as_str(), &after, &limit]).await?;
        rows.iter().map(|row| user_at(row, 0)).collect()
    }

    async fn insert_registration(&self, app: &AppId, registration: &Registration) -> Result<()> {
        registrations::insert(self, app, registration).await
    }

    async fn registration(&self, app: &AppId, email: &str) -> Result<Option<Registration>> {
        registrations::find(self, app, email).await
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
        registrations::replace(self, app, (email, expected_hash), registration).await
    }

    async fn list_registrations(
        &self,
        app: &AppId,
        which: Registrations,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Registration>> {
        registrations::listed(self, app, (after, limit), which).await
    }

    async fn delete_registration(&self, app: &AppId, email: &str) -> Result<bool> {
        let sql = "DELETE FROM registrations WHERE app = $1 AND email = $2";
        self.connections.change(sql, &[&app.as_str(), &to_column(email)]).await.map(|rows| rows > 0)
    }
}

/// What is written of a user, in the types of its columns.
struct Columns {
    id: Vec<u8>,
    kind: &'static str,
    epoch: i64,
    identities: Vec<u8>,
    profile: String,
    providers: Vec<String>,
    identity_ids: Vec<String>,
}

impl Columns {
    fn of(user: &User) -> Result<Self> {
        let texts = |of: fn(&Identity) -> &str| {
            user.identities.iter().map(|identity| to_column(of(identity)).into_owned()).collect()
        };
        Ok(Self {
            id: bytes(&user.id.object_id()),
            kind: user.kind.as_str(),
            epoch: i64::from(user.epoch),
            identities: write_identities(&user.identities)?,
            profile: profile_of(&user.identities),
            providers: texts(|identity| &identity.provider),
            identity_ids: texts(|identity| &identity.id),
        })
    }

    /// `$1` to `$11`.
    fn parameters<'a>(&'a self, app: &'a &'a str, user: &'a User) -> [&'a (dyn ToSql + Sync); 11] {
        [
            app,
            &self.id,
            &self.kind,
            &user.disabled,
            &self.epoch,
            &self.identities,
            &self.profile,
            &user.created_at,
            &user.last_login_at,
            &self.providers,
            &self.identity_ids,
        ]
    }
}

/// Reads the columns [`USER`], of which the first is at `first`.
pub(crate) fn user_at(row: &Row, first: usize) -> Result<User> {
    let kind = match column::<&str>(row, first + 1)? {
        "normal" => UserKind::Normal,
        "server" => UserKind::Server,
        _ => return Err(corrupt("a stored user is of an unknown kind")),
    };
    let identities = read_identities(column(row, first + 4)?);
    Ok(User {
        id: UserId::new(object_id_at(row, first)?),
        kind,
        disabled: column(row, first + 2)?,
        epoch: number_at(row, first + 3)?,
        identities: identities.ok_or_else(|| corrupt("stored identities cannot be read"))?,
        created_at: column(row, first + 5)?,
        last_login_at: column(row, first + 6)?,
    })
}

/// A column of the type that the schema says.
pub(crate) fn column<'a, T: FromSql<'a>>(row: &'a Row, at: usize) -> Result<T> {
    row.try_get(at).map_err(|cause| corrupt("a column is of another type").with_cause(cause))
}

pub(crate) fn number_at(row: &Row, at: usize) -> Result<u32> {
    u32::try_from(column::<i64>(row, at)?).map_err(|_| corrupt("a stored number is out of range"))
}

pub(crate) fn object_id_at(row: &Row, at: usize) -> Result<ObjectId> {
    let bytes: Result<[u8; 12], _> = column::<&[u8]>(row, at)?.try_into();
    bytes.map(ObjectId::from_bytes).map_err(|_| corrupt("a stored id has not twelve bytes"))
}

pub(crate) fn bytes(id: &ObjectId) -> Vec<u8> {
    id.bytes().to_vec()
}

fn one_user(rows: &[Row]) -> Result<Option<User>> {
    rows.first().map(|row| user_at(row, 0)).transpose()
}
