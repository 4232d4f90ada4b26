//! The engine: the whole story from a request to a response, and what a host calls.
//!
//! # In a server
//!
//! A mount (crate `backstitch-http`) hands every request to [`Engine::handle`]; see the `axum` and
//! `actix` examples.
//!
//! # In a host's own code
//!
//! [`Engine::app`] gives an [`App`]: [`App::authenticate`] protects a route of the host, [`App::graphql`]
//! answers in process under an actor's rules. The README shows both, on an app defined in Rust.

mod account;
mod assemble;
mod calls;
mod check;
mod endpoints;
mod explain;
mod functions;
mod graphql;
mod handle;
mod host;
mod inventory;
mod load;
mod maintenance;
mod oauth;
mod sdl;
mod self_service;

pub use check::{Checked, CheckedCollection, CheckedRole, check, check_with};
pub use handle::Engine;
pub use host::App;
pub use inventory::{FunctionKind, Inventory, ListedFunction, ListedTrigger};
pub use load::{LoadProgress, LoadedCollection};
pub use sdl::sdl;

pub(crate) use assemble::{catalog, permits, rule_book};
pub(crate) use check::{missing_functions, problems_of_schemas, what_tells};
pub(crate) use handle::Parts;
pub(crate) use host::AppParts;
