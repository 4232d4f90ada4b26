//! One request from its first byte to its answer.

use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bson::oid::ObjectId;
use chrono::{DateTime, Utc};
use http::request::Parts;
use http::{Method, StatusCode};
use tracing::Span;
use tracing::field::{Empty, display};

use super::notes::{Client, Noted};
use super::{AuthEvent, Detail, Notes, RequestKind, RequestLog, RequestRecord, metrics};
use crate::env::Env;
use crate::error::Error;
use crate::http::{EmailFlow, Endpoint, KeyCall, Lookup, peer_address};
use crate::id::{AppId, DomainId, RecordId};

/// Watches the requests of an engine. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct Watcher {
    log: Arc<dyn RequestLog>,
    env: Env,
}

/// A request while it is answered.
pub(crate) struct Watch<'w> {
    watcher: &'w Watcher,
    target: Target,
    detail: Detail,
    span: Span,
    /// `None`: nobody wants to know.
    noted: Option<Begun>,
}

struct Begun {
    id: RecordId,
    started: DateTime<Utc>,
    peer: Option<IpAddr>,
    notes: Arc<Notes>,
}

/// What a request is for, in words that no client chooses.
#[derive(Clone, Copy)]
struct Target {
    kind: RequestKind,
    auth: Option<&'static str>,
    method: Option<&'static str>,
    endpoint: Option<&'static str>,
}

/// What stands for the endpoint of a request that has none.
const NO_ENDPOINT: &str = "none";
/// What stands for the endpoint of a browser's question whether it may ask.
const PREFLIGHT: &str = "preflight";

impl Watcher {
    pub(crate) fn new(log: Arc<dyn RequestLog>, env: Env) -> Self {
        Self { log, env }
    }

    /// A request that came over HTTP. Its notes go with its head.
    pub(crate) fn request(&self, lookup: &Lookup, head: &mut Parts) -> Watch<'_> {
        let target = Target::of(lookup, &head.method);
        let span = tracing::info_span!(
            target: "backstitch::request",
            "request",
            co_id = Empty,
            app_id = Empty,
            method = target.method,
            endpoint = target.endpoint,
            provider = Empty,
            user_id = Empty,
            session_id = Empty,
            status = Empty,
            error_code = Empty,
        );
        let is_health = matches!(lookup, Lookup::Endpoint(found) if found.endpoint == Endpoint::Health);
        let detail = if is_health { Detail::Nothing } else { self.log.detail() };
        let watch = self.begin(target, detail, span, peer_address(head));
        if let Some(begun) = &watch.noted {
            head.extensions.insert(Arc::clone(&begun.notes));
        }
        watch
    }

    /// What a host asks of an app's GraphQL API in process.
    pub(crate) fn in_process(&self, app: &AppId, domain: DomainId) -> Watch<'_> {
        let target = Target { kind: RequestKind::Graphql, auth: None, method: None, endpoint: None };
        let watch = self.begin(target, self.log.detail(), Span::none(), None);
        if let Some(notes) = watch.notes() {
            notes.app(app, domain);
        }
        watch
    }

    fn begin(&self, target: Target, detail: Detail, span: Span, peer: Option<IpAddr>) -> Watch<'_> {
        let counted = cfg!(feature = "metrics") && target.endpoint.is_some();
        let told = detail != Detail::Nothing || !span.is_disabled();
        let noted = (told || counted).then(|| {
            let started = self.env.clock.now();
            let id = if told { self.fresh_id(started) } else { NO_ID };
            if told {
                span.record("co_id", display(id));
            }
            Begun { id, started, peer, notes: Arc::new(Notes::new(detail == Detail::Rules)) }
        });
        Watch { watcher: self, target, detail, span, noted }
    }

    /// A log that panics takes no answer from a client; what it panics with, the panic hook has printed.
    fn tell(&self, record: &RequestRecord) {
        if catch_unwind(AssertUnwindSafe(|| self.log.record(record))).is_err() {
            tracing::error!("the request log panicked");
        }
    }

    /// Without randomness the request goes on, and fails where it needs some.
    fn fresh_id(&self, now: DateTime<Utc>) -> RecordId {
        RecordId::generate(now, self.env.random.as_ref()).unwrap_or(NO_ID)
    }
}

const NO_ID: RecordId = RecordId::new(ObjectId::from_bytes([0; 12]));

impl Watch<'_> {
    /// What everything that is done for the request happens in.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    pub(crate) fn notes(&self) -> Option<&Notes> {
        self.noted.as_ref().map(|begun| begun.notes.as_ref())
    }

    pub(crate) fn failed(&self, error: &Error) {
        if let Some(notes) = self.notes() {
            notes.failed(error);
        }
    }

    /// The request was answered.
    pub(crate) fn finish(&self, status: Option<StatusCode>) {
        let Some(begun) = &self.noted else { return };
        let noted = begun.notes.take();
        tell_span(&self.span, &noted, status);
        let completed = self.watcher.env.clock.now();
        if let (Some(endpoint), Some(status)) = (self.target.endpoint, status) {
            let app = noted.app.as_ref().map_or("none", |(app, _)| app.as_str());
            let method = self.target.method.unwrap_or_default();
            metrics::request(app, (method, endpoint), status.as_u16(), completed - begun.started);
        }
        if self.detail != Detail::Nothing {
            let record = record(self.target, begun, noted, (completed, status));
            self.span.in_scope(|| self.watcher.tell(&record));
        }
    }
}

fn tell_span(span: &Span, noted: &Noted, status: Option<StatusCode>) {
    if span.is_disabled() {
        return;
    }
    if let Some((app, _)) = &noted.app {
        span.record("app_id", display(app));
    }
    if let Some(user) = noted.user {
        span.record("user_id", display(user));
    }
    if let Some(session) = noted.session {
        span.record("session_id", display(session));
    }
    span.record("provider", noted.provider.as_deref());
    span.record("status", status.map(|status| status.as_u16()));
    span.record("error_code", noted.error_code);
}

fn record(
    target: Target,
    begun: &Begun,
    noted: Noted,
    (completed, status): (DateTime<Utc>, Option<StatusCode>),
) -> RequestRecord {
    let Noted { app, user, session, provider, client, error, error_code, operation, functions, rules } =
        noted;
    let Client { platform, platform_version, sdk_name, sdk_version } = client;
    let (app_id, domain_id) = app.unzip();
    RequestRecord {
        id: begun.id,
        co_id: begun.id,
        kind: target.kind,
        domain_id,
        app_id,
        endpoint: target.endpoint,
        method: target.method,
        started: begun.started,
        completed,
        user_id: user,
        session_id: session,
        peer: begun.peer,
        status: status.map(|status| status.as_u16()),
        error,
        error_code,
        platform,
        platform_version,
        sdk_name,
        sdk_version,
        auth_event: target.auth.map(|kind| AuthEvent { kind, provider }),
        graphql_operation: operation,
        functions,
        rule_metrics: (!rules.is_empty()).then_some(rules),
    }
}

impl Target {
    fn of(lookup: &Lookup, method: &Method) -> Self {
        let (endpoint, (kind, auth)) = match lookup {
            Lookup::Endpoint(found) => (found.pattern, meaning(found.endpoint)),
            Lookup::Preflight { .. } => (PREFLIGHT, (RequestKind::Api, None)),
            Lookup::OtherMethods(_) | Lookup::NotFound => (NO_ENDPOINT, (RequestKind::Api, None)),
        };
        Self { kind, auth, method: Some(method_name(method)), endpoint: Some(endpoint) }
    }
}

fn meaning(endpoint: Endpoint) -> (RequestKind, Option<&'static str>) {
    let auth = match endpoint {
        Endpoint::Location | Endpoint::KeySet | Endpoint::Health => return (RequestKind::Api, None),
        Endpoint::Graphql => return (RequestKind::Graphql, None),
        Endpoint::CallFunction => return (RequestKind::Function, None),
        Endpoint::ApiKeys(call) => {
            let event = match call {
                KeyCall::List | KeyCall::Get => return (RequestKind::ApiKey, None),
                KeyCall::Create => "CREATE",
                KeyCall::Delete => "DELETE",
                KeyCall::Enable => "ENABLE",
                KeyCall::Disable => "DISABLE",
            };
            return (RequestKind::ApiKey, Some(event));
        }
        Endpoint::Login | Endpoint::EndRedirect => "LOGIN",
        Endpoint::BeginRedirect => "BEGIN_REDIRECT",
        Endpoint::Register => "REGISTER",
        Endpoint::RefreshSession => "REFRESH",
        Endpoint::EndSession => "LOGOUT",
        Endpoint::Profile => "PROFILE",
        Endpoint::DeleteUser => "DELETE",
        Endpoint::EmailPassword(flow) => match flow {
            EmailFlow::Confirm => "CONFIRM",
            EmailFlow::ResendConfirmation | EmailFlow::RerunConfirmation => "SEND_CONFIRMATION",
            EmailFlow::SendReset => "SEND_RESET",
            EmailFlow::Reset | EmailFlow::CallReset => "RESET",
        },
    };
    (RequestKind::Auth, Some(auth))
}

/// A method may be any word.
fn method_name(method: &Method) -> &'static str {
    const KNOWN: [(Method, &str); 7] = [
        (Method::GET, "GET"),
        (Method::POST, "POST"),
        (Method::PUT, "PUT"),
        (Method::DELETE, "DELETE"),
        (Method::OPTIONS, "OPTIONS"),
        (Method::HEAD, "HEAD"),
        (Method::PATCH, "PATCH"),
    ];
    KNOWN.iter().find(|(known, _)| known == method).map_or("OTHER", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_called_by_its_name_only_if_it_is_one_of_https_own() {
        for (method, name) in [("GET", "GET"), ("PATCH", "PATCH"), ("hunter2", "OTHER"), ("get", "OTHER")] {
            assert_eq!(method_name(&Method::from_bytes(method.as_bytes()).unwrap()), name);
        }
    }
}
