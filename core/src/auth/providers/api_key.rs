//! `api-key`: a key that the app or a user made.
//!
//! 1. A key is found by its hash: looking it up tells nothing of other keys by its time.
//! 2. Wrong, disabled and deleted keys are refused alike.
//! 3. A key stands for the user that the store names with it, and cannot be linked to another.

use async_trait::async_trait;
use bson::doc;
use bson::oid::ObjectId;

use crate::auth::accounts::{API_KEY_PROVIDER, api_key_hash};
use crate::auth::credential::Credential;
use crate::auth::provider::{Evidence, Proven, Provider, ProviderContext, Purpose, Subject};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;
use crate::session::SessionLifetime;
use crate::store::Identity;

/// Keys are 64 letters; whoever sends more sends no key.
const MAX_KEY_BYTES: usize = 256;

pub(super) struct ApiKeyProvider {
    id: ObjectId,
}

impl ApiKeyProvider {
    pub(super) fn new(id: ObjectId) -> Self {
        Self { id }
    }
}

#[async_trait]
impl Provider for ApiKeyProvider {
    fn type_name(&self) -> &str {
        API_KEY_PROVIDER
    }

    fn id(&self) -> ObjectId {
        self.id
    }

    async fn authenticate(&self, cx: &ProviderContext<'_>, credential: &Credential) -> Result<Proven> {
        if cx.purpose == Purpose::Link {
            return Err(Error::new(ErrorKind::LinkingNotSupported, "an API key cannot be linked"));
        }
        let key = credential.text("key")?;
        if key.len() > MAX_KEY_BYTES {
            return Err(refused());
        }
        let found = cx.store.api_key_by_hash(cx.app, &api_key_hash(&Secret::new(key))).await?;
        let found = found.filter(|key| !key.disabled).ok_or_else(refused)?;
        let user = cx.store.user(cx.app, found.user).await?.ok_or_else(refused)?;
        let identity = Identity {
            provider: API_KEY_PROVIDER.to_owned(),
            provider_id: self.id,
            id: found.id.to_hex(),
            data: doc! { "name": found.name },
        };
        let (subject, lifetime) = (Subject::User(found.user), SessionLifetime::Configured);
        Ok(Proven { subject, identity, lifetime, evidence: Evidence::User { epoch: user.epoch } })
    }

    async fn still_stands(&self, cx: &ProviderContext<'_>, proven: &Proven) -> Result<bool> {
        let Some(id) = crate::id::ApiKeyId::parse(&proven.identity.id) else { return Ok(false) };
        Ok(cx.store.api_key(cx.app, id).await?.is_some_and(|key| !key.disabled))
    }
}

fn refused() -> Error {
    Error::new(ErrorKind::AuthError, "invalid API key")
}
