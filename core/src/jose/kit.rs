//! A third party for tests: it signs whatever it is told to. Its keys are public; they protect nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use ring::{hmac, rsa};
use serde_json::{Value, json};

use super::{VerifyingKey, compact};
use crate::env::ring_random;

pub(crate) const HS_SECRET: &str = "a-secret-that-both-sides-know-0123456789";
pub(crate) const RSA_PEM: &str = include_str!("kit/rsa.pub.pem");
pub(crate) const RSA_PKCS1_PEM: &str = include_str!("kit/rsa.pkcs1.pem");
pub(crate) const RSA_1024_PEM: &str = include_str!("kit/rsa1024.pub.pem");
pub(crate) const P256_PEM: &str = include_str!("kit/p256.pub.pem");
pub(crate) const P256_COMPRESSED_PEM: &str = include_str!("kit/p256.compressed.pem");

/// One signer for each algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    Hs256,
    Rs256,
    Es256,
    EdDsa,
}

impl Signer {
    pub(crate) const ALL: [Self; 4] = [Self::Hs256, Self::Rs256, Self::Es256, Self::EdDsa];

    pub(crate) fn alg(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// A token of this header and these claims as text.
    pub(crate) fn token(self, header: &str, claims: &str) -> String {
        self.sealed(&compact::encode(header), &compact::encode(claims))
    }

    /// Signs whatever stands in the two segments, so that only the shape can be at fault.
    pub(crate) fn sealed(self, header: &str, payload: &str) -> String {
        let signed = format!("{header}.{payload}");
        format!("{signed}.{}", compact::encode(self.signature(signed.as_bytes())))
    }

    pub(crate) fn signature(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Hs256 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, HS_SECRET.as_bytes());
                hmac::sign(&key, message).as_ref().to_vec()
            }
            Self::Rs256 => {
                let key = rsa_pair();
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &ring_random(), message, &mut signature).unwrap();
                signature
            }
            Self::Es256 => p256_pair().sign(&ring_random(), message).unwrap().as_ref().to_vec(),
            Self::EdDsa => ed25519_pair().sign(message).as_ref().to_vec(),
        }
    }

    /// What it is checked with.
    pub(crate) fn key(self) -> VerifyingKey {
        match self {
            Self::Hs256 => VerifyingKey::hs256(HS_SECRET.as_bytes()).unwrap(),
            Self::Rs256 => VerifyingKey::from_pem(jsonwebtoken::Algorithm::RS256, RSA_PEM).unwrap(),
            Self::Es256 => VerifyingKey::from_pem(jsonwebtoken::Algorithm::ES256, P256_PEM).unwrap(),
            Self::EdDsa => VerifyingKey::ed25519(ed25519_pair().public_key().as_ref()).unwrap(),
        }
    }

    /// Its public key as a JWK.
    pub(crate) fn jwk(self, kid: &str) -> Value {
        let members = match self {
            Self::Hs256 => json!({"kty": "oct", "k": compact::encode(HS_SECRET)}),
            Self::Rs256 => {
                let rsa::PublicKeyComponents { n, e } =
                    rsa::PublicKeyComponents::<Vec<u8>>::from(rsa_pair().public());
                json!({"kty": "RSA", "n": compact::encode(n), "e": compact::encode(e)})
            }
            Self::Es256 => {
                let pair = p256_pair();
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": compact::encode(x), "y": compact::encode(y)})
            }
            Self::EdDsa => {
                let x = compact::encode(ed25519_pair().public_key());
                json!({"kty": "OKP", "crv": "Ed25519", "x": x})
            }
        };
        let mut jwk = json!({"kid": kid, "use": "sig", "alg": self.alg()});
        jwk.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        jwk
    }
}

/// The public key of [`Signer::EdDsa`] as PEM.
pub(crate) fn ed25519_pem() -> String {
    let prefix = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let der = [&prefix[..], ed25519_pair().public_key().as_ref()].concat();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
}

fn pkcs8(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

fn rsa_pair() -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(&pkcs8(include_str!("kit/rsa.pem"))).unwrap()
}

fn p256_pair() -> EcdsaKeyPair {
    let pkcs8 = pkcs8(include_str!("kit/p256.pem"));
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &ring_random()).unwrap()
}

fn ed25519_pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}
