//! The format of a file of rule tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use backstitch::actor::Actor;
use backstitch::engine::App;
use backstitch::id::CollectionId;
use bson::Document;
use serde::Deserialize;
use serde_json::Value;

use crate::Failure;
use crate::offline::{actor, document};

/// A file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestFile {
    /// `database.collection`, `service/database.collection`, or the name alone.
    pub(super) collection: String,
    /// Users by name, as rules know them.
    #[serde(default)]
    users: BTreeMap<String, Value>,
    /// The documents that are stored, in extended JSON; those of the app's `data/` when not given.
    documents: Option<Vec<Value>>,
    pub(super) tests: Vec<RuleTest>,
}

/// A question and its answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleTest {
    pub(super) name: String,
    /// A name out of `users`, `"system"`, or the user itself.
    user: Value,
    /// `read`, `search`, `insert`, `update` or `delete`.
    pub(super) action: String,
    /// Of reads: a query of MongoDB's.
    pub(super) query: Option<Value>,
    /// Of an insert: the new document.
    pub(super) document: Option<Value>,
    /// Of updates and deletes: the `_id` of the document.
    pub(super) id: Option<Value>,
    /// Of an update: fields by their dotted paths, and their new values.
    pub(super) set: Option<Value>,
    /// Of an update: the dotted paths of fields that go.
    #[serde(default)]
    pub(super) unset: Vec<String>,
    pub(super) expect: Expected,
}

/// What the rules are to say. Only what is given is compared.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// Whether it is allowed; of a read without documents that match, whether the query is.
    pub(super) allowed: Option<bool>,
    /// The role that decides on the document of a write, or on every one that is read.
    pub(super) role: Option<String>,
    /// The `_id`s of the documents that are seen, all of them and no others.
    pub(super) visible: Option<Vec<Value>>,
    /// The fields that are seen of each document that is read.
    pub(super) fields: Option<Vec<String>>,
    /// What is expected of single documents that are read.
    #[serde(default)]
    pub(super) documents: Vec<ExpectedDocument>,
    /// A part of what denies it: `delete`, `document_filters.write`.
    pub(super) denied_by: Option<String>,
}

/// What is expected of one document that is read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedDocument {
    pub(super) id: Value,
    pub(super) role: Option<String>,
    pub(super) fields: Option<Vec<String>>,
}

impl TestFile {
    /// Reads a file; what is misspelt is an error.
    pub(super) fn read(json: Value, name: &str) -> Result<Self, Failure> {
        let file: Self =
            serde_json::from_value(json).map_err(|error| Failure::usage(format!("{name}: {error}")))?;
        for test in &file.tests {
            if !test.expect.asks_anything() {
                return Err(Failure::usage(format!("{name}: test `{}` expects nothing", test.name)));
            }
        }
        Ok(file)
    }

    /// The documents that are stored.
    pub(super) fn documents(
        &self,
        directory: &Path,
        collection: &CollectionId,
    ) -> Result<Vec<Document>, Failure> {
        if let Some(given) = &self.documents {
            return given.iter().map(|json| document(json, &self.collection)).collect();
        }
        let CollectionId { service, database, name, .. } = collection;
        let file = directory.join(format!("data/{service}/{database}/{name}.jsonl"));
        let text = fs::read_to_string(&file)
            .map_err(|error| Failure::usage(format!("no `documents`, and `{}`: {error}", file.display())))?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        lines
            .map(|(place, line)| {
                let at = format!("`{}`, line {}", file.display(), place + 1);
                let json: Value =
                    serde_json::from_str(line).map_err(|error| Failure::usage(format!("{at}: {error}")))?;
                document(&json, &at)
            })
            .collect()
    }

    /// Who asks.
    pub(super) fn actor(&self, app: &App, test: &RuleTest, at: &str) -> Result<Actor, Failure> {
        match &test.user {
            Value::String(name) => match self.users.get(name) {
                Some(user) => actor(app, user, at),
                None if name == "system" => Ok(Actor::system(app.id().clone())),
                None => Err(Failure::usage(format!("{at}: there is no user `{name}`"))),
            },
            user => actor(app, user, at),
        }
    }
}

impl Expected {
    fn asks_anything(&self) -> bool {
        self.allowed.is_some()
            || self.role.is_some()
            || self.visible.is_some()
            || self.fields.is_some()
            || self.denied_by.is_some()
            || self.documents.iter().any(|one| one.role.is_some() || one.fields.is_some())
    }
}
