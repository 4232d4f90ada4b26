//! What to look for in a collection: a closed AST, its reference meaning, and its keys.
//!
//! [`Filter`] is exhaustive on purpose: a new operator breaks every store at compile time until it
//! is lowered. What it means is [`matches()`], MongoDB's query language in two-valued logic; every
//! store is tested against it. [`compare`] is MongoDB's order of values, and [`key`] turns
//! a value into bytes that sort the same way. [`Filter::parse`] reads MongoDB's query documents.

mod ast;
mod compare;
mod display;
mod eval;
pub mod key;
mod path;
pub(crate) mod pattern;
mod position;
mod query;
pub(crate) mod raw;
mod simplify;
mod types;
mod values;
pub(crate) mod view;

pub use ast::{Comparison, Direction, ElementTest, Filter, SortKey, Test};
pub use compare::{compare, equal};
pub(crate) use eval::any_value;
pub use eval::matches;
pub use path::FieldPath;
pub use pattern::Pattern;
pub(crate) use position::first_element;
pub use types::Types;
pub use values::Values;
