//! Tokens of third parties.
//!
//! 1. Nothing in a header changes how a token is checked: `crit`, `b64`, `zip` and what belongs to encryption
//!    (RFC 7516) are refused, and so are keys that a token brings along or points to (`jwk`, `jku`, `x5u`, `x5c`).
//! 2. `typ` is `JWT`, `at+jwt` (RFC 9068 §2.1) or absent; a `cty` is refused: there are no tokens within tokens.
//! 3. A key is tried only for a token that names its algorithm.
//! 4. The payload is read only after a signature holds.

use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::compact::{self, Segments};
use super::{Fault, VerifyingKey, json};

const MAX_HEADER: usize = 4096;
const MAX_KID: usize = 256;
/// The bytes of an RSA-4096 signature, and what the decoder rounds up to.
const MAX_SIGNATURE: usize = 516;

/// Header parameters that would have a reader do something else than check a signature with a known key.
const REFUSED: [&str; 14] =
    ["crit", "b64", "zip", "jwk", "jku", "x5u", "x5c", "cty", "enc", "epk", "apu", "apv", "p2s", "p2c"];

/// A token whose form is right and whose signature is still to be checked.
#[derive(Debug)]
pub(crate) struct ForeignToken<'t> {
    segments: Segments<'t>,
    algorithm: Algorithm,
    kid: Option<String>,
}

impl<'t> ForeignToken<'t> {
    /// Reads form and header of a token of at most so many bytes.
    pub(crate) fn read(token: &'t str, max_bytes: usize) -> Result<Self, Fault> {
        let segments = Segments::split(token, max_bytes)?;
        let mut buffer = [0_u8; MAX_HEADER];
        let header = json::object(compact::decode_into(segments.header, &mut buffer)?)?;
        if REFUSED.iter().any(|name| header.contains_key(*name)) {
            return Err(Fault("the header has a parameter that is not allowed"));
        }
        let algorithm = match text(&header, "alg")? {
            Some("HS256") => Algorithm::HS256,
            Some("RS256") => Algorithm::RS256,
            Some("ES256") => Algorithm::ES256,
            Some("EdDSA") => Algorithm::EdDSA,
            _ => return Err(Fault("`alg` is not HS256, RS256, ES256 or EdDSA")),
        };
        if text(&header, "typ")?.is_some_and(|typ| !is_token_type(typ)) {
            return Err(Fault("`typ` is neither `JWT` nor `at+jwt`"));
        }
        let kid = text(&header, "kid")?;
        if kid.is_some_and(|kid| kid.len() > MAX_KID || kid.chars().any(char::is_control)) {
            return Err(Fault("`kid` is too long, or has control characters"));
        }
        Ok(Self { segments, algorithm, kid: kid.map(str::to_owned) })
    }

    /// The key that the token says it is signed with.
    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The payload, if one of the keys signed it.
    pub(crate) fn verify<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k VerifyingKey>,
    ) -> Result<Vec<u8>, Fault> {
        let mut buffer = [0_u8; MAX_SIGNATURE];
        let signature = compact::decode_into(self.segments.signature, &mut buffer)?;
        let signed = self.segments.signed.as_bytes();
        let mut fitting = keys.into_iter().filter(|key| key.algorithm() == self.algorithm).peekable();
        if fitting.peek().is_none() {
            return Err(Fault("there is no key of that `kid` and `alg`"));
        }
        if !fitting.any(|key| key.accepts(signed, signature)) {
            return Err(Fault("the signature does not hold"));
        }
        compact::decode(self.segments.payload)
    }
}

/// A header parameter that is text if it is there.
fn text<'h>(header: &'h Map<String, Value>, name: &str) -> Result<Option<&'h str>, Fault> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Fault("`alg`, `typ` or `kid` is not a string")),
    }
}

/// Media types are compared without regard to case, and `application/` may be left out (RFC 7515 §4.1.9).
fn is_token_type(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "at+jwt")
}

#[cfg(test)]
mod attacks;
