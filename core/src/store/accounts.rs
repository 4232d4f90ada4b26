//! Users, their identities, and e-mail registrations.

use async_trait::async_trait;
use bson::Document;
use bson::oid::ObjectId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Result;
use crate::id::{AppId, UserId};
use crate::secret::Secret;

/// A user of one app.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// The id, which rules see as the string `%%user.id`.
    pub id: UserId,
    /// What sort of user.
    pub kind: UserKind,
    /// No log-in, and every session refused.
    pub disabled: bool,
    /// Grows with everything that ends all sessions (password change, disable, revoke all); a session
    /// opened under a smaller number is dead.
    pub epoch: u32,
    /// The linked identities, oldest first; never empty.
    pub identities: Vec<Identity>,
    /// When the user was made.
    pub created_at: DateTime<Utc>,
    /// The last log-in.
    pub last_login_at: DateTime<Utc>,
}

/// What sort of user it is (`%%user.type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserKind {
    /// A person.
    Normal,
    /// A server API key.
    Server,
}

impl UserKind {
    /// The word that rules and profiles use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Server => "server",
        }
    }
}

impl User {
    /// Whether one of the identities is the registration's.
    pub fn has_registration(&self, registration: &Registration) -> bool {
        let is_its = |known: &Identity| {
            known.provider == Registration::PROVIDER && known.id == registration.identity_id
        };
        self.identities.iter().any(is_its)
    }

    /// What the providers know of the user, merged over all identities; a later identity wins.
    pub fn data(&self) -> Document {
        self.identities.iter().flat_map(|identity| identity.data.clone()).collect()
    }
}

/// One way in, proved by a provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// The provider's type: `anon-user`, `local-userpass`, …
    pub provider: String,
    /// The id of the provider instance.
    pub provider_id: ObjectId,
    /// The id that clients see; unique within (app, provider) and what look-ups go by.
    pub id: String,
    /// What the provider knows of the user: `{email: …}`.
    pub data: Document,
}

/// An e-mail address with its password, before and after its user exists.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    /// The address exactly as registered; unique within the app.
    pub email: String,
    /// The identity's id once it logs in.
    pub identity_id: String,
    /// The password's hash as a PHC string.
    pub password_hash: Secret,
    /// Whether the address is confirmed.
    pub confirmed: bool,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
}

/// Which registrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registrations {
    /// Every one.
    All,
    /// Those that are not confirmed.
    Pending,
    /// Those whose identity no user has.
    Unclaimed,
}

impl Registration {
    /// The provider of the identities that registrations turn into.
    pub const PROVIDER: &'static str = "local-userpass";
}

/// Keeps users, identities and registrations. Everything belongs to one app; nothing of another
/// app is ever found or touched.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// Adds a user with all its identities.
    ///
    /// **Behaviour**
    /// - an identity (provider, id) that exists in the app is [`DuplicateKey`], and nothing is written;
    /// - of 50 parallel inserts of one identity exactly one succeeds.
    ///
    /// [`DuplicateKey`]: super::StoreErrorKind::DuplicateKey
    async fn insert_user(&self, app: &AppId, user: &User) -> Result<()>;

    /// Adds the user of a registration, as [`insert_user`](Self::insert_user) does, if the registration still stands:
    /// of this address, and of one of the user's `local-userpass` identities.
    ///
    /// **Behaviour**
    /// - without the registration it is [`Conflict`], and nothing is written;
    /// - an identity that exists in the app is [`DuplicateKey`], and nothing is written;
    /// - of 50 parallel inserts and a delete none leaves a user without its registration.
    ///
    /// [`Conflict`]: super::StoreErrorKind::Conflict
    /// [`DuplicateKey`]: super::StoreErrorKind::DuplicateKey
    async fn insert_registered_user(&self, app: &AppId, user: &User, email: &str) -> Result<()>;

    /// The user of that id.
    ///
    /// **Behaviour**
    /// - a missing user is `None`.
    async fn user(&self, app: &AppId, id: UserId) -> Result<Option<User>>;

    /// The user that owns an identity.
    ///
    /// **Behaviour**
    /// - the same id under another provider or in another app is another identity.
    async fn user_by_identity(&self, app: &AppId, provider: &str, identity_id: &str) -> Result<Option<User>>;

    /// Replaces a user, its identities included, if the stored one is still `expected`, apart from its last
    /// log-in.
    ///
    /// **Behaviour**
    /// - another kind, another `disabled`, another epoch or other identities (their data and their order
    ///   included), or no such user, is [`Conflict`], and nothing is written;
    /// - of 50 parallel replaces from one state exactly one succeeds;
    /// - of 50 parallel changes, each of which reads again and repeats after a [`Conflict`], none is lost;
    /// - a last log-in that was noted meanwhile stays, if it is later;
    /// - an added identity that is taken is [`DuplicateKey`], and nothing is written;
    /// - an identity that is gone from the list is free again.
    ///
    /// [`Conflict`]: super::StoreErrorKind::Conflict
    /// [`DuplicateKey`]: super::StoreErrorKind::DuplicateKey
    async fn replace_user(&self, app: &AppId, user: &User, expected: &User) -> Result<()>;

    /// Notes a log-in's time.
    ///
    /// **Behaviour**
    /// - a missing user is no error.
    async fn touch_user(&self, app: &AppId, id: UserId, now: DateTime<Utc>) -> Result<()>;

    /// Removes a user with its identities, sessions, API keys and registrations; durable against power loss.
    ///
    /// **Behaviour**
    /// - says whether there was one;
    /// - its identities are free again, and its sessions are gone;
    /// - its API keys are gone;
    /// - the registrations of its `local-userpass` identities are gone, and their addresses free again.
    async fn delete_user(&self, app: &AppId, id: UserId) -> Result<bool>;

    /// Removes users that nobody has used for long, each as [`delete_user`](Self::delete_user) does; returns how
    /// many. These are the users all of whose identities are of this provider, that were created before
    /// `created_before`, whose last log-in was before `active_before`, and none of whose sessions was seen
    /// at or after `active_before`.
    ///
    /// **Behaviour**
    /// - a user with an identity of another provider stays;
    /// - a user who was created, logged in or was seen at the given moment or later stays;
    /// - with each goes all that goes with a deleted user;
    /// - of 50 parallel calls each removed user is counted by exactly one.
    async fn delete_idle_users(
        &self,
        app: &AppId,
        provider: &str,
        created_before: DateTime<Utc>,
        active_before: DateTime<Utc>,
    ) -> Result<u64>;

    /// Users in the order of their ids, after `after`, at most `limit`.
    async fn list_users(&self, app: &AppId, after: Option<UserId>, limit: usize) -> Result<Vec<User>>;

    /// Adds a registration.
    ///
    /// **Behaviour**
    /// - a registered address (compared byte for byte) is [`DuplicateKey`];
    /// - of 50 parallel inserts of one address exactly one succeeds.
    ///
    /// [`DuplicateKey`]: super::StoreErrorKind::DuplicateKey
    async fn insert_registration(&self, app: &AppId, registration: &Registration) -> Result<()>;

    /// The registration of that address.
    ///
    /// **Behaviour**
    /// - letters' case matters: `A@x` is not `a@x`.
    async fn registration(&self, app: &AppId, email: &str) -> Result<Option<Registration>>;

    /// Replaces a registration if its hash is still `expected_hash`; durable against power loss.
    ///
    /// **Behaviour**
    /// - another hash, or no such registration, is [`Conflict`], and nothing is written.
    ///
    /// [`Conflict`]: super::StoreErrorKind::Conflict
    async fn replace_registration(
        &self,
        app: &AppId,
        registration: &Registration,
        expected_hash: &Secret,
    ) -> Result<()>;

    /// Replaces the registration of `email` by one of another address, if its hash is still `expected_hash`;
    /// durable against power loss.
    ///
    /// **Behaviour**
    /// - the old address is free again;
    /// - another hash, or no such registration, is [`Conflict`], and nothing is written;
    /// - a new address that is registered is [`DuplicateKey`], and nothing is written;
    /// - of 50 parallel moves of one registration exactly one succeeds;
    /// - of 50 parallel moves to one address exactly one succeeds.
    ///
    /// [`Conflict`]: super::StoreErrorKind::Conflict
    /// [`DuplicateKey`]: super::StoreErrorKind::DuplicateKey
    async fn move_registration(
        &self,
        app: &AppId,
        email: &str,
        registration: &Registration,
        expected_hash: &Secret,
    ) -> Result<()>;

    /// Registrations of this sort in the byte order of their addresses, after `after`, at most `limit`.
    ///
    /// **Behaviour**
    /// - of the pending ones, confirmed ones are left out;
    /// - the unclaimed ones, confirmed or not, are those that nobody has logged in by.
    async fn list_registrations(
        &self,
        app: &AppId,
        which: Registrations,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Registration>>;

    /// Removes a registration; says whether there was one.
    async fn delete_registration(&self, app: &AppId, email: &str) -> Result<bool>;
}
