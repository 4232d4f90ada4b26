//! The generated GraphQL API: catalog, juniper schema, documents, plans, execution.

pub mod ast;
pub mod build;
mod cache;
pub mod catalog;
mod coerce;
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
mod run;
mod scalar;
mod scalars;
pub mod sdl;
mod variables;
mod write;

pub use error::code;
pub use executor::{ExecuteContext, Graphql, Validate};
pub use juniper::Introspection;
pub use request::GraphqlRequest;
pub use response::GraphqlResponse;
