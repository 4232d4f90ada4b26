//! Log-in, making and deleting of users, reported to the host.
//!
//! 1. A **log-in** is every session that a proved credential opens: over HTTP, from Rust, by redirect (a link by
//!    redirect opens one too). It is none when an access token is refreshed, when an identity is linked to a
//!    session that goes on, and when a request brings its credential in headers and gets no session.
//! 2. A user is **made** by the first log-in of an identity, by a server API key (its own user), whether the key is
//!    made or first used in headers. Registering an address makes none yet. A user is **deleted** by a client, by
//!    an operator, and with their server API key. Guests whom nobody has seen for ninety days go with
//!    [`Engine::purge`](crate::engine::Engine::purge) and are not reported: the store removes them in one go.
//! 3. Hooks that may refuse ([`FailurePolicy::Refuse`]) are asked first, in the order of their registration, until
//!    one fails. Before a user is made or deleted they are asked with nothing written yet, so that neither a client
//!    that goes away nor a process that dies leaves somebody behind whom nobody has admitted. At a log-in the
//!    session is there already, but its tokens are not handed out, and a refusal ends it.
//! 4. All others are told when it is done. They are told once, by whoever's write was the one that counted.
//! 5. Of parallel first log-ins of one identity, or deletions of one user, one asks and the others wait for it, in
//!    all processes of a store. A refused one leaves nothing, so the next attempt asks again.
//! 6. An app's own triggers and its user document come with the others that are told (`triggers.rs`, `user_document.rs`).
//! 7. An event is told at most once: a process that dies, or a client that goes away, may leave it untold.

mod event;
mod hook;
mod report;
mod triggers;
mod turn;

pub use event::{UserEvent, UserEventKind};
pub use hook::{FailurePolicy, UserHook, UserListener};
pub use report::UserEvents;
pub(crate) use triggers::TriggerQueue;
