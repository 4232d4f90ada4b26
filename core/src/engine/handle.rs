//! `Engine::handle`: the whole story in one function.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use tracing::Instrument as _;

use super::{App, account, endpoints, functions, graphql, oauth};
use crate::auth::TriggerQueue;
use crate::builder::EngineBuilder;
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{self as wire, Body, Endpoint, Found, Lookup, PeerAddress, Proxies, bearer_token};
use crate::id::{AppId, DomainId};
use crate::limits::Limits;
use crate::observe::{Notes, Watch, Watcher};
use crate::session;
use crate::store::Store;

/// An engine: apps behind one HTTP API. Cloning it is cheap.
#[derive(Clone)]
pub struct Engine {
    parts: Arc<Parts>,
}

/// What the builder puts together.
pub(crate) struct Parts {
    pub(crate) apps: BTreeMap<AppId, App>,
    pub(crate) domains: HashMap<DomainId, AppId>,
    pub(crate) limits: Limits,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) env: Env,
    pub(crate) proxies: Proxies,
    pub(crate) watcher: Watcher,
    pub(crate) triggers: TriggerQueue,
}

impl Engine {
    /// Starts the wiring of an engine.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::new()
    }

    pub(crate) fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// The app of this client app id.
    pub fn app(&self, id: &str) -> Option<&App> {
        self.parts.apps.get(&AppId::new(id))
    }

    /// All apps, in the order of their ids.
    pub fn apps(&self) -> impl Iterator<Item = &App> {
        self.parts.apps.values()
    }

    /// The limits; a mount enforces the one on bodies while it reads.
    pub fn limits(&self) -> &Limits {
        &self.parts.limits
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Answers a request. It never fails: errors become responses here and nowhere else.
    ///
    /// The path is absolute (`/api/client/v2.0/…`). A mount puts the peer's address into the
    /// extensions as [`PeerAddress`](crate::http::PeerAddress).
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Body> {
        let (mut head, body) = request.into_parts();
        let (lookup, watch) = self.begin(&mut head);
        let span = watch.span();
        let outcome = match lookup {
            // A future of many kilobytes is moved into its span, so without one it is awaited where it is.
            Lookup::Endpoint(found) if span.is_disabled() => self.answer(&found, &head, body).await,
            Lookup::Endpoint(found) => self.answer(&found, &head, body).instrument(span.clone()).await,
            Lookup::Preflight { methods, app } => {
                self.admit_preflight(app.as_deref(), &head).map(|()| wire::preflight(&methods))
            }
            Lookup::OtherMethods(methods) => Ok(wire::method_not_allowed(&methods)),
            Lookup::NotFound => Err(Error::new(ErrorKind::RouteNotFound, "no such route")),
        };
        span.in_scope(|| respond(&watch, &head, outcome))
    }

    /// Finds out who asks, as far as the connection tells, and what for.
    fn begin(&self, head: &mut http::request::Parts) -> (Lookup, Watch<'_>) {
        if let Some(client) = self.parts.proxies.client(head) {
            head.extensions.insert(PeerAddress(client));
        }
        let lookup = wire::find(&head.method, head.uri.path());
        let watch = self.parts.watcher.request(&lookup, head);
        (lookup, watch)
    }

    /// The answer to a body over [`Limits::body`], for mounts.
    pub fn refuse_large_body(&self, head: &http::request::Parts) -> Response<Body> {
        let hint = format!("the body is larger than {} bytes", self.parts.limits.body);
        self.refuse(head, Error::new(ErrorKind::BodyTooLarge, hint))
    }

    /// The answer to a body that breaks off or is framed wrongly, for mounts.
    pub fn refuse_broken_body(&self, head: &http::request::Parts) -> Response<Body> {
        self.refuse(head, Error::new(ErrorKind::BadRequest, "the body could not be read"))
    }

    /// Not even the app is known: nothing is believed of a request that came in part.
    fn refuse(&self, head: &http::request::Parts, error: Error) -> Response<Body> {
        let (_, watch) = self.begin(&mut head.clone());
        watch.span().in_scope(|| respond(&watch, head, Err(error)))
    }

    async fn answer(
        &self,
        found: &Found,
        head: &http::request::Parts,
        body: Bytes,
    ) -> Result<Response<Body>> {
        if found.endpoint == Endpoint::Health {
            return Ok(wire::health());
        }
        if found.endpoint == Endpoint::EndRedirect {
            // Services post from their own origins; what is under way is known by its ticket and cookie.
            return oauth::end(self, head, &body).await;
        }
        let app = self.app_of(found, head)?;
        Notes::note(head, |notes| app.note(notes, found.provider.as_deref()));
        admit(app, head)?;
        match found.endpoint {
            Endpoint::Location => Ok(endpoints::location(app)),
            Endpoint::KeySet => Ok(endpoints::key_set(app)),
            Endpoint::Login if is_link(head) => {
                account::link(app, found.provider.as_deref().unwrap_or_default(), head, &body).await
            }
            Endpoint::EmailPassword(flow) => account::email_password(app, flow, head, &body).await,
            Endpoint::ApiKeys(call) => {
                account::api_keys(app, (call, found.id.as_deref().unwrap_or_default()), head, &body).await
            }
            Endpoint::DeleteUser => account::delete(app, head).await,
            Endpoint::Login => {
                endpoints::login(app, found.provider.as_deref().unwrap_or_default(), head, &body).await
            }
            Endpoint::BeginRedirect => {
                oauth::begin(app, found.provider.as_deref().unwrap_or_default(), head).await
            }
            Endpoint::EndRedirect => oauth::end(self, head, &body).await,
            Endpoint::Register => endpoints::register(app, head, &body).await,
            Endpoint::RefreshSession => endpoints::refresh_session(app, head).await,
            Endpoint::EndSession => endpoints::end_session(app, head).await,
            Endpoint::Profile => endpoints::profile(app, head).await,
            Endpoint::Graphql => graphql::answer(app, head, &body).await,
            Endpoint::CallFunction => functions::call(app, head, &body).await,
            Endpoint::Health => Ok(wire::health()),
        }
    }

    /// The app that the path names, or else the one whose domain the token names.
    ///
    /// The token is not trusted for that: the app then checks it with its own keys.
    fn app_of(&self, found: &Found, head: &http::request::Parts) -> Result<&App> {
        if let Some(id) = &found.app {
            return self.app(id).ok_or_else(|| unknown_app(id));
        }
        let token = bearer_token(&head.headers)?;
        if let (1, Some(only)) = (self.parts.apps.len(), self.apps().next()) {
            // It refuses what is not meant for it, and reads the token but once.
            return Ok(only);
        }
        session::peek_domain(token, self.parts.limits.own_token)
            .and_then(|domain| self.parts.domains.get(&domain))
            .and_then(|id| self.parts.apps.get(id))
            .ok_or_else(|| Error::new(ErrorKind::InvalidSession, "invalid session"))
    }

    /// Where the path names no app, the origin has to be one that some app admits.
    fn admit_preflight(&self, app: Option<&str>, head: &http::request::Parts) -> Result<()> {
        match app {
            Some(id) => admit(self.app(id).ok_or_else(|| unknown_app(id))?, head),
            None if self.apps().any(|app| admit(app, head).is_ok()) => Ok(()),
            None => Err(restricted()),
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.parts.apps.keys()).finish()
    }
}

/// The end of every request, good or bad.
fn respond(
    watch: &Watch<'_>,
    head: &http::request::Parts,
    outcome: Result<Response<Body>>,
) -> Response<Body> {
    let mut response = outcome.unwrap_or_else(|error| {
        watch.failed(&error);
        wire::error(&error)
    });
    wire::allow(&head.headers, response.headers_mut());
    watch.finish(Some(response.status()));
    response
}

/// Whether a log-in is to add an identity to whoever sends it.
fn is_link(head: &http::request::Parts) -> bool {
    head.uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "link=true"))
}

/// By address and origin, before anything else is read of the request.
fn admit(app: &App, head: &http::request::Parts) -> Result<()> {
    admit_address(app, head)?;
    if app.origins().admits(&head.headers) { Ok(()) } else { Err(restricted()) }
}

/// An app with an access list takes no request whose address is not known.
pub(super) fn admit_address(app: &App, head: &http::request::Parts) -> Result<()> {
    let Some(list) = app.access_list() else { return Ok(()) };
    let peer = wire::peer_address(head);
    if peer.is_some_and(|peer| list.iter().any(|network| network.contains(peer))) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::RestrictedHost, "address not allowed"))
}

fn restricted() -> Error {
    Error::new(ErrorKind::RestrictedHost, "origin not allowed")
}

fn unknown_app(id: &str) -> Error {
    Error::new(ErrorKind::AppNotFound, format!("cannot find app using Client App ID '{id}'"))
}
