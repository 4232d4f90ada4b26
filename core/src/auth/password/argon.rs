//! Argon2: what new hashes are made with, and the reading of stored ones.

use std::sync::Arc;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, KeyId, Params, ParamsBuilder, Version};

use super::cost::PasswordCost;
use super::memory::Memory;
use super::pepper::{Pepper, Peppers};
use crate::error::{Error, Result};
use crate::secret::Secret;

const MIN_SALT: usize = 8;
const MIN_HASH: usize = 16;

/// How new hashes are made.
#[derive(Clone)]
pub(super) struct Recipe {
    params: Params,
    pepper: Option<Arc<Pepper>>,
    memory: Arc<Memory>,
}

impl Recipe {
    /// At most `at_once` hashes run at once.
    pub(super) fn new(cost: PasswordCost, at_once: usize) -> Result<Self> {
        Self::build(cost, None, |params| Arc::new(Memory::new(params.block_count(), at_once)))
    }

    /// The same with a pepper, or with none.
    pub(super) fn with_pepper(self, pepper: Option<&Arc<Pepper>>) -> Result<Self> {
        let cost = PasswordCost::of(&self.params);
        Self::build(cost, pepper, |_| self.memory)
    }

    fn build(
        cost: PasswordCost,
        pepper: Option<&Arc<Pepper>>,
        memory: impl FnOnce(&Params) -> Arc<Memory>,
    ) -> Result<Self> {
        let mut builder = ParamsBuilder::new();
        builder.m_cost(cost.memory_kib).t_cost(cost.passes).p_cost(cost.lanes);
        if let Some(pepper) = pepper {
            builder.keyid(KeyId::new(pepper.id.as_bytes()).map_err(failed)?);
        }
        let params = builder.build().map_err(failed)?;
        let memory = memory(&params);
        Ok(Self { params, pepper: pepper.cloned(), memory })
    }

    /// The PHC string; with a pepper, `keyid` says which.
    pub(super) fn hash(&self, password: &Secret, salt: &[u8]) -> Result<Secret> {
        let argon2 = peppered(self.pepper.as_deref(), Algorithm::Argon2id, Version::V0x13, &self.params)?;
        let mut output = [0_u8; Params::DEFAULT_OUTPUT_LEN];
        fill(&argon2, &self.memory, (password, salt), &mut output)?;
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&self.params).map_err(failed)?,
            salt: Some(Salt::new(salt).map_err(failed)?),
            hash: Some(Output::new(&output).map_err(failed)?),
        };
        Ok(Secret::new(hash.to_string()))
    }

    /// Takes as long as a hash.
    pub(super) fn spend(&self, password: &Secret) {
        // What it returns, and even whether it fails, is of no interest.
        drop(self.hash(password, &[0; 16]));
    }
}

/// A stored Argon2 hash whose work is bearable and whose pepper is known.
pub(super) struct StoredArgon2 {
    hash: PasswordHash,
    params: Params,
    algorithm: Algorithm,
    pepper: Option<Arc<Pepper>>,
}

impl StoredArgon2 {
    pub(super) fn parse(text: &str, peppers: &Peppers) -> Option<Self> {
        let hash = PasswordHash::new(text).ok()?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        let params = Params::try_from(&hash).ok()?;
        let salted = hash.salt.as_ref().is_some_and(|salt: &Salt| salt.len() >= MIN_SALT);
        let hashed = hash.hash.as_ref().is_some_and(|hash| hash.len() >= MIN_HASH);
        let pepper = match params.keyid() {
            [] => None,
            id => Some(Arc::clone(peppers.named(id)?)),
        };
        let bearable = PasswordCost::of(&params).is_bearable();
        (salted && hashed && bearable).then_some(Self { hash, params, algorithm, pepper })
    }

    /// Whether it is what new hashes are.
    pub(super) fn is_made_by(&self, recipe: &Recipe) -> bool {
        let known = &recipe.params;
        self.algorithm == Algorithm::Argon2id
            && self.hash.version == Some(Version::V0x13.into())
            && PasswordCost::of(&self.params) == PasswordCost::of(known)
            && self.params.keyid() == known.keyid()
            && self.params.data() == known.data()
    }

    /// Computes the hash in the recipe's memory.
    pub(super) fn matches(&self, password: &Secret, recipe: &Recipe) -> bool {
        self.compute(password, recipe).is_some_and(|computed| self.hash.hash == Some(computed))
    }

    fn compute(&self, password: &Secret, recipe: &Recipe) -> Option<Output> {
        let (salt, stored) = (self.hash.salt.as_ref()?, self.hash.hash.as_ref()?);
        // A string without a version is read as the argon2 crate reads it.
        let version = self.hash.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
        let argon2 = peppered(self.pepper.as_deref(), self.algorithm, version, &self.params).ok()?;
        let mut output = vec![0; stored.len()];
        fill(&argon2, &recipe.memory, (password, salt), &mut output).ok()?;
        // Outputs are compared in constant time.
        Output::new(&output).ok()
    }
}

fn fill(
    argon2: &Argon2<'_>,
    memory: &Memory,
    (password, salt): (&Secret, &[u8]),
    output: &mut [u8],
) -> Result<()> {
    let blocks = argon2.params().block_count();
    memory
        .lend(blocks, |lent| {
            argon2.hash_password_into_with_memory(password.expose().as_bytes(), salt, output, lent)
        })
        .map_err(failed)
}

fn peppered<'a>(
    pepper: Option<&'a Pepper>,
    algorithm: Algorithm,
    version: Version,
    params: &Params,
) -> Result<Argon2<'a>> {
    match pepper {
        None => Ok(Argon2::new(algorithm, version, params.clone())),
        Some(pepper) => {
            let secret = pepper.secret.expose().as_bytes();
            Argon2::new_with_secret(secret, algorithm, version, params.clone()).map_err(failed)
        }
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("argon2: {error}"))
}
