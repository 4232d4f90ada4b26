//! Key pairs of our own, for tokens that others are to check.

use std::fmt;

use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::{Fault, VerifyingKey, compact};
use crate::env::ring_random;

/// What stands before the seed in an Ed25519 key's PKCS#8 (RFC 8410 §7).
const ED25519_PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// A private key with its public key.
pub(crate) enum Pair {
    /// ECDSA on P-256 with SHA-256.
    Es256(EcdsaKeyPair),
    /// Ed25519.
    EdDsa(Ed25519KeyPair),
}

impl Pair {
    /// Reads a P-256 key in PKCS#8 (RFC 5208).
    pub(crate) fn es256(pkcs8: &[u8]) -> Result<Self, Fault> {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &ring_random())
            .map(Self::Es256)
            .map_err(|_| Fault("not a P-256 key in PKCS#8"))
    }

    /// Reads an Ed25519 key in PKCS#8, with or without its public key.
    pub(crate) fn ed25519(pkcs8: &[u8]) -> Result<Self, Fault> {
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8)
            .map(Self::EdDsa)
            .map_err(|_| Fault("not an Ed25519 key in PKCS#8"))
    }

    /// The PKCS#8 of a fresh P-256 key. ring makes it from the operating system's randomness and from no other.
    pub(crate) fn fresh_es256() -> Result<Vec<u8>, Fault> {
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &ring_random())
            .map(|document| document.as_ref().to_vec())
            .map_err(|_| Fault("a P-256 key could not be made"))
    }

    /// The PKCS#8 of the Ed25519 key with this random seed.
    pub(crate) fn ed25519_of(seed: [u8; 32]) -> Vec<u8> {
        [&ED25519_PKCS8[..], &seed].concat()
    }

    /// The `alg` of tokens.
    pub(super) fn alg(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::EdDsa(_) => "EdDSA",
        }
    }

    /// A signature of 64 bytes.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Fault> {
        let signature = match self {
            Self::Es256(pair) => {
                pair.sign(&ring_random(), message).map_err(|_| Fault("the token could not be signed"))?
            }
            Self::EdDsa(pair) => pair.sign(message),
        };
        Ok(signature.as_ref().to_vec())
    }

    /// The key that checks what this one signs.
    pub(crate) fn verifying(&self) -> Result<VerifyingKey, Fault> {
        match self {
            Self::Es256(pair) => {
                let (x, y) = coordinates(pair).ok_or(Fault("a P-256 key has no uncompressed point"))?;
                VerifyingKey::es256(x, y)
            }
            Self::EdDsa(pair) => VerifyingKey::ed25519(pair.public_key().as_ref()),
        }
    }

    /// The public key as a JWK (RFC 7517 §4).
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::Es256(pair) => {
                let (x, y) = coordinates(pair).unwrap_or_default();
                let (x, y) = (compact::encode(x), compact::encode(y));
                json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": kid, "use": "sig", "alg": self.alg()})
            }
            Self::EdDsa(pair) => {
                let x = compact::encode(pair.public_key());
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "use": "sig", "alg": self.alg()})
            }
        }
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pair({})", self.alg())
    }
}

/// The two halves of an uncompressed point (SEC 1 §2.3.3).
fn coordinates(pair: &EcdsaKeyPair) -> Option<(&[u8], &[u8])> {
    match pair.public_key().as_ref() {
        [4, point @ ..] => point.split_at_checked(32),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::KeySet;

    #[test]
    fn what_a_fresh_pair_signs_its_published_key_checks() {
        let es256 = Pair::es256(&Pair::fresh_es256().unwrap()).unwrap();
        let ed25519 = Pair::ed25519(&Pair::ed25519_of([7; 32])).unwrap();
        for pair in [es256, ed25519] {
            let jwks = json!({ "keys": [pair.jwk("k1")] }).to_string();
            let set = KeySet::parse(jwks.as_bytes()).unwrap();
            let key = set.named("k1").next().unwrap();
            let signature = pair.sign(b"message").unwrap();
            assert!(signature.len() == 64 && key.accepts(b"message", &signature));
            assert!(!key.accepts(b"messagf", &signature));
            assert!(pair.verifying().unwrap().accepts(b"message", &signature));
        }
    }

    #[test]
    fn one_kind_of_key_is_not_read_as_the_other() {
        let (es256, ed25519) = (Pair::fresh_es256().unwrap(), Pair::ed25519_of([7; 32]));
        assert!(Pair::es256(&ed25519).is_err() && Pair::ed25519(&es256).is_err());
        assert!(Pair::es256(b"").is_err() && Pair::ed25519(&ed25519[..47]).is_err());
    }
}
