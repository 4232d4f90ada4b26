//! Sessions. A session and its user are one statement.

use async_trait::async_trait;
use backstitch::bson::{Document, RawDocument, RawDocumentBuf};
use backstitch::id::{AppId, DeviceId, SessionId, UserId};
use backstitch::store::{
    ListedSession, LiveSession, Result, Session, SessionStore, StoreError, StoreErrorKind,
};
use chrono::{DateTime, Utc};
use tokio_postgres::Row;

use crate::PostgresStore;
use crate::connection::Parameters;
use crate::error::corrupt;
use crate::text::{from_column, to_column};
use crate::users::{bytes, column, number_at, object_id_at, user_at};

/// The columns of a session, in the order that [`session_of`] reads them.
const SESSION: &str = "s.id, s.user_id, s.provider, s.identity, s.device, s.created_at, s.expires_at,
     s.last_seen_at, s.epoch, s.generation";

/// The columns [`SESSION`], then the user's as `users::USER` lists them.
const LIVE: &str = "SELECT s.id, s.user_id, s.provider, s.identity, s.device, s.created_at, s.expires_at,
     s.last_seen_at, s.epoch, s.generation, u.id, u.kind, u.disabled, u.epoch, u.identities, u.created_at,
     u.last_login_at
     FROM sessions s JOIN users u ON u.app = s.app AND u.id = s.user_id WHERE s.app = $1 AND s.id = $2";

#[async_trait]
impl SessionStore for PostgresStore {
    /// A user that is gone breaks the foreign key, which is `Conflict`.
    async fn insert_session(&self, app: &AppId, session: &Session, client: &Document) -> Result<()> {
        let sql =
            "INSERT INTO sessions (app, id, user_id, provider, identity, device, created_at, expires_at,
                       last_seen_at, epoch, generation, client)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        let client = if client.is_empty() { None } else { Some(write_client(client)?) };
        let (id, user) = (bytes(&session.id.object_id()), bytes(&session.user.object_id()));
        let (provider, identity) = (to_column(&session.provider), to_column(&session.identity));
        let device = bytes(&session.device.object_id());
        let (epoch, generation) = (i64::from(session.epoch), i64::from(session.generation));
        let moments = (&session.created_at, &session.expires_at, &session.last_seen_at);
        let app = app.as_str();
        let parameters: Parameters<'_> = &[
            &app,
            &id,
            &user,
            &provider,
            &identity,
            &device,
            moments.0,
            moments.1,
            moments.2,
            &epoch,
            &generation,
            &client,
        ];
        self.connections.change(sql, parameters).await.map(drop)
    }

    async fn live_session(&self, app: &AppId, id: SessionId) -> Result<Option<LiveSession>> {
        let rows = self.connections.read(LIVE, &[&app.as_str(), &bytes(&id.object_id())]).await?;
        let live = |row| Ok(LiveSession { session: session_of(row)?, user: user_at(row, 10)? });
        rows.first().map(live).transpose()
    }

    async fn touch_session(&self, app: &AppId, id: SessionId, now: DateTime<Utc>) -> Result<()> {
        let sql = "UPDATE sessions SET last_seen_at = $3 WHERE app = $1 AND id = $2";
        self.connections.change(sql, &[&app.as_str(), &bytes(&id.object_id()), &now]).await.map(drop)
    }

    async fn delete_session(&self, app: &AppId, id: SessionId) -> Result<bool> {
        let sql = "DELETE FROM sessions WHERE app = $1 AND id = $2";
        self.connections.change(sql, &[&app.as_str(), &bytes(&id.object_id())]).await.map(|rows| rows > 0)
    }

    async fn sessions_of(&self, app: &AppId, user: UserId) -> Result<Vec<ListedSession>> {
        let sql = format!(
            "SELECT {SESSION}, s.client FROM sessions s WHERE s.app = $1 AND s.user_id = $2
             ORDER BY s.created_at, s.id"
        );
        let rows = self.connections.read(&sql, &[&app.as_str(), &bytes(&user.object_id())]).await?;
        let listed = |row| Ok(ListedSession { session: session_of(row)?, client: client_at(row, 10)? });
        rows.iter().map(listed).collect()
    }

    async fn delete_sessions_of(&self, app: &AppId, user: UserId, except: Option<SessionId>) -> Result<u64> {
        // Every id is distinct from NULL.
        let sql = "DELETE FROM sessions WHERE app = $1 AND user_id = $2 AND id IS DISTINCT FROM $3";
        let except = except.map(|id| bytes(&id.object_id()));
        self.connections.change(sql, &[&app.as_str(), &bytes(&user.object_id()), &except]).await
    }

    async fn delete_sessions_by_identity(
        &self,
        app: &AppId,
        user: UserId,
        provider: &str,
        identity: &str,
    ) -> Result<u64> {
        let sql = "DELETE FROM sessions WHERE app = $1 AND user_id = $2 AND provider = $3 AND identity = $4";
        let (user, provider, identity) = (bytes(&user.object_id()), to_column(provider), to_column(identity));
        self.connections.change(sql, &[&app.as_str(), &user, &provider, &identity]).await
    }

    async fn last_session_end(
        &self,
        app: &AppId,
        created_before: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>> {
        let sql = "SELECT max(expires_at) FROM sessions WHERE app = $1 AND created_at < $2";
        let rows = self.connections.read(sql, &[&app.as_str(), &created_before]).await?;
        rows.first().map_or(Ok(None), |row| column(row, 0))
    }

    async fn purge_sessions(&self, now: DateTime<Utc>) -> Result<u64> {
        self.connections.change("DELETE FROM sessions WHERE expires_at < $1", &[&now]).await
    }
}

fn write_client(client: &Document) -> Result<Vec<u8>> {
    RawDocumentBuf::try_from(client).map(RawDocumentBuf::into_bytes).map_err(|cause| {
        StoreError::new(StoreErrorKind::Unsupported, "what a client said cannot be stored").with_cause(cause)
    })
}

/// A session of a client that said nothing has an empty document.
fn client_at(row: &Row, at: usize) -> Result<Document> {
    let Some(bytes) = column::<Option<&[u8]>>(row, at)? else { return Ok(Document::new()) };
    let raw = RawDocument::from_bytes(bytes).and_then(Document::try_from);
    raw.map_err(|_| corrupt("what a client said cannot be read"))
}

fn session_of(row: &Row) -> Result<Session> {
    Ok(Session {
        id: SessionId::new(object_id_at(row, 0)?),
        user: UserId::new(object_id_at(row, 1)?),
        provider: from_column(column(row, 2)?),
        identity: from_column(column(row, 3)?),
        device: DeviceId::new(object_id_at(row, 4)?),
        created_at: column(row, 5)?,
        expires_at: column(row, 6)?,
        last_seen_at: column(row, 7)?,
        epoch: number_at(row, 8)?,
        generation: number_at(row, 9)?,
    })
}
