//! `oauth2-google`, `oauth2-facebook`, `oauth2-apple` and `oidc`: somebody else's log-in.

use async_trait::async_trait;
use bson::oid::ObjectId;

use crate::auth::config::OAuthConfig;
use crate::auth::credential::Credential;
use crate::auth::oauth::{Identified, Service};
use crate::auth::provider::{Evidence, Proven, Provider, ProviderContext, Subject};
use crate::auth::redirect::{Challenge, CodeAnswer, RedirectProvider};
use crate::error::Result;
use crate::session::SessionLifetime;
use crate::store::{Identity, UserKind};

/// The provider of one service, by token and by redirect.
pub(crate) struct OAuth {
    id: ObjectId,
    service: Service,
}

impl OAuth {
    pub(super) fn new(id: ObjectId, config: OAuthConfig) -> Self {
        Self { id, service: Service::new(config) }
    }

    fn proven(&self, identified: Identified) -> Proven {
        let identity = Identity {
            provider: self.service.type_name().to_owned(),
            provider_id: self.id,
            id: identified.subject,
            data: identified.data,
        };
        let subject = Subject::Holder(UserKind::Normal);
        Proven { subject, identity, lifetime: SessionLifetime::Configured, evidence: Evidence::Foreign }
    }
}

#[async_trait]
impl Provider for OAuth {
    fn type_name(&self) -> &str {
        self.service.type_name()
    }

    fn id(&self) -> ObjectId {
        self.id
    }

    async fn authenticate(&self, cx: &ProviderContext<'_>, credential: &Credential) -> Result<Proven> {
        Ok(self.proven(self.service.identify(cx, credential).await?))
    }
}

#[async_trait]
impl RedirectProvider for OAuth {
    fn redirect_uris(&self) -> &[String] {
        self.service.redirect_uris()
    }

    fn posts_its_answer(&self) -> bool {
        self.service.posts_its_answer()
    }

    async fn authorization_url(&self, cx: &ProviderContext<'_>, challenge: Challenge<'_>) -> Result<String> {
        self.service.authorization_url(cx, challenge).await
    }

    async fn redeem(&self, cx: &ProviderContext<'_>, answer: CodeAnswer<'_>) -> Result<Proven> {
        Ok(self.proven(self.service.redeem(cx, answer).await?))
    }
}
