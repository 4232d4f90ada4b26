//! Sessions: one row each, checked on every request.

use async_trait::async_trait;
use bson::Document;
use chrono::{DateTime, Utc};

use super::{Result, User};
use crate::id::{AppId, DeviceId, SessionId, UserId};

/// What one log-in opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The id: `iss` of access tokens, `baas_id` of refresh tokens.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// The provider that opened it.
    pub provider: String,
    /// The id of the identity that opened it; empty for sessions older than this field.
    pub identity: String,
    /// The client's device.
    pub device: DeviceId,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it ends, whatever happens.
    pub expires_at: DateTime<Utc>,
    /// The last refresh, written at most once a minute.
    pub last_seen_at: DateTime<Utc>,
    /// The user's epoch when it was opened; a user of a later epoch has left it behind.
    pub epoch: u32,
    /// The refresh token's generation; `Fixed` sessions stay at 0 (auth design §8).
    pub generation: u32,
}

/// A session with its user, read as one.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveSession {
    /// The session.
    pub session: Session,
    /// Its user.
    pub user: User,
}

/// A session as its user sees it in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedSession {
    /// The session.
    pub session: Session,
    /// What the client said of its device; empty when it said nothing.
    pub client: Document,
}

/// Keeps sessions.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Adds a session, with what the client said of its device.
    ///
    /// That is kept apart: [`live_session`](Self::live_session), which every request calls, does not read it.
    ///
    /// **Behaviour**
    /// - a session for a user that does not exist (any more) is [`Conflict`], so that a log-in that
    ///   races a delete leaves no session behind.
    ///
    /// [`Conflict`]: super::StoreErrorKind::Conflict
    async fn insert_session(&self, app: &AppId, session: &Session, client: &Document) -> Result<()>;

    /// A session with its user, in one read.
    ///
    /// **Behaviour**
    /// - a missing, deleted or foreign session is `None`;
    /// - expired and disabled ones are returned: the caller decides.
    async fn live_session(&self, app: &AppId, id: SessionId) -> Result<Option<LiveSession>>;

    /// Notes that a session was used.
    ///
    /// **Behaviour**
    /// - a missing session is no error.
    async fn touch_session(&self, app: &AppId, id: SessionId, now: DateTime<Utc>) -> Result<()>;

    /// Ends a session; durable against power loss.
    ///
    /// **Behaviour**
    /// - says whether there was one; of 50 parallel deletes exactly one says yes.
    async fn delete_session(&self, app: &AppId, id: SessionId) -> Result<bool>;

    /// The sessions of a user, expired ones included.
    ///
    /// **Behaviour**
    /// - oldest first, those of one moment in the order of their ids;
    /// - each comes with what its client said, as it was written.
    async fn sessions_of(&self, app: &AppId, user: UserId) -> Result<Vec<ListedSession>>;

    /// Ends every session of a user but `except`; durable against power loss.
    ///
    /// **Behaviour**
    /// - returns how many it ended;
    /// - an `except` that is not a session of the user keeps none alive.
    async fn delete_sessions_of(&self, app: &AppId, user: UserId, except: Option<SessionId>) -> Result<u64>;

    /// Ends the sessions of a user that one of its identities opened; durable against power loss.
    ///
    /// **Behaviour**
    /// - returns how many it ended;
    /// - sessions of the same identity id under another provider, or of another user, go on.
    async fn delete_sessions_by_identity(
        &self,
        app: &AppId,
        user: UserId,
        provider: &str,
        identity: &str,
    ) -> Result<u64>;

    /// When the last of the sessions that were opened before `created_before` ends: until then, keys that
    /// signed for them have to be kept.
    ///
    /// **Behaviour**
    /// - the latest `expires_at` among them, past or not;
    /// - without such a session it is `None`.
    async fn last_session_end(
        &self,
        app: &AppId,
        created_before: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>>;

    /// Removes sessions that expired before `now`, in all apps. Returns how many.
    async fn purge_sessions(&self, now: DateTime<Utc>) -> Result<u64>;
}
