//! Running the host's code: it may hang, and it may panic.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};

use crate::env::Timer;

/// How the host's code has ended.
pub(crate) enum Ended<T> {
    /// With this.
    Returned(T),
    /// It panicked; what it said may be secret, and the panic hook has printed it.
    Panicked,
    /// Its deadline came first, and it was dropped.
    Overran,
}

/// Runs a future of the host's until it ends or its deadline is over.
pub(crate) async fn bounded<T>(
    timer: &dyn Timer,
    deadline: Duration,
    running: impl Future<Output = T> + Send,
) -> Ended<T> {
    let running = AssertUnwindSafe(running).catch_unwind();
    match select(Box::pin(running), timer.sleep(deadline)).await {
        Either::Left((Ok(value), _)) => Ended::Returned(value),
        Either::Left((Err(_panic), _)) => Ended::Panicked,
        Either::Right(_) => Ended::Overran,
    }
}
