//! A fixed number of permits with a bounded queue, without a runtime.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;

use crate::error::{Error, ErrorKind, Result};
use crate::observe::metrics;

/// Hands out permits, first come, first served.
pub(super) struct Gate {
    queue: usize,
    state: Mutex<State>,
}

struct State {
    free: usize,
    waiting: VecDeque<oneshot::Sender<Permit>>,
}

/// The right to work; dropping it lets the next one in.
pub(super) struct Permit(Arc<Gate>);

impl Gate {
    pub(super) fn new(permits: usize, queue: usize) -> Arc<Self> {
        let state = Mutex::new(State { free: permits.max(1), waiting: VecDeque::new() });
        Arc::new(Self { queue, state })
    }

    /// Waits for a permit; a full queue refuses at once.
    pub(super) async fn enter(self: &Arc<Self>) -> Result<Permit> {
        let turn = {
            let mut state = self.lock();
            if state.free > 0 {
                state.free -= 1;
                return Ok(Permit(Arc::clone(self)));
            }
            if state.waiting.len() >= self.queue {
                state.waiting.retain(|waiter| !waiter.is_canceled());
            }
            if state.waiting.len() >= self.queue {
                metrics::hash_refused();
                let text = "too many log-ins at once, try again";
                return Err(Error::new(ErrorKind::Unavailable, text).with_retry_after(1));
            }
            let (sender, turn) = oneshot::channel();
            state.waiting.push_back(sender);
            metrics::hashes_waiting(state.waiting.len());
            turn
        };
        turn.await.map_err(|_| Error::internal("a waiting place was lost"))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let next = {
            let mut state = self.0.lock();
            state.waiting.retain(|waiter| !waiter.is_canceled());
            let next = state.waiting.pop_front();
            metrics::hashes_waiting(state.waiting.len());
            if next.is_none() {
                state.free += 1;
            }
            next
        };
        if let Some(next) = next {
            // A waiter that has just given up hands the permit back, and its drop serves the next.
            drop(next.send(Permit(Arc::clone(&self.0))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_queue_is_bounded_and_a_waiter_that_gives_up_frees_its_place() {
        let gate = Gate::new(1, 1);
        let first = gate.enter().await.unwrap();
        let waiter = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.enter().await }
        });
        while gate.lock().waiting.is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.enter().await.err().map(|error| error.kind()), Some(ErrorKind::Unavailable));
        waiter.abort();
        assert!(waiter.await.is_err());
        let second = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.enter().await }
        });
        tokio::task::yield_now().await;
        drop(first);
        drop(second.await.unwrap().unwrap());
        assert_eq!(gate.lock().free, 1);
    }
}
