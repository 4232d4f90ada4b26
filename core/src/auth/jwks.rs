//! Key sets behind a URL, kept for a while.
//!
//! 1. A set is used for ten minutes; then it is fetched again.
//! 2. A `kid` that it does not have makes it be fetched early, at most once in 30 seconds: the owner may
//!    have added a key, and a flood of invented names costs one request.
//! 3. One request at a time; whoever comes meanwhile waits for it and uses what it brings.
//! 4. When the server fails, the last set is used for up to a day.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::{Request, StatusCode, header};

use super::provider::ProviderContext;
use crate::env::{Egress, Env};
use crate::error::{Error, ErrorKind, Result};
use crate::id::AppId;
use crate::jose::KeySet;
use crate::limits::Limits;

const FRESH: TimeDelta = TimeDelta::minutes(10);
const COOL_DOWN: TimeDelta = TimeDelta::seconds(30);
const LONGEST_STALE: TimeDelta = TimeDelta::hours(24);
/// [`COOL_DOWN`] in seconds, for clients.
const RETRY_AFTER: u32 = 30;

/// The keys of one third party (RFC 7517 §5).
pub(super) struct Jwks {
    url: String,
    state: Mutex<State>,
    flight: futures_util::lock::Mutex<()>,
}

#[derive(Default)]
struct State {
    keys: Option<Arc<KeySet>>,
    fetched_at: Option<DateTime<Utc>>,
    /// The last attempt, whatever came of it.
    tried_at: Option<DateTime<Utc>>,
}

/// What it takes to ask another server.
#[derive(Clone, Copy)]
pub(super) struct Outside<'a> {
    pub(super) app: &'a AppId,
    pub(super) env: &'a Env,
    pub(super) egress: &'a Egress,
    pub(super) limits: &'a Limits,
}

impl<'a> From<&ProviderContext<'a>> for Outside<'a> {
    fn from(cx: &ProviderContext<'a>) -> Self {
        Self { app: cx.app, env: cx.env, egress: cx.egress, limits: cx.limits }
    }
}

impl State {
    /// The kept keys, if they are younger than `age`.
    fn younger(&self, age: TimeDelta, now: DateTime<Utc>) -> Option<&Arc<KeySet>> {
        self.keys.as_ref().filter(|_| self.fetched_at.is_some_and(|at| now - at < age))
    }

    /// The keys that are better than none.
    fn usable(&self, now: DateTime<Utc>) -> Result<Arc<KeySet>> {
        self.younger(LONGEST_STALE, now).map(Arc::clone).ok_or_else(|| {
            let text = "the keys of the token's issuer cannot be had, try again";
            Error::new(ErrorKind::Unavailable, text).with_retry_after(RETRY_AFTER)
        })
    }
}

impl Jwks {
    pub(super) fn new(url: String) -> Self {
        Self { url, state: Mutex::default(), flight: futures_util::lock::Mutex::new(()) }
    }

    /// The keys as they are known, asked for again if they are old or have none of this name.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when there are none and the server fails.
    pub(super) async fn keys(
        &self,
        outside: impl Into<Outside<'_>> + Send,
        kid: &str,
    ) -> Result<Arc<KeySet>> {
        let outside: Outside<'_> = outside.into();
        if let Some(keys) = self.known(outside, kid) {
            return Ok(keys);
        }
        let _flight = self.flight.lock().await;
        let now = outside.env.clock.now();
        // Whoever held the lock may have brought what is wanted, or may just have tried.
        if let Some(keys) = self.known(outside, kid) {
            return Ok(keys);
        }
        let has_keys = {
            let state = self.state();
            if state.tried_at.is_some_and(|at| now - at < COOL_DOWN) {
                return state.usable(now);
            }
            state.keys.is_some()
        };
        // With a set at hand, a client that goes away in the middle must not be able to have it fetched
        // again and again; without one, it must not be able to keep it from being fetched.
        if has_keys {
            self.state().tried_at = Some(now);
        }
        let fetched = self.fetch(outside).await;
        let mut state = self.state();
        state.tried_at = Some(now);
        match fetched {
            Ok(keys) => {
                state.keys = Some(Arc::new(keys));
                state.fetched_at = Some(now);
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(tracing::field::display);
                tracing::warn!(app = %outside.app, url = self.url, %error, cause, "a key set cannot be fetched");
            }
        }
        state.usable(now)
    }

    /// The kept set, if it is fresh and has that name.
    fn known(&self, outside: Outside<'_>, kid: &str) -> Option<Arc<KeySet>> {
        let state = self.state();
        let keys = state.younger(FRESH, outside.env.clock.now())?;
        keys.named(kid).next().is_some().then(|| Arc::clone(keys))
    }

    async fn fetch(&self, outside: Outside<'_>) -> Result<KeySet> {
        let failed = |why: &str| Error::new(ErrorKind::HttpError, why.to_owned());
        let request = Request::get(&self.url)
            .header(header::ACCEPT, "application/jwk-set+json, application/json")
            .body(Bytes::new())
            .map_err(|cause| failed("the address cannot be read").with_cause(cause))?;
        let response = outside.egress.send(outside.env, request, outside.limits.fetched).await?;
        if response.status() != StatusCode::OK {
            return Err(failed("the answer is not 200"));
        }
        KeySet::parse(response.body()).map_err(|fault| failed("the answer is refused").with_cause(fault))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(super) mod tests;
