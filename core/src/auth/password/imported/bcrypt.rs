//! bcrypt, without its trap: it reads 72 bytes.
//!
//! Where the hash comes from, what follows may have been cut off, so that every password with the same
//! beginning opened the account. Here a longer one is wrong, even if it is the one that was set: its owner
//! resets it. The alternative would keep the trap and carry it into the new hash.
//!
//! `$2x$` marks hashes of an implementation that was broken, and is refused.

use std::ops::RangeInclusive;

/// The most is about 4 seconds; each step doubles it.
const COSTS: RangeInclusive<u32> = 4..=16;
const MAX_BYTES: usize = 72;

pub(in crate::auth::password) struct Bcrypt(String);

impl Bcrypt {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let cost = ["$2a$", "$2b$", "$2y$"].iter().find_map(|prefix| text.strip_prefix(prefix))?;
        let readable: ::bcrypt::HashParts = text.parse().ok()?;
        let two_digits = cost.as_bytes().get(..2)?.iter().all(u8::is_ascii_digit);
        (two_digits && COSTS.contains(&readable.get_cost())).then(|| Self(text.to_owned()))
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        // The work is done in any case, so that its absence tells nothing.
        let right = ::bcrypt::verify(password, &self.0).unwrap_or(false);
        right && password.len() <= MAX_BYTES
    }
}
