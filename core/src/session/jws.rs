//! The strict compact-JWS codec (RFC 7515 §7.1), on ring.
//!
//! 1. Length is checked before anything is decoded.
//! 2. Three non-empty segments of unpadded base64url without trailing bits; nothing else.
//! 3. The header has exactly `alg`, `typ` and `kid`, each once, each a plain string: `crit`, `b64`,
//!    `zip`, `jwk`, `jku`, `x5u`, `x5c` and whatever else is unknown are refused, not skipped.
//! 4. `kid` picks the key and the key knows its one algorithm; `alg` must name it exactly.
//! 5. The payload is handed out only after the signature holds.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use ring::hmac;
use serde::Deserialize;

/// The bytes that a header of ours may have; a `kid` is 24 letters.
const MAX_HEADER: usize = 512;
/// The bytes of the longest signature (RSA-4096).
const MAX_SIGNATURE: usize = 512;
/// The bytes that an HMAC secret must have.
pub(super) const MIN_SECRET: usize = 32;

/// Why a token was refused. Clients are told the same for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// No key of that `kid`; another machine may have made it since.
    UnknownKey,
    /// Everything else.
    Invalid,
}

/// A key that checks signatures of one algorithm.
///
/// Third parties' algorithms are further variants; [`verify`] does not change for them.
#[derive(Clone, Debug)]
pub(super) enum VerifyingKey {
    /// HMAC-SHA256, prebuilt.
    Hs256(hmac::Key),
}

impl VerifyingKey {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hs256(_) => Algorithm::HS256,
        }
    }

    fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            // ring compares in constant time and refuses other lengths.
            Self::Hs256(key) => hmac::verify(key, message, signature).is_ok(),
        }
    }
}

/// A key that signs, with the header segment that its tokens start with.
#[derive(Clone, Debug)]
pub(super) struct SigningKey {
    header: String,
    mac: hmac::Key,
}

impl SigningKey {
    /// Signs HS256 under this `kid`, which must need no escape in JSON.
    pub(super) fn hs256(kid: &str, mac: hmac::Key) -> Self {
        let header = format!(r#"{{"alg":"HS256","kid":"{kid}","typ":"JWT"}}"#);
        Self { header: URL_SAFE_NO_PAD.encode(header), mac }
    }

    /// The token of this payload.
    pub(super) fn sign(&self, payload: &[u8]) -> String {
        let mut token = String::with_capacity(self.header.len() + payload.len() * 4 / 3 + 50);
        token.push_str(&self.header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let tag = hmac::sign(&self.mac, token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(tag.as_ref(), &mut token);
        token
    }
}

/// Whether text may be a `kid`: it stands in JSON as it is.
pub(super) fn is_plain_kid(kid: &str) -> bool {
    (1..=128).contains(&kid.len())
        && kid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// The payload of a token whose signature holds.
pub(super) fn verify<'k>(
    token: &str,
    max_bytes: usize,
    key_of: impl FnOnce(&str) -> Option<&'k VerifyingKey>,
) -> Result<Vec<u8>, Refused> {
    let segments = Segments::split(token, max_bytes)?;
    let mut buffer = [0_u8; MAX_HEADER];
    let header = decode_into(segments.header, &mut buffer)?;
    let header: Header<'_> = serde_json::from_slice(header).map_err(|_| Refused::Invalid)?;
    if header.typ != "JWT" {
        return Err(Refused::Invalid);
    }
    let key = key_of(header.kid).ok_or(Refused::UnknownKey)?;
    if header.alg != key.algorithm() {
        return Err(Refused::Invalid);
    }
    let mut buffer = [0_u8; MAX_SIGNATURE];
    let signature = decode_into(segments.signature, &mut buffer)?;
    if !key.accepts(segments.signed.as_bytes(), signature) {
        return Err(Refused::Invalid);
    }
    decode(segments.payload)
}

/// The payload of a token **whoever made it**: good for routing, never for trust.
pub(super) fn unverified_payload(token: &str, max_bytes: usize) -> Option<Vec<u8>> {
    Segments::split(token, max_bytes).and_then(|segments| decode(segments.payload)).ok()
}

struct Segments<'t> {
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
    signed: &'t str,
}

impl<'t> Segments<'t> {
    fn split(token: &'t str, max_bytes: usize) -> Result<Self, Refused> {
        if token.len() > max_bytes {
            return Err(Refused::Invalid);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refused::Invalid)?;
        let (header, payload) = signed.split_once('.').ok_or(Refused::Invalid)?;
        if header.is_empty() || payload.is_empty() || signature.is_empty() || payload.contains('.') {
            return Err(Refused::Invalid);
        }
        Ok(Self { header, payload, signature, signed })
    }
}

/// Borrowed strings refuse escapes, and the derive refuses a member that comes twice.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'t> {
    alg: Algorithm,
    typ: &'t str,
    kid: &'t str,
}

fn decode(segment: &str) -> Result<Vec<u8>, Refused> {
    URL_SAFE_NO_PAD.decode(segment).map_err(|_| Refused::Invalid)
}

fn decode_into<'b>(segment: &str, buffer: &'b mut [u8]) -> Result<&'b [u8], Refused> {
    let length = URL_SAFE_NO_PAD.decode_slice(segment, buffer).map_err(|_| Refused::Invalid)?;
    buffer.get(..length).ok_or(Refused::Invalid)
}

#[cfg(test)]
mod attacks;
