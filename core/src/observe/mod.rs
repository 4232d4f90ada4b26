//! What the engine tells of its work: spans, a record of every request, metrics.
//!
//! 1. **Spans** are `tracing` spans: `request` (info, target `backstitch::request`) for what comes over HTTP, `graphql` (debug) with its stages
//!    `prepare`, `bind` and `run`, `function` (debug) for each call of a function, and one span (trace) for each
//!    request to the store: `snapshot`, `find`, `begin`, `write`, `commit`, `rollback`, with `relation` around what
//!    belongs to the next level of a plan. They carry counts: documents, parents, writes, calls.
//! 2. A **[`RequestRecord`]** is given to the host's [`RequestLog`] for every HTTP request but that for `/health`,
//!    and for every [`App::graphql`](crate::engine::App::graphql) call. Without a log of its own the host gets
//!    events of the target `backstitch::request` ([`EventLog`]).
//! 3. **Metrics** go through the `metrics` facade, behind the feature `metrics`; the list is in `metrics.rs`.
//! 4. Nothing of it is secret, by construction: endpoints are named by their patterns and never by a path, errors
//!    by their codes and by those texts that the engine has ready, apps and providers only when they are
//!    configured, collections, roles and functions as the configuration names them. No header, body, document,
//!    variable, argument, e-mail address or token is ever put into a span, a record or a label. What a client chooses
//!    and what is told all the same: the name of an operation that was found in a valid document, and what the SDK
//!    says of itself at log-in. Beside that, warnings and errors are logged with their causes: there, a mailer, a
//!    store or a listener of the host's is quoted, who have to keep secrets out of what they fail with.
//! 5. What nobody wants costs a comparison: the log is asked first how much it wants ([`Detail`]).
//!
//! A request whose client goes away before it is answered leaves no record.

mod log;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "no_metrics.rs"]
pub(crate) mod metrics;
mod notes;
mod record;
mod rules;
mod store;
mod watch;

pub use log::{Detail, EventLog, RequestLog};
pub use notes::Notes;
pub(crate) use notes::bounded;
pub use record::{AuthEvent, RequestKind, RequestRecord};
pub use rules::{NamespaceMetrics, RoleMetrics, RuleMetrics};
pub(crate) use store::asked;
pub(crate) use watch::{Watch, Watcher};
