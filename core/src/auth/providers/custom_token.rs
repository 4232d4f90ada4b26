//! `custom-token`: JSON Web Tokens of somebody else.
//!
//! 1. Whatever is wrong with a token is told as one text; the log knows what it was.
//! 2. Keys are either configured or behind a URL; with a URL, a token has to name its key.
//! 3. The identity's id is `sub`. Claims become the identity's data as plain values: no name in them means
//!    anything, and nothing in them is read as extended JSON.

use async_trait::async_trait;
use bson::oid::ObjectId;
use bson::{Bson, Document};
use serde_json::Value;

use crate::auth::config::{Audience, CustomTokenConfig, MetadataField, TokenKeySource};
use crate::auth::credential::Credential;
use crate::auth::jwks::{Jwks, Outside};
use crate::auth::provider::{Evidence, Proven, Provider, ProviderContext, Subject};
use crate::error::{Error, ErrorKind, Result};
use crate::jose::{Claims, Expected, ForeignToken, VerifyingKey};
use crate::session::SessionLifetime;
use crate::store::{Identity, UserKind};

const TYPE_NAME: &str = "custom-token";
/// Not `unauthorized`, on which realm-web refreshes and repeats for ever, and no session's error either.
const REFUSED: &str = "invalid custom auth token";
/// The characters of a value that a claim may become.
const MAX_VALUE: usize = 4096;

pub(super) struct CustomToken {
    id: ObjectId,
    keys: Keys,
    audience: Audience,
    metadata: Vec<MetadataField>,
}

enum Keys {
    Fixed(Vec<VerifyingKey>),
    Fetched(Jwks),
}

impl CustomToken {
    /// Weak and unreadable keys, which no engine is built with, are left out and logged.
    pub(super) fn new(id: ObjectId, config: CustomTokenConfig) -> Self {
        let keys = match config.keys {
            TokenKeySource::Jwks { url } => Keys::Fetched(Jwks::new(url)),
            TokenKeySource::Keys { algorithm, keys } => {
                let read = keys.iter().map(|secret| algorithm.key(secret));
                let usable = read.filter_map(|key| {
                    key.inspect_err(|fault| tracing::error!(%fault, "a key of `custom-token` is left out"))
                        .ok()
                });
                Keys::Fixed(usable.collect())
            }
        };
        let (fits, too_long): (Vec<_>, _) =
            config.metadata.into_iter().partition(|field| field.has_allowed_name());
        for MetadataField { field_name, .. } in too_long {
            tracing::error!(
                field_name,
                "a metadata field of `custom-token` is left out: its name is too long"
            );
        }
        Self { id, keys, audience: config.audience, metadata: fits }
    }

    /// The identity that a token proves.
    async fn identity(&self, outside: Outside<'_>, token: &str) -> Result<Identity> {
        let claims = self.claims(outside, token).await?;
        Ok(Identity {
            provider: TYPE_NAME.to_owned(),
            provider_id: self.id,
            id: claims.subject().to_owned(),
            data: self.data(&claims)?,
        })
    }

    async fn claims(&self, outside: Outside<'_>, token: &str) -> Result<Claims> {
        let Outside { app, env, limits, .. } = outside;
        let token = ForeignToken::read(token, limits.foreign_token).map_err(refused)?;
        let payload = match &self.keys {
            Keys::Fixed(keys) if keys.is_empty() => {
                tracing::error!(%app, "`custom-token` has no usable key: is its secret missing?");
                return Err(refused("no key is configured"));
            }
            Keys::Fixed(keys) => token.verify(keys),
            Keys::Fetched(jwks) => {
                let kid = token.kid().ok_or_else(|| refused("`kid` is missing"))?;
                token.verify(jwks.keys(outside, kid).await?.named(kid))
            }
        };
        let mut audience: Vec<&str> = self.audience.names.iter().map(String::as_str).collect();
        if audience.is_empty() {
            audience.push(app.as_str());
        }
        let now = env.clock.now().timestamp();
        let expected = Expected { now, audience: &audience, any: self.audience.any };
        payload.and_then(|payload| Claims::read(&payload, expected)).map_err(refused)
    }

    fn data(&self, claims: &Claims) -> Result<Document> {
        let mut data = Document::new();
        for field in &self.metadata {
            match claims.at(&field.path).filter(|value| is_short(value)) {
                Some(Value::Null) | None if field.required => {
                    let text = format!("the token lacks the claim for `{}`", field.field_name);
                    return Err(Error::new(ErrorKind::AuthError, text));
                }
                Some(Value::Null) | None => {}
                Some(value) => drop(data.insert(&field.field_name, plain(value))),
            }
        }
        Ok(data)
    }
}

#[async_trait]
impl Provider for CustomToken {
    fn type_name(&self) -> &str {
        TYPE_NAME
    }

    fn id(&self) -> ObjectId {
        self.id
    }

    async fn authenticate(&self, cx: &ProviderContext<'_>, credential: &Credential) -> Result<Proven> {
        let identity = self.identity(cx.into(), credential.text("token")?).await?;
        let subject = Subject::Holder(UserKind::Normal);
        Ok(Proven { subject, identity, lifetime: SessionLifetime::Configured, evidence: Evidence::Foreign })
    }
}

fn refused(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    let error = Error::new(ErrorKind::AuthError, REFUSED).with_cause(cause);
    tracing::debug!(cause = std::error::Error::source(&error).map(tracing::field::display), REFUSED);
    error
}

fn is_short(value: &Value) -> bool {
    match value {
        Value::String(text) => text.chars().nth(MAX_VALUE).is_none(),
        Value::Array(_) | Value::Object(_) => value.to_string().chars().nth(MAX_VALUE).is_none(),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// The value as it stands: `{"$oid": …}` is an object with a member of that name.
fn plain(value: &Value) -> Bson {
    match value {
        Value::Null => Bson::Null,
        Value::Bool(value) => Bson::Boolean(*value),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => i32::try_from(whole).map_or(Bson::Int64(whole), Bson::Int32),
            None => Bson::Double(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => Bson::String(text.clone()),
        Value::Array(list) => Bson::Array(list.iter().map(plain).collect()),
        Value::Object(map) => {
            // A name in BSON cannot hold a NUL.
            let members = map.iter().filter(|(name, _)| !name.contains('\0'));
            Bson::Document(members.map(|(name, value)| (name.clone(), plain(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests;
