//! Functions of an export that are told of events: after the answer, tried again, and logged when they fail.
//!
//! They are run by [`Engine::maintenance`](crate::engine::Engine::maintenance), which hosts spawn. Where nobody does, they
//! are run before the answer, once: better late than never told.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bson::Bson;
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::StreamExt as _;

use super::UserEvent;
use crate::actor::Actor;
use crate::app::AuthTrigger;
use crate::env::Timer;
use crate::functions::{FunctionCall, Functions};

/// How many run at the same time.
const AT_ONCE: usize = 8;

/// How long it is waited before each further attempt.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(10)];

/// What is to be told, of all apps of an engine. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct TriggerQueue {
    sender: UnboundedSender<Run>,
    /// Taken by whoever runs the triggers.
    waiting: Arc<Mutex<Option<UnboundedReceiver<Run>>>>,
}

/// One call of a trigger's function.
struct Run {
    trigger: AuthTrigger,
    event: UserEvent,
    functions: Functions,
}

/// Whoever runs triggers; the next one may when this one is dropped.
struct Attendant<'q> {
    queue: &'q TriggerQueue,
    receiver: Option<UnboundedReceiver<Run>>,
}

impl TriggerQueue {
    /// Tells the triggers that want to know of an event.
    pub(in crate::auth) async fn tell(
        &self,
        (triggers, functions): (&[AuthTrigger], &Functions),
        event: &UserEvent,
    ) {
        for trigger in triggers.iter().filter(|trigger| wants(trigger, event)) {
            let run = Run { trigger: trigger.clone(), event: event.clone(), functions: functions.clone() };
            if self.is_attended() {
                // It can only be refused when the engine is gone.
                let _ = self.sender.unbounded_send(run);
            } else if let Err(failed) = run.once().await {
                run.log(&failed);
            }
        }
    }

    /// Runs what is to be told, for ever.
    pub(crate) async fn attend(&self, timer: &dyn Timer) {
        let receiver = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut attendant = Attendant { queue: self, receiver };
        if let Some(receiver) = attendant.receiver.as_mut() {
            receiver.by_ref().for_each_concurrent(AT_ONCE, |run| run.through(timer)).await;
        }
        // Somebody else attends.
        std::future::pending::<()>().await;
    }

    fn is_attended(&self) -> bool {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

impl Default for TriggerQueue {
    fn default() -> Self {
        let (sender, receiver) = unbounded();
        Self { sender, waiting: Arc::new(Mutex::new(Some(receiver))) }
    }
}

impl Drop for Attendant<'_> {
    fn drop(&mut self) {
        if let Some(receiver) = self.receiver.take() {
            *self.queue.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(receiver);
        }
    }
}

impl Run {
    async fn through(self, timer: &dyn Timer) {
        let mut pauses = PAUSES.iter();
        while let Err(failed) = self.once().await {
            let Some(pause) = pauses.next() else { return self.log(&failed) };
            timer.sleep(*pause).await;
        }
    }

    async fn once(&self) -> crate::error::Result<()> {
        let system = Actor::system(self.event.app.clone());
        let call = FunctionCall::new(system, vec![Bson::Document(self.event.as_document())]);
        self.functions.call(&self.trigger.function, call).await.map(drop)
    }

    fn log(&self, failed: &crate::error::Error) {
        let (app, user) = (&self.event.app, self.event.user.id.to_hex());
        let (trigger, function) = (&self.trigger.name, &self.trigger.function);
        tracing::error!(%app, user, trigger, function, error = %failed, "a trigger failed, and is not tried again");
    }
}

fn wants(trigger: &AuthTrigger, event: &UserEvent) -> bool {
    trigger.kind == event.kind
        && (trigger.providers.is_empty()
            || event.providers.iter().any(|provider| trigger.providers.contains(provider)))
}

impl fmt::Debug for TriggerQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TriggerQueue").finish_non_exhaustive()
    }
}
