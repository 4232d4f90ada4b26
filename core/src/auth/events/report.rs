//! Asking the hooks that may refuse, and telling the others.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{FailurePolicy, UserEvent, UserEventKind, UserHook};
use crate::env::Timer;
use crate::error::{Error, ErrorKind, Result};
use crate::functions::{Ended, bounded};

/// The hooks of an engine. Cloning it is cheap.
#[derive(Clone, Default)]
pub struct UserEvents(Arc<[UserHook]>);

impl UserEvents {
    /// These hooks.
    pub fn new(hooks: Vec<UserHook>) -> Self {
        Self(hooks.into())
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

    fn of(&self, event: &UserEvent, policy: FailurePolicy) -> impl Iterator<Item = &UserHook> {
        self.0.iter().filter(move |hook| hook.policy == policy && hook.wants(event))
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
        f.debug_list().entries(self.0.iter()).finish()
    }
}
