//! What a write takes without a store: a table with rusqlite alone, and maps of BSON.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bson::oid::ObjectId;
use bson::{Document, RawDocumentBuf};
use rusqlite::{Connection, params};

use crate::floor::{bare, fetch};
use crate::owned::{all_tasks, values};

/// The same documents in a table that somebody would write down.
pub struct BareTable {
    connection: Connection,
}

impl BareTable {
    /// Makes and fills a new database.
    pub fn new(file: &Path) -> Self {
        let connection = bare(file);
        connection
            .execute_batch(
                "CREATE TABLE tasks
                     (seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, owner TEXT, body BLOB) STRICT;
                 CREATE INDEX by_owner ON tasks (owner);",
            )
            .expect("a table");
        let table = Self { connection };
        table.insert(&all_tasks("me").map(|task| task_row(&task)).collect::<Vec<_>>());
        table
    }

    /// Inserts rows in one transaction.
    pub fn insert(&self, rows: &[TaskRow]) {
        self.in_transaction(|connection| {
            let sql = "INSERT INTO tasks (id, owner, body) VALUES (?1, ?2, ?3)";
            let mut statement = connection.prepare_cached(sql).expect("SQL");
            for (id, owner, body) in rows {
                statement.execute(params![id.bytes(), owner, body.as_bytes()]).expect("a free id");
            }
        });
    }

    /// Reads the bodies of one owner and writes the given ones in their place, in one transaction.
    pub fn update(&self, rows: &[TaskRow]) -> Vec<Vec<u8>> {
        self.in_transaction(|connection| {
            let before = fetch(connection, "SELECT body FROM tasks WHERE owner = ?1", ["me"]);
            let mut statement =
                connection.prepare_cached("UPDATE tasks SET body = ?2 WHERE id = ?1").expect("SQL");
            for (id, _, body) in rows {
                statement.execute(params![id.bytes(), body.as_bytes()]).expect("a task");
            }
            before
        })
    }

    /// Deletes rows in one transaction.
    pub fn delete(&self, rows: &[TaskRow]) {
        self.in_transaction(|connection| {
            let mut statement = connection.prepare_cached("DELETE FROM tasks WHERE id = ?1").expect("SQL");
            for (id, ..) in rows {
                statement.execute([id.bytes()]).expect("a task");
            }
        });
    }

    fn in_transaction<T>(&self, work: impl FnOnce(&Connection) -> T) -> T {
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut begin| begin.execute([]))
            .expect("a turn");
        let done = work(&self.connection);
        self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])).expect("a commit");
        done
    }
}

/// The same documents as BSON in two ordered maps: what is left of a store in memory without transactions, rules,
/// schema and readers.
pub struct BareMaps {
    by_id: BTreeMap<ObjectId, RawDocumentBuf>,
    by_owner: BTreeSet<(String, ObjectId)>,
}

impl BareMaps {
    /// Fills the maps.
    pub fn new() -> Self {
        let mut maps = Self { by_id: BTreeMap::new(), by_owner: BTreeSet::new() };
        maps.insert(&all_tasks("me").collect::<Vec<_>>());
        maps
    }

    /// Encodes documents and files them.
    pub fn insert(&mut self, tasks: &[Document]) {
        for task in tasks {
            let (id, owner, body) = task_row(task);
            self.by_id.insert(id, body);
            self.by_owner.insert((owner, id));
        }
    }

    /// Decodes, changes and encodes the documents of one owner.
    pub fn update(&mut self, number: u64) {
        let (note, price) = values(number);
        let first = ("me".to_owned(), ObjectId::from_bytes([0; 12]));
        for (_, id) in self.by_owner.range(first..).take_while(|(owner, _)| owner == "me") {
            let body = self.by_id.get_mut(id).expect("a task");
            let mut task = Document::try_from(&**body).expect("BSON");
            task.insert("note", note.as_str());
            task.insert("price", price);
            *body = RawDocumentBuf::try_from(&task).expect("BSON");
        }
    }

    /// Forgets documents.
    pub fn delete(&mut self, tasks: &[Document]) {
        for task in tasks {
            let id = task.get_object_id("_id").expect("an id");
            self.by_id.remove(&id);
            self.by_owner.remove(&("me".to_owned(), id));
        }
    }
}

impl Default for BareMaps {
    fn default() -> Self {
        Self::new()
    }
}

/// A document, ready to be stored: its id, its owner and its bytes.
pub type TaskRow = (ObjectId, String, RawDocumentBuf);

/// A document as a row.
pub fn task_row(task: &Document) -> TaskRow {
    let owner = task.get_str("owner").expect("an owner").to_owned();
    let id = task.get_object_id("_id").expect("an id");
    (id, owner, RawDocumentBuf::try_from(task).expect("BSON"))
}
