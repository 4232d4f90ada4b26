//! MongoDB's query and update operators once more, in the plainest way: no filters, no indexes, no paths that were read
//! before. It shares no code with the engine; who changes what an operator means changes both.

mod order;
mod query;
mod update;

pub use query::matches;
pub use update::update;
