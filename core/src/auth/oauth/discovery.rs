//! OpenID Connect Discovery 1.0 (and RFC 8414): what a service says of itself.
//!
//! 1. The document's issuer has to be the configured one, character by character (§4.3): otherwise one
//!    service could speak for another (mix-up, RFC 9207).
//! 2. It is kept for an hour, and longer while the service does not answer.
//! 3. After a failure the service is left alone for a while, since log-ins that nobody finishes are free.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::fetch;
use crate::auth::provider::ProviderContext;
use crate::error::{Error, ErrorKind, Result};

const KEPT: TimeDelta = TimeDelta::hours(1);
const PAUSE: TimeDelta = TimeDelta::seconds(10);

/// The members of the document that are used.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) jwks_uri: String,
    pub(super) userinfo_endpoint: Option<String>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// RFC 9207 §3.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Whether the client secret goes into the form rather than into a header. Without a word about it a
    /// service takes the header (Discovery §3).
    pub(super) fn secret_in_form(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_deref().unwrap_or_default();
        let takes = |name: &str| methods.iter().any(|method| method == name);
        takes("client_secret_post") && !takes("client_secret_basic")
    }

    /// The issuer that an authorization response names has to be this one (RFC 9207 §2.4).
    pub(super) fn check_issuer(&self, named: Option<&str>) -> Result<()> {
        match named {
            Some(issuer) if issuer != self.issuer => Err(fetch::refused("the answer is another service's")),
            None if self.authorization_response_iss_parameter_supported => {
                Err(fetch::refused("the answer does not say which service it is from"))
            }
            _ => Ok(()),
        }
    }

    fn check(&self, issuer: &str) -> std::result::Result<(), &'static str> {
        if self.issuer != issuer {
            return Err("the document is another issuer's");
        }
        // The browser is sent there: a scheme that runs script must not come through.
        let plain = issuer.starts_with("http://") && self.authorization_endpoint.starts_with("http://");
        if !plain && !self.authorization_endpoint.starts_with("https://") {
            return Err("the authorization endpoint is not https");
        }
        // RFC 9700 §2.1.1: S256 or nothing; services that say nothing get it too.
        match &self.code_challenge_methods_supported {
            Some(methods) if !methods.iter().any(|method| method == "S256") => {
                Err("the service does not take PKCE with S256")
            }
            _ => Ok(()),
        }
    }
}

/// The document of one issuer, fetched when it is needed.
pub(super) struct Discovery {
    issuer: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: Option<(Arc<Metadata>, DateTime<Utc>)>,
    failed_at: Option<DateTime<Utc>>,
}

impl Discovery {
    pub(super) fn new(issuer: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), state: Mutex::default() }
    }

    /// The document.
    ///
    /// # Errors
    /// [`ErrorKind::HttpError`] when the service does not answer; [`ErrorKind::AuthError`] when its document
    /// cannot be used.
    pub(super) async fn metadata(&self, cx: &ProviderContext<'_>) -> Result<Arc<Metadata>> {
        let now = cx.env.clock.now();
        let old = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = state.kept.clone();
            match kept {
                Some((metadata, at)) if now < at + KEPT => return Ok(metadata),
                _ if state.failed_at.is_some_and(|at| now < at + PAUSE) => {
                    return kept.map(|(metadata, _)| metadata).ok_or_else(unavailable);
                }
                kept => kept.map(|(metadata, _)| metadata),
            }
        };
        let fetched = self.fetch(cx).await;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match fetched {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *state = State { kept: Some((Arc::clone(&metadata), now)), failed_at: None };
                Ok(metadata)
            }
            Err(error) => {
                state.failed_at = Some(now);
                old.ok_or(error)
            }
        }
    }

    async fn fetch(&self, cx: &ProviderContext<'_>) -> Result<Metadata> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let (status, document) = fetch::get(cx, &url, None).await?;
        if !status.is_success() {
            return Err(unavailable().with_cause(format!("discovery answered {status}")));
        }
        let metadata: Metadata = serde_json::from_value(Value::Object(document))
            .map_err(|cause| fetch::nonsense().with_cause(cause))?;
        metadata.check(&self.issuer).map_err(|why| fetch::nonsense().with_cause(why))?;
        Ok(metadata)
    }
}

fn unavailable() -> Error {
    Error::new(ErrorKind::HttpError, "the log-in service does not answer")
}
