//! What is a mount: the checks that a framework's mount passes, over a real connection.
//!
//! A mount's test serves [`fixture`] on a free port of the loopback and calls [`run_all`].

mod checks;
mod client;
mod fixture;
mod run;

pub use client::{Client, Reply};
pub use fixture::{APP_ID, fixture};
pub use run::run_all;
