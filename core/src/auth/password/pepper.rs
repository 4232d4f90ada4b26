//! Peppers: secrets that go into the hash and are not kept beside it.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::secret::Secret;

/// Argon2's `keyid` holds as many.
const MAX_ID: usize = 8;
const MIN_SECRET: usize = 32;

/// A pepper and the name that stored hashes know it by.
#[derive(Clone)]
pub(super) struct Pepper {
    pub(super) id: String,
    pub(super) secret: Secret,
}

/// All that a stored hash may need, oldest first.
#[derive(Clone, Default)]
pub(super) struct Peppers(Vec<Arc<Pepper>>);

impl Peppers {
    pub(super) fn new(list: Vec<(String, Secret)>) -> Result<Self> {
        let mut peppers = Self::default();
        for (id, secret) in list {
            if id.is_empty() || id.len() > MAX_ID || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                let text =
                    format!("the id `{id}` of a password pepper must be 1 to {MAX_ID} letters or digits");
                return Err(Error::internal(text));
            }
            if secret.expose().len() < MIN_SECRET {
                return Err(Error::internal(format!(
                    "the password pepper `{id}` is under {MIN_SECRET} bytes"
                )));
            }
            if peppers.named(id.as_bytes()).is_some() {
                return Err(Error::internal(format!("two password peppers have the id `{id}`")));
            }
            peppers.0.push(Arc::new(Pepper { id, secret }));
        }
        Ok(peppers)
    }

    /// The one that new hashes get.
    pub(super) fn newest(&self) -> Option<&Arc<Pepper>> {
        self.0.last()
    }

    pub(super) fn named(&self, id: &[u8]) -> Option<&Arc<Pepper>> {
        self.0.iter().find(|pepper| pepper.id.as_bytes() == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_single_and_secrets_are_long() {
        let long = || Secret::new("p".repeat(32));
        assert!(Peppers::new(vec![("1".into(), long()), ("2026".into(), long())]).is_ok());
        for bad in [
            vec![(String::new(), long())],
            vec![("123456789".into(), long())],
            vec![("a$b".into(), long())],
            vec![("1".into(), Secret::new("short"))],
            vec![("1".into(), long()), ("1".into(), long())],
        ] {
            assert!(Peppers::new(bad).is_err());
        }
    }
}
