//! Why the rules say what they say.
//!
//! 1. What is allowed is asked of the same [`Access`](super::Access) that requests are answered by; the traces beside
//!    it are made from the rules as they were written, by the same binding and judging.
//! 2. Values that come from secrets are never shown.

mod decide;
mod fields;
mod outcome;
#[cfg(test)]
mod tests;
mod text;
mod trace;

use bson::RawDocument;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Query;
pub use trace::Trace;

/// What somebody does to a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Reads it.
    Read,
    /// Finds it by a search in texts.
    Search,
    /// Inserts it.
    Insert,
    /// Changes it.
    Update,
    /// Deletes it.
    Delete,
}

/// What is to be explained.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// What is done.
    pub action: Action,
    /// The document: as it is stored, of an insert the new one, of an update as it is to be. Without one it is
    /// explained what holds for all.
    pub document: Option<&'a RawDocument>,
    /// Of an update, the document as it is stored.
    pub before: Option<&'a RawDocument>,
    /// What is asked for beside the rules, of reads.
    pub query: Query,
}

impl<'a> Question<'a> {
    /// A question about any document.
    pub fn new(action: Action) -> Self {
        Self { action, document: None, before: None, query: Query::default() }
    }

    /// A question about this document.
    #[must_use]
    pub fn about(mut self, document: &'a RawDocument) -> Self {
        self.document = Some(document);
        self
    }

    /// The question about an update of this document.
    #[must_use]
    pub fn from(mut self, before: &'a RawDocument) -> Self {
        self.before = Some(before);
        self
    }
}

/// Whose rules decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The collection's own.
    Own,
    /// The default rule of the data source.
    Default,
    /// There are none: nothing is allowed.
    None,
    /// None apply to the system.
    System,
}

/// What the rules say, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// `service/database.collection`.
    pub collection: String,
    /// What is done.
    pub action: Action,
    /// Whose rules decide.
    pub rules: Source,
    /// The filters, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<FilterExplained>,
    /// The roles, in their order.
    pub roles: Vec<RoleExplained>,
    /// The role that decides on the document; without a document, the one that decides on all.
    pub role: Option<String>,
    /// What the deciding role was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckExplained>,
    /// Whether it is allowed; `None` where that depends on the document.
    pub allowed: Option<bool>,
    /// What denied it, in words.
    pub denied_by: Option<String>,
    /// What is asked of the store, of reads.
    pub query: Option<QueryExplained>,
    /// What may be seen of the document, in extended JSON.
    pub visible: Option<Value>,
    /// The paths of the document's fields that may not be seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut: Vec<String>,
    /// Of a request: the first documents that were found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<DocumentExplained>,
}

/// A document that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentExplained {
    /// Its `_id`, in extended JSON.
    pub id: Value,
    /// The role that decided; `None` where nothing had to.
    pub role: Option<String>,
    /// The paths of its fields that may not be seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut: Vec<String>,
}

/// A filter of the collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FilterExplained {
    /// Its name.
    pub name: String,
    /// Whether it applies, and why.
    pub apply_when: Trace,
    /// What it asks of a document.
    pub query: Trace,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoleExplained {
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub outcome: RoleOutcome,
    /// Whether it is closed: a part of it is not understood, or calls a function that is not there.
    pub closed: bool,
    /// Whether it applies, and why.
    pub apply_when: Trace,
}

/// What becomes of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleOutcome {
    /// It decides.
    Decides,
    /// It decides on some documents.
    MayDecide,
    /// It does not apply.
    DoesNotApply,
    /// An earlier one decides.
    NotReached,
}

/// A part of a role that was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckExplained {
    /// Its place in the role: `document_filters.write`, `fields.a.read`.
    pub part: String,
    /// The image of the document that it was judged on: `stored`, `new`, `before`, `after`; `any` where the role does
    /// not have the part.
    pub image: String,
    /// Whether it holds, and why.
    pub trace: Trace,
}

/// What is asked of the store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryExplained {
    /// What is asked AND the rules.
    pub pushed: String,
    /// Whether what is found is also judged document by document.
    pub per_document: bool,
    /// Why nothing is asked at all.
    pub refused: Option<String>,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Read, Self::Search, Self::Insert, Self::Update, Self::Delete];

    /// Its name: `read`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Search => "search",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}
