//! An app's token keys.
//!
//! 1. The first start makes a key; of several machines that start at once one key wins, and all use it.
//! 2. Access and refresh keys are derived from it (HKDF-SHA256) for this app and class alone, so
//!    that neither class nor app can be taken for another, even if a host gives two apps one secret.
//! 3. A key pair (ES256, Ed25519) signs access tokens as it is, so that others can check them; refresh tokens,
//!    which nobody else is to read, are signed with a key derived from it.
//! 4. The newest key signs, every key verifies, each with its own algorithm.
//! 5. Keys are read again every ten minutes, so that no machine signs for long with one that was superseded.
//! 6. An unknown `kid` makes the keys be read again, so that what another machine has just rotated is known at once; a flood
//!    of invented ids costs a few reads in each while.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use ring::{hkdf, hmac};
use serde_json::Value;

use crate::env::Env;
use crate::error::{Error, Result};
use crate::id::{AppId, fresh_object_id};
use crate::jose::{self, MIN_SECRET, Pair, Refused, SigningKey, VerifyingKey};
use crate::store::{KeyAlgorithm, SigningKeyRecord, Store};

/// So often in each while unknown ids are looked up: more than anybody rotates.
const LOOKS: u32 = 16;
const WHILE: TimeDelta = TimeDelta::seconds(5);
/// Well under the hour that a superseded key is kept at least.
const RELOAD_EVERY: TimeDelta = TimeDelta::minutes(10);

/// Where an app's signing keys come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// The store; the first start makes one.
    Store,
    /// The host; the newest signs.
    Host(Vec<SigningKeyRecord>),
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenClass {
    Access,
    Refresh,
}

pub(super) struct TokenKeys {
    pub(super) app: AppId,
    pub(super) store: Arc<dyn Store>,
    pub(super) env: Env,
    /// Whether the keys are the store's; a host changes its own.
    pub(super) reloads: bool,
    ring: RwLock<Arc<KeyRing>>,
    loads: Mutex<Loads>,
}

/// When keys were read.
struct Loads {
    /// The last time for their age.
    regular: DateTime<Utc>,
    /// When the present while has begun, and how many unknown ids were looked up in it.
    looks: (DateTime<Utc>, u32),
}

impl TokenKeys {
    pub(super) async fn load(app: AppId, store: Arc<dyn Store>, env: Env, source: KeySource) -> Result<Self> {
        let (records, reloads) = match source {
            KeySource::Store => (stored_or_first(&app, store.as_ref(), &env).await?, true),
            KeySource::Host(records) => (records, false),
        };
        let ring = KeyRing::new(&app, records)?;
        let now = env.clock.now();
        let loads = Mutex::new(Loads { regular: now, looks: (now, 0) });
        Ok(Self { app, store, env, reloads, ring: RwLock::new(Arc::new(ring)), loads })
    }

    /// Signs with the newest key.
    pub(super) async fn sign(&self, class: TokenClass, payload: &[u8]) -> Result<String> {
        let ring = if self.are_old() { self.reload().await? } else { self.ring() };
        ring.newest.class(class).signing.sign(payload).map_err(Error::internal)
    }

    /// The public keys of pairs, newest first.
    pub(super) fn public_keys(&self) -> Vec<Value> {
        self.ring().pairs().filter_map(|pair| pair.jwk.clone()).collect()
    }

    /// Reads the keys anew.
    pub(super) async fn reload(&self) -> Result<Arc<KeyRing>> {
        let records = self.store.signing_keys(&self.app).await?;
        let ring = Arc::new(KeyRing::new(&self.app, records)?);
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&ring);
        Ok(ring)
    }

    /// The payload of a token of this class; `None` when it is none of ours.
    pub(super) async fn verify(
        &self,
        class: TokenClass,
        token: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>> {
        match self.ring().verify(class, token, max_bytes) {
            Ok(payload) => Ok(Some(payload)),
            Err(Refused::UnknownKey) if self.may_look() => {
                Ok(self.reload().await?.verify(class, token, max_bytes).ok())
            }
            Err(Refused::UnknownKey | Refused::Invalid) => Ok(None),
        }
    }

    fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it is time to read the keys again; says so once.
    fn are_old(&self) -> bool {
        let now = self.env.clock.now();
        let mut loads = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.reloads && now - loads.regular >= RELOAD_EVERY;
        if old {
            loads.regular = now;
        }
        old
    }

    /// Whether an unknown id may be looked up.
    fn may_look(&self) -> bool {
        let now = self.env.clock.now();
        let mut loads = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, looks) = &mut loads.looks;
        if now - *since >= WHILE {
            (*since, *looks) = (now, 0);
        }
        *looks = looks.saturating_add(1);
        self.reloads && *looks <= LOOKS
    }
}

pub(super) struct KeyRing {
    newest: KeyPair,
    older: Vec<KeyPair>,
}

impl KeyRing {
    fn new(app: &AppId, mut records: Vec<SigningKeyRecord>) -> Result<Self> {
        records.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        let ids: HashSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
        if ids.len() != records.len() {
            return Err(Error::internal("two signing keys have one id"));
        }
        let mut pairs =
            records.into_iter().map(|record| KeyPair::derive(app, &record)).collect::<Result<Vec<_>>>()?;
        let newest = pairs.pop().ok_or_else(|| Error::internal("the app has no signing key"))?;
        Ok(Self { newest, older: pairs })
    }

    fn verify(&self, class: TokenClass, token: &str, max_bytes: usize) -> Result<Vec<u8>, Refused> {
        jose::verify(token, max_bytes, |kid| {
            self.pairs().find(|pair| pair.kid == kid).map(|pair| &pair.class(class).verifying)
        })
    }

    /// All keys, newest first.
    fn pairs(&self) -> impl Iterator<Item = &KeyPair> {
        std::iter::once(&self.newest).chain(self.older.iter().rev())
    }
}

/// What one stored key becomes.
struct KeyPair {
    kid: String,
    access: ClassKey,
    refresh: ClassKey,
    /// What others check access tokens with.
    jwk: Option<Value>,
}

impl KeyPair {
    fn derive(app: &AppId, record: &SigningKeyRecord) -> Result<Self> {
        if record.secret.len() < MIN_SECRET {
            return Err(Error::internal("a signing key must have at least 32 bytes"));
        }
        if !jose::is_plain_kid(&record.id) {
            return Err(Error::internal(
                "a signing key's id must be 1 to 128 letters, digits, dots, hyphens or underscores",
            ));
        }
        let master = hkdf::Salt::new(hkdf::HKDF_SHA256, b"backstitch tokens 1").extract(&record.secret);
        let class = |label: &[u8]| -> Result<ClassKey> {
            let info = [label, app.as_str().as_bytes()];
            let derived = master
                .expand(&info, hmac::HMAC_SHA256)
                .map_err(|_| Error::internal("key derivation failed"))?;
            let mac = hmac::Key::from(derived);
            let signing = SigningKey::hs256(&record.id, mac.clone());
            Ok(ClassKey { signing, verifying: VerifyingKey::Hs256(mac) })
        };
        let pair = match record.algorithm {
            KeyAlgorithm::Hs256 => None,
            KeyAlgorithm::Es256 => Some(Pair::es256(&record.secret)),
            KeyAlgorithm::EdDsa => Some(Pair::ed25519(&record.secret)),
        };
        let pair = pair.transpose().map_err(Error::internal)?;
        let jwk = pair.as_ref().map(|pair| pair.jwk(&record.id));
        let access = match pair {
            None => class(b"access:")?,
            Some(pair) => {
                let verifying = pair.verifying().map_err(Error::internal)?;
                ClassKey { signing: SigningKey::pair(&record.id, pair), verifying }
            }
        };
        Ok(Self { kid: record.id.clone(), access, refresh: class(b"refresh:")?, jwk })
    }

    fn class(&self, class: TokenClass) -> &ClassKey {
        match class {
            TokenClass::Access => &self.access,
            TokenClass::Refresh => &self.refresh,
        }
    }
}

struct ClassKey {
    signing: SigningKey,
    verifying: VerifyingKey,
}

async fn stored_or_first(app: &AppId, store: &dyn Store, env: &Env) -> Result<Vec<SigningKeyRecord>> {
    let stored = store.signing_keys(app).await?;
    if !stored.is_empty() {
        return Ok(stored);
    }
    let first = fresh_record(env, KeyAlgorithm::Hs256, env.clock.now())?;
    // Whether ours or another machine's won, the store's answer is what counts.
    store.insert_signing_key(app, &first, 0).await?;
    Ok(store.signing_keys(app).await?)
}

/// A new key, named after the moment.
pub(super) fn fresh_record(
    env: &Env,
    algorithm: KeyAlgorithm,
    created_at: DateTime<Utc>,
) -> Result<SigningKeyRecord> {
    let secret = match algorithm {
        KeyAlgorithm::Hs256 => {
            let mut secret = vec![0_u8; 64];
            env.random.fill(&mut secret)?;
            secret
        }
        KeyAlgorithm::Es256 => Pair::fresh_es256().map_err(Error::internal)?,
        KeyAlgorithm::EdDsa => {
            let mut seed = [0_u8; 32];
            env.random.fill(&mut seed)?;
            Pair::ed25519_of(seed)
        }
    };
    let id = fresh_object_id(created_at, env.random.as_ref())?.to_hex();
    Ok(SigningKeyRecord { id, algorithm, secret, created_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, secret: &[u8], at: i64) -> SigningKeyRecord {
        let created_at = DateTime::from_timestamp(at, 0).unwrap();
        let algorithm = KeyAlgorithm::Hs256;
        SigningKeyRecord { id: id.to_owned(), algorithm, secret: secret.to_vec(), created_at }
    }

    fn ring(app: &str, records: Vec<SigningKeyRecord>) -> Result<KeyRing> {
        KeyRing::new(&AppId::new(app), records)
    }

    #[test]
    fn weak_unnamed_and_twice_named_keys_are_refused_at_construction() {
        for (name, records) in [
            ("empty secret", vec![record("a", b"", 0)]),
            ("31 bytes", vec![record("a", &[1; 31], 0)]),
            ("quoted id", vec![record("a\"b", &[1; 32], 0)]),
            ("empty id", vec![record("", &[1; 32], 0)]),
            ("one id twice", vec![record("a", &[1; 32], 0), record("a", &[2; 32], 0)]),
            ("no key", vec![]),
        ] {
            assert!(ring("app", records).is_err(), "{name}");
        }
        assert!(ring("app", vec![record("a", &[1; 32], 0)]).is_ok());
    }

    #[test]
    fn the_newest_key_signs_and_every_key_verifies() {
        let old = ring("app", vec![record("old", &[1; 32], 1)]).unwrap();
        let both = ring("app", vec![record("new", &[2; 32], 2), record("old", &[1; 32], 1)]).unwrap();
        let by_old = old.newest.access.signing.sign(b"{}").unwrap();
        let by_new = both.newest.access.signing.sign(b"{}").unwrap();
        assert_eq!(both.newest.kid, "new");
        assert!(both.verify(TokenClass::Access, &by_old, 1000).is_ok());
        assert!(both.verify(TokenClass::Access, &by_new, 1000).is_ok());
        assert_eq!(old.verify(TokenClass::Access, &by_new, 1000), Err(Refused::UnknownKey));
    }

    #[test]
    fn classes_and_apps_do_not_share_a_key_even_when_they_share_a_secret() {
        let here = ring("here", vec![record("a", &[1; 32], 1)]).unwrap();
        let there = ring("there", vec![record("a", &[1; 32], 1)]).unwrap();
        let token = here.newest.refresh.signing.sign(b"{}").unwrap();
        assert!(here.verify(TokenClass::Refresh, &token, 1000).is_ok());
        assert_eq!(here.verify(TokenClass::Access, &token, 1000), Err(Refused::Invalid));
        assert_eq!(there.verify(TokenClass::Refresh, &token, 1000), Err(Refused::Invalid));
    }
}
