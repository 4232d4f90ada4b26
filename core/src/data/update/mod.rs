//! What an update does to a document, in MongoDB's own words.
//!
//! 1. [`Update::parse`] reads all of it, before there is any document: an operator that is not known is refused by name.
//! 2. `parse.rs` reads, `path.rs` finds the places that a path with `$`, `$[]` or `$[id]` stands for, `edit.rs` changes
//!    what stands there, `array.rs` knows the operators on arrays.
//! 3. An update without operators is a replacement.
//! 4. Places are changed in the order of their paths, as the original does: new fields come in that order.

mod array;
mod edit;
mod parse;
mod path;
mod upsert;

use bson::{Bson, DateTime, Document};

use crate::error::{Error, ErrorKind, Result};
use crate::filter::{Filter, equal};
use edit::Edit;
use path::{ArrayFilter, Path};

/// What an update does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Update {
    form: Form,
}

#[derive(Clone, Debug, PartialEq)]
enum Form {
    /// The document's new content; it keeps its `_id`.
    Replacement(Document),
    Operators {
        changes: Vec<Change>,
        filters: Vec<ArrayFilter>,
    },
}

/// What happens at a path.
#[derive(Clone, Debug, PartialEq)]
struct Change {
    path: Path,
    edit: Edit,
}

/// What is known when a document is changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occasion<'a> {
    /// What the document was found by: the positional `$` is where it matched.
    pub(crate) filter: &'a Filter,
    /// What `$currentDate` sets.
    pub(crate) now: DateTime,
    /// Whether the document is made by this update.
    pub(crate) inserting: bool,
}

impl Update {
    /// Reads an update and its array filters.
    ///
    /// # Errors
    /// [`ErrorKind::MongoDbError`]: which operator is not known, which operand does not fit, which paths conflict.
    pub(crate) fn parse(update: &Bson, array_filters: &[Document]) -> Result<Self> {
        parse::update(update, array_filters).map(|form| Self { form }).map_err(refused)
    }

    /// Whether it is a document's new content.
    pub(crate) fn is_replacement(&self) -> bool {
        matches!(self.form, Form::Replacement(_))
    }

    /// The changed document.
    ///
    /// # Errors
    /// [`ErrorKind::MongoDbError`]: what cannot be changed so.
    pub(crate) fn apply(&self, before: &Document, occasion: Occasion<'_>) -> Result<Document> {
        let id = before.get("_id");
        let after = match &self.form {
            Form::Replacement(document) => with_id_first(id, document),
            Form::Operators { changes, filters } => {
                edit::all(before, changes, filters, occasion).map_err(refused)?
            }
        };
        let same_id = match (id, after.get("_id")) {
            (Some(before), Some(after)) => equal(before, after),
            (before, _) => before.is_none(),
        };
        if same_id {
            Ok(after)
        } else {
            Err(refused("the immutable field '_id' cannot be changed".to_owned()))
        }
    }

    /// The document that an upsert makes where the query finds none.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub(crate) fn insertion(&self, query: &Document, occasion: Occasion<'_>) -> Result<Document> {
        let demanded = upsert::demanded(query).map_err(refused)?;
        match &self.form {
            Form::Replacement(document) => Ok(with_id_first(demanded.get("_id"), document)),
            Form::Operators { .. } => self.apply(&demanded, Occasion { inserting: true, ..occasion }),
        }
    }
}

/// The document with this `_id`, unless it has one of its own, in the first place.
fn with_id_first(id: Option<&Bson>, document: &Document) -> Document {
    let mut whole = Document::new();
    if let Some(id) = document.get("_id").or(id) {
        whole.insert("_id", id.clone());
    }
    whole.extend(
        document.iter().filter(|(key, _)| *key != "_id").map(|(key, value)| (key.clone(), value.clone())),
    );
    whole
}

fn refused(problem: String) -> Error {
    Error::new(ErrorKind::MongoDbError, problem)
}

#[cfg(test)]
mod tests;
