//! Sessions. A session and its user are one statement.

use std::sync::Arc;

use async_trait::async_trait;
use backstitch::bson::{Document, RawDocument, RawDocumentBuf};
use backstitch::id::{AppId, DeviceId, SessionId, UserId};
use backstitch::store::{
    Durability, ListedSession, LiveSession, Result, Session, SessionStore, StoreError, StoreErrorKind,
};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};

use crate::SqliteStore;
use crate::cursor::from_executor;
use crate::error::{corrupt, from_sqlite};
use crate::time::{from_column, to_column};
use crate::users::{execute, object_id_at, user_at};

/// The columns of a session, in the order that [`session_of`] reads them.
const SESSION: &str =
    "s.id, s.user, s.provider, s.device, s.created_at, s.expires_at, s.last_seen_at, s.epoch,
     s.generation, s.identity";

/// The columns [`SESSION`], then the user's as `users::USER` lists them.
const LIVE: &str =
    "SELECT s.id, s.user, s.provider, s.device, s.created_at, s.expires_at, s.last_seen_at, s.epoch,
     s.generation, s.identity, u.id, u.kind, u.disabled, u.epoch, u.identities, u.created_at, u.last_login_at
     FROM sessions s CROSS JOIN users u ON u.app = s.app AND u.id = s.user
     WHERE s.app = ?1 AND s.id = ?2";

#[async_trait]
impl SessionStore for SqliteStore {
    async fn insert_session(&self, app: &AppId, session: &Session, client: &Document) -> Result<()> {
        let client = if client.is_empty() { None } else { Some(write_client(client)?) };
        let (app, session) = (app.clone(), session.clone());
        self.writer
            .once(Durability::Process, move |backend| {
                insert(&backend.connection, &app, &session)?;
                // Most clients that are no SDK say nothing: no row.
                let Some(client) = client else { return Ok(()) };
                let sql = "INSERT INTO session_clients (app, session, client) VALUES (?1, ?2, ?3)";
                let parameters = params![app.as_str(), session.id.object_id().bytes(), client];
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
            Ok(Some(LiveSession { session: session_of(row)?, user: user_at(row, 10)? }))
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

    async fn sessions_of(&self, app: &AppId, user: UserId) -> Result<Vec<ListedSession>> {
        self.readers.read(|connection| {
            let sql = format!(
                "SELECT {SESSION}, c.client FROM sessions s
                 LEFT JOIN session_clients c ON c.app = s.app AND c.session = s.id
                 WHERE s.app = ?1 AND s.user = ?2 ORDER BY s.created_at, s.id"
            );
            let mut statement = connection.prepare_cached(&sql).map_err(from_sqlite)?;
            let mut rows =
                statement.query(params![app.as_str(), user.object_id().bytes()]).map_err(from_sqlite)?;
            let mut sessions = Vec::new();
            while let Some(row) = rows.next().map_err(from_sqlite)? {
                sessions.push(ListedSession { session: session_of(row)?, client: client_at(row, 10)? });
            }
            Ok(sessions)
        })
    }

    async fn delete_sessions_of(&self, app: &AppId, user: UserId, except: Option<SessionId>) -> Result<u64> {
        let app = app.clone();
        self.writer
            .once(Durability::Power, move |backend| {
                // Every id is not NULL.
                let sql = "DELETE FROM sessions WHERE app = ?1 AND user = ?2 AND id IS NOT ?3";
                let except = except.map(|id| id.object_id().bytes());
                let parameters = params![app.as_str(), user.object_id().bytes(), except];
                execute(&backend.connection, sql, parameters).map(|rows| rows as u64)
            })
            .await
    }

    async fn delete_sessions_by_identity(
        &self,
        app: &AppId,
        user: UserId,
        provider: &str,
        identity: &str,
    ) -> Result<u64> {
        let (app, provider, identity) = (app.clone(), provider.to_owned(), identity.to_owned());
        self.writer
            .once(Durability::Power, move |backend| {
                let sql = "DELETE FROM sessions
                           WHERE app = ?1 AND user = ?2 AND provider = ?3 AND identity = ?4";
                let parameters = params![app.as_str(), user.object_id().bytes(), provider, identity];
                execute(&backend.connection, sql, parameters).map(|rows| rows as u64)
            })
            .await
    }

    async fn last_session_end(
        &self,
        app: &AppId,
        created_before: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>> {
        // It looks at every session of the app, once in a while: not on this thread.
        let (app, readers) = (app.clone(), Arc::clone(&self.readers));
        let work = move || {
            readers.read(|connection| {
                let sql = "SELECT max(expires_at) FROM sessions WHERE app = ?1 AND created_at < ?2";
                let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
                let parameters = params![app.as_str(), to_column(created_before)];
                let end: Option<i64> =
                    statement.query_row(parameters, |row| row.get(0)).map_err(from_sqlite)?;
                end.map(from_column).transpose()
            })
        };
        self.executor.run(work).await.map_err(from_executor)?
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

/// A user that is gone breaks the foreign key, which is `Conflict`.
fn insert(connection: &Connection, app: &AppId, session: &Session) -> Result<()> {
    let sql = "INSERT INTO sessions (app, id, user, provider, device, created_at, expires_at, last_seen_at,
               epoch, generation, identity) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
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
        session.generation,
        session.identity
    ];
    execute(connection, sql, parameters).map(drop)
}

fn write_client(client: &Document) -> Result<Vec<u8>> {
    RawDocumentBuf::try_from(client).map(RawDocumentBuf::into_bytes).map_err(|cause| {
        StoreError::new(StoreErrorKind::Unsupported, "what a client said cannot be stored").with_cause(cause)
    })
}

/// A session without a row has an empty document.
fn client_at(row: &Row<'_>, column: usize) -> Result<Document> {
    let bytes = row.get_ref(column).and_then(|bytes| Ok(bytes.as_blob_or_null()?)).map_err(from_sqlite)?;
    let Some(bytes) = bytes else { return Ok(Document::new()) };
    let raw = RawDocument::from_bytes(bytes).and_then(Document::try_from);
    raw.map_err(|_| corrupt("what a client said cannot be read"))
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
        identity: row.get(9).map_err(from_sqlite)?,
    })
}
