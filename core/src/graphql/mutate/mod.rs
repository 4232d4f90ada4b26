//! The root fields of a mutation.
//!
//! 1. They run one after the other, all in one transaction; any failed one undoes them all, and the
//!    answer is `data: null`. An error while reading what a write gave back is no failed write; neither is a
//!    failed function that computes a field of it.
//! 2. A custom resolver takes its turn. The transaction is opened by the first field, or function, that needs it; what
//!    a function writes belongs to the mutation.
//! 3. A write is first checked against the rules, then against the schema, and only then sent to the
//!    store: a taken key is not told to those who may not insert.
//! 4. Documents that the caller may not read do not match; if one that matches may not be written,
//!    nothing is.
//! 5. What is given back is read under the read rules: a document that left the caller's sight is null.

mod build;
mod change;
mod changes;
mod operations;
mod outcome;
mod root;

pub(crate) use root::mutation;
