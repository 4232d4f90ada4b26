//! What an ID token has to say beyond a good signature (OpenID Connect Core §3.1.3.7).
//!
//! Signature, time and form are the verifier's; here it is who made it, for whom, and for which log-in.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::facts::Facts;
use crate::auth::jwks::Jwks;
use crate::auth::provider::ProviderContext;
use crate::error::{Error, ErrorKind, Result};
use crate::jose::{self, Claims, ForeignToken};

/// What is expected of an ID token.
#[derive(Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    /// Another spelling of the issuer.
    pub(super) issuer_alias: Option<&'a str>,
    /// What the service knows us by; the token has to be for it.
    pub(super) client_id: &'a str,
    /// Other clients of ours there. None of them counts for a token that a redirect brings.
    pub(super) other_client_ids: &'a [String],
    /// The nonce of this log-in; a token that a client brings was not asked for by us and has none to show.
    pub(super) nonce: Option<&'a str>,
}

/// The key set of a service, wherever its discovery document says that it is.
#[derive(Default)]
pub(super) struct Keys(Mutex<Option<(String, Arc<Jwks>)>>);

impl Keys {
    /// What an ID token says, if all of it holds.
    pub(super) async fn verify(
        &self,
        cx: &ProviderContext<'_>,
        jwks_uri: &str,
        token: &str,
        expected: Expected<'_>,
    ) -> Result<Facts> {
        let token = ForeignToken::read(token, cx.limits.foreign_token).map_err(refused)?;
        let kid = token.kid().ok_or_else(|| refused("`kid` is missing"))?;
        let keys = self.of(jwks_uri).keys(cx, kid).await?;
        let payload = token.verify(keys.named(kid)).map_err(refused)?;
        let audience: Vec<&str> = std::iter::once(expected.client_id)
            .chain(expected.other_client_ids.iter().map(String::as_str))
            .collect();
        let now = cx.env.clock.now().timestamp();
        let claims = Claims::read(&payload, jose::Expected { now, audience: &audience, any: true });
        let claims = claims.map_err(refused)?.into_all();
        check(&claims, expected).map_err(refused)?;
        Facts::new(claims)
    }

    fn of(&self, url: &str) -> Arc<Jwks> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((at, keys)) if at == url => Arc::clone(keys),
            _ => {
                let keys = Arc::new(Jwks::new(url.to_owned()));
                *known = Some((url.to_owned(), Arc::clone(&keys)));
                keys
            }
        }
    }
}

/// Checks the claims of a token whose signature and time are good; says why not, for the log.
fn check(claims: &Map<String, Value>, expected: Expected<'_>) -> std::result::Result<(), &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let issuer = text("iss").ok_or("no issuer")?;
    if issuer != expected.issuer && Some(issuer) != expected.issuer_alias {
        return Err("another issuer's token");
    }
    let is_ours =
        |id: &str| id == expected.client_id || expected.other_client_ids.iter().any(|other| other == id);
    match claims.get("aud") {
        Some(Value::String(audience)) if is_ours(audience) => {}
        // Everybody whom a token is for can use it: one that is also for a stranger is the stranger's as well.
        Some(Value::Array(list))
            if !list.is_empty() && list.iter().all(|name| name.as_str().is_some_and(is_ours)) =>
        {
            if list.len() > 1 && claims.get("azp").is_none() {
                return Err("a token for several that does not say who asked for it");
            }
        }
        _ => return Err("a token for somebody else"),
    }
    match claims.get("azp") {
        None => {}
        Some(Value::String(party)) if is_ours(party) => {}
        Some(_) => return Err("somebody else asked for the token"),
    }
    match expected.nonce {
        Some(nonce) if text("nonce") != Some(nonce) => Err("the nonce of another log-in, or none"),
        _ => Ok(()),
    }
}

/// One text for all; the log knows what it was.
fn refused(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    let error = Error::new(ErrorKind::AuthError, "the ID token is not valid").with_cause(cause);
    tracing::debug!(cause = std::error::Error::source(&error).map(tracing::field::display), "{error}");
    error
}
