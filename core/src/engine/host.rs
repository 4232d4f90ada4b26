//! One app, as a host sees it: each method is one documented call.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Weak};

use bson::{Document, RawDocument};
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::actor::Actor;
use crate::app::{AppConfig, ValidationAction};
use crate::auth::{ApiKeys, Auth, Credential, DeviceInfo, LoginRequest, Profile, Users};
use crate::env::Env;
use crate::error::Result;
use crate::functions::Functions;
use crate::graphql::{ExecuteContext, Graphql, GraphqlRequest, GraphqlResponse, Validate, Violated};
use crate::http::{Network, OriginList, bearer_token, peer_address, request_facts};
use crate::id::{AppId, CollectionId};
use crate::limits::Limits;
use crate::observe::{Notes, Watcher};
use crate::report::Report;
use crate::rules::{Lazily, Permit, RuleBook};
use crate::schema::{CollectionSchema, Violation};
use crate::session::{Sessions, Tokens};
use crate::store::{KeyAlgorithm, Store};

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
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) rules: RuleBook,
    pub(crate) schemas: HashMap<CollectionId, CollectionSchema>,
    pub(crate) graphql: Graphql,
    pub(crate) functions: Functions,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) env: Env,
    pub(crate) watcher: Watcher,
    pub(crate) report: Report,
    /// The `can_evaluate` of functions; `None` where it is not understood, so that nobody may call.
    pub(crate) permits: HashMap<String, Option<Permit>>,
}

impl App {
    pub(crate) fn new(parts: AppParts) -> Self {
        let parts = Arc::new(parts);
        let home: Weak<AppParts> = Arc::downgrade(&parts);
        parts.functions.move_into(home);
        Self { parts }
    }

    /// The client app id.
    pub fn id(&self) -> &AppId {
        &self.parts.id
    }

    /// The configuration.
    pub fn config(&self) -> &AppConfig {
        &self.parts.config
    }

    /// The name in the configuration.
    pub fn name(&self) -> &str {
        &self.parts.config.name
    }

    /// What building the engine found odd, closed or not obeyed in this app; it is logged as well. What an import
    /// found is in the import's own report.
    pub fn report(&self) -> &Report {
        &self.parts.report
    }

    /// Who sent this request: the bearer of its access token.
    ///
    /// This is how a host protects a route of its own.
    ///
    /// # Errors
    /// 401 without a token (`MissingAuthReq`) or with one that is not good (any more)
    /// (`InvalidSession`); 503 when the store is busy.
    pub async fn authenticate(&self, head: &Parts) -> Result<Actor> {
        let actor = self.parts.sessions.authenticate(bearer_token(&head.headers)?).await?;
        Notes::note(head, |notes| notes.actor(&actor));
        Ok(actor)
    }

    /// As [`authenticate`](Self::authenticate), and without an `Authorization` header by a credential in
    /// headers of its own. A bad header of that name is never passed over.
    pub(crate) async fn authenticate_by_any(&self, head: &Parts) -> Result<Actor> {
        if head.headers.contains_key(AUTHORIZATION) {
            return self.authenticate(head).await;
        }
        let actor = self.parts.auth.authenticate_headers(&head.headers, peer_address(head)).await?;
        Notes::note(head, |notes| notes.actor(&actor));
        Ok(actor)
    }

    /// Answers a GraphQL request in process, under the actor's rules. It never fails: what goes wrong is
    /// in the answer's `errors`.
    pub async fn graphql(&self, actor: &Actor, request: &GraphqlRequest) -> GraphqlResponse {
        let watch = self.parts.watcher.in_process(&self.parts.id, self.parts.sessions.domain());
        if let Some(notes) = watch.notes() {
            notes.actor(actor);
        }
        let response = self.graphql_from(actor, request, (None, watch.notes())).await;
        watch.finish(None);
        response
    }

    /// As [`graphql`](Self::graphql), in an HTTP request that rules and functions may ask about, and noting what is
    /// found out.
    pub(crate) async fn graphql_from(
        &self,
        actor: &Actor,
        request: &GraphqlRequest,
        (head, notes): (Option<&Parts>, Option<&Notes>),
    ) -> GraphqlResponse {
        let facts = || head.map(request_facts).unwrap_or_default();
        let facts = Lazily::new(&facts);
        let explanations = self.explanations(actor, request, &facts);
        let checks = self.parts.checks();
        let mut context =
            self.parts.execution(&checks, (actor, &facts), (head.and_then(peer_address), notes));
        context.explanations = explanations.as_ref();
        let response = self.parts.graphql.execute(&context, request).await;
        match explanations {
            Some(explanations) => self.with_explanations(response, explanations),
            None => response,
        }
    }

    /// Logs in with a provider (`anon-user`, `local-userpass`, …) and the fields of a credential as clients
    /// send them: `{"username": …, "password": …}`.
    ///
    /// # Errors
    /// What the provider refuses with; [`ErrorKind::AuthProviderNotFound`] when it is missing or disabled.
    ///
    /// [`ErrorKind::AuthProviderNotFound`]: crate::error::ErrorKind::AuthProviderNotFound
    pub async fn log_in(&self, provider: &str, credential: Document) -> Result<Tokens> {
        self.parts.auth.login(provider, &Credential::new(credential), &DeviceInfo::default()).await
    }

    /// Logs in with a request as clients send it, device and all.
    pub(crate) async fn log_in_from(&self, provider: &str, request: &LoginRequest) -> Result<Tokens> {
        self.parts.auth.login(provider, &request.credential, &request.device).await
    }

    /// The accounts, for an operator: list, create, import, disable, end sessions, delete.
    pub fn users(&self) -> Users<'_> {
        Users::new(&self.parts.auth)
    }

    /// The app's server API keys; `.of(user)` for those that a user made.
    pub fn api_keys(&self) -> ApiKeys<'_> {
        ApiKeys::new(&self.parts.auth, None)
    }

    /// Signs with a fresh key from now on; older keys verify until their last session has ended, and
    /// [`Engine::maintenance`](super::Engine::maintenance) then removes them.
    ///
    /// # Errors
    /// Keys that the host handed in cannot be rotated here; a store that fails.
    pub async fn rotate_signing_keys(&self, algorithm: KeyAlgorithm) -> Result<()> {
        self.parts.sessions.rotate_keys(algorithm).await.map(drop)
    }

    /// The public halves of the app's signing keys, a JSON Web Key Set (RFC 7517), for third parties.
    pub fn jwks(&self) -> serde_json::Value {
        self.parts.sessions.jwks()
    }

    /// A new access token for a refresh token; custom user data are read anew.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSession`](crate::error::ErrorKind::InvalidSession) when the session has ended.
    pub async fn refresh(&self, refresh_token: &str) -> Result<String> {
        self.parts.sessions.refresh(refresh_token).await
    }

    /// Ends the session of a refresh token, its access tokens included.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSession`](crate::error::ErrorKind::InvalidSession) when it has ended already.
    pub async fn log_out(&self, refresh_token: &str) -> Result<()> {
        self.parts.sessions.logout(refresh_token).await
    }

    /// What the client may know of the actor's account.
    ///
    /// # Errors
    /// [`ErrorKind::MissingAuthReq`](crate::error::ErrorKind::MissingAuthReq) for the system, which has none.
    pub fn profile(&self, actor: &Actor) -> Result<Profile> {
        self.parts.auth.profile(actor)
    }

    /// The generated GraphQL schema.
    pub fn sdl(&self) -> &str {
        self.parts.graphql.sdl()
    }

    /// A query that this app answers, for a first try; of the collection named like the app, if there is one.
    pub fn example_query(&self) -> String {
        self.parts.graphql.example_query(self.name())
    }

    pub(crate) fn public_url(&self) -> &str {
        &self.parts.public_url
    }

    pub(crate) fn limits(&self) -> &Limits {
        self.parts.graphql.limits()
    }

    pub(crate) fn access_list(&self) -> Option<&[Network]> {
        self.parts.config.access_list.as_deref()
    }

    pub(crate) fn origins(&self) -> &OriginList {
        &self.parts.origins
    }

    /// Notes this app, and the provider that a path names if there is one of that name.
    pub(crate) fn note(&self, notes: &Notes, provider: Option<&str>) {
        notes.app(&self.parts.id, self.parts.sessions.domain());
        if let Some(provider) = provider.filter(|name| self.parts.auth.has_provider(name)) {
            notes.provider(provider);
        }
    }

    pub(crate) fn parts(&self) -> &AppParts {
        &self.parts
    }
}

/// What documents are checked with.
pub(super) struct Checks<'a> {
    written: Box<Validate<'a>>,
    violated: Option<Box<Violated<'a>>>,
    read: Option<Box<Validate<'a>>>,
}

impl AppParts {
    /// What the app's settings want documents to be checked with.
    pub(super) fn checks(&self) -> Checks<'_> {
        let (write, read) = (self.config.graphql.write_validation, self.config.graphql.read_validation);
        let on = |action: ValidationAction| action != ValidationAction::Off;
        Checks {
            written: Box::new(move |collection, document| self.validate(write, collection, document)),
            violated: on(write).then(|| {
                let checked =
                    move |collection: &CollectionId, violation| obeyed(write, collection, violation);
                Box::new(checked) as Box<Violated<'_>>
            }),
            read: on(read).then(|| {
                let checked = move |collection: &CollectionId, document: &RawDocument| {
                    self.validate(read, collection, document)
                };
                Box::new(checked) as Box<Validate<'_>>
            }),
        }
    }

    /// What a request of the actor's runs in.
    pub(super) fn execution<'a>(
        &'a self,
        checks: &'a Checks<'_>,
        (actor, request): (&'a Actor, &'a Lazily<'a>),
        (peer, notes): (Option<IpAddr>, Option<&'a Notes>),
    ) -> ExecuteContext<'a> {
        ExecuteContext {
            store: &*self.store,
            actor,
            rules: &self.rules,
            request,
            env: &self.env,
            validate: &*checks.written,
            violated: checks.violated.as_deref(),
            validate_read: checks.read.as_deref(),
            functions: &self.functions,
            peer,
            explanations: None,
            notes,
        }
    }

    fn validate(
        &self,
        action: ValidationAction,
        collection: &CollectionId,
        document: &RawDocument,
    ) -> std::result::Result<(), String> {
        let Self { config, schemas, .. } = self;
        let schema = schemas.get(collection).filter(|_| action != ValidationAction::Off);
        let Some(schema) = schema else { return Ok(()) };
        match schema.check(document, config.graphql.nulls) {
            Ok(()) => Ok(()),
            Err(violation) => obeyed(action, collection, violation),
        }
    }
}

/// What becomes of a document that does not fit its schema.
#[expect(clippy::needless_pass_by_value, reason = "nobody needs it afterwards")]
fn obeyed(
    action: ValidationAction,
    collection: &CollectionId,
    violation: Violation,
) -> std::result::Result<(), String> {
    match action {
        ValidationAction::Off => Ok(()),
        ValidationAction::Error => Err(violation.to_string()),
        ValidationAction::Warn => {
            tracing::warn!(%collection, %violation, "a document does not fit its schema");
            Ok(())
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "App({})", self.parts.id)
    }
}
