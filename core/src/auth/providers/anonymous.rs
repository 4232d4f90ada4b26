//! `anon-user`: everybody is somebody new.

use async_trait::async_trait;
use bson::Document;
use bson::oid::ObjectId;

use crate::auth::credential::Credential;
use crate::auth::login::fresh_identity_id;
use crate::auth::provider::{Evidence, Proven, Provider, ProviderContext, Purpose, Subject};
use crate::error::{Error, ErrorKind, Result};
use crate::session::SessionLifetime;
use crate::store::{Identity, UserKind};

pub(super) struct Anonymous {
    id: ObjectId,
}

impl Anonymous {
    pub(super) fn new(id: ObjectId) -> Self {
        Self { id }
    }
}

#[async_trait]
impl Provider for Anonymous {
    fn type_name(&self) -> &str {
        "anon-user"
    }

    fn id(&self) -> ObjectId {
        self.id
    }

    async fn authenticate(&self, cx: &ProviderContext<'_>, _credential: &Credential) -> Result<Proven> {
        if cx.purpose == Purpose::Link {
            let text = "an anonymous identity cannot be linked";
            return Err(Error::new(ErrorKind::LinkingNotSupported, text));
        }
        let identity = Identity {
            provider: self.type_name().to_owned(),
            provider_id: self.id,
            id: fresh_identity_id(cx.env)?,
            data: Document::new(),
        };
        let subject = Subject::Holder(UserKind::Normal);
        Ok(Proven { subject, identity, lifetime: SessionLifetime::Longest, evidence: Evidence::Foreign })
    }
}
