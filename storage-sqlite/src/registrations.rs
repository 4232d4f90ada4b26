//! E-mail registrations.

use backstitch::id::{AppId, UserId};
use backstitch::secret::Secret;
use backstitch::store::{Registration, Registrations, Result, StoreError, StoreErrorKind};
use rusqlite::{Connection, Row, params};

use crate::error::from_sqlite;
use crate::time::{from_column, to_column};
use crate::users::execute;

pub(crate) fn insert(connection: &Connection, app: &AppId, registration: &Registration) -> Result<()> {
    let sql = "INSERT INTO registrations (app, email, identity_id, password_hash, confirmed, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let parameters = params![
        app.as_str(),
        registration.email,
        registration.identity_id,
        registration.password_hash.expose(),
        registration.confirmed,
        to_column(registration.created_at)
    ];
    execute(connection, sql, parameters).map(drop)
}

pub(crate) fn find(connection: &Connection, app: &AppId, email: &str) -> Result<Option<Registration>> {
    let sql = "SELECT email, identity_id, password_hash, confirmed, created_at
               FROM registrations WHERE app = ?1 AND email = ?2";
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    let mut rows = statement.query(params![app.as_str(), email]).map_err(from_sqlite)?;
    rows.next().map_err(from_sqlite)?.map(registration_of).transpose()
}

/// Replaces the registration of an address, if its hash is the expected one, by one of any address.
pub(crate) fn replace(
    connection: &Connection,
    app: &AppId,
    (email, expected): (&str, &Secret),
    registration: &Registration,
) -> Result<()> {
    let sql = "UPDATE registrations
               SET email = ?4, identity_id = ?5, password_hash = ?6, confirmed = ?7, created_at = ?8
               WHERE app = ?1 AND email = ?2 AND password_hash = ?3";
    let parameters = params![
        app.as_str(),
        email,
        expected.expose(),
        registration.email,
        registration.identity_id,
        registration.password_hash.expose(),
        registration.confirmed,
        to_column(registration.created_at)
    ];
    match execute(connection, sql, parameters)? {
        0 => Err(StoreError::new(StoreErrorKind::Conflict, "the registration has changed meanwhile")),
        _ => Ok(()),
    }
}

fn condition(which: Registrations) -> &'static str {
    match which {
        Registrations::All => "1",
        Registrations::Pending => "confirmed = 0",
        Registrations::Unclaimed => {
            "NOT EXISTS (SELECT 1 FROM identities AS claimed WHERE claimed.app = ?1
             AND claimed.provider = 'local-userpass' AND claimed.id = registrations.identity_id)"
        }
    }
}

/// Those of a sort, in the order of their addresses, which is that of their bytes.
pub(crate) fn listed(
    connection: &Connection,
    app: &AppId,
    (after, limit): (Option<&str>, usize),
    which: Registrations,
) -> Result<Vec<Registration>> {
    let condition = condition(which);
    // An address may be empty.
    let beyond = if after.is_some() { ">" } else { ">=" };
    let sql = format!(
        "SELECT email, identity_id, password_hash, confirmed, created_at
         FROM registrations WHERE {condition} AND app = ?1 AND email {beyond} ?2 ORDER BY email LIMIT ?3"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&sql).map_err(from_sqlite)?;
    let mut rows =
        statement.query(params![app.as_str(), after.unwrap_or_default(), limit]).map_err(from_sqlite)?;
    let mut listed = Vec::new();
    while let Some(row) = rows.next().map_err(from_sqlite)? {
        listed.push(registration_of(row)?);
    }
    Ok(listed)
}

/// Removes the registrations of a user's identities, which have to be there still.
pub(crate) fn delete_of(connection: &Connection, app: &AppId, user: UserId) -> Result<()> {
    let sql = "DELETE FROM registrations WHERE app = ?1 AND identity_id IN
               (SELECT id FROM identities WHERE app = ?1 AND user = ?2 AND provider = ?3)";
    let parameters = params![app.as_str(), user.object_id().bytes(), Registration::PROVIDER];
    execute(connection, sql, parameters).map(drop)
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
