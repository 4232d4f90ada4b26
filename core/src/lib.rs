//! Backstitch: an auth-and-GraphQL engine that a Rust server embeds.

pub mod actor;
pub mod app;
pub mod auth;
pub mod builder;
mod data;
pub mod engine;
pub mod env;
pub mod error;
pub mod filter;
pub mod functions;
pub mod graphql;
pub mod http;
pub mod id;
mod jose;
pub mod limits;
pub mod observe;
pub mod report;
pub mod rules;
pub mod schema;
pub mod secret;
pub mod session;
pub mod store;

pub use bson;
