//! The generated GraphQL API: catalog, juniper schema, documents, plans, execution.

pub mod ast;
pub mod build;
mod cache;
pub mod catalog;
pub(crate) mod coerce;
mod document;
pub mod error;
mod executor;
mod filter_input;
mod juniper;
mod mutate;
mod names;
mod neutral;
mod plan;
mod request;
mod response;
pub(crate) mod run;
mod scalar;
mod scalars;
pub mod sdl;
mod variables;
mod write;

pub use error::code;
pub(crate) use executor::Violated;
pub use executor::{ExecuteContext, Graphql, Validate};
pub use juniper::Introspection;
pub use request::GraphqlRequest;
pub use response::GraphqlResponse;
