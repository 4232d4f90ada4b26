//! `custom-function`: a function of the app proves who it is.
//!
//! 1. The function is given the payload and gives back an id, as text or as `{id, name}`.
//! 2. What it throws is told to the client, as the original does; anything else that it may give back is refused.

use async_trait::async_trait;
use bson::oid::ObjectId;
use bson::{Bson, Document};

use crate::actor::Actor;
use crate::auth::config::CustomFunctionConfig;
use crate::auth::credential::Credential;
use crate::auth::provider::{Evidence, Proven, Provider, ProviderContext, Subject};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::FunctionCall;
use crate::session::SessionLifetime;
use crate::store::{Identity, UserKind};

const TYPE_NAME: &str = "custom-function";
const MAX_ID_BYTES: usize = 1024;

pub(super) struct CustomFunction {
    id: ObjectId,
    config: CustomFunctionConfig,
}

impl CustomFunction {
    pub(super) fn new(id: ObjectId, config: CustomFunctionConfig) -> Self {
        Self { id, config }
    }
}

#[async_trait]
impl Provider for CustomFunction {
    fn type_name(&self) -> &str {
        TYPE_NAME
    }

    fn id(&self) -> ObjectId {
        self.id
    }

    async fn authenticate(&self, cx: &ProviderContext<'_>, credential: &Credential) -> Result<Proven> {
        let payload = Bson::Document(credential.fields().clone());
        let call = FunctionCall::new(Actor::system(cx.app.clone()), vec![payload]).from_peer(cx.peer);
        let answer = cx.functions.call(&self.config.function, call).await.map_err(|error| {
            match error.kind() {
                // A failing function is no dead session: clients must not refresh and repeat.
                ErrorKind::FunctionExecutionError => {
                    Error::new(ErrorKind::AuthError, error.hint().to_owned())
                }
                _ => error,
            }
        })?;
        let (id, data) = identity_of(answer)?;
        let identity = Identity { provider: TYPE_NAME.to_owned(), provider_id: self.id, id, data };
        let subject = Subject::Holder(UserKind::Normal);
        Ok(Proven { subject, identity, lifetime: SessionLifetime::Configured, evidence: Evidence::Foreign })
    }
}

fn identity_of(answer: Bson) -> Result<(String, Document)> {
    let mut data = Document::new();
    let id = match answer {
        Bson::String(id) => Some(id),
        Bson::ObjectId(id) => Some(id.to_hex()),
        Bson::Document(answer) => {
            if let Ok(name) = answer.get_str("name") {
                data.insert("name", name);
            }
            match answer.get("id") {
                Some(Bson::String(id)) => Some(id.clone()),
                Some(Bson::ObjectId(id)) => Some(id.to_hex()),
                _ => None,
            }
        }
        _ => None,
    };
    match id.filter(|id| !id.is_empty() && id.len() <= MAX_ID_BYTES) {
        Some(id) => Ok((id, data)),
        None => {
            let text = "the authentication function gave back no id";
            Err(Error::new(ErrorKind::AuthError, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    #[test]
    fn only_a_text_of_bearable_length_is_an_id() {
        assert_eq!(identity_of("u1".into()).unwrap().0, "u1");
        let named = identity_of(doc! { "id": "u1", "name": "Ada" }.into()).unwrap();
        assert_eq!(named, ("u1".to_owned(), doc! { "name": "Ada" }));
        let long = "x".repeat(MAX_ID_BYTES + 1);
        for bad in [Bson::Null, "".into(), 5.into(), doc! { "id": 5 }.into(), doc! {}.into(), long.into()] {
            assert_eq!(identity_of(bad).unwrap_err().kind(), ErrorKind::AuthError);
        }
    }
}
