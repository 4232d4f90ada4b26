//! The codec of our own tokens.
//!
//! 1. The header has exactly `alg`, `typ` and `kid`, each once, each a plain string: `crit`, `b64`,
//!    `zip`, `jwk`, `jku`, `x5u`, `x5c` and whatever else is unknown are refused, not skipped.
//! 2. `kid` picks the key and the key knows its one algorithm; `alg` must name it exactly.
//! 3. The payload is handed out only after the signature holds.

use jsonwebtoken::Algorithm;
use ring::hmac;
use serde::Deserialize;

use super::compact::{self, Segments};
use super::{Fault, VerifyingKey};

/// The bytes that a header of ours may have; a `kid` is 24 letters.
const MAX_HEADER: usize = 512;
/// The bytes that a signature of ours may have; the longest is 64.
const MAX_SIGNATURE: usize = 96;

/// Why a token was refused. Clients are told the same for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// No key of that `kid`; another machine may have made it since.
    UnknownKey,
    /// Everything else.
    Invalid,
}

impl From<Fault> for Refused {
    fn from(_: Fault) -> Self {
        Self::Invalid
    }
}

/// A key that signs, with the header segment that its tokens start with.
#[derive(Clone, Debug)]
pub(crate) struct SigningKey {
    header: String,
    mac: hmac::Key,
}

impl SigningKey {
    /// Signs HS256 under this `kid`, which must need no escape in JSON.
    pub(crate) fn hs256(kid: &str, mac: hmac::Key) -> Self {
        let header = format!(r#"{{"alg":"HS256","kid":"{kid}","typ":"JWT"}}"#);
        Self { header: compact::encode(header), mac }
    }

    /// The token of this payload.
    pub(crate) fn sign(&self, payload: &[u8]) -> String {
        let mut token = String::with_capacity(self.header.len() + payload.len() * 4 / 3 + 50);
        token.push_str(&self.header);
        token.push('.');
        compact::encode_into(payload, &mut token);
        let tag = hmac::sign(&self.mac, token.as_bytes());
        token.push('.');
        compact::encode_into(tag, &mut token);
        token
    }
}

/// Whether text may be a `kid`: it stands in JSON as it is.
pub(crate) fn is_plain_kid(kid: &str) -> bool {
    (1..=128).contains(&kid.len())
        && kid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// The payload of a token whose signature holds.
pub(crate) fn verify<'k>(
    token: &str,
    max_bytes: usize,
    key_of: impl FnOnce(&str) -> Option<&'k VerifyingKey>,
) -> Result<Vec<u8>, Refused> {
    let segments = Segments::split(token, max_bytes)?;
    let mut buffer = [0_u8; MAX_HEADER];
    let header = compact::decode_into(segments.header, &mut buffer)?;
    let header: Header<'_> = serde_json::from_slice(header).map_err(|_| Refused::Invalid)?;
    if header.typ != "JWT" {
        return Err(Refused::Invalid);
    }
    let key = key_of(header.kid).ok_or(Refused::UnknownKey)?;
    if header.alg != key.algorithm() {
        return Err(Refused::Invalid);
    }
    let mut buffer = [0_u8; MAX_SIGNATURE];
    let signature = compact::decode_into(segments.signature, &mut buffer)?;
    if !key.accepts(segments.signed.as_bytes(), signature) {
        return Err(Refused::Invalid);
    }
    Ok(compact::decode(segments.payload)?)
}

/// The payload of a token **whoever made it**: good for routing, never for trust.
pub(crate) fn unverified_payload(token: &str, max_bytes: usize) -> Option<Vec<u8>> {
    Segments::split(token, max_bytes).and_then(|segments| compact::decode(segments.payload)).ok()
}

/// Borrowed strings refuse escapes, and the derive refuses a member that comes twice.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'t> {
    alg: Algorithm,
    typ: &'t str,
    kid: &'t str,
}

#[cfg(test)]
mod attacks;
