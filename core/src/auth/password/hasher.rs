//! The hasher: what runs, how many at once, and what a check costs.
//!
//! A wrong password costs at least one hash of the current cost, whatever was stored: none, an unreadable
//! string, or a cheap hash of another make. What is left to be told by time: an account whose stored hash is
//! of another make answers later than an unknown one, by the work of that make, until its owner logs in.

use std::sync::Arc;

use super::argon::Recipe;
use super::cost::PasswordCost;
use super::pepper::Peppers;
use super::stored::Stored;
use crate::auth::gate::{Gate, Permit};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::secret::Secret;

const SALT_BYTES: usize = 16;

/// Hashes and checks passwords, a bounded number at once.
pub struct PasswordHasher {
    cost: PasswordCost,
    recipe: Recipe,
    peppers: Peppers,
    gate: Arc<Gate>,
    env: Env,
}

/// A place among the hashes that run. Whoever has it may look once more at what could forbid the hash
/// (a counter that filled up while it waited); dropping it lets the next one in.
#[must_use = "a turn that is not used is given up"]
pub(in crate::auth) struct Turn(Permit);

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth) enum Verified {
    /// The password is right.
    Right,
    /// It is right, and the hash is not what new ones are.
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
        let gate = Gate::new(limits.hashing_permits, limits.hashing_queue);
        let recipe = Recipe::new(cost, limits.hashing_permits.max(1))?;
        Ok(Self { cost, recipe, peppers: Peppers::default(), gate, env })
    }

    /// With peppers: secrets of at least 32 bytes that go into the hash and are kept elsewhere, each under
    /// an id of up to eight letters or digits that stored hashes name. The last one is for new hashes;
    /// hashes without it are replaced at the next log-in. A pepper may be dropped from the list only when
    /// no hash needs it: without it the right password is wrong.
    ///
    /// # Errors
    /// An id that is too long or stands twice; a secret that is too short.
    pub fn with_peppers(self, peppers: Vec<(String, Secret)>) -> Result<Self> {
        let peppers = Peppers::new(peppers)?;
        let recipe = self.recipe.with_pepper(peppers.newest())?;
        Ok(Self { recipe, peppers, ..self })
    }

    /// Whether log-in can verify this stored hash: its make is known, its work bearable, its pepper there.
    /// Ask before importing accounts.
    pub fn is_supported(&self, stored: &Secret) -> bool {
        Stored::parse(stored, &self.peppers).is_some()
    }

    /// A PHC string under a fresh salt.
    ///
    /// # Errors
    /// [`Unavailable`](crate::error::ErrorKind::Unavailable) when too many wait.
    pub async fn hash(&self, password: &Secret) -> Result<Secret> {
        let mut salt = [0_u8; SALT_BYTES];
        self.env.random.fill(&mut salt)?;
        let turn = self.turn().await?;
        let (recipe, password) = (self.recipe.clone(), password.clone());
        self.run(turn, move || recipe.hash(&password, &salt)).await?
    }

    /// Waits for a place; too many waiting is `Unavailable`.
    pub(in crate::auth) async fn turn(&self) -> Result<Turn> {
        self.gate.enter().await.map(Turn)
    }

    /// Compares a password with a stored hash. A hash that cannot be read, or asks for too much,
    /// matches nothing, and the log says so.
    pub(in crate::auth) async fn verify(
        &self,
        turn: Turn,
        password: &Secret,
        stored: &Secret,
    ) -> Result<Verified> {
        let parsed = Stored::parse(stored, &self.peppers);
        if parsed.is_none() {
            tracing::error!("a stored password hash is unreadable or asks for too much work; it is refused");
        }
        let (recipe, password) = (self.recipe.clone(), password.clone());
        self.run(turn, move || {
            let current = parsed.as_ref().is_some_and(|stored| stored.is_made_by(&recipe));
            let right = parsed.as_ref().is_some_and(|stored| stored.matches(&password, &recipe));
            match (right, current) {
                (true, true) => Verified::Right,
                (true, false) => Verified::RightButOutdated,
                (false, true) => Verified::Wrong,
                (false, false) => {
                    recipe.spend(&password);
                    Verified::Wrong
                }
            }
        })
        .await
    }

    /// Costs what a check costs, for an account that is not there.
    pub(in crate::auth) async fn spend(&self, turn: Turn, password: &Secret) -> Result<()> {
        let (recipe, password) = (self.recipe.clone(), password.clone());
        self.run(turn, move || recipe.spend(&password)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        Turn(permit): Turn,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
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

    fn peppered(ids: &[&str]) -> PasswordHasher {
        let list = ids.iter().map(|id| ((*id).to_owned(), Secret::new(id.repeat(32)))).collect();
        hasher(CHEAP).with_peppers(list).unwrap()
    }

    async fn check(hasher: &PasswordHasher, password: &str, stored: &Secret) -> Verified {
        let turn = hasher.turn().await.unwrap();
        hasher.verify(turn, &Secret::new(password), stored).await.unwrap()
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
            assert_eq!(check(&hasher, &set, &hash).await, Verified::Right);
            assert_eq!(check(&hasher, &tried, &hash).await, Verified::Wrong);
        }
    }

    #[tokio::test]
    async fn another_cost_is_right_but_outdated() {
        let hash = hasher(CHEAP).hash(&Secret::new("secret1")).await.unwrap();
        let dearer = hasher(PasswordCost { passes: 2, ..CHEAP });
        assert_eq!(check(&dearer, "secret1", &hash).await, Verified::RightButOutdated);
    }

    #[tokio::test]
    async fn the_hash_names_its_pepper_and_a_newer_pepper_makes_it_outdated() {
        let (none, one, both) = (hasher(CHEAP), peppered(&["a"]), peppered(&["a", "b"]));
        let password = Secret::new("secret1");
        let plain = none.hash(&password).await.unwrap();
        let old = one.hash(&password).await.unwrap();
        let new = both.hash(&password).await.unwrap();
        assert!(old.expose().contains(",keyid=YQ$") && new.expose().contains(",keyid=Yg$"));
        for (hasher, stored, verdict) in [
            (&one, &plain, Verified::RightButOutdated),
            (&one, &old, Verified::Right),
            (&both, &old, Verified::RightButOutdated),
            (&both, &new, Verified::Right),
            (&one, &new, Verified::Wrong),
            (&none, &old, Verified::Wrong),
        ] {
            assert_eq!(check(hasher, "secret1", stored).await, verdict, "{}", stored.expose());
            assert_eq!(check(hasher, "secret2", stored).await, Verified::Wrong);
        }
        assert!(!one.is_supported(&new), "its pepper is not there");
        let forged = PasswordHasher::new(CHEAP, Env::system(), &Limits::default()).unwrap();
        let forged = forged.with_peppers(vec![("a".to_owned(), Secret::new("z".repeat(32)))]).unwrap();
        assert_eq!(check(&forged, "secret1", &old).await, Verified::Wrong, "the secret counts, not its id");
    }

    #[tokio::test]
    async fn a_turn_that_is_given_up_lets_the_next_one_in() {
        let limits = Limits { hashing_permits: 1, hashing_queue: 0, ..Limits::default() };
        let hasher = PasswordHasher::new(CHEAP, Env::system(), &limits).unwrap();
        let turn = hasher.turn().await.unwrap();
        assert!(hasher.hash(&Secret::new("secret1")).await.is_err(), "there is one place");
        drop(turn);
        assert!(hasher.hash(&Secret::new("secret1")).await.is_ok());
    }

    #[tokio::test]
    async fn absurd_or_broken_stored_hashes_are_refused_without_their_work() {
        let tail = "c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";
        let hasher = hasher(CHEAP);
        for stored in [
            format!("$argon2id$v=19$m=4294967295,t=1,p=1${tail}"),
            format!("$argon2id$v=19$m=4194304,t=2,p=1${tail}"),
            format!("$argon2id$v=19$m=64,t=2147483648,p=1${tail}"),
            format!("$argon2id$v=19$m=262144,t=1,p=16777215${tail}"),
            format!("$argon2id$v=19$m=64,t=1,p=0${tail}"),
            format!("$argon2id$v=19$m=64,t=1,p=1,keyid=YQ${tail}"),
            format!("$argon2x$v=19$m=64,t=1,p=1${tail}"),
            "$argon2id$v=19$m=64,t=1,p=1".to_owned(),
            String::new(),
            "plain".to_owned(),
        ] {
            let stored = Secret::new(stored);
            assert!(!hasher.is_supported(&stored), "{}", stored.expose());
            assert_eq!(check(&hasher, "secret1", &stored).await, Verified::Wrong);
        }
    }
}
