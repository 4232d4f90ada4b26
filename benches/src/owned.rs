//! The world that is written to: 10,000 documents of about 700 bytes, 50 of each owner, who alone may see and change
//! them, and some of their fields only while they are not locked.

use std::sync::Arc;

use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::auth::config::ProviderKind;
use backstitch::graphql::GraphqlRequest;
use backstitch::id::AppId;
use backstitch::limits::Limits;
use backstitch::store::Store;
use bson::{DateTime, Document, doc};
use serde_json::{Value, json};

use crate::world::{APP, OWNERS, PAGE, World, id, store_all};

const INSERT_ONE: &str = "mutation($d: TaskInsertInput!) { insertOneTask(data: $d) { _id } }";
const INSERT_MANY: &str = "mutation($d: [TaskInsertInput!]!) { insertManyTasks(data: $d) { insertedIds } }";
const UPDATE_MANY: &str = "mutation($n: String!, $p: Float!) { \
     updateManyTasks(query: { rank_lt: 50 }, set: { note: $n, price: $p }) { matchedCount modifiedCount } }";
const DELETE_MANY: &str = "mutation { deleteManyTasks(query: { rank_gte: 50 }) { deletedCount } }";

/// A guest with 50 tasks among those of 199 others.
pub struct Owned {
    world: World,
    owner: String,
}

impl Owned {
    /// Logs a guest in and fills the store.
    pub async fn new(store: Arc<dyn Store>) -> Self {
        let world = World::of(Arc::clone(&store), config(), Limits::default()).await;
        let owner = world.actor.acting_user().expect("a guest").user.id.to_string();
        store_all(&*store, "tasks", all_tasks(&owner)).await;
        Self { world, owner }
    }

    /// Inserts a fifty-first task.
    pub fn insert_one(&self) -> GraphqlRequest {
        GraphqlRequest::new(INSERT_ONE).variable("d", input(&task(&self.owner, 0, PAGE)))
    }

    /// Inserts so many tasks.
    pub fn insert_many(&self, count: usize) -> GraphqlRequest {
        let inputs = new_tasks(&self.owner, count).iter().map(input).collect();
        GraphqlRequest::new(INSERT_MANY).variable("d", Value::Array(inputs))
    }

    /// Changes two fields of the guest's 50 tasks; other numbers give other values.
    pub fn update_many(&self, number: u64) -> GraphqlRequest {
        let (note, price) = values(number);
        GraphqlRequest::new(UPDATE_MANY).variable("n", note.into()).variable("p", price.into())
    }

    /// Runs a mutation that has to succeed.
    pub async fn write(&self, request: &GraphqlRequest) -> bytes::Bytes {
        let answer = self.world.answer(request).await;
        assert!(!answer.windows(8).any(|part| part == b"\"errors\""), "{}", String::from_utf8_lossy(&answer));
        answer
    }

    /// Deletes what was inserted.
    pub async fn clear(&self) -> bytes::Bytes {
        self.write(&GraphqlRequest::new(DELETE_MANY)).await
    }
}

/// So many tasks that are not there yet.
pub fn new_tasks(owner: &str, count: usize) -> Vec<Document> {
    (PAGE..PAGE + count).map(|rank| task(owner, 0, rank)).collect()
}

/// The first owner's tasks after an update with that number.
pub fn changed_tasks(owner: &str, number: u64) -> Vec<Document> {
    let (note, price) = values(number);
    let mut tasks: Vec<_> = (0..PAGE).map(|rank| task(owner, 0, rank)).collect();
    for task in &mut tasks {
        task.insert("note", note.as_str());
        task.insert("price", price);
    }
    tasks
}

fn config() -> AppConfig {
    let text = json!({ "bsonType": "string" });
    let tasks = CollectionConfig::new("tasks")
        .schema(&json!({
            "title": "Task",
            "required": ["_id", "owner", "rank"],
            "properties": {
                "_id": { "bsonType": "objectId" }, "title": text, "owner": text, "note": text,
                "rank": { "bsonType": "int" }, "price": { "bsonType": "double" }, "locked": { "bsonType": "bool" },
                "created": { "bsonType": "date" }, "body": text
            }
        }))
        .rules(json!({ "roles": [{
            "name": "owner", "apply_when": { "owner": "%%user.id" }, "insert": true, "delete": true,
            "fields": { "note": { "read": true, "write": { "locked": false } } },
            "additional_fields": { "read": true, "write": true }
        }] }));
    AppConfig::new("bench").with_id(AppId::new(APP)).provider(ProviderKind::Anonymous).collection(tasks)
}

/// The first owner is the given one.
pub(crate) fn all_tasks(owner: &str) -> impl Iterator<Item = Document> {
    let name = move |number: usize| {
        if number == 0 { owner.to_owned() } else { format!("somebody else {number:010}") }
    };
    (0..OWNERS).flat_map(move |number| {
        let owner = name(number);
        (0..PAGE).map(move |rank| task(&owner, number, rank))
    })
}

fn task(owner: &str, number: usize, rank: usize) -> Document {
    doc! {
        "_id": id(1, number, rank),
        "title": format!("task {rank}"),
        "rank": i32::try_from(rank).expect("small"),
        "owner": owner,
        "price": (rank as f64) * 1.25,
        "locked": false,
        "created": DateTime::from_millis(1_700_000_000_000 + (rank as i64) * 1_000),
        "note": "a note that is neither long nor short",
        "body": "x".repeat(400),
    }
}

/// The task as a client sends it.
fn input(task: &Document) -> Value {
    json!({
        "_id": task.get_object_id("_id").expect("an id").to_hex(),
        "title": task.get_str("title").expect("text"),
        "rank": task.get_i32("rank").expect("a number"),
        "owner": task.get_str("owner").expect("text"),
        "price": task.get_f64("price").expect("a number"),
        "locked": false,
        "created": task.get_datetime("created").expect("a date").try_to_rfc3339_string().expect("a date"),
        "note": task.get_str("note").expect("text"),
        "body": task.get_str("body").expect("text"),
    })
}

/// What an update sets.
pub(crate) fn values(number: u64) -> (String, f64) {
    (format!("a note that was changed for the {number:012}th time"), number as f64)
}
