//! What a provider is that a browser can be sent to.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

use crate::auth::provider::{Proven, Provider, ProviderContext};
use crate::error::Result;

/// A [`Provider`] that a browser can be sent to.
#[async_trait]
pub(crate) trait RedirectProvider: Provider {
    /// Where a log-in may end, compared as a whole.
    fn redirect_uris(&self) -> &[String];

    /// Whether the service posts its answer from its own page, so that the cookie has to come along
    /// across sites.
    fn posts_its_answer(&self) -> bool;

    /// Where the browser is sent.
    async fn authorization_url(&self, cx: &ProviderContext<'_>, challenge: Challenge<'_>) -> Result<String>;

    /// Proves an identity from what the browser came back with.
    ///
    /// **Behaviour**
    /// - as [`Provider::authenticate`];
    /// - a code that was given for another challenge is refused.
    async fn redeem(&self, cx: &ProviderContext<'_>, answer: CodeAnswer<'_>) -> Result<Proven>;
}

/// What ties the service's answer to this log-in.
#[derive(Clone, Copy)]
pub(crate) struct Challenge<'a> {
    /// Our callback's URL.
    pub(crate) callback: &'a str,
    /// Comes back beside the code (RFC 6749 §10.12).
    pub(crate) state: &'a str,
    /// Comes back inside the ID token (OpenID Connect Core §3.1.2.1).
    pub(crate) nonce: &'a str,
    /// Is shown with the code (RFC 7636 §4.1).
    pub(crate) verifier: &'a str,
}

impl Challenge<'_> {
    /// The method S256 (RFC 7636 §4.2).
    pub(crate) fn code_challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.as_bytes()))
    }
}

/// What the browser came back with, and what the ticket remembers.
#[derive(Clone, Copy)]
pub(crate) struct CodeAnswer<'a> {
    /// The code.
    pub(crate) code: &'a str,
    /// The issuer that the answer names (RFC 9207).
    pub(crate) issuer: Option<&'a str>,
    /// As in the [`Challenge`].
    pub(crate) callback: &'a str,
    /// As in the [`Challenge`].
    pub(crate) nonce: &'a str,
    /// As in the [`Challenge`].
    pub(crate) verifier: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = Challenge { callback: "", state: "", nonce: "", verifier };
        assert_eq!(challenge.code_challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
