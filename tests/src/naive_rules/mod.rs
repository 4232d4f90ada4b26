//! Rules, evaluated naively: the oracle that the engine is compared with.
//!
//! Everything here is plain recursion over the JSON of the rules and over whole documents, a document at a time.
//! It is written from the specification of rules and shares no code with the engine, not even the comparison
//! of values.

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
