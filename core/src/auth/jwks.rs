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
use crate::error::{Error, ErrorKind, Result};
use crate::jose::KeySet;

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

#[derive(Clone, Default)]
struct State {
    keys: Option<Arc<KeySet>>,
    fetched_at: Option<DateTime<Utc>>,
    /// The last attempt, whatever came of it.
    tried_at: Option<DateTime<Utc>>,
    /// Counts attempts, so that who waited for one knows that it is over.
    attempts: u64,
}

impl State {
    /// The kept keys, if they are younger than `age`.
    fn younger(&self, age: TimeDelta, now: DateTime<Utc>) -> Option<&Arc<KeySet>> {
        self.keys.as_ref().filter(|_| self.fetched_at.is_some_and(|at| now - at < age))
    }

    fn is_cooling_down(&self, now: DateTime<Utc>) -> bool {
        self.tried_at.is_some_and(|at| now - at < COOL_DOWN)
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
    pub(super) async fn keys(&self, cx: &ProviderContext<'_>, kid: &str) -> Result<Arc<KeySet>> {
        let seen = self.state().clone();
        if let Some(keys) = self.settled(&seen, cx, kid) {
            return keys;
        }
        let _flight = self.flight.lock().await;
        let waited = self.state().clone();
        let now = cx.env.clock.now();
        if waited.attempts != seen.attempts {
            return usable(&waited, now);
        }
        // With a set at hand, a client that goes away in the middle must not be able to have it fetched
        // again and again; without one, it must not be able to keep it from being fetched.
        if waited.keys.is_some() {
            self.note_attempt(now);
        }
        match self.fetch(cx).await {
            Ok(keys) => {
                let mut state = self.state();
                state.keys = Some(Arc::new(keys));
                state.fetched_at = Some(now);
            }
            Err(error) => tracing::warn!(
                app = %cx.app,
                url = self.url,
                %error,
                cause = std::error::Error::source(&error).map(tracing::field::display),
                "a key set cannot be fetched"
            ),
        }
        if waited.keys.is_none() {
            self.note_attempt(now);
        }
        let state = self.state().clone();
        usable(&state, now)
    }

    /// What can be said without a request.
    fn settled(&self, state: &State, cx: &ProviderContext<'_>, kid: &str) -> Option<Result<Arc<KeySet>>> {
        let now = cx.env.clock.now();
        if let Some(keys) = state.younger(FRESH, now)
            && keys.named(kid).next().is_some()
        {
            return Some(Ok(Arc::clone(keys)));
        }
        state.is_cooling_down(now).then(|| usable(state, now))
    }

    async fn fetch(&self, cx: &ProviderContext<'_>) -> Result<KeySet> {
        let failed = |why: &str| Error::new(ErrorKind::HttpError, why.to_owned());
        let request = Request::get(&self.url)
            .header(header::ACCEPT, "application/jwk-set+json, application/json")
            .body(Bytes::new())
            .map_err(|cause| failed("the address cannot be read").with_cause(cause))?;
        let response = cx.egress.send(cx.env, request, cx.limits.fetched).await?;
        if response.status() != StatusCode::OK {
            return Err(failed("the answer is not 200"));
        }
        KeySet::parse(response.body()).map_err(|fault| failed("the answer is refused").with_cause(fault))
    }

    fn note_attempt(&self, now: DateTime<Utc>) {
        let mut state = self.state();
        state.tried_at = Some(now);
        state.attempts = state.attempts.wrapping_add(1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn usable(state: &State, now: DateTime<Utc>) -> Result<Arc<KeySet>> {
    state.younger(LONGEST_STALE, now).map(Arc::clone).ok_or_else(|| {
        let text = "the keys of the token's issuer cannot be had, try again";
        Error::new(ErrorKind::Unavailable, text).with_retry_after(RETRY_AFTER)
    })
}

#[cfg(test)]
mod tests;
