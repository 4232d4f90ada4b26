//! Sessions.

use async_trait::async_trait;
use backstitch::bson::Document;
use backstitch::id::{AppId, SessionId, UserId};
use backstitch::store::{ListedSession, LiveSession, Result, Session, SessionStore};
use chrono::{DateTime, Utc};

use crate::MemoryStore;
use crate::accounts::{AppTables, conflict, duplicate};

#[async_trait]
impl SessionStore for MemoryStore {
    async fn insert_session(&self, app: &AppId, session: &Session, client: &Document) -> Result<()> {
        let mut accounts = self.accounts();
        let tables = accounts.of_mut(app);
        if !tables.users.contains_key(&session.user) {
            return Err(conflict("the session's user does not exist"));
        }
        if tables.sessions.contains_key(&session.id) {
            return Err(duplicate("the session id is taken"));
        }
        let listed = ListedSession { session: session.clone(), client: client.clone() };
        tables.sessions.insert(session.id, listed);
        Ok(())
    }

    async fn live_session(&self, app: &AppId, id: SessionId) -> Result<Option<LiveSession>> {
        let accounts = self.accounts();
        let Some(tables) = accounts.of(app) else { return Ok(None) };
        let Some(ListedSession { session, .. }) = tables.sessions.get(&id) else { return Ok(None) };
        Ok(tables
            .users
            .get(&session.user)
            .map(|user| LiveSession { session: session.clone(), user: user.clone() }))
    }

    async fn touch_session(&self, app: &AppId, id: SessionId, now: DateTime<Utc>) -> Result<()> {
        if let Some(listed) = self.accounts().of_mut(app).sessions.get_mut(&id) {
            listed.session.last_seen_at = now;
        }
        Ok(())
    }

    async fn delete_session(&self, app: &AppId, id: SessionId) -> Result<bool> {
        Ok(self.accounts().of_mut(app).sessions.remove(&id).is_some())
    }

    async fn sessions_of(&self, app: &AppId, user: UserId) -> Result<Vec<ListedSession>> {
        let accounts = self.accounts();
        let Some(tables) = accounts.of(app) else { return Ok(Vec::new()) };
        let mut sessions: Vec<_> =
            tables.sessions.values().filter(|listed| listed.session.user == user).cloned().collect();
        sessions.sort_by_key(|listed| (listed.session.created_at, listed.session.id));
        Ok(sessions)
    }

    async fn delete_sessions_of(&self, app: &AppId, user: UserId, except: Option<SessionId>) -> Result<u64> {
        let mut accounts = self.accounts();
        Ok(end(accounts.of_mut(app), |session| session.user == user && Some(session.id) != except))
    }

    async fn delete_sessions_by_identity(
        &self,
        app: &AppId,
        user: UserId,
        provider: &str,
        identity: &str,
    ) -> Result<u64> {
        let mut accounts = self.accounts();
        Ok(end(accounts.of_mut(app), |session| {
            session.user == user && session.provider == provider && session.identity == identity
        }))
    }

    async fn last_session_end(
        &self,
        app: &AppId,
        created_before: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>> {
        let accounts = self.accounts();
        let Some(tables) = accounts.of(app) else { return Ok(None) };
        let sessions = tables.sessions.values().map(|listed| &listed.session);
        let older = sessions.filter(|session| session.created_at < created_before);
        Ok(older.map(|session| session.expires_at).max())
    }

    async fn purge_sessions(&self, now: DateTime<Utc>) -> Result<u64> {
        Ok(self.accounts().all_mut().map(|tables| end(tables, |session| session.expires_at < now)).sum())
    }
}

/// Removes the sessions that are to end; says how many.
fn end(tables: &mut AppTables, ends: impl Fn(&Session) -> bool) -> u64 {
    let before = tables.sessions.len();
    tables.sessions.retain(|_, listed| !ends(&listed.session));
    (before - tables.sessions.len()) as u64
}
