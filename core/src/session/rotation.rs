//! New signing keys, the end of old ones, and what others check our tokens with.
//!
//! 1. A new key is added beside the old ones and signs from then on; the old ones go on verifying.
//! 2. Other machines learn of it within ten minutes, or at the first token that it signed.
//! 3. A key goes when it has been superseded for an hour and every session that may hold a refresh token of
//!    its has ended.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::keys::{TokenKeys, fresh_record};
use super::service::Sessions;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{KeyAlgorithm, SigningKeyRecord};

/// How long another machine may go on signing with a superseded key.
const OVERLAP: TimeDelta = TimeDelta::hours(1);

impl Sessions {
    /// The public keys of access tokens, as a JWK set (RFC 7517 §5). Keys of HMAC are not in it.
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.keys.public_keys() })
    }

    /// Makes a new key that signs from now on. Sessions live on.
    ///
    /// Says whether it was this call that made it: of several at once one does, and all use its key.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] when the host keeps the keys; a store that fails.
    pub async fn rotate_keys(&self, algorithm: KeyAlgorithm) -> Result<bool> {
        self.keys.rotate(algorithm).await
    }

    /// Removes the keys that nothing needs any more; says how many they were.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn retire_keys(&self, now: DateTime<Utc>) -> Result<usize> {
        self.keys.retire(now).await
    }
}

impl TokenKeys {
    async fn rotate(&self, algorithm: KeyAlgorithm) -> Result<bool> {
        if !self.reloads {
            return Err(Error::new(ErrorKind::BadRequest, "the host keeps the signing keys"));
        }
        let stored = self.store.signing_keys(&self.app).await?;
        // Another machine's clock may be ahead of ours, and the newest key is the one that signs.
        let after_all = stored.iter().map(|record| record.created_at + TimeDelta::milliseconds(1)).max();
        let now = self.env.clock.now();
        let created_at = after_all.map_or(now, |after_all| after_all.max(now));
        let fresh = fresh_record(&self.env, algorithm, created_at)?;
        let added = self.store.insert_signing_key(&self.app, &fresh, stored.len()).await?;
        self.reload().await?;
        Ok(added)
    }

    async fn retire(&self, now: DateTime<Utc>) -> Result<usize> {
        if !self.reloads {
            return Ok(0);
        }
        let mut stored = self.store.signing_keys(&self.app).await?;
        stored.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        let mut retired = 0;
        for (record, successor) in stored.iter().zip(stored.iter().skip(1)) {
            if self.is_done(successor, now).await? {
                retired += usize::from(self.store.delete_signing_key(&self.app, &record.id).await?);
            }
        }
        if retired > 0 {
            self.reload().await?;
        }
        Ok(retired)
    }

    /// Whether nothing that lives was signed before this key took over everywhere.
    async fn is_done(&self, successor: &SigningKeyRecord, now: DateTime<Utc>) -> Result<bool> {
        let took_over = successor.created_at + OVERLAP;
        if now <= took_over {
            return Ok(false);
        }
        let last_end = self.store.last_session_end(&self.app, took_over).await?;
        Ok(last_end.is_none_or(|end| end < now))
    }
}
