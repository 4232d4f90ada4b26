//! Sessions. A session and its user are one statement.

use async_trait::async_trait;
use backstitch::id::{AppId, DeviceId, SessionId, UserId};
use backstitch::store::{Durability, LiveSession, Result, Session, SessionStore};
use chrono::{DateTime, Utc};
use rusqlite::{Row, params};

use crate::SqliteStore;
use crate::error::from_sqlite;
use crate::time::{from_column, to_column};
use crate::users::{execute, object_id_at, user_at};

/// The user's columns follow as `users::USER` lists them.
const LIVE: &str =
    "SELECT s.id, s.user, s.provider, s.device, s.created_at, s.expires_at, s.last_seen_at, s.epoch,
     s.generation, u.id, u.kind, u.disabled, u.epoch, u.identities, u.created_at, u.last_login_at
     FROM sessions s CROSS JOIN users u ON u.app = s.app AND u.id = s.user
     WHERE s.app = ?1 AND s.id = ?2";

#[async_trait]
impl SessionStore for SqliteStore {
    async fn insert_session(&self, app: &AppId, session: &Session) -> Result<()> {
        let (app, session) = (app.clone(), session.clone());
        self.writer
            .once(Durability::Process, move |backend| {
                // A user that is gone breaks the foreign key, which is `Conflict`.
                let sql = "INSERT INTO sessions (app, id, user, provider, device, created_at, expires_at,
                           last_seen_at, epoch, generation) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
                let parameters = params![
                    app.as_str(),
                    session.id.object_id().bytes(),
                    session.user.object_id().bytes(),
                    session.provider,
                    session.device.object_id().bytes(),
                    to_column(session.created_at),
                    to_column(session.expires_at),
                    to_column(session.last_seen_at),
                    session.epoch,
                    session.generation
                ];
                execute(&backend.connection, sql, parameters).map(drop)
            })
            .await
    }

    async fn live_session(&self, app: &AppId, id: SessionId) -> Result<Option<LiveSession>> {
        self.readers.read(|connection| {
            let mut statement = connection.prepare_cached(LIVE).map_err(from_sqlite)?;
            let mut rows =
                statement.query(params![app.as_str(), id.object_id().bytes()]).map_err(from_sqlite)?;
            let Some(row) = rows.next().map_err(from_sqlite)? else { return Ok(None) };
            Ok(Some(LiveSession { session: session_of(row)?, user: user_at(row, 9)? }))
        })
    }

    async fn touch_session(&self, app: &AppId, id: SessionId, now: DateTime<Utc>) -> Result<()> {
        let app = app.clone();
        self.writer
            .once(Durability::Process, move |backend| {
                let sql = "UPDATE sessions SET last_seen_at = ?3 WHERE app = ?1 AND id = ?2";
                let parameters = params![app.as_str(), id.object_id().bytes(), to_column(now)];
                execute(&backend.connection, sql, parameters).map(drop)
            })
            .await
    }

    async fn delete_session(&self, app: &AppId, id: SessionId) -> Result<bool> {
        let app = app.clone();
        self.writer
            .once(Durability::Power, move |backend| {
                let sql = "DELETE FROM sessions WHERE app = ?1 AND id = ?2";
                let parameters = params![app.as_str(), id.object_id().bytes()];
                execute(&backend.connection, sql, parameters).map(|rows| rows > 0)
            })
            .await
    }

    async fn delete_sessions_of(&self, app: &AppId, user: UserId) -> Result<u64> {
        let app = app.clone();
        self.writer
            .once(Durability::Power, move |backend| {
                let sql = "DELETE FROM sessions WHERE app = ?1 AND user = ?2";
                let parameters = params![app.as_str(), user.object_id().bytes()];
                execute(&backend.connection, sql, parameters).map(|rows| rows as u64)
            })
            .await
    }

    async fn purge_sessions(&self, now: DateTime<Utc>) -> Result<u64> {
        self.writer
            .once(Durability::Process, move |backend| {
                let sql = "DELETE FROM sessions WHERE expires_at < ?1";
                execute(&backend.connection, sql, params![to_column(now)]).map(|rows| rows as u64)
            })
            .await
    }
}

fn session_of(row: &Row<'_>) -> Result<Session> {
    Ok(Session {
        id: SessionId::new(object_id_at(row, 0)?),
        user: UserId::new(object_id_at(row, 1)?),
        provider: row.get(2).map_err(from_sqlite)?,
        device: DeviceId::new(object_id_at(row, 3)?),
        created_at: from_column(row.get(4).map_err(from_sqlite)?)?,
        expires_at: from_column(row.get(5).map_err(from_sqlite)?)?,
        last_seen_at: from_column(row.get(6).map_err(from_sqlite)?)?,
        epoch: row.get(7).map_err(from_sqlite)?,
        generation: row.get(8).map_err(from_sqlite)?,
    })
}
