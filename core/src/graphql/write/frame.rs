//! Where the writer stands.

use bson::RawDocument;

use crate::graphql::error::code;
use crate::graphql::plan::{DocumentPlan, Selection};
use crate::graphql::run::Level;
use crate::rules::Visibility;

/// The document that is being written, for its relations.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) plan: &'a DocumentPlan,
    pub(super) level: &'a Level,
    pub(super) index: usize,
}

/// The object that is being written.
#[derive(Clone, Copy)]
pub(super) struct Object<'a> {
    pub(super) selection: &'a Selection,
    pub(super) document: &'a RawDocument,
    /// Where its values begin among the slots.
    pub(super) base: usize,
    pub(super) seen: Visibility<'a>,
    pub(super) frame: Frame<'a>,
}

impl Frame<'_> {
    /// The code for a value that does not fit its type.
    pub(super) fn misfit(&self) -> &'static str {
        if self.level.is_given { code::FUNCTION_FAILED } else { code::BAD_STORED_VALUE }
    }

    /// Says that a value is not what is wanted.
    pub(super) fn no(&self, wanted: &str) -> String {
        let source = if self.level.is_given { "what the function gave" } else { "the stored value" };
        format!("{source} is no `{wanted}`")
    }
}
