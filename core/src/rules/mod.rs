//! Rules: who may see and change which document, and which fields of it.

mod scope;

pub use scope::{Access, Denied, Query, ScopedQuery, ScopedWrite, WriteOperation};
