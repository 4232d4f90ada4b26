//! Users that nobody has used for long.
//!
//! All users are walked in the order of their ids. Each that seems idle is locked and asked again before it is removed: a
//! log-in that came in between keeps it.

use backstitch::id::{AppId, UserId};
use backstitch::store::Result;
use chrono::{DateTime, Utc};

use crate::PostgresStore;
use crate::connection::Parameters;
use crate::text::to_column;
use crate::users::{LOCK, bytes, column, object_id_at};

/// So many users are looked at at once.
const AT_ONCE: i64 = 500;

/// Of a user `u` of the app `$1`: all identities are of `$3`, created before `$4`, not used since `$5`.
const IDLE: &str = "u.created_at < $4 AND u.last_login_at < $5
     AND EXISTS (SELECT 1 FROM identities i WHERE i.app = u.app AND i.user_id = u.id AND i.provider = $3)
     AND NOT EXISTS (SELECT 1 FROM identities i WHERE i.app = u.app AND i.user_id = u.id AND i.provider <> $3)
     AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.app = u.app AND s.user_id = u.id AND s.last_seen_at >= $5)";

/// Removes them; says how many. The moments are those of `delete_idle_users`: created and active before.
pub(crate) async fn delete(
    store: &PostgresStore,
    app: &AppId,
    provider: &str,
    (created, active): (DateTime<Utc>, DateTime<Utc>),
) -> Result<u64> {
    let walk =
        format!("SELECT u.id, {IDLE} FROM users u WHERE u.app = $1 AND u.id > $2 ORDER BY u.id LIMIT $6");
    let remove = format!(
        "WITH idle AS (SELECT u.id FROM users u WHERE u.app = $1 AND u.id = $2 AND {IDLE}),
              r AS (DELETE FROM registrations r WHERE r.app = $1 AND r.identity_id IN
                    (SELECT i.id FROM identities i JOIN idle ON i.user_id = idle.id
                     WHERE i.app = $1 AND i.provider = 'local-userpass'))
         DELETE FROM users u USING idle WHERE u.app = $1 AND u.id = idle.id"
    );
    let (app, provider) = (app.as_str(), to_column(provider));
    let (mut deleted, mut after) = (0, Vec::new());
    loop {
        let rows =
            store.connections.read(&walk, &[&app, &after, &provider, &created, &active, &AT_ONCE]).await?;
        for row in &rows {
            let id = bytes(&UserId::new(object_id_at(row, 0)?).object_id());
            if column(row, 1)? {
                let parameters: Parameters<'_> = &[&app, &id, &provider, &created, &active];
                let lock: Parameters<'_> = &[&app, &id];
                deleted += store.connections.change_after((LOCK, lock), (&remove, parameters)).await?;
            }
            after = id;
        }
        if rows.is_empty() {
            return Ok(deleted);
        }
    }
}
