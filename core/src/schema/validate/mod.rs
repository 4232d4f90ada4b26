//! Checks a document against its collection's schema.
//!
//! 1. `bsonType` is exact: an int is no long, only `number` takes every width.
//! 2. An explicit null is refused where a type is asked, unless the type list has `"null"`, or the field
//!    is optional and [`NullHandling::AllowedWhereOptional`] is chosen.
//! 3. `_id` is always allowed at the root, even of a closed schema: every document has one.
//! 4. The first violation ends the check.
//! 5. Keywords for numbers, texts, arrays and objects ask nothing of other values, as in JSON Schema (draft 4, whose
//!    later keywords are known too).

mod check;
mod compile;
mod node;
mod number;
#[cfg(test)]
mod tests;
mod text;
mod types;

use std::fmt;

use bson::RawDocument;

use self::check::Check;
pub(super) use self::compile::Compiler;
pub(super) use self::node::Node;
use super::CollectionSchema;

/// What becomes of an explicit null in a typed field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NullHandling {
    /// Only types that name `"null"` take it.
    #[default]
    Refused,
    /// Optional fields take it too (`null_type_schema_validation`).
    AllowedWhereOptional,
}

/// What a document does not fulfil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The dotted path of the value; empty for the document itself.
    pub path: String,
    /// The keyword that it breaks.
    pub keyword: &'static str,
    /// What is wrong: lower case, no full stop.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "`{}`: ", self.path)?;
        }
        write!(f, "{} (`{}`)", self.message, self.keyword)
    }
}

impl std::error::Error for Violation {}

impl CollectionSchema {
    /// Whether the document fits.
    ///
    /// # Errors
    /// The first [`Violation`].
    pub fn check(&self, document: &RawDocument, nulls: NullHandling) -> Result<(), Violation> {
        Check::new(nulls).document(&self.check, document)
    }
}
