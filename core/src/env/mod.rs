//! Every outside effect, injectable: time, randomness, outbound HTTP, mail, blocking work.
//!
//! Nothing else in the workspace reads a clock, draws a random number or opens a connection
//! of its own (a `tidy` test sees to it). [`Env::system`] is the real world; tests replace
//! single fields.

mod executor;
mod outbound;
mod system;
pub mod test;

use std::sync::Arc;

pub use executor::{Executor, Job, Saturated, ThreadPool};
pub use outbound::{HttpClient, Mail, Mailer, NoHttpClient, NoMailer};
pub use system::{Clock, Random, SystemClock, SystemRandom, SystemTimer, Timer};

/// The capabilities that an engine is built with.
#[derive(Clone)]
pub struct Env {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness fit for keys.
    pub random: Arc<dyn Random>,
    /// Waiting, for `maintenance()`.
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
            timer: Arc::new(SystemTimer),
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
