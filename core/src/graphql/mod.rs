//! The generated GraphQL API: catalog, juniper schema, documents, plans, execution.

pub mod ast;
pub mod build;
pub mod catalog;
pub mod error;
mod names;
