//! One app, as a host sees it: each method is one documented call.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use bson::RawDocument;
use http::request::Parts;
use serde_json::Value;

use crate::actor::Actor;
use crate::app::AppConfig;
use crate::auth::{Auth, Profile};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::graphql::{ExecuteContext, Graphql, GraphqlRequest, GraphqlResponse};
use crate::http::{OriginList, bearer_token};
use crate::id::{AppId, CollectionId};
use crate::rules::RuleBook;
use crate::schema::CollectionSchema;
use crate::session::Tokens;
use crate::store::Store;

/// One app of an engine. Cloning it is cheap.
#[derive(Clone)]
pub struct App {
    parts: Arc<AppParts>,
}

/// What the builder puts together.
pub(crate) struct AppParts {
    pub(crate) id: AppId,
    pub(crate) config: AppConfig,
    pub(crate) public_url: String,
    pub(crate) origins: OriginList,
    pub(crate) auth: Auth,
    pub(crate) rules: RuleBook,
    pub(crate) schemas: HashMap<CollectionId, CollectionSchema>,
    pub(crate) graphql: Graphql,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) env: Env,
}

impl App {
    pub(crate) fn new(parts: AppParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// The client app id.
    pub fn id(&self) -> &AppId {
        &self.parts.id
    }

    /// The name in the configuration.
    pub fn name(&self) -> &str {
        &self.parts.config.name
    }

    /// Who sent this request: the bearer of its access token.
    ///
    /// This is how a host protects a route of its own.
    ///
    /// # Errors
    /// 401 without a token ([`ErrorKind::MissingAuthReq`]) or with one that is not good (any more)
    /// ([`ErrorKind::InvalidSession`]); 503 when the store is busy.
    pub async fn authenticate(&self, head: &Parts) -> Result<Actor> {
        self.parts.auth.sessions().authenticate(bearer_token(&head.headers)?).await
    }

    /// Answers a GraphQL request in process, under the actor's rules. It never fails: what goes wrong is
    /// in the answer's `errors`.
    pub async fn graphql(&self, actor: &Actor, request: &GraphqlRequest) -> GraphqlResponse {
        let validate = |collection: &CollectionId, document: &RawDocument| self.validate(collection, document);
        let context = ExecuteContext {
            store: &*self.parts.store,
            actor,
            rules: &self.parts.rules,
            env: &self.parts.env,
            validate: &validate,
        };
        self.parts.graphql.execute(&context, request).await
    }

    /// Logs in with a provider (`anon-user`, `local-userpass`, …) and a credential as the clients send it.
    ///
    /// # Errors
    /// What the provider refuses with; [`ErrorKind::AuthProviderNotFound`] when it is missing or disabled.
    pub async fn log_in(&self, provider: &str, credential: Value) -> Result<Tokens> {
        self.parts.auth.log_in(provider, credential).await
    }

    /// Registers an e-mail address with a password.
    ///
    /// # Errors
    /// [`ErrorKind::AccountNameInUse`] when the address is taken.
    pub async fn register(&self, email: &str, password: &str) -> Result<()> {
        self.parts.auth.register(email, password).await
    }

    /// A new access token for a refresh token; custom user data are read anew.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSession`] when the session has ended.
    pub async fn refresh(&self, refresh_token: &str) -> Result<String> {
        self.parts.auth.refresh(refresh_token).await
    }

    /// Ends the session of a refresh token, its access tokens included.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSession`] when it has ended already.
    pub async fn log_out(&self, refresh_token: &str) -> Result<()> {
        self.parts.auth.sessions().log_out(refresh_token).await
    }

    /// What the client may know of the actor's account.
    ///
    /// # Errors
    /// [`ErrorKind::UserNotFound`] for the system, which has none.
    pub fn profile(&self, actor: &Actor) -> Result<Profile> {
        self.parts.auth.profile(actor).ok_or_else(|| Error::new(ErrorKind::UserNotFound, "user not found"))
    }

    /// The generated GraphQL schema.
    pub fn sdl(&self) -> &str {
        self.parts.graphql.sdl()
    }

    /// A query that this app answers, for a first try.
    pub fn example_query(&self) -> String {
        self.parts.graphql.example_query()
    }

    pub(crate) fn public_url(&self) -> &str {
        &self.parts.public_url
    }

    pub(crate) fn origins(&self) -> &OriginList {
        &self.parts.origins
    }

    pub(crate) fn parts(&self) -> &AppParts {
        &self.parts
    }

    fn validate(&self, collection: &CollectionId, document: &RawDocument) -> std::result::Result<(), String> {
        match self.parts.schemas.get(collection) {
            Some(schema) => schema.check(document).map_err(|violation| violation.to_string()),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "App({})", self.parts.id)
    }
}
