//! Who is told of events, of which, and what becomes of a failure.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{UserEvent, UserEventKind};
use crate::functions::FunctionFailure;
use crate::id::AppId;

/// The host's code that is told of events.
///
/// Any `Fn(UserEvent) -> impl Future<Output = Result<(), FunctionFailure>>` is one.
#[async_trait]
pub trait UserListener: Send + Sync {
    /// Is told of one event.
    ///
    /// **Behaviour**
    /// - it may be dropped at any await, when its deadline is over or the client goes away;
    /// - under [`FailurePolicy::Refuse`] a failure's message is shown to the client.
    async fn on_user_event(&self, event: UserEvent) -> Result<(), FunctionFailure>;
}

#[async_trait]
impl<F, R> UserListener for F
where
    F: Fn(UserEvent) -> R + Send + Sync,
    R: Future<Output = Result<(), FunctionFailure>> + Send,
{
    async fn on_user_event(&self, event: UserEvent) -> Result<(), FunctionFailure> {
        self(event).await
    }
}

/// What becomes of a request whose listener fails, panics or runs past its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailurePolicy {
    /// The failure is logged, and the request goes on. The listener is told when all is done.
    Ignore,
    /// The request fails: no user is made, the user stays, or the new session ends. The listener is asked
    /// before a user is made or deleted.
    Refuse,
}

/// A listener with what it listens to.
///
/// ```
/// use std::time::Duration;
///
/// use backstitch::auth::{FailurePolicy, UserEvent, UserEventKind, UserHook};
/// use backstitch::engine::Engine;
/// use backstitch::functions::FunctionFailure;
///
/// let members_only = UserHook::new(async |event: UserEvent| match event.user.data().get_str("email") {
///     Ok(email) if email.ends_with("@example.com") => Ok(()),
///     _ => Err(FunctionFailure::new("members only")),
/// });
/// let members_only = members_only
///     .kinds([UserEventKind::Create])
///     .providers(["local-userpass"])
///     .deadline(Duration::from_secs(2))
///     .on_failure(FailurePolicy::Refuse);
/// let builder = Engine::builder().on_user_event(members_only);
/// ```
#[derive(Clone)]
pub struct UserHook {
    pub(super) listener: Arc<dyn UserListener>,
    pub(super) kinds: Option<Vec<UserEventKind>>,
    pub(super) providers: Option<Vec<String>>,
    pub(super) app: Option<AppId>,
    pub(super) deadline: Duration,
    pub(super) policy: FailurePolicy,
}

impl UserHook {
    /// How long a listener may take unless it is told otherwise. The client waits for it.
    pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

    /// Listens to every event of every app; a failure is ignored.
    pub fn new(listener: impl UserListener + 'static) -> Self {
        Self {
            listener: Arc::new(listener),
            kinds: None,
            providers: None,
            app: None,
            deadline: Self::DEFAULT_DEADLINE,
            policy: FailurePolicy::Ignore,
        }
    }

    /// Only these kinds of event.
    #[must_use]
    pub fn kinds(mut self, kinds: impl IntoIterator<Item = UserEventKind>) -> Self {
        self.kinds = Some(kinds.into_iter().collect());
        self
    }

    /// Only events of these providers; a deletion counts if the user had one of them.
    #[must_use]
    pub fn providers(mut self, providers: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.providers = Some(providers.into_iter().map(Into::into).collect());
        self
    }

    /// Only events of this app.
    #[must_use]
    pub fn app(mut self, app: AppId) -> Self {
        self.app = Some(app);
        self
    }

    /// How long the listener may take; [`DEFAULT_DEADLINE`](Self::DEFAULT_DEADLINE) when not given.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// What becomes of the request when the listener fails; it is ignored when not given.
    #[must_use]
    pub fn on_failure(mut self, policy: FailurePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// What is wrong with it, for who builds the engine.
    pub(crate) fn problems(&self, apps: &[&AppId]) -> Vec<String> {
        let mut problems = Vec::new();
        if self.deadline.is_zero() {
            problems.push("a user hook's deadline must be longer than nothing".to_owned());
        }
        if self.kinds.as_ref().is_some_and(Vec::is_empty)
            || self.providers.as_ref().is_some_and(Vec::is_empty)
        {
            problems.push("a user hook that listens to no kind or no provider hears nothing".to_owned());
        }
        if let Some(app) = self.app.as_ref().filter(|app| !apps.contains(app)) {
            problems.push(format!("a user hook listens to the app `{app}`, which is not there"));
        }
        problems
    }

    pub(super) fn wants(&self, event: &UserEvent) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&event.kind))
            && self.app.as_ref().is_none_or(|app| *app == event.app)
            && self
                .providers
                .as_ref()
                .is_none_or(|wanted| event.providers.iter().any(|provider| wanted.contains(provider)))
    }
}

impl fmt::Debug for UserHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listener: _, kinds, providers, app, deadline, policy } = self;
        f.debug_struct("UserHook")
            .field("kinds", kinds)
            .field("providers", providers)
            .field("app", app)
            .field("deadline", deadline)
            .field("policy", policy)
            .finish_non_exhaustive()
    }
}
