//! A third party that signs whatever it is told to. Its keys are public; they protect nothing.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use ring::{hmac, rsa};
use serde_json::{Value, json};

const RSA: &str = include_str!("../../core/src/jose/kit/rsa.pem");
const RSA_PUBLIC: &str = include_str!("../../core/src/jose/kit/rsa.pub.pem");
const P256: &str = include_str!("../../core/src/jose/kit/p256.pem");
const P256_PUBLIC: &str = include_str!("../../core/src/jose/kit/p256.pub.pem");
/// What stands before an Ed25519 key's bytes in PKCS#8 and in SubjectPublicKeyInfo (RFC 8410).
const ED25519: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
const ED25519_PUBLIC: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const ED25519_SEED: [u8; 32] = [7; 32];

/// A key that signs, one kind for each algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// HMAC with this secret.
    Hs256(Vec<u8>),
    /// An RSA key of 2048 bits.
    Rs256,
    /// A P-256 key.
    Es256,
    /// An Ed25519 key, which is the [`IdentityService`](crate::IdentityService)'s.
    EdDsa,
}

impl Signer {
    /// The `alg` of its tokens.
    pub fn alg(&self) -> &'static str {
        match self {
            Self::Hs256(_) => "HS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// A token of this header and this payload as they stand.
    pub fn token(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        self.sealed(&URL_SAFE_NO_PAD.encode(header), &URL_SAFE_NO_PAD.encode(payload))
    }

    /// Signs whatever stands in the two segments, so that nothing but the form can be at fault.
    pub fn sealed(&self, header: &str, payload: &str) -> String {
        let signed = format!("{header}.{payload}");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(self.sign(signed.as_bytes())))
    }

    /// The signature of a message.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Hs256(secret) => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec()
            }
            Self::Rs256 => {
                let key = rsa_pair();
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
            Self::Es256 => p256_pair().sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::EdDsa => ed25519_pair().sign(message).as_ref().to_vec(),
        }
    }

    /// What a configuration checks it with: the shared secret, or the public key as PEM.
    pub fn configured(&self) -> String {
        match self {
            Self::Hs256(secret) => String::from_utf8(secret.clone()).unwrap(),
            Self::Rs256 => RSA_PUBLIC.to_owned(),
            Self::Es256 => P256_PUBLIC.to_owned(),
            Self::EdDsa => {
                let der = [&ED25519_PUBLIC[..], ed25519_pair().public_key().as_ref()].concat();
                format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
            }
        }
    }

    /// The bytes of its key in PKCS#8 (RFC 5208); of the shared secret as they are.
    pub fn private(&self) -> Vec<u8> {
        match self {
            Self::Hs256(secret) => secret.clone(),
            Self::Rs256 => der(RSA),
            Self::Es256 => der(P256),
            Self::EdDsa => [&ED25519[..], &ED25519_SEED].concat(),
        }
    }

    /// Its public key as a JWK; a shared secret shows itself.
    pub fn jwk(&self, kid: &str) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match self {
            Self::Hs256(secret) => json!({ "kty": "oct", "k": encode(secret) }),
            Self::Rs256 => {
                let rsa::PublicKeyComponents { n, e } =
                    rsa::PublicKeyComponents::<Vec<u8>>::from(rsa_pair().public());
                json!({ "kty": "RSA", "n": encode(&n), "e": encode(&e) })
            }
            Self::Es256 => {
                let pair = p256_pair();
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) })
            }
            Self::EdDsa => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(ed25519_pair().public_key().as_ref()) })
            }
        };
        for (name, value) in [("kid", kid), ("use", "sig"), ("alg", self.alg())] {
            jwk[name] = value.into();
        }
        jwk
    }
}

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

fn rsa_pair() -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(&der(RSA)).unwrap()
}

fn p256_pair() -> EcdsaKeyPair {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der(P256), &SystemRandom::new()).unwrap()
}

fn ed25519_pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&ED25519_SEED).unwrap()
}
