//! How long a call has computed.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use backstitch::env::Clock;

use crate::job::State;

/// Asked by the interpreter every few thousand steps: whether to go on.
pub(crate) struct Meter {
    clock: Arc<dyn Clock>,
    state: Arc<State>,
    /// Milliseconds that are left, not counting those since `since`.
    left: Cell<i64>,
    /// When it began to compute, in milliseconds.
    since: Cell<i64>,
}

impl Meter {
    pub(crate) fn new(clock: Arc<dyn Clock>, state: Arc<State>, limit: Duration) -> Self {
        let since = clock.now().timestamp_millis().into();
        let left = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX).into();
        Self { clock, state, left, since }
    }

    /// Whether the call is to be ended.
    pub(crate) fn is_over(&self) -> bool {
        self.state.is_dropped() || self.has_run_out()
    }

    /// Whether it has computed for too long.
    pub(crate) fn has_run_out(&self) -> bool {
        self.computed() > self.left.get()
    }

    /// Waits for something, which does not count.
    pub(crate) fn waiting<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.left.set(self.left.get().saturating_sub(self.computed()));
        let waited = wait();
        self.since.set(self.clock.now().timestamp_millis());
        waited
    }

    /// Milliseconds since it began to compute. A clock that is set back counts as one that stands still.
    fn computed(&self) -> i64 {
        self.clock.now().timestamp_millis().saturating_sub(self.since.get()).max(0)
    }
}
