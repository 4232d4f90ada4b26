//! The settings of `custom-token`: JSON Web Tokens of somebody else.

use jsonwebtoken::Algorithm;

use super::MetadataField;
use crate::jose::{Fault, VerifyingKey};
use crate::secret::Secret;

/// The settings of `custom-token`.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomTokenConfig {
    /// What signatures are checked with.
    pub keys: TokenKeySource,
    /// Whom the token has to be for.
    pub audience: Audience,
    /// The claims that become the user's data.
    pub metadata: Vec<MetadataField>,
}

impl CustomTokenConfig {
    /// What is wrong with keys that are configured: they are too short, weak, or of another kind.
    pub(crate) fn key_faults(&self) -> impl Iterator<Item = Fault> {
        let (algorithm, keys) = match &self.keys {
            TokenKeySource::Keys { algorithm, keys } => (*algorithm, keys.as_slice()),
            TokenKeySource::Jwks { .. } => (TokenAlgorithm::Hs256, &[][..]),
        };
        keys.iter().filter_map(move |secret| algorithm.key(secret).err())
    }
}

/// What signatures are checked with.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenKeySource {
    /// One to three keys of one algorithm: a shared secret, or a public key as PEM.
    Keys {
        /// The algorithm.
        algorithm: TokenAlgorithm,
        /// The keys; any of them may have signed. None of them may be weak, or the engine is not built; an
        /// importer leaves out one whose secret is missing or weak, and reports it.
        keys: Vec<Secret>,
    },
    /// A JSON Web Key Set (RFC 7517) behind a URL.
    Jwks {
        /// The URL.
        url: String,
    },
}

/// The algorithms that a third party may sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenAlgorithm {
    /// HMAC with SHA-256; not from a JWKS.
    Hs256,
    /// RSA (PKCS#1 v1.5) with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl TokenAlgorithm {
    /// Reads a key: a shared secret of at least 32 bytes, or a public key as PEM.
    pub(crate) fn key(self, secret: &Secret) -> Result<VerifyingKey, Fault> {
        let text = secret.expose();
        match self {
            Self::Hs256 => VerifyingKey::hs256(text.as_bytes()),
            Self::Rs256 => VerifyingKey::from_pem(Algorithm::RS256, text),
            Self::Es256 => VerifyingKey::from_pem(Algorithm::ES256, text),
            Self::EdDsa => VerifyingKey::from_pem(Algorithm::EdDSA, text),
        }
    }
}

/// Whom a token has to be for (`aud`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// The names; empty means the client app id.
    pub names: Vec<String>,
    /// Whether one of them is enough; otherwise the token has to name all of them.
    pub any: bool,
}
