//! The compact serialisation (RFC 7515 §7.1), read in one way only.
//!
//! 1. Length is checked before anything is decoded.
//! 2. Three non-empty segments of unpadded base64url without trailing bits; nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Fault;

/// A token's three segments, still encoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segments<'t> {
    pub(super) header: &'t str,
    pub(super) payload: &'t str,
    pub(super) signature: &'t str,
    /// Header and payload with the dot between them: what is signed.
    pub(super) signed: &'t str,
}

impl<'t> Segments<'t> {
    pub(super) fn split(token: &'t str, max_bytes: usize) -> Result<Self, Fault> {
        if token.len() > max_bytes {
            return Err(Fault("the token is too long"));
        }
        let not_three = || Fault("the token has not three segments");
        let (signed, signature) = token.rsplit_once('.').ok_or_else(not_three)?;
        let (header, payload) = signed.split_once('.').ok_or_else(not_three)?;
        if header.is_empty() || payload.is_empty() || signature.is_empty() || payload.contains('.') {
            return Err(not_three());
        }
        Ok(Self { header, payload, signature, signed })
    }
}

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn encode_into(bytes: impl AsRef<[u8]>, text: &mut String) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

pub(super) fn decode(segment: &str) -> Result<Vec<u8>, Fault> {
    URL_SAFE_NO_PAD.decode(segment).map_err(|_| Fault("a segment is not base64url"))
}

/// Decodes into a buffer that bounds what comes out.
pub(super) fn decode_into<'b>(segment: &str, buffer: &'b mut [u8]) -> Result<&'b [u8], Fault> {
    let bad = || Fault("a segment is not base64url, or too long");
    let length = URL_SAFE_NO_PAD.decode_slice(segment, buffer).map_err(|_| bad())?;
    buffer.get(..length).ok_or_else(bad)
}
