//! The generated GraphQL API: catalog, juniper schema, documents, plans, execution.

pub mod ast;
pub mod build;
pub mod catalog;
mod document;
pub mod error;
mod juniper;
mod names;
mod scalars;
pub mod sdl;
