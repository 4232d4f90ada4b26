//! A stored hash of any make.

use super::argon::{Recipe, StoredArgon2};
use super::imported::Imported;
use super::pepper::Peppers;
use crate::secret::Secret;

/// A stored hash that could be read and asks for bearable work.
pub(super) enum Stored {
    Argon2(Box<StoredArgon2>),
    Imported(Imported),
}

impl Stored {
    /// Nothing is allocated that the string asks for.
    pub(super) fn parse(text: &Secret, peppers: &Peppers) -> Option<Self> {
        let text = text.expose();
        if text.starts_with("$argon2") {
            StoredArgon2::parse(text, peppers).map(|stored| Self::Argon2(Box::new(stored)))
        } else {
            Imported::parse(text).map(Self::Imported)
        }
    }

    /// Whether it is what new hashes are; otherwise the next log-in replaces it.
    pub(super) fn is_made_by(&self, recipe: &Recipe) -> bool {
        match self {
            Self::Argon2(stored) => stored.is_made_by(recipe),
            Self::Imported(_) => false,
        }
    }

    /// Computes the hash, if it can be in the recipe's memory; it belongs off the async threads.
    pub(super) fn matches(&self, password: &Secret, recipe: &Recipe) -> bool {
        match self {
            Self::Argon2(stored) => stored.matches(password, recipe),
            Self::Imported(imported) => imported.matches(password.expose().as_bytes()),
        }
    }
}
