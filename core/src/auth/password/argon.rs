//! Argon2: what new hashes are made with, and the reading of stored ones.

use std::sync::Arc;

use argon2::password_hash::phc::{PasswordHash, Salt};
use argon2::{
    Algorithm, Argon2, KeyId, Params, ParamsBuilder, PasswordHasher as _, PasswordVerifier as _, Version,
};

use super::cost::PasswordCost;
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
}

impl Recipe {
    pub(super) fn new(cost: PasswordCost, pepper: Option<&Arc<Pepper>>) -> Result<Self> {
        let mut builder = ParamsBuilder::new();
        builder.m_cost(cost.memory_kib).t_cost(cost.passes).p_cost(cost.lanes);
        if let Some(pepper) = pepper {
            builder.keyid(KeyId::new(pepper.id.as_bytes()).map_err(failed)?);
        }
        Ok(Self { params: builder.build().map_err(failed)?, pepper: pepper.cloned() })
    }

    /// The PHC string; with a pepper, `keyid` says which.
    pub(super) fn hash(&self, password: &Secret, salt: &[u8]) -> Result<Secret> {
        let argon2 = peppered(self.pepper.as_deref(), Algorithm::Argon2id, Version::V0x13, &self.params)?;
        let hash = argon2.hash_password_with_salt(password.expose().as_bytes(), salt).map_err(failed)?;
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

    pub(super) fn matches(&self, password: &Secret) -> bool {
        // Version and parameters come out of the string again.
        peppered(self.pepper.as_deref(), self.algorithm, Version::V0x13, &self.params)
            .is_ok_and(|argon2| argon2.verify_password(password.expose().as_bytes(), &self.hash).is_ok())
    }
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
