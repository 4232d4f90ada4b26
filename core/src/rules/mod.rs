//! Rules: who may see and change which document, and which fields of it.
//!
//! JSON is read into expressions (`parse`, `role`), which with the actor known become conditions on a
//! document (`bind`, `grants`); a condition is lowered to a filter for the store, or judged on a document.
//! Functions answer in between (`answers`).

mod additional;
mod answers;
mod bind;
mod book;
mod bound;
mod calls;
mod condition;
mod each;
mod explain;
mod expr;
mod filters;
mod grants;
mod lazily;
mod lint;
mod mask;
mod narrow;
mod operand;
mod parse;
mod permit;
mod projection;
#[cfg(test)]
mod properties;
mod query;
mod relate;
mod role;
mod scope;
#[cfg(test)]
mod tests;
mod validation;
mod visibility;
mod write;

pub(crate) use answers::{Answers, RuleCall};
pub(crate) use book::Circumstances;
pub use book::RuleBook;
pub use explain::{
    Action, CheckExplained, DocumentExplained, Explanation, FilterExplained, QueryExplained, Question,
    RoleExplained, RoleOutcome, Source, Trace,
};
pub use lazily::Lazily;
pub(crate) use lint::{Scope, Subject, UserData, lint};
pub(crate) use permit::Permit;
pub use query::parse_query;
pub use role::CollectionRules;
pub(crate) use scope::Decider;
pub use scope::{Access, Denied, Query, ScopedQuery, ScopedWrite, WriteOperation};
pub(crate) use validation::SchemaRules;
pub use visibility::{FieldMask, Visibility};
