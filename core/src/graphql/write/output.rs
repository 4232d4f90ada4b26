//! The buffer of an answer and the errors found while it was written.

use crate::graphql::error::GraphqlError;

/// Errors that one answer lists; more say nothing new.
const ERRORS: usize = 1000;

/// What has been written so far.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) body: Vec<u8>,
    pub(crate) errors: Vec<GraphqlError>,
}

impl Output {
    pub(crate) fn error(&mut self, error: GraphqlError) {
        if self.errors.len() < ERRORS {
            self.errors.push(error);
        }
    }
}
