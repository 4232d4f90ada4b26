//! Signing keys and small facts about an app.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Result;
use crate::id::AppId;

/// A signing key at rest. Access and refresh keys are derived from it.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKeyRecord {
    /// The `kid` of tokens.
    pub id: String,
    /// What it signs with.
    pub algorithm: KeyAlgorithm,
    /// At least 32 random bytes for `Hs256`, PKCS#8 for the others.
    pub secret: Vec<u8>,
    /// When it was made; the newest signs.
    pub created_at: DateTime<Utc>,
}

impl std::fmt::Debug for SigningKeyRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKeyRecord({})", self.id)
    }
}

/// What a signing key signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// HMAC with SHA-256 (RFC 7518 §3.2).
    Hs256,
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4).
    Es256,
    /// Ed25519 (RFC 8037 §3.1).
    EdDsa,
}

impl KeyAlgorithm {
    /// The `alg` of tokens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// Keeps signing keys.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// All keys of the app, oldest first.
    ///
    /// **Behaviour**
    /// - keys come as they were written, of whatever algorithm.
    async fn signing_keys(&self, app: &AppId) -> Result<Vec<SigningKeyRecord>>;

    /// Adds a key if the app has exactly `expected` keys; durable against power loss.
    ///
    /// **Behaviour**
    /// - says whether it was added: of 50 parallel first keys exactly one is.
    async fn insert_signing_key(&self, app: &AppId, key: &SigningKeyRecord, expected: usize) -> Result<bool>;

    /// Removes a key; says whether there was one.
    async fn delete_signing_key(&self, app: &AppId, id: &str) -> Result<bool>;
}

/// The key of an app's domain id, which is there from the app's first start.
pub const DOMAIN_ID: &str = "domain_id";

/// Keeps small named facts: domain ids, markers of loaded data.
#[async_trait]
pub trait MetaStore: Send + Sync {
    /// The apps that have facts, in the byte order of their ids: those that were ever served.
    async fn apps(&self) -> Result<Vec<AppId>>;

    /// All facts of an app, in the byte order of their keys.
    async fn facts(&self, app: &AppId) -> Result<Vec<(String, String)>>;

    /// The value under a key.
    async fn meta(&self, app: &AppId, key: &str) -> Result<Option<String>>;

    /// Stores a value unless there is one, and returns the one that stands; durable.
    ///
    /// **Behaviour**
    /// - of 50 parallel writers all get the same value back.
    async fn meta_or_insert(&self, app: &AppId, key: &str, value: &str) -> Result<String>;
}
