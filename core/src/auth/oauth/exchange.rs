//! From a code to tokens (RFC 6749 §4.1.3, RFC 7636 §4.5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::fetch;
use crate::auth::provider::ProviderContext;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// A code with what proves that it was given to us.
#[derive(Clone, Copy)]
pub(super) struct Code<'a> {
    pub(super) code: &'a str,
    /// The redirect URI that the authorization request named.
    pub(super) redirect_uri: &'a str,
    /// The PKCE verifier; a client that got the code by itself may have used none.
    pub(super) verifier: Option<&'a str>,
}

/// How we show the token endpoint who we are.
#[derive(Clone, Copy)]
pub(super) struct ClientAuth<'a> {
    pub(super) id: &'a str,
    /// `None` is a public client: PKCE alone protects its codes.
    pub(super) secret: Option<&'a Secret>,
    pub(super) in_form: bool,
}

/// What the token endpoint gave.
#[derive(Default)]
pub(super) struct TokenSet {
    pub(super) id_token: Option<Secret>,
    pub(super) access_token: Option<Secret>,
}

/// Exchanges the code.
pub(super) async fn redeem(
    cx: &ProviderContext<'_>,
    endpoint: &str,
    client: ClientAuth<'_>,
    code: Code<'_>,
) -> Result<TokenSet> {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code.code),
        ("redirect_uri", code.redirect_uri),
        ("client_id", client.id),
    ];
    form.extend(code.verifier.map(|verifier| ("code_verifier", verifier)));
    let header = match client.secret {
        Some(secret) if client.in_form => {
            form.push(("client_secret", secret.expose()));
            None
        }
        Some(secret) => Some(basic(client.id, secret)),
        None => None,
    };
    let (status, answer) = fetch::post(cx, endpoint, &form, header.as_ref()).await?;
    if status.is_server_error() {
        return Err(Error::new(ErrorKind::HttpError, "the log-in service does not answer")
            .with_cause(format!("the token endpoint answered {status}")));
    }
    if !status.is_success() {
        // The service's own words are for the log: they may quote what we sent.
        let why = answer.get("error").and_then(Value::as_str).unwrap_or("no reason given");
        let cause =
            format!("the token endpoint answered {status}: {}", why.chars().take(100).collect::<String>());
        return Err(fetch::refused("the log-in service refused the code").with_cause(cause));
    }
    Ok(TokenSet { id_token: text(&answer, "id_token"), access_token: text(&answer, "access_token") })
}

/// RFC 6749 §2.3.1: both parts are form-encoded first.
fn basic(id: &str, secret: &Secret) -> Secret {
    let pair = format!("{}:{}", fetch::escape(id), fetch::escape(secret.expose()));
    Secret::new(format!("Basic {}", STANDARD.encode(pair)))
}

fn text(answer: &Map<String, Value>, name: &str) -> Option<Secret> {
    answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(Secret::from)
}
