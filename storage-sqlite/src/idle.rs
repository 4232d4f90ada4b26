//! Users that nobody has used for long.
//!
//! All users are walked in the order of their ids, so many in a turn of the writer that others need not
//! wait long. Each is removed in the turn in which it was found idle.

use backstitch::id::{AppId, UserId};
use backstitch::store::{Durability, Result};
use rusqlite::{Connection, params};

use crate::SqliteStore;
use crate::error::from_sqlite;
use crate::users::{object_id_at, remove_user};

/// So many users are looked at in one turn.
const IN_A_TURN: i64 = 500;

const WALK: &str = "SELECT u.id,
        u.created_at < ?4 AND u.last_login_at < ?5
        AND EXISTS (SELECT 1 FROM identities i
                    WHERE i.app = u.app AND i.user = u.id AND i.provider = ?3)
        AND NOT EXISTS (SELECT 1 FROM identities i
                        WHERE i.app = u.app AND i.user = u.id AND i.provider <> ?3)
        AND NOT EXISTS (SELECT 1 FROM sessions s
                        WHERE s.app = u.app AND s.user = u.id AND s.last_seen_at >= ?5)
     FROM users u WHERE u.app = ?1 AND u.id > ?2 ORDER BY u.id LIMIT ?6";

/// Removes them; says how many. The columns are those of `delete_idle_users`: created and active before.
pub(crate) async fn delete(
    store: &SqliteStore,
    app: &AppId,
    provider: &str,
    columns: (i64, i64),
) -> Result<u64> {
    let (mut deleted, mut after) = (0, None);
    loop {
        let (app, provider) = (app.clone(), provider.to_owned());
        let turn = store.writer.once(Durability::Power, move |backend| {
            one_turn(&backend.connection, &app, after, (&provider, columns))
        });
        let (removed, last) = turn.await?;
        deleted += removed;
        if last.is_none() {
            return Ok(deleted);
        }
        after = last;
    }
}

/// How many were removed among the next users, and the last user looked at.
fn one_turn(
    connection: &Connection,
    app: &AppId,
    after: Option<UserId>,
    (provider, (created_before, active_before)): (&str, (i64, i64)),
) -> Result<(u64, Option<UserId>)> {
    let after = after.map(|id| id.object_id().bytes().to_vec()).unwrap_or_default();
    let parameters = params![app.as_str(), after, provider, created_before, active_before, IN_A_TURN];
    let mut users: Vec<(UserId, bool)> = Vec::new();
    let mut statement = connection.prepare_cached(WALK).map_err(from_sqlite)?;
    let mut rows = statement.query(parameters).map_err(from_sqlite)?;
    while let Some(row) = rows.next().map_err(from_sqlite)? {
        users.push((UserId::new(object_id_at(row, 0)?), row.get(1).map_err(from_sqlite)?));
    }
    let mut removed = 0;
    for (id, _) in users.iter().filter(|(_, idle)| *idle) {
        removed += u64::from(remove_user(connection, app, *id)?);
    }
    Ok((removed, users.last().map(|(id, _)| *id)))
}
