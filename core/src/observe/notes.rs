//! What is found out about a request while it is answered.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bson::Document;
use http::request::Parts;

use super::{NamespaceMetrics, RuleMetrics};
use crate::actor::Actor;
use crate::error::Error;
use crate::id::{AppId, DomainId, SessionId, UserId};

/// What is found out about one request while it is answered, for its record. Only the engine writes it.
pub struct Notes {
    wants_rules: bool,
    noted: Mutex<Noted>,
}

/// Each of them is free of secrets: that is what may be noted.
#[derive(Debug, Default)]
pub(super) struct Noted {
    pub(super) app: Option<(AppId, DomainId)>,
    pub(super) user: Option<UserId>,
    pub(super) session: Option<SessionId>,
    pub(super) provider: Option<String>,
    pub(super) client: Client,
    pub(super) error: Option<&'static str>,
    pub(super) error_code: Option<&'static str>,
    pub(super) operation: Option<String>,
    pub(super) functions: BTreeMap<String, u64>,
    pub(super) rules: RuleMetrics,
}

/// What the SDK says of itself.
#[derive(Debug, Default)]
pub(super) struct Client {
    pub(super) platform: Option<String>,
    pub(super) platform_version: Option<String>,
    pub(super) sdk_name: Option<String>,
    pub(super) sdk_version: Option<String>,
}

/// Bytes of an operation's name that are told.
const OPERATION: usize = 64;

impl Notes {
    pub(super) fn new(wants_rules: bool) -> Self {
        Self { wants_rules, noted: Mutex::default() }
    }

    /// The notes that go with a request's head; a head of the host's own has none.
    pub(crate) fn of(head: &Parts) -> Option<&Self> {
        head.extensions.get::<Arc<Self>>().map(AsRef::as_ref)
    }

    /// Notes something, if anybody wants to know of the request.
    pub(crate) fn note(head: &Parts, what: impl FnOnce(&Self)) {
        if let Some(notes) = Self::of(head) {
            what(notes);
        }
    }

    /// Whether what rules do is to be counted.
    pub(crate) fn wants_rules(&self) -> bool {
        self.wants_rules
    }

    pub(crate) fn app(&self, app: &AppId, domain: DomainId) {
        self.lock().app = Some((app.clone(), domain));
    }

    /// Who asks.
    pub(crate) fn actor(&self, actor: &Actor) {
        if let Some(acting) = actor.acting_user() {
            let mut noted = self.lock();
            noted.user = Some(acting.user.id);
            noted.session = acting.session;
        }
    }

    pub(crate) fn session(&self, user: Option<UserId>, session: Option<SessionId>) {
        let mut noted = self.lock();
        noted.user = user;
        noted.session = session;
    }

    /// A provider that the app has.
    pub(crate) fn provider(&self, name: &str) {
        self.lock().provider = Some(name.to_owned());
    }

    /// What the SDK says of itself: the known members of `options.device`, which are short.
    pub(crate) fn client(&self, device: &Document) {
        let text = |name: &str| device.get_str(name).ok().map(str::to_owned);
        self.lock().client = Client {
            platform: text("platform"),
            platform_version: text("platformVersion"),
            sdk_name: text("sdk"),
            sdk_version: text("sdkVersion"),
        };
    }

    pub(crate) fn failed(&self, error: &Error) {
        let mut noted = self.lock();
        noted.error = error.fixed_hint();
        noted.error_code = error.kind().code();
    }

    /// The first error of a GraphQL answer.
    pub(crate) fn graphql_failed(&self, code: &'static str) {
        self.lock().error_code.get_or_insert(code);
    }

    /// The name of an operation that was found in a valid document.
    pub(crate) fn operation(&self, name: &str) {
        self.lock().operation = Some(bounded(name).to_owned());
    }

    pub(crate) fn function(&self, name: &str, calls: u64) {
        *self.lock().functions.entry(name.to_owned()).or_default() += calls;
    }

    pub(crate) fn rules(&self, namespace: String, counted: NamespaceMetrics) {
        self.lock().rules.add(namespace, counted);
    }

    pub(super) fn take(&self) -> Noted {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notes").finish_non_exhaustive()
    }
}

/// The beginning of an operation's name. The name was found in a document, so it is made of letters, digits and
/// underscores.
pub(crate) fn bounded(name: &str) -> &str {
    name.get(..OPERATION).unwrap_or(name)
}
