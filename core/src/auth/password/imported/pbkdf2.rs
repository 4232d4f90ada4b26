//! PBKDF2 (RFC 8018) with HMAC-SHA-256 or HMAC-SHA-512.

use std::num::NonZeroU32;

use ring::pbkdf2::{Algorithm, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512, verify};

use crate::auth::password::phc::Phc;

/// Eight times OWASP's recommendation for SHA-256.
const MAX_ITERATIONS: u32 = 5_000_000;
/// A longer hash costs its owner more than it costs a guesser, and here several times the work.
const MAX_HASH: usize = 64;

pub(in crate::auth::password) struct Pbkdf2 {
    algorithm: Algorithm,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Pbkdf2 {
    pub(super) fn parse(phc: Phc<'_>) -> Option<Self> {
        let algorithm = match phc.id {
            "pbkdf2-sha512" => PBKDF2_HMAC_SHA512,
            _ => PBKDF2_HMAC_SHA256,
        };
        let iterations = NonZeroU32::new(phc.number("i")?)?;
        let length = phc.text("l").map_or(Some(phc.hash.len()), |length| length.parse().ok())?;
        let fits = length == phc.hash.len() && length <= MAX_HASH && phc.has_only(&["i", "l"]);
        let bearable = iterations.get() <= MAX_ITERATIONS;
        (fits && bearable).then_some(Self { algorithm, iterations, salt: phc.salt, hash: phc.hash })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        verify(self.algorithm, self.iterations, &self.salt, password, &self.hash).is_ok()
    }
}
