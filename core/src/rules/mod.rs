//! Rules: who may see and change which document, and which fields of it.

mod book;
mod scope;

pub use book::RuleBook;
pub use scope::{Access, Denied, Query, ScopedQuery, ScopedWrite, WriteOperation};
