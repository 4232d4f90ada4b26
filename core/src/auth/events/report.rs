//! Asking the hooks that may refuse, and telling the others.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{FailurePolicy, TriggerQueue, UserEvent, UserEventKind, UserHook};
use crate::app::{AppConfig, AuthTrigger};
use crate::auth::UserDocument;
use crate::env::{Env, Timer};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::{Ended, Functions, bounded};
use crate::store::Store;

/// The hooks of an engine. Cloning it is cheap.
#[derive(Clone, Default)]
pub struct UserEvents {
    hooks: Arc<[UserHook]>,
    queue: TriggerQueue,
    triggers: Arc<[AuthTrigger]>,
    document: Option<Arc<UserDocument>>,
}

impl UserEvents {
    /// These hooks.
    pub fn new(hooks: Vec<UserHook>) -> Self {
        Self { hooks: hooks.into(), ..Self::default() }
    }

    /// With what an app's configuration wants to be done besides.
    #[must_use]
    pub(crate) fn of_app(&self, config: &AppConfig) -> Self {
        let document = config.user_document.clone().map(Arc::new);
        Self { triggers: config.triggers.as_slice().into(), document, ..self.clone() }
    }

    /// What is told after the answers.
    pub(crate) fn queue(&self) -> &TriggerQueue {
        &self.queue
    }

    /// How long it may take to ask about the event; `None` when nobody may refuse it.
    pub(in crate::auth) fn asking_takes(&self, event: &UserEvent) -> Option<Duration> {
        let mut deadlines = self.of(event, FailurePolicy::Refuse).map(|hook| hook.deadline).peekable();
        deadlines.peek()?;
        Some(deadlines.fold(Duration::ZERO, Duration::saturating_add))
    }

    /// Asks whoever may refuse the event.
    ///
    /// # Errors
    /// What the first refusal comes to: [`ErrorKind::AuthError`] or, for a deletion,
    /// [`ErrorKind::NotPermitted`], with the listener's message; [`ErrorKind::Unavailable`] past a deadline.
    pub(in crate::auth) async fn ask(&self, timer: &dyn Timer, event: &UserEvent) -> Result<()> {
        for hook in self.of(event, FailurePolicy::Refuse) {
            match hook.run(timer, event).await {
                Ended::Returned(Ok(())) => {}
                Ended::Returned(Err(failure)) => {
                    // Never the kind that makes clients refresh and repeat.
                    let kind = match event.kind {
                        UserEventKind::LogIn | UserEventKind::Create => ErrorKind::AuthError,
                        UserEventKind::Delete => ErrorKind::NotPermitted,
                    };
                    return Err(Error::new(kind, failure.to_string()));
                }
                Ended::Panicked => return Err(Error::internal("a user listener panicked")),
                Ended::Overran => {
                    let text = "it took too long to decide about this, try again";
                    let cause = format!("a user listener ran past {:?}", hook.deadline);
                    return Err(Error::new(ErrorKind::Unavailable, text)
                        .with_retry_after(1)
                        .with_cause(cause));
                }
            }
        }
        Ok(())
    }

    /// Tells everybody else; what fails is logged.
    pub(in crate::auth) async fn tell(&self, timer: &dyn Timer, event: &UserEvent) {
        for hook in self.of(event, FailurePolicy::Ignore) {
            let failed = match hook.run(timer, event).await {
                Ended::Returned(Ok(())) => continue,
                Ended::Returned(Err(failure)) => failure.to_string(),
                Ended::Panicked => "it panicked".to_owned(),
                Ended::Overran => format!("it ran past {:?}", hook.deadline),
            };
            let (app, user, kind) = (&event.app, event.user.id.to_hex(), event.kind.as_str());
            tracing::warn!(%app, user, kind, failed, "a user listener failed; the request goes on");
        }
    }

    /// Makes the document of a new user. Without it they are a user all the same.
    pub(in crate::auth) async fn make_document(&self, event: &UserEvent, store: &dyn Store, env: &Env) {
        let wanted = self.document.as_ref().filter(|document| document.is_for(event));
        let Some(document) = wanted.filter(|_| event.kind == UserEventKind::Create) else { return };
        if let Err(error) = document.insert(event, store, env).await {
            let (app, user) = (&event.app, event.user.id.to_hex());
            tracing::error!(%app, user, cause = ?error, "the document of a new user could not be made");
        }
    }

    /// Tells the app's triggers.
    pub(in crate::auth) async fn trigger(&self, functions: &Functions, event: &UserEvent) {
        self.queue.tell((&self.triggers, functions), event).await;
    }

    fn of(&self, event: &UserEvent, policy: FailurePolicy) -> impl Iterator<Item = &UserHook> {
        self.hooks.iter().filter(move |hook| hook.policy == policy && hook.wants(event))
    }
}

impl UserHook {
    async fn run(
        &self,
        timer: &dyn Timer,
        event: &UserEvent,
    ) -> Ended<Result<(), crate::functions::FunctionFailure>> {
        let event = event.clone();
        bounded(timer, self.deadline, async { self.listener.on_user_event(event).await }).await
    }
}

impl fmt::Debug for UserEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.hooks.iter()).finish()
    }
}
