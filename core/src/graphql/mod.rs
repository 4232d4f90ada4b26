//! The generated GraphQL API: catalog, juniper schema, documents, plans, execution.

pub mod ast;
pub mod catalog;
pub mod error;
