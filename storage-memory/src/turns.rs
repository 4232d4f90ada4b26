//! Whose turn it is to write: one at a time, first come first served, no thread blocked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use backstitch::store::{Result, StoreError, StoreErrorKind};
use futures_channel::oneshot;

use crate::lock;

/// How many may wait; the next is told `Busy`.
const QUEUE: usize = 1000;

/// The queue of writers.
#[derive(Default)]
pub(crate) struct Turns {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    taken: bool,
    waiting: VecDeque<oneshot::Sender<Turn>>,
}

/// The right to write. Dropping it passes it on.
pub(crate) struct Turn {
    turns: Option<Arc<Turns>>,
}

impl Turns {
    /// Waits for the turn.
    pub(crate) async fn take(self: &Arc<Self>) -> Result<Turn> {
        let busy = || StoreError::new(StoreErrorKind::Busy, "too many transactions are waiting");
        let receiver = {
            let mut queue = lock(&self.queue);
            if !queue.taken {
                queue.taken = true;
                return Ok(Turn { turns: Some(Arc::clone(self)) });
            }
            queue.waiting.retain(|sender| !sender.is_canceled());
            if queue.waiting.len() >= QUEUE {
                return Err(busy());
            }
            let (sender, receiver) = oneshot::channel();
            queue.waiting.push_back(sender);
            receiver
        };
        receiver.await.map_err(|_| busy())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(turns) = self.turns.take() else { return };
        loop {
            let next = {
                let mut queue = lock(&turns.queue);
                let next = queue.waiting.pop_front();
                queue.taken = next.is_some();
                next
            };
            let Some(sender) = next else { return };
            match sender.send(Turn { turns: Some(Arc::clone(&turns)) }) {
                Ok(()) => return,
                // It no longer waits; its turn must not be passed on twice.
                Err(mut unused) => unused.turns = None,
            }
        }
    }
}
