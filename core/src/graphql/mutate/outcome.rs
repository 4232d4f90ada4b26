//! What a write came to.

use bson::{Bson, RawDocumentBuf};

use crate::graphql::plan::{PayloadContent, PayloadField};
use crate::graphql::write::{any_id, count};

/// What a root field of a mutation did.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Documents to give back, if the caller may see them.
    pub(super) documents: Vec<RawDocumentBuf>,
    pub(super) inserted: Vec<Bson>,
    pub(super) matched: usize,
    pub(super) modified: usize,
    pub(super) deleted: usize,
}

impl Outcome {
    pub(super) fn of(document: RawDocumentBuf) -> Self {
        Self { documents: vec![document], ..Self::default() }
    }

    /// The payload's JSON.
    pub(super) fn write(&self, fields: &[PayloadField], body: &mut Vec<u8>) {
        body.push(b'{');
        for (place, field) in fields.iter().enumerate() {
            if place > 0 {
                body.push(b',');
            }
            body.extend_from_slice(&field.label);
            match field.content {
                PayloadContent::Typename(name) => body.extend_from_slice(format!("\"{name}\"").as_bytes()),
                PayloadContent::MatchedCount => count(body, self.matched),
                PayloadContent::ModifiedCount => count(body, self.modified),
                PayloadContent::DeletedCount => count(body, self.deleted),
                PayloadContent::InsertedIds => {
                    body.push(b'[');
                    for (place, id) in self.inserted.iter().enumerate() {
                        if place > 0 {
                            body.push(b',');
                        }
                        any_id(body, id);
                    }
                    body.push(b']');
                }
            }
        }
        body.push(b'}');
    }
}
