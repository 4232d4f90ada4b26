//! Every outside effect, injectable: time, randomness, outbound HTTP, mail, blocking work.
//!
//! Nothing else in the workspace reads a clock, draws a random number or opens a connection
//! of its own (a `tidy` test sees to it). [`Env::system`] is the real world; tests replace
//! single fields.

mod capabilities;
mod egress;
mod executor;
mod mailbox;
mod outbound;
mod system;
pub mod test;
mod timer;

pub use capabilities::Env;
pub use egress::{Egress, PrivateAllowed, is_public};
pub use executor::{Executor, Job, Saturated, ThreadPool};
pub use mailbox::DevMailbox;
pub use outbound::{HttpClient, Mail, MailKind, MailToken, Mailer, NoHttpClient, NoMailer};
pub(crate) use system::ring_random;
pub use system::{Clock, Random, SystemClock, SystemRandom, Timer};
pub use timer::SystemTimer;
