//! The answer's JSON, written once and straight from stored bytes (GraphQL, section 6.4).
//!
//! 1. A stored document is walked once; the values that the selection wants are kept by slot and written
//!    in the order of the answer.
//! 2. A field that may not be read is null; so is one whose value does not fit, with an error.
//! 3. Where null is not allowed it takes its parent with it (section 6.4.4): the buffer is cut back to
//!    where the nearest nullable parent began.

mod answer;
mod frame;
mod json;
mod layout;
mod object;
mod output;
mod scalar;

pub(crate) use object::Writer;
pub(crate) use output::Output;
pub(crate) use scalar::{any_id, count};
