//! From an operation to a plan: owned, free of roles and variables, made once.
//!
//! 1. Fields with one response key are merged (GraphQL, section 6.3.2), so each runs once.
//! 2. A plan is made for given values of the variables in `@skip` and `@include`, and for nothing else
//!    that a request brings: all other variables and the rules are bound when it runs.
//! 3. The bytes of response keys, the stored keys to look for and the weight of a row are known here.

mod build;
mod collect;
mod prepared;
mod resolved;
mod slots;
mod tree;

pub(crate) use prepared::Prepared;
pub(crate) use tree::{
    Call, ComputedPlan, Content, DocumentPlan, Form, FunctionUse, PayloadContent, PayloadField, Plan,
    RelationPlan, Resolved, Root, RootAction, SelectedField, Selection, ValuePlan, WRAPPED,
};
