//! Users, identities and registrations.

use async_trait::async_trait;
use backstitch::id::{AppId, UserId};
use backstitch::secret::Secret;
use backstitch::store::{Registration, Registrations, Result, User, UserStore};
use chrono::{DateTime, Utc};

use std::collections::HashSet;
use std::ops::Bound;

use crate::MemoryStore;
use crate::accounts::{AppTables, conflict, duplicate};

#[async_trait]
impl UserStore for MemoryStore {
    async fn insert_user(&self, app: &AppId, user: &User) -> Result<()> {
        let mut accounts = self.accounts();
        insert(accounts.of_mut(app), user)
    }

    async fn insert_registered_user(&self, app: &AppId, user: &User, email: &str) -> Result<()> {
        let mut accounts = self.accounts();
        let tables = accounts.of_mut(app);
        if !tables.registrations.get(email).is_some_and(|stored| user.has_registration(stored)) {
            return Err(conflict("the registration is gone"));
        }
        insert(tables, user)
    }

    async fn user(&self, app: &AppId, id: UserId) -> Result<Option<User>> {
        Ok(self.accounts().of(app).and_then(|tables| tables.users.get(&id)).cloned())
    }

    async fn user_by_identity(&self, app: &AppId, provider: &str, identity_id: &str) -> Result<Option<User>> {
        let key = (provider.to_owned(), identity_id.to_owned());
        let accounts = self.accounts();
        let Some(tables) = accounts.of(app) else { return Ok(None) };
        Ok(tables.identities.get(&key).and_then(|owner| tables.users.get(owner)).cloned())
    }

    async fn replace_user(&self, app: &AppId, user: &User, expected: &User) -> Result<()> {
        let mut accounts = self.accounts();
        let tables = accounts.of_mut(app);
        let Some(stored) = tables.users.get(&user.id).filter(|stored| is_still(stored, expected)) else {
            return Err(conflict("the user is gone or has changed meanwhile"));
        };
        let last_login_at = stored.last_login_at.max(user.last_login_at);
        claim_identities(tables, user)?;
        tables.users.insert(user.id, User { last_login_at, ..user.clone() });
        Ok(())
    }

    async fn touch_user(&self, app: &AppId, id: UserId, now: DateTime<Utc>) -> Result<()> {
        if let Some(user) = self.accounts().of_mut(app).users.get_mut(&id) {
            user.last_login_at = now;
        }
        Ok(())
    }

    async fn delete_user(&self, app: &AppId, id: UserId) -> Result<bool> {
        Ok(self.accounts().of_mut(app).remove_users(&HashSet::from([id])) > 0)
    }

    async fn delete_idle_users(
        &self,
        app: &AppId,
        provider: &str,
        created_before: DateTime<Utc>,
        active_before: DateTime<Utc>,
    ) -> Result<u64> {
        let mut accounts = self.accounts();
        let tables = accounts.of_mut(app);
        let seen = tables.sessions.values().map(|listed| &listed.session);
        let active: HashSet<_> = seen
            .filter(|session| session.last_seen_at >= active_before)
            .map(|session| session.user)
            .collect();
        let idle = tables.users.values().filter(|user| {
            user.created_at < created_before
                && user.last_login_at < active_before
                && !user.identities.is_empty()
                && user.identities.iter().all(|identity| identity.provider == provider)
                && !active.contains(&user.id)
        });
        let idle = idle.map(|user| user.id).collect();
        Ok(tables.remove_users(&idle))
    }

    async fn list_users(&self, app: &AppId, after: Option<UserId>, limit: usize) -> Result<Vec<User>> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let accounts = self.accounts();
        let Some(tables) = accounts.of(app) else { return Ok(Vec::new()) };
        Ok(tables.users.range((start, Bound::Unbounded)).take(limit).map(|(_, user)| user.clone()).collect())
    }

    async fn insert_registration(&self, app: &AppId, registration: &Registration) -> Result<()> {
        let mut accounts = self.accounts();
        let registrations = &mut accounts.of_mut(app).registrations;
        if registrations.contains_key(&registration.email) {
            return Err(duplicate("the address is registered"));
        }
        registrations.insert(registration.email.clone(), registration.clone());
        Ok(())
    }

    async fn registration(&self, app: &AppId, email: &str) -> Result<Option<Registration>> {
        Ok(self.accounts().of(app).and_then(|tables| tables.registrations.get(email)).cloned())
    }

    async fn replace_registration(
        &self,
        app: &AppId,
        registration: &Registration,
        expected_hash: &Secret,
    ) -> Result<()> {
        match self.accounts().of_mut(app).registrations.get_mut(&registration.email) {
            Some(stored) if stored.password_hash == *expected_hash => {
                *stored = registration.clone();
                Ok(())
            }
            _ => Err(conflict("the registration is gone or has another hash")),
        }
    }

    async fn move_registration(
        &self,
        app: &AppId,
        email: &str,
        registration: &Registration,
        expected_hash: &Secret,
    ) -> Result<()> {
        let mut accounts = self.accounts();
        let registrations = &mut accounts.of_mut(app).registrations;
        if registrations.get(email).is_none_or(|stored| stored.password_hash != *expected_hash) {
            return Err(conflict("the registration is gone or has another hash"));
        }
        if registration.email != email && registrations.contains_key(&registration.email) {
            return Err(duplicate("the address is registered"));
        }
        registrations.remove(email);
        registrations.insert(registration.email.clone(), registration.clone());
        Ok(())
    }

    async fn list_registrations(
        &self,
        app: &AppId,
        which: Registrations,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Registration>> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let accounts = self.accounts();
        let Some(tables) = accounts.of(app) else { return Ok(Vec::new()) };
        let later = tables.registrations.range::<str, _>((start, Bound::Unbounded)).map(|(_, one)| one);
        Ok(later.filter(|one| is_one_of(which, tables, one)).take(limit).cloned().collect())
    }

    async fn delete_registration(&self, app: &AppId, email: &str) -> Result<bool> {
        Ok(self.accounts().of_mut(app).registrations.remove(email).is_some())
    }
}

fn is_one_of(which: Registrations, tables: &AppTables, one: &Registration) -> bool {
    match which {
        Registrations::All => true,
        Registrations::Pending => !one.confirmed,
        Registrations::Unclaimed => {
            let key = (Registration::PROVIDER.to_owned(), one.identity_id.clone());
            !tables.identities.contains_key(&key)
        }
    }
}

fn insert(tables: &mut AppTables, user: &User) -> Result<()> {
    if tables.users.contains_key(&user.id) {
        return Err(duplicate("the user id is taken"));
    }
    claim_identities(tables, user)?;
    tables.users.insert(user.id, user.clone());
    Ok(())
}

/// Whether nothing that a replacement could undo has changed.
fn is_still(stored: &User, expected: &User) -> bool {
    stored.kind == expected.kind
        && stored.disabled == expected.disabled
        && stored.epoch == expected.epoch
        && stored.identities == expected.identities
}

/// Gives the user exactly the identities in its list, or changes nothing.
fn claim_identities(tables: &mut AppTables, user: &User) -> Result<()> {
    let keys: Vec<_> =
        user.identities.iter().map(|identity| (identity.provider.clone(), identity.id.clone())).collect();
    if keys.iter().any(|key| tables.identities.get(key).is_some_and(|owner| *owner != user.id)) {
        return Err(duplicate("the identity is taken"));
    }
    if let Some(stored) = tables.users.get(&user.id) {
        for gone in &stored.identities {
            tables.identities.remove(&(gone.provider.clone(), gone.id.clone()));
        }
    }
    tables.identities.extend(keys.into_iter().map(|key| (key, user.id)));
    Ok(())
}
