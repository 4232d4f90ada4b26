//! An app's token keys.
//!
//! 1. The first start makes a key; of several machines that start at once one key wins, and all use it.
//! 2. Access and refresh keys are derived from it (HKDF-SHA256) for this app and class alone, so
//!    that neither class nor app can be taken for another, even if a host gives two apps one secret.
//! 3. The newest key signs, every key verifies.
//! 4. An unknown `kid` makes the keys be read again, at most once per cool-down: another machine may
//!    have rotated, and a flood of invented ids costs one read.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use ring::{hkdf, hmac};

use crate::env::Env;
use crate::error::{Error, Result};
use crate::id::{AppId, fresh_object_id};
use crate::jose::{self, MIN_SECRET, Refused, SigningKey, VerifyingKey};
use crate::store::{KeyAlgorithm, SigningKeyRecord, Store};

const RELOAD_COOL_DOWN: TimeDelta = TimeDelta::seconds(5);

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
    app: AppId,
    store: Arc<dyn Store>,
    env: Env,
    reloads: bool,
    ring: RwLock<Arc<KeyRing>>,
    loaded_at: Mutex<DateTime<Utc>>,
}

impl TokenKeys {
    pub(super) async fn load(app: AppId, store: Arc<dyn Store>, env: Env, source: KeySource) -> Result<Self> {
        let (records, reloads) = match source {
            KeySource::Store => (stored_or_first(&app, store.as_ref(), &env).await?, true),
            KeySource::Host(records) => (records, false),
        };
        let ring = KeyRing::new(&app, records)?;
        let loaded_at = Mutex::new(env.clock.now());
        Ok(Self { app, store, env, reloads, ring: RwLock::new(Arc::new(ring)), loaded_at })
    }

    pub(super) fn sign(&self, class: TokenClass, payload: &[u8]) -> String {
        self.ring().newest.class(class).signing.sign(payload)
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
            Err(Refused::UnknownKey) if self.may_reload() => {
                let records = self.store.signing_keys(&self.app).await?;
                let ring = Arc::new(KeyRing::new(&self.app, records)?);
                *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&ring);
                Ok(ring.verify(class, token, max_bytes).ok())
            }
            Err(Refused::UnknownKey | Refused::Invalid) => Ok(None),
        }
    }

    fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn may_reload(&self) -> bool {
        let now = self.env.clock.now();
        let mut loaded_at = self.loaded_at.lock().unwrap_or_else(PoisonError::into_inner);
        let due = self.reloads && now - *loaded_at >= RELOAD_COOL_DOWN;
        if due {
            *loaded_at = now;
        }
        due
    }
}

struct KeyRing {
    newest: KeyPair,
    older: Vec<KeyPair>,
}

impl KeyRing {
    fn new(app: &AppId, mut records: Vec<SigningKeyRecord>) -> Result<Self> {
        records.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        if records.windows(2).any(|pair| matches!(pair, [a, b] if a.id == b.id)) {
            return Err(Error::internal("two signing keys have one id"));
        }
        let mut pairs =
            records.into_iter().map(|record| KeyPair::derive(app, &record)).collect::<Result<Vec<_>>>()?;
        let newest = pairs.pop().ok_or_else(|| Error::internal("the app has no signing key"))?;
        Ok(Self { newest, older: pairs })
    }

    fn verify(&self, class: TokenClass, token: &str, max_bytes: usize) -> Result<Vec<u8>, Refused> {
        jose::verify(token, max_bytes, |kid| {
            let mut pairs = std::iter::once(&self.newest).chain(self.older.iter());
            pairs.find(|pair| pair.kid == kid).map(|pair| &pair.class(class).verifying)
        })
    }
}

/// What one stored key becomes.
struct KeyPair {
    kid: String,
    access: ClassKey,
    refresh: ClassKey,
}

impl KeyPair {
    fn derive(app: &AppId, record: &SigningKeyRecord) -> Result<Self> {
        if record.algorithm != KeyAlgorithm::Hs256 {
            return Err(Error::internal("a signing key is of an algorithm that is not supported yet"));
        }
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
        Ok(Self { kid: record.id.clone(), access: class(b"access:")?, refresh: class(b"refresh:")? })
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
    let now = env.clock.now();
    let mut secret = vec![0_u8; 64];
    env.random.fill(&mut secret)?;
    let id = fresh_object_id(now, env.random.as_ref())?.to_hex();
    // Whether ours or another machine's won, the store's answer is what counts.
    let first = SigningKeyRecord { id, algorithm: KeyAlgorithm::Hs256, secret, created_at: now };
    store.insert_signing_key(app, &first, 0).await?;
    Ok(store.signing_keys(app).await?)
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
        let by_old = old.newest.access.signing.sign(b"{}");
        let by_new = both.newest.access.signing.sign(b"{}");
        assert_eq!(both.newest.kid, "new");
        assert!(both.verify(TokenClass::Access, &by_old, 1000).is_ok());
        assert!(both.verify(TokenClass::Access, &by_new, 1000).is_ok());
        assert_eq!(old.verify(TokenClass::Access, &by_new, 1000), Err(Refused::UnknownKey));
    }

    #[test]
    fn classes_and_apps_do_not_share_a_key_even_when_they_share_a_secret() {
        let here = ring("here", vec![record("a", &[1; 32], 1)]).unwrap();
        let there = ring("there", vec![record("a", &[1; 32], 1)]).unwrap();
        let token = here.newest.refresh.signing.sign(b"{}");
        assert!(here.verify(TokenClass::Refresh, &token, 1000).is_ok());
        assert_eq!(here.verify(TokenClass::Access, &token, 1000), Err(Refused::Invalid));
        assert_eq!(there.verify(TokenClass::Refresh, &token, 1000), Err(Refused::Invalid));
    }
}
