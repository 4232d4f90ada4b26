//! Passwords that were right a moment ago, for clients that send them with every request.
//!
//! Neither password nor hash of one is kept: an entry is found by a salted hash of everything at once, the
//! salt is this process's own, and the entry names the user as they were when the password was checked.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::throttle::hash;
use crate::env::Random;
use crate::error::Result;
use crate::id::{AppId, UserId};
use crate::limits::Limits;
use crate::store::{Registration, User};

/// The cache.
pub(super) struct VerifiedCredentials {
    most: usize,
    lifetime: TimeDelta,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    salt: Option<[u8; 32]>,
    entries: HashMap<[u8; 32], Entry>,
}

/// What an entry is found by.
#[derive(Clone, Copy)]
pub(super) struct CredentialKey([u8; 32]);

/// The user as they were.
#[derive(Clone)]
pub(super) struct VerifiedUser {
    pub(super) user: UserId,
    pub(super) epoch: u32,
    /// The id of the identity with the password.
    pub(super) identity: String,
}

struct Entry {
    user: VerifiedUser,
    expires_at: DateTime<Utc>,
}

impl VerifiedUser {
    /// Whether the user still is who they were: nothing has ended their sessions since.
    pub(super) fn is_still(&self, user: &User) -> bool {
        let has_identity = user
            .identities
            .iter()
            .any(|identity| identity.provider == Registration::PROVIDER && identity.id == self.identity);
        user.id == self.user && user.epoch == self.epoch && !user.disabled && has_identity
    }
}

impl VerifiedCredentials {
    pub(super) fn new(limits: &Limits) -> Self {
        let lifetime = TimeDelta::from_std(limits.verified_credential).unwrap_or(TimeDelta::zero());
        Self { most: limits.verified_credentials, lifetime, state: Mutex::default() }
    }

    pub(super) fn key(
        &self,
        random: &dyn Random,
        app: &AppId,
        email: &str,
        password: &str,
    ) -> Result<CredentialKey> {
        let mut state = self.lock();
        let salt = match state.salt {
            Some(salt) => salt,
            None => {
                let mut salt = [0_u8; 32];
                random.fill(&mut salt)?;
                *state.salt.insert(salt)
            }
        };
        drop(state);
        Ok(CredentialKey(hash(&[&salt, app.as_str().as_bytes(), email.as_bytes(), password.as_bytes()])))
    }

    pub(super) fn get(&self, key: CredentialKey, now: DateTime<Utc>) -> Option<VerifiedUser> {
        let state = self.lock();
        state.entries.get(&key.0).filter(|entry| now < entry.expires_at).map(|entry| entry.user.clone())
    }

    /// Keeps an entry; the one that would end first makes room.
    pub(super) fn put(&self, key: CredentialKey, user: VerifiedUser, now: DateTime<Utc>) {
        let Some(expires_at) = now.checked_add_signed(self.lifetime) else { return };
        let entries = &mut self.lock().entries;
        if entries.len() >= self.most && !entries.contains_key(&key.0) {
            entries.retain(|_, entry| now < entry.expires_at);
        }
        while entries.len() >= self.most && !entries.contains_key(&key.0) {
            let first = entries.iter().min_by_key(|(_, entry)| entry.expires_at).map(|(key, _)| *key);
            // Without room for even one, nothing is kept.
            let Some(first) = first else { return };
            entries.remove(&first);
        }
        entries.insert(key.0, Entry { user, expires_at });
    }

    pub(super) fn forget(&self, key: CredentialKey) {
        self.lock().entries.remove(&key.0);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Clock;
    use crate::env::test::{ManualClock, SeededRandom};

    fn someone() -> VerifiedUser {
        let user = UserId::parse("65a000000000000000000001").unwrap();
        VerifiedUser { user, epoch: 0, identity: "i".to_owned() }
    }

    #[test]
    fn entries_end_after_five_minutes_and_are_never_more_than_the_limit() {
        let clock = ManualClock::at(1_800_000_000);
        let (random, app) = (SeededRandom::new(1), AppId::new("shop"));
        let limits = Limits { verified_credentials: 2, ..Limits::default() };
        let cache = VerifiedCredentials::new(&limits);
        let key = |email: &str, password: &str| cache.key(&random, &app, email, password).unwrap();
        let is_there = |email: &str, password: &str| cache.get(key(email, password), clock.now()).is_some();
        cache.put(key("a", "secret"), someone(), clock.now());
        assert!(is_there("a", "secret") && !is_there("a", "secret2") && !is_there("as", "ecret"));
        clock.advance(std::time::Duration::from_secs(299));
        cache.put(key("b", "secret"), someone(), clock.now());
        assert!(is_there("a", "secret"));
        clock.advance(std::time::Duration::from_secs(1));
        assert!(!is_there("a", "secret") && is_there("b", "secret"));
        clock.advance(std::time::Duration::from_secs(1));
        for email in ["c", "d"] {
            cache.put(key(email, "secret"), someone(), clock.now());
        }
        assert!(!is_there("b", "secret"), "the oldest made room");
        assert_eq!(cache.lock().entries.len(), 2);
        cache.forget(key("d", "secret"));
        assert!(is_there("c", "secret") && !is_there("d", "secret"));
    }
}
