//! Errors where introspection is off: what they say names no part of the schema.
//!
//! Code, locations and path stay: they tell the client nothing that it has not sent. Whether a message may name
//! something is not decided by looking at the request: a client that sends a dictionary would learn which of its
//! words are names. The whole message goes to the log.

use super::error::{GraphqlError, code};
use super::juniper::Introspection;

/// The errors as they may be told.
pub(super) fn told(introspection: Introspection, mut errors: Vec<GraphqlError>) -> Vec<GraphqlError> {
    if introspection == Introspection::Disabled {
        for error in &mut errors {
            if let Some(neutral) = neutral(error.code) {
                tracing::debug!(code = error.code, message = error.message, "an error is told without names");
                neutral.clone_into(&mut error.message);
            }
        }
    }
    errors
}

/// What to say instead; `None` where messages of this code have no names in them.
///
/// Validation has chosen its words already, and what a function throws is meant for its caller.
fn neutral(code: &str) -> Option<&'static str> {
    match code {
        code::BAD_INPUT => Some("a value does not fit"),
        code::FIELD_NOT_READABLE => Some("a field may not be read"),
        code::NO_RULE => Some("no rule exists for the collection"),
        code::SCHEMA_WRITE | code::SCHEMA_READ => Some("a document does not fit its schema"),
        code::BAD_STORED_VALUE => Some("a stored value does not fit its type"),
        code::FUNCTION_NOT_FOUND => Some("function not found"),
        code::TIMEOUT => Some("a deadline has passed"),
        _ => None,
    }
}
