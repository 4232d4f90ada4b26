//! Rules: who may see and change which document, and which fields of it.
//!
//! JSON is read into expressions (`parse`, `role`), which with the actor known become conditions on a
//! document (`bind`, `grants`); a condition is lowered to a filter for the store, or judged on a document.

mod bind;
mod book;
mod condition;
mod expr;
mod grants;
mod mask;
mod narrow;
mod parse;
#[cfg(test)]
mod properties;
mod relate;
mod role;
mod scope;
#[cfg(test)]
mod tests;
mod write;

pub use book::RuleBook;
pub use grants::{FieldMask, Visibility};
pub use role::CollectionRules;
pub(crate) use scope::Decider;
pub use scope::{Access, Denied, Query, ScopedQuery, ScopedWrite, WriteOperation};
