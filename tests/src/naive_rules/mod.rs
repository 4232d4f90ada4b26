//! Rules, evaluated naively: the oracle that the engine is compared with.
//!
//! Everything here is plain recursion over the JSON of the rules and over whole documents, a document at a time.
//! It is written from the specification of rules and shares no code with the engine, not even the comparison
//! of values. Where the specification says nothing it follows what the engine has settled, and the comparison shows
//! only that both mean the same:
//!
//! 1. Two arrays are equal when they share an element; in a range one element of either side has to stand in it.
//! 2. A document is readable when a rule grants a field of it, be that field there or not.
//! 3. An embedded document with nested rules can be read by its parts only; its name is no path for a query.
//! 4. A deletion is judged on what is stored: that is `%%this`.
//! 5. A field of a document that is missing inside a list is null there; only what is known beforehand is left out.
//! 6. A filter that is not understood closes the collection, for inserts too.
//! 7. In an array each element has to fulfil the rule of a nested field; what is hidden of it is null in its place, and
//!    an empty embedded document hides nothing.
//! 8. `%%this` and `%%prev` belong to the rules of fields; as a whole expression only `%%true` and `%%false` stand.
//! 9. Who sees no document at all is refused no path.

mod expression;
mod filters;
mod operand;
mod question;
mod roles;
mod settled;
mod understood;
mod value;
mod world;
mod writes;

pub use expression::Scene;
pub use question::{Condition, Question};
pub use roles::{Rules, Sight};
pub use value::{alike, order, rank, sort_order};
pub use world::{Function, World};
