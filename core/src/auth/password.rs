//! Passwords: Argon2id in PHC strings, off the async threads.
//!
//! 1. At most `hashing_permits` hashes run, at most `hashing_queue` wait; more is 503.
//! 2. The permit moves into the job: a client that hangs up does not free its place early.
//! 3. A stored string that asks for absurd work is refused before anything is allocated.

use std::sync::Arc;

use argon2::password_hash::phc::{PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};

use super::gate::Gate;
use crate::env::Env;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::secret::Secret;

/// The most that a stored hash may ask for: 256 MiB, 32 passes, 16 lanes.
const MOST: PasswordCost = PasswordCost { memory_kib: 256 * 1024, passes: 32, lanes: 16 };
const SALT_BYTES: usize = 16;

/// What a password hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl PasswordCost {
    /// OWASP's recommendation: 19 MiB, two passes, one lane.
    pub const RECOMMENDED: Self = Self { memory_kib: 19_456, passes: 2, lanes: 1 };

    fn of(params: &Params) -> Self {
        Self { memory_kib: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() }
    }

    fn is_bearable(self) -> bool {
        self.memory_kib <= MOST.memory_kib && self.passes <= MOST.passes && self.lanes <= MOST.lanes
    }
}

/// Hashes and checks passwords, a bounded number at once.
pub struct PasswordHasher {
    cost: PasswordCost,
    argon2: Argon2<'static>,
    gate: Arc<Gate>,
    env: Env,
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verified {
    /// The password is right.
    Right,
    /// It is right, and the hash has other parameters than new ones get.
    RightButOutdated,
    /// It is wrong.
    Wrong,
}

impl PasswordHasher {
    /// Hashes of this cost, in the numbers that the limits allow.
    ///
    /// # Errors
    /// A cost that Argon2 does not allow, or that is beyond what would be verified again.
    pub fn new(cost: PasswordCost, env: Env, limits: &Limits) -> Result<Self> {
        if !cost.is_bearable() {
            return Err(Error::internal("the password cost is beyond 256 MiB, 32 passes or 16 lanes"));
        }
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None).map_err(failed)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let gate = Gate::new(limits.hashing_permits, limits.hashing_queue);
        Ok(Self { cost, argon2, gate, env })
    }

    /// A PHC string under a fresh salt.
    ///
    /// # Errors
    /// [`Unavailable`](crate::error::ErrorKind::Unavailable) when too many wait.
    pub async fn hash(&self, password: &Secret) -> Result<Secret> {
        let mut salt = [0_u8; SALT_BYTES];
        self.env.random.fill(&mut salt)?;
        let (argon2, password) = (self.argon2.clone(), password.clone());
        self.run(move || {
            let hash = argon2.hash_password_with_salt(password.expose().as_bytes(), &salt).map_err(failed)?;
            Ok(Secret::new(hash.to_string()))
        })
        .await?
    }

    /// Compares a password with a stored hash. A hash that cannot be read, or asks for too much,
    /// matches nothing, and the log says so.
    pub(super) async fn verify(&self, password: &Secret, stored: &Secret) -> Result<Verified> {
        let Some((parsed, cost)) = readable(stored) else {
            tracing::error!("a stored password hash is unreadable or asks for too much work; it is refused");
            return Ok(Verified::Wrong);
        };
        let current = cost == self.cost && parsed.algorithm.as_str() == "argon2id";
        let (argon2, password) = (self.argon2.clone(), password.clone());
        let right =
            self.run(move || argon2.verify_password(password.expose().as_bytes(), &parsed).is_ok()).await?;
        Ok(match (right, current) {
            (true, true) => Verified::Right,
            (true, false) => Verified::RightButOutdated,
            (false, _) => Verified::Wrong,
        })
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let permit = self.gate.enter().await?;
        self.env
            .executor
            .run(move || {
                let result = work();
                drop(permit);
                result
            })
            .await
    }
}

impl std::fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PasswordHasher({:?})", self.cost)
    }
}

fn readable(stored: &Secret) -> Option<(PasswordHash, PasswordCost)> {
    let parsed = PasswordHash::new(stored.expose()).ok()?;
    Algorithm::try_from(parsed.algorithm.as_str()).ok()?;
    let params = Params::try_from(&parsed).ok()?;
    let salted = parsed.salt.as_ref().is_some_and(|salt: &Salt| salt.len() >= 8);
    let cost = PasswordCost::of(&params);
    (salted && parsed.hash.is_some() && cost.is_bearable()).then_some((parsed, cost))
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("argon2: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::test::{InlineExecutor, SeededRandom};

    const CHEAP: PasswordCost = PasswordCost { memory_kib: 64, passes: 1, lanes: 1 };

    fn hasher(cost: PasswordCost) -> PasswordHasher {
        let env = Env {
            executor: Arc::new(InlineExecutor),
            random: Arc::new(SeededRandom::new(7)),
            ..Env::system()
        };
        PasswordHasher::new(cost, env, &Limits::default()).unwrap()
    }

    #[tokio::test]
    async fn no_password_is_truncated_and_every_byte_counts() {
        let hasher = hasher(CHEAP);
        let long = "x".repeat(72);
        for (set, tried) in [
            ("secret1".to_owned(), "secret2".to_owned()),
            (format!("{long}a"), format!("{long}b")),
            ("nul\0one".to_owned(), "nul\0two".to_owned()),
            ("\u{e9}t\u{e9}123".to_owned(), "e\u{301}te\u{301}123".to_owned()),
        ] {
            let hash = hasher.hash(&Secret::new(set.as_str())).await.unwrap();
            assert!(hash.expose().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
            assert_eq!(hasher.verify(&Secret::new(set), &hash).await.unwrap(), Verified::Right);
            assert_eq!(hasher.verify(&Secret::new(tried), &hash).await.unwrap(), Verified::Wrong);
        }
    }

    #[tokio::test]
    async fn another_cost_is_right_but_outdated() {
        let password = Secret::new("secret1");
        let hash = hasher(CHEAP).hash(&password).await.unwrap();
        let dearer = hasher(PasswordCost { passes: 2, ..CHEAP });
        assert_eq!(dearer.verify(&password, &hash).await.unwrap(), Verified::RightButOutdated);
    }

    #[tokio::test]
    async fn absurd_or_broken_stored_hashes_are_refused_without_work() {
        let tail = "c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";
        for stored in [
            format!("$argon2id$v=19$m=4294967295,t=1,p=1${tail}"),
            format!("$argon2id$v=19$m=4194304,t=2,p=1${tail}"),
            format!("$argon2id$v=19$m=64,t=2147483648,p=1${tail}"),
            format!("$argon2id$v=19$m=262144,t=1,p=16777215${tail}"),
            format!("$argon2id$v=19$m=64,t=1,p=0${tail}"),
            format!("$argon2x$v=19$m=64,t=1,p=1${tail}"),
            "$argon2id$v=19$m=64,t=1,p=1".to_owned(),
            String::new(),
            "plain".to_owned(),
        ] {
            assert!(readable(&Secret::new(stored.as_str())).is_none(), "{stored}");
            let verdict = hasher(CHEAP).verify(&Secret::new("secret1"), &Secret::new(stored)).await;
            assert_eq!(verdict.unwrap(), Verified::Wrong);
        }
    }
}
