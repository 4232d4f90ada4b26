//! Everything but documents, under one lock: all of it is short work.

use std::collections::{BTreeMap, HashMap};

use backstitch::id::{AppId, SessionId, UserId};
use backstitch::store::{
    Registration, Session, SigningKeyRecord, StoreError, StoreErrorKind, TicketKey, User,
};

use crate::tickets::StoredTicket;

/// The tables, by app.
#[derive(Default)]
pub(crate) struct Accounts {
    apps: HashMap<AppId, AppTables>,
}

/// What belongs to one app.
#[derive(Default)]
pub(crate) struct AppTables {
    pub(crate) users: BTreeMap<UserId, User>,
    /// (provider, id) → owner.
    pub(crate) identities: HashMap<(String, String), UserId>,
    pub(crate) registrations: HashMap<String, Registration>,
    pub(crate) sessions: HashMap<SessionId, Session>,
    pub(crate) tickets: HashMap<TicketKey, StoredTicket>,
    pub(crate) keys: Vec<SigningKeyRecord>,
    pub(crate) meta: HashMap<String, String>,
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

    /// The tables of all apps.
    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut AppTables> {
        self.apps.values_mut()
    }
}

pub(crate) fn conflict(message: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Conflict, message)
}

pub(crate) fn duplicate(message: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::DuplicateKey, message)
}
