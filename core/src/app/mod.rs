//! Apps: the typed configuration, and the importer of an exported app directory.
//!
//! 1. [`AppConfig`] is what both ways of defining an app produce: [`AppConfig::import`] and Rust code.
//! 2. The importer never fails on unknown keys or sloppy JSON: it reports them, with file and pointer.
//! 3. It fails, with everything it found, only when there is nothing to serve.
//! 4. What cannot be read is closed: a collection with a broken rules file denies everything.

mod app_id;
mod auth;
mod config;
mod data;
mod data_sources;
mod functions;
mod graphql;
mod import;
mod indexes;
mod layout;
mod mails;
mod oldest;
mod relationships;
mod resolvers;
mod root;
mod security;
mod settings;
mod template;
mod triggers;
mod user_document;
mod values;

pub(crate) use auth::provider_id;
pub use config::{AppConfig, CollectionConfig, DefaultRules, RulesSource};
pub use data::{DataError, DataFile, Documents};
pub use graphql::{GraphQlConfig, ValidationAction};
pub use import::ImportError;
pub use settings::ConfiguredIndex;
pub use triggers::AuthTrigger;
pub use values::{ConfigValue, Secrets};
