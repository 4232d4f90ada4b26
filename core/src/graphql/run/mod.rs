//! Running a plan: one storage request for each of its levels, then the bytes.
//!
//! 1. A query reads one snapshot; a mutation reads and writes one transaction.
//! 2. Rules are bound once per request and collection; the functions that they call answer in between (`judge`).
//! 3. The relations of all documents of a level are found by one request for their distinct keys.
//! 4. A field that a function computes is computed for all documents of a level at once, as the actor may read
//!    them.
//! 5. A condition on related documents is a semi-join: their keys are read first, by one request.

mod bind;
mod explained;
mod judge;
mod keys;
mod level;
mod parents;
mod query;
mod related_filter;
mod resolve;
mod session;
mod tally;
mod writes;

pub(crate) use bind::Bound;
pub(crate) use keys::at;
pub(crate) use level::{Level, Origin};
pub(crate) use query::{Introspected, query, simple};
pub(crate) use resolve::{Answer, Answers, Element};
pub(crate) use session::{Failure, Session, denied};
pub(crate) use writes::{decode, encode, id_of};
