//! The wiring of an engine: `build()` checks it and reports every problem at once.

mod checks;

use std::collections::{BTreeMap, HashMap};
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::app::AppConfig;
use crate::auth::{Auth, AuthParts, PasswordCost, PasswordHasher, StoredCustomData, UserEvents, UserHook};
use crate::engine::{
    App, AppParts, Engine, Parts, catalog, missing_functions, permits, problems_of_schemas, rule_book,
    what_tells,
};
use crate::env::Env;
use crate::error::Error;
use crate::functions::{BatchFunction, Function, FunctionRuntime, Functions};
use crate::graphql::{Graphql, Introspection};
use crate::http::{Network, OriginList, Proxies};
use crate::id::{AppId, CollectionId, DomainId};
use crate::limits::Limits;
use crate::observe::{EventLog, RequestLog, Watcher, metrics};
use crate::report::Report;
use crate::schema::CollectionSchema;
use crate::secret::Secret;
use crate::session::{CustomData, KeySource, NoCustomData, SessionSettings, Sessions};
use crate::store::{DOMAIN_ID, SigningKeyRecord, Store};

/// Puts an engine together.
#[must_use = "nothing is built before `build` is awaited"]
pub struct EngineBuilder {
    store: Option<Arc<dyn Store>>,
    env: Option<Env>,
    public_url: Option<String>,
    limits: Limits,
    proxies: Proxies,
    password_cost: PasswordCost,
    password_peppers: Vec<(String, Secret)>,
    keys: HashMap<AppId, Vec<SigningKeyRecord>>,
    functions: HashMap<String, Arc<dyn Function>>,
    batches: HashMap<String, Arc<dyn BatchFunction>>,
    runtime: Option<Arc<dyn FunctionRuntime>>,
    user_hooks: Vec<UserHook>,
    request_log: Arc<dyn RequestLog>,
    apps: Vec<AppConfig>,
}

/// Why an engine cannot be built: every problem there is.
#[derive(Debug)]
pub struct BuildError {
    problems: Vec<String>,
    cause: Option<Error>,
}

impl EngineBuilder {
    pub(crate) fn new() -> Self {
        Self {
            store: None,
            env: None,
            public_url: None,
            limits: Limits::default(),
            proxies: Proxies::default(),
            password_cost: PasswordCost::RECOMMENDED,
            password_peppers: Vec::new(),
            keys: HashMap::new(),
            functions: HashMap::new(),
            batches: HashMap::new(),
            runtime: None,
            user_hooks: Vec::new(),
            request_log: Arc::new(EventLog),
            apps: Vec::new(),
        }
    }

    /// Where everything is kept. Needed.
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// The base URL that clients reach the server by: `https://api.example.com`. Needed; the request's
    /// `Host` header is never believed.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// Time, randomness and other outside effects; [`Env::system`] when not given.
    pub fn env(mut self, env: Env) -> Self {
        self.env = Some(env);
        self
    }

    /// The limits; all of them have defaults.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The proxies in front of the server, as addresses or networks (`"10.0.0.0/8".parse()`). Of these alone
    /// `X-Forwarded-For` is believed: the right-most address in it that is none of them is the client's.
    pub fn trusted_proxies(mut self, proxies: impl IntoIterator<Item = impl Into<Network>>) -> Self {
        self.proxies = Proxies(proxies.into_iter().map(Into::into).collect());
        self
    }

    /// What a password hash costs; a host's tests make it cheap.
    pub fn password_cost(mut self, cost: PasswordCost) -> Self {
        self.password_cost = cost;
        self
    }

    /// Secrets that go into password hashes and are not in the store, with their ids, newest last: see
    /// [`PasswordHasher::with_peppers`].
    pub fn password_peppers(mut self, peppers: Vec<(String, Secret)>) -> Self {
        self.password_peppers = peppers;
        self
    }

    /// The signing keys of an app, instead of those that the store keeps; the newest signs.
    pub fn signing_keys(mut self, app: AppId, keys: Vec<SigningKeyRecord>) -> Self {
        self.keys.insert(app, keys);
        self
    }

    /// A native function, which apps' configurations call by this name. It comes before a JavaScript
    /// function of the same name. One that log-in needs and that is missing is told by [`build`](Self::build).
    pub fn function(mut self, name: impl Into<String>, function: impl Function + 'static) -> Self {
        self.functions.insert(name.into(), Arc::new(function));
        self
    }

    /// A native function that computes a field of all documents of a level in one call: a custom resolver of
    /// this name on a generated type calls it instead of a [`function`](Self::function).
    pub fn batch_function(mut self, name: impl Into<String>, function: impl BatchFunction + 'static) -> Self {
        self.batches.insert(name.into(), Arc::new(function));
        self
    }

    /// What runs the functions that exported apps have as source code. Native functions of the same name are asked
    /// first.
    pub fn runtime(mut self, runtime: impl FunctionRuntime + 'static) -> Self {
        self.runtime = Some(Arc::new(runtime));
        self
    }

    /// A listener to log-ins and to users who come and go. Several are called in the order that they are given.
    pub fn on_user_event(mut self, hook: UserHook) -> Self {
        self.user_hooks.push(hook);
        self
    }

    /// Who is given a record of every request; [`EventLog`] when not given.
    pub fn request_log(mut self, log: impl RequestLog + 'static) -> Self {
        self.request_log = Arc::new(log);
        self
    }

    /// One app. At least one is needed.
    pub fn app(mut self, config: AppConfig) -> Self {
        self.apps.push(config);
        self
    }

    /// Checks the wiring, makes the collections ready and fetches (or makes) the apps' keys.
    ///
    /// # Errors
    /// One error with every problem of the wiring, or the store's failure. An app that was written in Rust names
    /// no function that is missing; one that was imported is served, and its [`report`](App::report) says what is
    /// closed.
    pub async fn build(self) -> Result<Engine, BuildError> {
        let mut problems = Vec::new();
        let public_url = checks::public_url(self.public_url.as_deref(), &mut problems);
        if self.apps.is_empty() {
            problems.push("no app: call `app` at least once".to_owned());
        }
        self.check_apps(&mut problems);
        let Some(store) = self.store else {
            problems.push("no store: call `store`".to_owned());
            return Err(BuildError { problems, cause: None });
        };
        if !problems.is_empty() {
            return Err(BuildError { problems, cause: None });
        }
        let env = self.env.unwrap_or_else(Env::system);
        // One hasher for all apps, so that its bound is the machine's.
        let hasher = PasswordHasher::new(self.password_cost, env.clone(), &self.limits);
        let hasher = match hasher.and_then(|hasher| hasher.with_peppers(self.password_peppers)) {
            Ok(hasher) => Arc::new(hasher),
            Err(error) => return Err(BuildError { problems: Vec::new(), cause: Some(error) }),
        };
        let functions = Functions::new(self.functions, env.clone(), self.limits.function);
        let functions = functions.with_batches(self.batches).with_depth(self.limits.function_depth);
        let events = UserEvents::new(self.user_hooks);
        let watcher = Watcher::new(self.request_log, env.clone());
        metrics::describe();
        let (limits, proxies, keys, apps) = (self.limits, self.proxies, self.keys, self.apps);
        let runtime = self.runtime;
        let wiring = Wiring {
            store,
            env,
            public_url,
            limits,
            proxies,
            hasher,
            keys,
            functions,
            runtime,
            events,
            watcher,
        };
        wiring.build(apps).await.map_err(|cause| BuildError { problems: Vec::new(), cause: Some(cause) })
    }
}

/// The wiring once nothing is missing.
struct Wiring {
    store: Arc<dyn Store>,
    env: Env,
    public_url: String,
    limits: Limits,
    proxies: Proxies,
    hasher: Arc<PasswordHasher>,
    keys: HashMap<AppId, Vec<SigningKeyRecord>>,
    functions: Functions,
    runtime: Option<Arc<dyn FunctionRuntime>>,
    events: UserEvents,
    watcher: Watcher,
}

impl Wiring {
    async fn build(self, configs: Vec<AppConfig>) -> Result<Engine, Error> {
        let specs: Vec<_> = configs.iter().flat_map(AppConfig::collection_specs).collect();
        self.store.prepare(&specs).await?;
        let mut apps = BTreeMap::new();
        let mut domains = HashMap::new();
        for config in configs {
            let id = config.id.clone();
            let domain = self.domain_of(&id).await?;
            domains.insert(domain, id.clone());
            apps.insert(id, self.app(config, domain).await?);
        }
        let Self { limits, store, env, proxies, watcher, events, .. } = self;
        let triggers = events.queue().clone();
        Ok(Engine::new(Parts { apps, domains, limits, store, env, proxies, watcher, triggers }))
    }

    /// The app's domain id, made on first start.
    async fn domain_of(&self, app: &AppId) -> Result<DomainId, Error> {
        let fresh = DomainId::generate(self.env.clock.now(), &*self.env.random)?;
        let stored = self.store.meta_or_insert(app, DOMAIN_ID, &fresh.to_hex()).await?;
        DomainId::parse(&stored).ok_or_else(|| Error::internal(format!("domain id `{stored}` is none")))
    }

    async fn app(&self, config: AppConfig, domain: DomainId) -> Result<App, Error> {
        let id = config.id.clone();
        let mut report = Report::default();
        problems_of_schemas(&config, &mut report);
        let introspection =
            if config.graphql.introspection { Introspection::Enabled } else { Introspection::Disabled };
        let graphql = Graphql::new(Arc::new(catalog(&config, &mut report)), introspection, &self.limits);
        let functions = self.functions.of_app(&id, (&config.functions, self.runtime.as_deref()), &mut report);
        let rules = rule_book(&config, (&functions, &self.limits), &mut report);
        missing_functions(&config, &|name| functions.has(name), &mut report);
        what_tells(&config, &mut report);
        let permits = permits(&config, &self.limits, &mut report);
        config.relocate(&mut report);
        for problem in report.problems() {
            tracing::warn!(app = %id, "{problem}");
        }
        let sessions = Arc::new(self.sessions(&config, domain).await?);
        let auth =
            Auth::new(&config.auth, self.auth_parts(&config, (functions.clone(), Arc::clone(&sessions))));
        Ok(App::new(AppParts {
            origins: OriginList::new(&config.allowed_request_origins),
            schemas: schemas(&config),
            id,
            public_url: self.public_url.clone(),
            auth,
            sessions,
            rules,
            graphql,
            functions,
            store: Arc::clone(&self.store),
            env: self.env.clone(),
            watcher: self.watcher.clone(),
            config,
            report,
            permits,
        }))
    }
}

impl Wiring {
    async fn sessions(&self, config: &AppConfig, domain: DomainId) -> Result<Sessions, Error> {
        let custom_data: Arc<dyn CustomData> = match &config.auth.custom_user_data {
            Some(custom) => Arc::new(StoredCustomData::new(custom.clone(), Arc::clone(&self.store))),
            None => Arc::new(NoCustomData),
        };
        let settings = SessionSettings {
            app: config.id.clone(),
            domain,
            store: Arc::clone(&self.store),
            env: self.env.clone(),
            limits: self.limits.clone(),
            refresh_lifetime: config.auth.refresh_lifetime,
            custom_data,
        };
        let keys = self.keys.get(&config.id).cloned().map_or(KeySource::Store, KeySource::Host);
        Sessions::start(settings, keys).await
    }

    fn auth_parts(&self, config: &AppConfig, (functions, sessions): (Functions, Arc<Sessions>)) -> AuthParts {
        AuthParts {
            app: config.id.clone(),
            name: config.name.clone(),
            functions,
            events: self.events.of_app(config),
            egress: config.egress.clone(),
            public_url: self.public_url.clone(),
            store: Arc::clone(&self.store),
            env: self.env.clone(),
            limits: self.limits.clone(),
            hasher: Arc::clone(&self.hasher),
            sessions,
        }
    }
}

/// The schemas that writes are checked against.
fn schemas(config: &AppConfig) -> HashMap<CollectionId, CollectionSchema> {
    let with_schema = config.collections.iter();
    with_schema.filter_map(|collection| Some((collection.id.clone(), collection.schema.clone()?))).collect()
}

impl fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EngineBuilder({} apps)", self.apps.len())
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Some(cause) => {
                write!(f, "the engine cannot start: {cause}")?;
                let mut source = cause.source();
                while let Some(cause) = source {
                    write!(f, ": {cause}")?;
                    source = cause.source();
                }
                Ok(())
            }
            None => write!(f, "the engine is not wired: {}", self.problems.join("; ")),
        }
    }
}

impl StdError for BuildError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_ref().and_then(StdError::source)
    }
}
