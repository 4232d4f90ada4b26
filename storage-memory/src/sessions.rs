//! Sessions.

use async_trait::async_trait;
use backstitch::id::{AppId, SessionId, UserId};
use backstitch::store::{LiveSession, Result, Session, SessionStore};
use chrono::{DateTime, Utc};

use crate::MemoryStore;
use crate::accounts::{conflict, duplicate};

#[async_trait]
impl SessionStore for MemoryStore {
    async fn insert_session(&self, app: &AppId, session: &Session) -> Result<()> {
        let mut accounts = self.accounts();
        let tables = accounts.of_mut(app);
        if !tables.users.contains_key(&session.user) {
            return Err(conflict("the session's user does not exist"));
        }
        if tables.sessions.contains_key(&session.id) {
            return Err(duplicate("the session id is taken"));
        }
        tables.sessions.insert(session.id, session.clone());
        Ok(())
    }

    async fn live_session(&self, app: &AppId, id: SessionId) -> Result<Option<LiveSession>> {
        let accounts = self.accounts();
        let Some(tables) = accounts.of(app) else { return Ok(None) };
        let Some(session) = tables.sessions.get(&id) else { return Ok(None) };
        Ok(tables
            .users
            .get(&session.user)
            .map(|user| LiveSession { session: session.clone(), user: user.clone() }))
    }

    async fn touch_session(&self, app: &AppId, id: SessionId, now: DateTime<Utc>) -> Result<()> {
        if let Some(session) = self.accounts().of_mut(app).sessions.get_mut(&id) {
            session.last_seen_at = now;
        }
        Ok(())
    }

    async fn delete_session(&self, app: &AppId, id: SessionId) -> Result<bool> {
        Ok(self.accounts().of_mut(app).sessions.remove(&id).is_some())
    }

    async fn delete_sessions_of(&self, app: &AppId, user: UserId) -> Result<u64> {
        let mut accounts = self.accounts();
        let sessions = &mut accounts.of_mut(app).sessions;
        let before = sessions.len();
        sessions.retain(|_, session| session.user != user);
        Ok((before - sessions.len()) as u64)
    }

    async fn purge_sessions(&self, now: DateTime<Utc>) -> Result<u64> {
        let mut purged = 0;
        for tables in self.accounts().all_mut() {
            let before = tables.sessions.len();
            tables.sessions.retain(|_, session| session.expires_at >= now);
            purged += before - tables.sessions.len();
        }
        Ok(purged as u64)
    }
}
