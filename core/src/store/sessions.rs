//! Sessions: one row each, checked on every request.

use async_trait::async_trait;
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

/// Keeps sessions.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Adds a session.
    ///
    /// **Behaviour**
    /// - a session for a user that does not exist (any more) is [`Conflict`], so that a log-in that
    ///   races a delete leaves no session behind.
    ///
    /// [`Conflict`]: super::StoreErrorKind::Conflict
    async fn insert_session(&self, app: &AppId, session: &Session) -> Result<()>;

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

    /// Ends every session of a user; durable against power loss. Returns how many there were.
    async fn delete_sessions_of(&self, app: &AppId, user: UserId) -> Result<u64>;

    /// Removes sessions that expired before `now`, in all apps. Returns how many.
    async fn purge_sessions(&self, now: DateTime<Utc>) -> Result<u64>;
}
