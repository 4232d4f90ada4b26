//! API keys: long-lived credentials that log in as a user.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Result;
use crate::id::{ApiKeyId, AppId, UserId};

/// Who made an API key, and whom it counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyOwner {
    /// The app itself: a server key, with a user of its own.
    Server,
    /// A user made it, and it logs in as that user.
    User,
}

/// An API key. The key itself is never stored.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiKey {
    /// The id; unique within the app.
    pub id: ApiKeyId,
    /// The name; unique among the app's server keys, or among the user's own keys.
    pub name: String,
    /// Who made it.
    pub owner: ApiKeyOwner,
    /// Who logs in with it.
    pub user: UserId,
    /// SHA-256 of the key; unique within the app.
    pub hash: [u8; 32],
    /// No log-in with it.
    pub disabled: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Keeps API keys. Everything belongs to one app; nothing of another app is ever found or touched.
///
/// A user's own keys and the server key that logs in as a user are apart: each counts, and is named and
/// listed, only among its like.
#[async_trait]
pub trait ApiKeyStore: Send + Sync {
    /// Adds a key unless its owner (the app for server keys, else the user) has `most` already; durable
    /// against power loss.
    ///
    /// **Behaviour**
    /// - says whether it was added: with `most` keys of that owner it is not, whatever else is wrong with it;
    /// - of 50 parallel inserts exactly `most` are added;
    /// - a name taken among the app's server keys, or among the user's own keys, is [`DuplicateKey`], and
    ///   nothing is written;
    /// - an id or a hash taken in the app is [`DuplicateKey`], and nothing is written;
    /// - a key for a user that does not exist (any more) is [`Conflict`].
    ///
    /// [`Conflict`]: super::StoreErrorKind::Conflict
    /// [`DuplicateKey`]: super::StoreErrorKind::DuplicateKey
    async fn insert_api_key(&self, app: &AppId, key: &ApiKey, most: usize) -> Result<bool>;

    /// The key of that id.
    ///
    /// **Behaviour**
    /// - a missing or foreign key is `None`; a disabled one is returned.
    async fn api_key(&self, app: &AppId, id: ApiKeyId) -> Result<Option<ApiKey>>;

    /// The key with that SHA-256.
    ///
    /// **Behaviour**
    /// - an unknown or foreign hash is `None`; a disabled key is returned.
    async fn api_key_by_hash(&self, app: &AppId, hash: &[u8; 32]) -> Result<Option<ApiKey>>;

    /// The keys that a user made (`Some`), or the app's server keys (`None`).
    ///
    /// **Behaviour**
    /// - oldest first, those of one moment in the order of their ids;
    /// - the server key that logs in as a user is not among the user's own.
    async fn api_keys(&self, app: &AppId, of: Option<UserId>) -> Result<Vec<ApiKey>>;

    /// Disables or enables a key; durable against power loss.
    ///
    /// **Behaviour**
    /// - says whether there was one, be it changed or not.
    async fn set_api_key_disabled(&self, app: &AppId, id: ApiKeyId, disabled: bool) -> Result<bool>;

    /// Removes a key; durable against power loss.
    ///
    /// **Behaviour**
    /// - says whether there was one; of 50 parallel deletes exactly one says yes;
    /// - its name and hash are free again.
    async fn delete_api_key(&self, app: &AppId, id: ApiKeyId) -> Result<bool>;
}
