//! What a function reaches while it runs.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bson::{Bson, Document};
use bytes::Bytes;

use crate::actor::Actor;
use crate::data::view::View;
use crate::error::{Error, ErrorKind, Result};

/// What stands behind a [`CallContext`]: the app that the function belongs to. A test of a function may have one of its
/// own.
#[async_trait]
pub trait FunctionHost: Send + Sync {
    /// A call of a service, for the context's actor: `("mongodb-atlas", "find", [{"database": …}])`, as clients send
    /// them to `functions/call`.
    ///
    /// # Errors
    /// What the service refuses with.
    async fn call_service(
        &self,
        context: &CallContext,
        service: &str,
        name: &str,
        arguments: Vec<Bson>,
    ) -> Result<Bson>;

    /// A call of another function of the app, for the same user.
    ///
    /// # Errors
    /// As [`Functions::call`](super::Functions::call).
    async fn call_function(&self, context: &CallContext, name: &str, arguments: Vec<Bson>) -> Result<Bson>;

    /// Sends an HTTP request, if the app may ask that server.
    ///
    /// # Errors
    /// [`ErrorKind::HttpError`].
    async fn fetch(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>>;

    /// The user of this id, to act as.
    ///
    /// # Errors
    /// [`ErrorKind::UserNotFound`], [`ErrorKind::UserDisabled`].
    async fn user(&self, id: &str) -> Result<Actor>;

    /// A named value of the app (`values/`); `None` when there is none of that name.
    ///
    /// # Errors
    /// [`ErrorKind::FunctionExecutionError`] when it stands in a secret that is not known.
    fn value(&self, name: &str) -> Result<Option<Bson>>;

    /// `{tag, values}`.
    fn environment(&self) -> Document;

    /// `{id, clientAppId, name}`.
    fn app(&self) -> Document;
}

/// What a function reaches while it runs: data under the rules, other functions, values, other servers.
#[derive(Clone)]
pub struct CallContext {
    host: Option<Arc<dyn FunctionHost>>,
    /// As whom data are read and written.
    pub(crate) actor: Actor,
    /// Who called, whomever the function's settings let it act as.
    pub(crate) caller: Actor,
    /// What `%%request` stands for.
    pub(crate) request: Arc<Document>,
    /// How many functions called one another to get here.
    pub(crate) depth: usize,
    /// What it reads and writes together with the mutation that called it.
    pub(crate) view: Option<View>,
}

impl CallContext {
    /// The context of a function that `host` stands behind, and that reads and writes as `actor`.
    pub fn new(host: Arc<dyn FunctionHost>, actor: Actor) -> Self {
        Self { host: Some(host), ..Self::detached(actor) }
    }

    /// Of a function that nothing stands behind: it has its arguments, and no app.
    pub fn detached(actor: Actor) -> Self {
        Self { host: None, caller: actor.clone(), actor, request: Arc::default(), depth: 0, view: None }
    }

    /// The same in an HTTP request: `{httpMethod, remoteIPAddress, requestHeaders, …}`.
    #[must_use]
    pub fn in_request(self, request: Arc<Document>) -> Self {
        Self { request, ..self }
    }

    /// As whom data are read and written: the caller, the system, or the user that the function's settings name.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Whether no rule binds what it reads and writes.
    pub fn runs_as_system(&self) -> bool {
        self.actor.is_system()
    }

    /// What is known of the HTTP request; empty outside of one.
    pub fn request(&self) -> &Document {
        &self.request
    }

    /// How many functions called one another to get here; 0 outside of any.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Calls a service: `("mongodb-atlas", "find", [{"database": …, "collection": …, "query": …}])`.
    ///
    /// # Errors
    /// What the service refuses with.
    pub async fn call_service(&self, service: &str, name: &str, arguments: Vec<Bson>) -> Result<Bson> {
        self.host()?.call_service(self, service, name, arguments).await
    }

    /// Calls another function of the app, for the same user.
    ///
    /// # Errors
    /// As [`Functions::call`](super::Functions::call).
    pub async fn call_function(&self, name: &str, arguments: Vec<Bson>) -> Result<Bson> {
        self.host()?.call_function(self, name, arguments).await
    }

    /// Sends an HTTP request, if the app may ask that server.
    ///
    /// # Errors
    /// [`ErrorKind::HttpError`].
    pub async fn fetch(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        self.host()?.fetch(request).await
    }

    /// A named value of the app; `None` when there is none of that name.
    ///
    /// # Errors
    /// [`ErrorKind::FunctionExecutionError`] when it stands in a secret that is not known.
    pub fn value(&self, name: &str) -> Result<Option<Bson>> {
        self.host.as_ref().map_or(Ok(None), |host| host.value(name))
    }

    /// The app's environment: `{tag, values}`.
    pub fn environment(&self) -> Document {
        self.host.as_ref().map(|host| host.environment()).unwrap_or_default()
    }

    /// The app: `{id, clientAppId, name}`.
    pub fn app(&self) -> Document {
        self.host.as_ref().map(|host| host.app()).unwrap_or_default()
    }

    /// The same, reading and writing what a mutation has opened.
    pub(crate) fn within(self, view: Option<View>) -> Self {
        Self { view, ..self }
    }

    pub(crate) fn has_host(&self) -> bool {
        self.host.is_some()
    }

    /// The same with this app behind it.
    pub(crate) fn hosted(self, host: Arc<dyn FunctionHost>) -> Self {
        Self { host: Some(host), ..self }
    }

    /// The user of this id, to act as.
    pub(crate) async fn user(&self, id: &str) -> Result<Actor> {
        self.host()?.user(id).await
    }

    fn host(&self) -> Result<&Arc<dyn FunctionHost>> {
        let text = "this function was called outside of an app";
        self.host.as_ref().ok_or_else(|| Error::new(ErrorKind::FunctionExecutionError, text))
    }
}

impl fmt::Debug for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallContext")
            .field("actor", &self.actor)
            .field("depth", &self.depth)
            .finish_non_exhaustive()
    }
}
