//! One configured service: what it is asked, and what its answers prove.

use super::discovery::{Discovery, Metadata};
use super::exchange::{self, ClientAuth, Code, TokenSet};
use super::facebook::Facebook;
use super::facts::Facts;
use super::fetch::{self, refused, with_query};
use super::id_token::{Expected, Keys};
use super::presets::{Preset, Protocol, preset};
use crate::auth::config::{MetadataField, OAuthConfig};
use crate::auth::credential::Credential;
use crate::auth::provider::ProviderContext;
use crate::auth::redirect::{Challenge, CodeAnswer};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// A service as an app is configured for it.
pub(in crate::auth) struct Service {
    config: OAuthConfig,
    preset: &'static Preset,
    party: Party,
}

/// Who is asked.
enum Party {
    OpenId { discovery: Discovery, keys: Keys },
    Facebook(Facebook),
}

/// Somebody whom the service has identified.
pub(in crate::auth) struct Identified {
    /// The service's own id of the person.
    pub(in crate::auth) subject: String,
    /// The user's data.
    pub(in crate::auth) data: bson::Document,
}

impl Service {
    /// The service of that type.
    pub(in crate::auth) fn new(config: OAuthConfig) -> Self {
        let preset = preset(&config.type_name);
        let party = match preset.protocol {
            Protocol::Graph => Party::Facebook(Facebook::new(config.issuer.as_deref())),
            Protocol::OpenId => {
                let issuer = config.issuer.as_deref().or(preset.issuer).unwrap_or_default();
                Party::OpenId { discovery: Discovery::new(issuer), keys: Keys::default() }
            }
        };
        Self { config, preset, party }
    }

    pub(in crate::auth) fn type_name(&self) -> &str {
        &self.config.type_name
    }

    pub(in crate::auth) fn redirect_uris(&self) -> &[String] {
        &self.config.redirect_uris
    }

    pub(in crate::auth) fn posts_its_answer(&self) -> bool {
        self.preset.form_post
    }

    /// Who a credential that a client got by itself stands for.
    pub(in crate::auth) async fn identify(
        &self,
        cx: &ProviderContext<'_>,
        credential: &Credential,
    ) -> Result<Identified> {
        let has = |name: &str| credential.fields().contains_key(name);
        let facts = match &self.party {
            Party::Facebook(facebook) => {
                let token = Secret::new(credential.text("accessToken")?);
                facebook.identify(cx, &self.config, self.secret()?, &token).await?
            }
            Party::OpenId { discovery, keys } if has("id_token") => {
                let token = credential.text("id_token")?;
                if self.preset.open_id_is_a_mode && !self.config.open_id {
                    return Err(refused("log-in with an ID token is not switched on (`openId`)"));
                }
                let metadata = discovery.metadata(cx).await?;
                let expected = self.expected(&metadata, None);
                keys.verify(cx, &metadata.jwks_uri, token, expected).await?
            }
            Party::OpenId { discovery, keys } => {
                let optional = |name: &str| has(name).then(|| credential.text(name)).transpose();
                let default = self.preset.code_redirect_uri;
                let callback = crate::auth::redirect::callback_url(cx.public_url);
                let code = Code {
                    code: credential.text("authCode")?,
                    redirect_uri: optional("redirectUri")?.or(default).unwrap_or(&callback),
                    verifier: optional("codeVerifier")?,
                };
                let metadata = discovery.metadata(cx).await?;
                let tokens =
                    exchange::redeem(cx, &metadata.token_endpoint, self.client(&metadata)?, code).await?;
                let expected = self.expected(&metadata, None);
                self.facts_of(cx, keys, &metadata, tokens, expected).await?
            }
        };
        self.admit(&facts)
    }

    /// Where the browser is sent (RFC 6749 §4.1.1).
    pub(in crate::auth) async fn authorization_url(
        &self,
        cx: &ProviderContext<'_>,
        challenge: Challenge<'_>,
    ) -> Result<String> {
        let code_challenge = challenge.code_challenge();
        let mut query = vec![
            ("response_type", "code"),
            ("client_id", self.config.client_id.as_str()),
            ("redirect_uri", challenge.callback),
            ("state", challenge.state),
            ("code_challenge", code_challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        match &self.party {
            Party::Facebook(facebook) => {
                self.secret()?;
                let scopes = Facebook::scopes(&self.config);
                query.push(("scope", &scopes));
                Ok(with_query(&facebook.dialog, &query))
            }
            Party::OpenId { discovery, .. } => {
                let metadata = discovery.metadata(cx).await?;
                self.client(&metadata)?;
                let scopes = self.scopes();
                query.push(("scope", &scopes));
                query.push(("nonce", challenge.nonce));
                if self.preset.form_post {
                    query.push(("response_mode", "form_post"));
                }
                Ok(with_query(&metadata.authorization_endpoint, &query))
            }
        }
    }

    /// Who came back with this code.
    pub(in crate::auth) async fn redeem(
        &self,
        cx: &ProviderContext<'_>,
        answer: CodeAnswer<'_>,
    ) -> Result<Identified> {
        let CodeAnswer { code, callback, verifier, .. } = answer;
        let code = Code { code, redirect_uri: callback, verifier: Some(verifier) };
        let facts = match &self.party {
            Party::Facebook(facebook) => {
                let secret = self.secret()?;
                let client = ClientAuth { id: &self.config.client_id, secret: Some(secret), in_form: true };
                let tokens = exchange::redeem(cx, &facebook.token_endpoint(), client, code).await?;
                let token = tokens.access_token.ok_or_else(fetch::nonsense)?;
                facebook.identify(cx, &self.config, secret, &token).await?
            }
            Party::OpenId { discovery, keys } => {
                let metadata = discovery.metadata(cx).await?;
                metadata.check_issuer(answer.issuer)?;
                let tokens =
                    exchange::redeem(cx, &metadata.token_endpoint, self.client(&metadata)?, code).await?;
                let expected =
                    Expected { other_client_ids: &[], ..self.expected(&metadata, Some(answer.nonce)) };
                self.facts_of(cx, keys, &metadata, tokens, expected).await?
            }
        };
        self.admit(&facts)
    }

    async fn facts_of(
        &self,
        cx: &ProviderContext<'_>,
        keys: &Keys,
        metadata: &Metadata,
        tokens: TokenSet,
        expected: Expected<'_>,
    ) -> Result<Facts> {
        let id_token = tokens.id_token.ok_or_else(|| refused("the log-in service gave no ID token"))?;
        let mut facts = keys.verify(cx, &metadata.jwks_uri, id_token.expose(), expected).await?;
        let lacking = facts.lacks_any(self.fields(), &self.config.domain_restrictions, self.preset);
        if let (true, Some(url), Some(token)) = (lacking, &metadata.userinfo_endpoint, &tokens.access_token) {
            let bearer = Secret::new(format!("Bearer {}", token.expose()));
            let (status, claims) = fetch::get(cx, url, Some(&bearer)).await?;
            if status.is_success() {
                facts.complete(claims)?;
            }
        }
        Ok(facts)
    }

    /// What becomes of the facts, if the person may come in.
    fn admit(&self, facts: &Facts) -> Result<Identified> {
        facts.check_domain(&self.config.domain_restrictions)?;
        let data = facts.data(self.fields(), self.preset)?;
        Ok(Identified { subject: facts.subject().to_owned(), data })
    }

    /// The metadata that is there at all: Apple has none, and neither has Google's mode `openId`.
    fn fields(&self) -> &[MetadataField] {
        let off = !self.preset.metadata || (self.preset.open_id_is_a_mode && self.config.open_id);
        if off { &[] } else { &self.config.metadata }
    }

    /// The scopes that the metadata need (OpenID Connect Core §5.4).
    fn scopes(&self) -> String {
        let mut scopes = vec!["openid"];
        let is_email =
            |field: &MetadataField| field.path.first().is_some_and(|name| name.starts_with("email"));
        if self.fields().iter().any(is_email) || !self.config.domain_restrictions.is_empty() {
            scopes.push("email");
        }
        if self.fields().iter().any(|field| !is_email(field)) {
            scopes.push("profile");
        }
        scopes.join(" ")
    }

    fn expected<'a>(&'a self, metadata: &'a Metadata, nonce: Option<&'a str>) -> Expected<'a> {
        Expected {
            issuer: &metadata.issuer,
            // A stand-in for the service speaks for itself only.
            issuer_alias: self.preset.issuer_alias.filter(|_| self.config.issuer.is_none()),
            client_id: &self.config.client_id,
            other_client_ids: &self.config.other_client_ids,
            nonce,
        }
    }

    fn client(&self, metadata: &Metadata) -> Result<ClientAuth<'_>> {
        let secret = match self.config.type_name.as_str() {
            // A generic service may take us for a public client; the known ones never do.
            name if name.starts_with("oauth2-") => Some(self.secret()?),
            _ if self.config.public_client => None,
            _ => Some(self.secret()?),
        };
        Ok(ClientAuth { id: &self.config.client_id, secret, in_form: metadata.secret_in_form() })
    }

    fn secret(&self) -> Result<&Secret> {
        self.config.client_secret.as_ref().ok_or_else(|| {
            let text = format!("the client secret of `{}` is not configured", self.config.type_name);
            Error::new(ErrorKind::AuthError, text)
        })
    }
}
