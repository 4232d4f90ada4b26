//! Everything but documents, under one lock: all of it is short work.

use std::collections::{BTreeMap, HashMap, HashSet};

use backstitch::id::{ApiKeyId, AppId, SessionId, UserId};
use backstitch::store::{
    ApiKey, ListedSession, Registration, SigningKeyRecord, StoreError, StoreErrorKind, User,
};

use crate::tickets::{Key, StoredTicket};

/// The tables, by app.
#[derive(Default)]
pub(crate) struct Accounts {
    apps: BTreeMap<AppId, AppTables>,
}

/// What belongs to one app.
#[derive(Default)]
pub(crate) struct AppTables {
    pub(crate) users: BTreeMap<UserId, User>,
    /// (provider, id) → owner.
    pub(crate) identities: HashMap<(String, String), UserId>,
    pub(crate) registrations: BTreeMap<String, Registration>,
    pub(crate) api_keys: HashMap<ApiKeyId, ApiKey>,
    pub(crate) sessions: HashMap<SessionId, ListedSession>,
    pub(crate) tickets: BTreeMap<Key, StoredTicket>,
    pub(crate) keys: Vec<SigningKeyRecord>,
    pub(crate) meta: BTreeMap<String, String>,
}

impl Accounts {
    /// The tables of an app, if anything was ever written to them.
    pub(crate) fn of(&self, app: &AppId) -> Option<&AppTables> {
        self.apps.get(app)
    }

    /// The tables of an app, made when they are not there.
    pub(crate) fn of_mut(&mut self, app: &AppId) -> &mut AppTables {
        self.apps.entry(app.clone()).or_default()
    }

    /// The apps that have facts.
    pub(crate) fn apps(&self) -> Vec<AppId> {
        let with_facts = self.apps.iter().filter(|(_, tables)| !tables.meta.is_empty());
        with_facts.map(|(app, _)| app.clone()).collect()
    }

    /// The tables of all apps.
    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut AppTables> {
        self.apps.values_mut()
    }
}

impl AppTables {
    /// Removes users with all that belongs to them; says how many there were.
    pub(crate) fn remove_users(&mut self, ids: &HashSet<UserId>) -> u64 {
        let removed: Vec<User> = ids.iter().filter_map(|id| self.users.remove(id)).collect();
        let mut addresses = HashSet::new();
        for identity in removed.iter().flat_map(|user| &user.identities) {
            self.identities.remove(&(identity.provider.clone(), identity.id.clone()));
            if identity.provider == Registration::PROVIDER {
                addresses.insert(identity.id.as_str());
            }
        }
        self.registrations.retain(|_, registration| !addresses.contains(registration.identity_id.as_str()));
        self.api_keys.retain(|_, key| !ids.contains(&key.user));
        self.sessions.retain(|_, listed| !ids.contains(&listed.session.user));
        removed.len() as u64
    }
}

pub(crate) fn conflict(message: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Conflict, message)
}

pub(crate) fn duplicate(message: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::DuplicateKey, message)
}
