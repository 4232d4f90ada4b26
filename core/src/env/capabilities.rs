//! The struct of capabilities.

use std::sync::Arc;

use super::{
    Clock, Executor, HttpClient, Mailer, NoHttpClient, NoMailer, Random, SystemClock, SystemRandom,
    SystemTimer, ThreadPool, Timer,
};

/// The capabilities that an engine is built with.
#[derive(Clone)]
pub struct Env {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness fit for keys.
    pub random: Arc<dyn Random>,
    /// Waiting: deadlines, and the pauses of `maintenance()`.
    pub timer: Arc<dyn Timer>,
    /// Blocking work off the async threads: password hashing, table scans.
    pub executor: Arc<dyn Executor>,
    /// Outbound HTTP.
    pub http: Arc<dyn HttpClient>,
    /// Outbound mail.
    pub mailer: Arc<dyn Mailer>,
}

impl Env {
    /// The real clock and randomness, a thread pool as wide as the machine; no HTTP and no mail.
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom::default()),
            timer: Arc::new(SystemTimer::new()),
            executor: Arc::new(ThreadPool::sized_to_machine()),
            http: Arc::new(NoHttpClient),
            mailer: Arc::new(NoMailer),
        }
    }
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Env")
    }
}
