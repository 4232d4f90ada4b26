//! E-mail registrations.

use backstitch::id::AppId;
use backstitch::secret::Secret;
use backstitch::store::{Registration, Registrations, Result, StoreError, StoreErrorKind};
use tokio_postgres::Row;

use crate::PostgresStore;
use crate::text::{from_column, to_column};
use crate::users::column;

const REGISTRATION: &str = "email, identity_id, password_hash, confirmed, created_at";

pub(crate) async fn insert(store: &PostgresStore, app: &AppId, registration: &Registration) -> Result<()> {
    let sql = "INSERT INTO registrations (app, email, identity_id, password_hash, confirmed, created_at)
               VALUES ($1, $2, $3, $4, $5, $6)";
    let (email, identity) = (to_column(&registration.email), to_column(&registration.identity_id));
    let hash = registration.password_hash.expose();
    let (confirmed, created_at) = (&registration.confirmed, &registration.created_at);
    store
        .connections
        .change(sql, &[&app.as_str(), &email, &identity, &hash, confirmed, created_at])
        .await
        .map(drop)
}

pub(crate) async fn find(store: &PostgresStore, app: &AppId, email: &str) -> Result<Option<Registration>> {
    let sql = format!("SELECT {REGISTRATION} FROM registrations WHERE app = $1 AND email = $2");
    let rows = store.connections.read(&sql, &[&app.as_str(), &to_column(email)]).await?;
    rows.first().map(registration_of).transpose()
}

/// Replaces the registration of an address, if its hash is the expected one, by one of any address.
pub(crate) async fn replace(
    store: &PostgresStore,
    app: &AppId,
    (email, expected): (&str, &Secret),
    registration: &Registration,
) -> Result<()> {
    let sql = "UPDATE registrations
               SET email = $4, identity_id = $5, password_hash = $6, confirmed = $7, created_at = $8
               WHERE app = $1 AND email = $2 AND password_hash = $3";
    let (email, new) = (to_column(email), to_column(&registration.email));
    let identity = to_column(&registration.identity_id);
    let (expected, hash) = (expected.expose(), registration.password_hash.expose());
    let (confirmed, created_at) = (&registration.confirmed, &registration.created_at);
    let parameters: crate::connection::Parameters<'_> =
        &[&app.as_str(), &email, &expected, &new, &identity, &hash, confirmed, created_at];
    match store.connections.change(sql, parameters).await? {
        0 => Err(StoreError::new(StoreErrorKind::Conflict, "the registration has changed meanwhile")),
        _ => Ok(()),
    }
}

fn condition(which: Registrations) -> &'static str {
    match which {
        Registrations::All => "true",
        Registrations::Pending => "NOT r.confirmed",
        Registrations::Unclaimed => {
            "NOT EXISTS (SELECT 1 FROM identities i WHERE i.app = $1
             AND i.provider = 'local-userpass' AND i.id = r.identity_id)"
        }
    }
}

/// Those of a sort, in the order of their addresses, which is that of their bytes.
pub(crate) async fn listed(
    store: &PostgresStore,
    app: &AppId,
    (after, limit): (Option<&str>, usize),
    which: Registrations,
) -> Result<Vec<Registration>> {
    let condition = condition(which);
    // An address may be empty.
    let beyond = if after.is_some() { ">" } else { ">=" };
    let sql = format!(
        "SELECT {REGISTRATION} FROM registrations r
         WHERE {condition} AND app = $1 AND email {beyond} $2 ORDER BY email LIMIT $3"
    );
    let after = to_column(after.unwrap_or_default());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = store.connections.read(&sql, &[&app.as_str(), &after, &limit]).await?;
    rows.iter().map(registration_of).collect()
}

fn registration_of(row: &Row) -> Result<Registration> {
    Ok(Registration {
        email: from_column(column(row, 0)?),
        identity_id: from_column(column(row, 1)?),
        password_hash: Secret::new(column::<String>(row, 2)?),
        confirmed: column(row, 3)?,
        created_at: column(row, 4)?,
    })
}
