//! An app that has a field of every kind, and relations.

use std::future::Future;
use std::sync::Arc;

use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::auth::config::ProviderKind;
use backstitch::engine::Engine;
use backstitch::filter::Filter;
use backstitch::id::CollectionId;
use backstitch::rules::{Access, Query};
use backstitch::schema::Relationship;
use backstitch::store::{Store, TransactionOptions};
use bson::oid::ObjectId;
use bson::{Bson, DateTime, Decimal128, Document, RawDocumentBuf, Timestamp, doc};
use serde_json::{Value, json};

use crate::{Client, every_store};

/// `Thing` and `Person` on a store, which a guest may read and write but for what is `hidden`.
#[derive(Clone)]
pub struct Things {
    /// The engine.
    pub engine: Engine,
    /// Somebody who has logged in.
    pub client: Client,
    store: Arc<dyn Store>,
    group: Arc<str>,
}

impl Things {
    /// Builds an engine over the store, with no documents.
    pub async fn on(store: Arc<dyn Store>) -> Self {
        let config = app();
        let (id, group) = (config.id.to_string(), Arc::clone(&config.data_group));
        let engine = Engine::builder()
            .store(Arc::clone(&store))
            .public_url("http://things.example")
            .app(config)
            .build()
            .await
            .expect("the app is wired");
        Self { client: Client::new(&engine, &id).guest().await, engine, store, group }
    }

    /// Stores documents past the rules and the schema.
    pub async fn store(&self, collection: &str, documents: Vec<Document>) {
        let id = CollectionId::new(Arc::clone(&self.group), "mongodb-atlas", "app", collection);
        let access = Access::system(id);
        let insert = |document: &Document| {
            access.insert(RawDocumentBuf::try_from(document).expect("BSON")).expect("the system may")
        };
        let writes: Vec<_> = documents.iter().map(insert).collect();
        let mut transaction = self.store.begin(TransactionOptions::default()).await.expect("a turn");
        transaction.write(&writes).await.expect("free ids");
        transaction.commit().await.expect("they are stored");
    }

    /// A document as it is stored, past the rules.
    pub async fn raw(&self, collection: &str, id: i32) -> Option<Document> {
        let all =
            Access::system(CollectionId::new(Arc::clone(&self.group), "mongodb-atlas", "app", collection));
        let query =
            all.find(Query { filter: Filter::eq("_id", id), ..Query::default() }).expect("the system may");
        let snapshot = self.store.snapshot().await.expect("a snapshot");
        let found = snapshot.find(&query).await.expect("a cursor").next(1).await.expect("documents");
        found.first().map(|raw| Document::try_from(&**raw).expect("BSON"))
    }

    /// Stores the people and the seven things that the operators are tried on.
    pub async fn fill(&self) {
        self.store("people", people()).await;
        self.store("things", things()).await;
    }

    /// The `_id`s of the things that match, in order.
    pub async fn matching(&self, query: &Value) -> Vec<i64> {
        let by_variable = "query($q: ThingQueryInput) { things(query: $q) { _id } }";
        let found = ids(&self.client.data(by_variable, json!({ "q": query })).await);
        let by_literal = format!("{{ things(query: {}) {{ _id }} }}", literal(query));
        assert_eq!(ids(&self.client.data(&by_literal, json!({})).await), found, "{by_literal}");
        found
    }
}

/// Runs a story on each store.
pub fn each_store_with_things<F: Future<Output = ()>>(story: impl Fn(Things) -> F) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        for store in every_store(folder.path()).await {
            story(Things::on(store).await).await;
        }
    });
}

/// The `_id`s in the answer to a `things` query.
pub fn ids(data: &Value) -> Vec<i64> {
    let things = data["things"].as_array().expect("a list");
    things.iter().map(|thing| thing["_id"].as_i64().expect("an id")).collect()
}

/// A JSON value as a GraphQL literal.
fn literal(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{name}: {}", literal(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
        scalar => scalar.to_string(),
    }
}

fn app() -> AppConfig {
    let person = json!({ "title": "Person", "properties": {
        "_id": { "bsonType": "int" },
        "name": { "bsonType": "string", "maxLength": 20 },
        "age": { "bsonType": "int" },
        "hidden": { "bsonType": "bool" },
        "best": { "bsonType": "int" }
    }});
    let thing = json!({ "title": "Thing", "required": ["_id"], "properties": {
        "_id": { "bsonType": "int" },
        "s": { "bsonType": "string" }, "i": { "bsonType": "int" }, "l": { "bsonType": "long" },
        "d": { "bsonType": "double" }, "m": { "bsonType": "decimal" }, "b": { "bsonType": "bool" },
        "o": { "bsonType": "objectId" }, "t": { "bsonType": "date" }, "ts": { "bsonType": "timestamp" },
        "tags": { "bsonType": "array", "items": { "bsonType": "string" } },
        "nums": { "bsonType": "array", "items": { "bsonType": "int" } },
        "e": { "bsonType": "object", "properties": {
            "x": { "bsonType": "int" }, "y": { "bsonType": "string" },
            "z": { "bsonType": "object", "properties": { "w": { "bsonType": "int" } } }
        }},
        "es": { "bsonType": "array", "items": { "bsonType": "object", "properties": {
            "x": { "bsonType": "int" }, "y": { "bsonType": "string" }
        }}},
        "friend": { "bsonType": "int" },
        "friends": { "bsonType": "array", "items": { "bsonType": "int" } }
    }});
    let open = json!({ "roles": [{ "name": "all", "apply_when": {}, "read": true, "write": true }] });
    let but_hidden = json!({ "roles": [{
        "name": "all", "apply_when": {}, "read": true, "write": true,
        "document_filters": { "read": { "hidden": { "$ne": true } }, "write": { "hidden": { "$ne": true } } }
    }]});
    let to_people = |source: &str, is_list| Relationship {
        source: source.into(),
        target: CollectionId::new("", "mongodb-atlas", "app", "people"),
        foreign: "_id".into(),
        is_list,
    };
    AppConfig::new("things")
        .provider(ProviderKind::Anonymous)
        .collection(
            CollectionConfig::new("people")
                .schema(&person)
                .rules(but_hidden)
                .relationship(to_people("best", false)),
        )
        .collection(
            CollectionConfig::new("things")
                .schema(&thing)
                .rules(open)
                .relationship(to_people("friend", false))
                .relationship(to_people("friends", true)),
        )
}

fn people() -> Vec<Document> {
    vec![
        doc! { "_id": 1, "name": "ada", "age": 20, "best": 2 },
        doc! { "_id": 2, "name": "bob", "age": 30, "best": 3 },
        doc! { "_id": 3, "name": "eve", "age": 40, "hidden": true },
    ]
}

/// Three things with values that rise; one with nulls, one with nothing; two with what is empty.
fn things() -> Vec<Document> {
    let nulls =
        ["s", "i", "l", "d", "m", "b", "o", "t", "ts", "tags", "nums", "e", "es", "friend", "friends"];
    let mut null = doc! { "_id": 4 };
    null.extend(nulls.map(|name| (name.to_owned(), Bson::Null)));
    vec![
        risen(
            1,
            "a",
            doc! { "tags": ["x"], "nums": [1], "e": { "x": 1, "y": "a", "z": { "w": 1 } },
            "es": [{ "x": 1, "y": "a" }], "friend": 1, "friends": [1] },
        ),
        risen(
            2,
            "b",
            doc! { "tags": ["x", "y"], "nums": [1, 2], "e": { "x": 2, "y": "b", "z": { "w": 2 } },
            "es": [{ "x": 1, "y": "b" }, { "x": 2, "y": "a" }], "friend": 2, "friends": [1, 2] },
        ),
        risen(
            3,
            "c",
            doc! { "tags": ["y", "x"], "nums": [2, 1], "e": { "x": 3, "y": "c", "z": null },
            "es": [{ "x": 3, "y": "c" }, { "x": null }], "friend": 9, "friends": [2, 9] },
        ),
        null,
        doc! { "_id": 5 },
        doc! { "_id": 6, "tags": [], "nums": [], "e": {}, "es": [], "friend": 3, "friends": [] },
        doc! { "_id": 7, "tags": ["x", null], "nums": [null], "e": { "x": null }, "es": [{}], "friends": [3] },
    ]
}

/// A thing whose values rise with its id.
fn risen(id: u8, text: &str, rest: Document) -> Document {
    let decimal: Decimal128 = format!("{id}.25").parse().expect("a decimal");
    let mut thing = doc! {
        "_id": i32::from(id), "s": text, "i": i32::from(id), "l": i64::from(id) << 40,
        "d": f64::from(id) + 0.5, "m": decimal, "b": id == 2, "o": ObjectId::from_bytes([id; 12]),
        "t": DateTime::from_millis(i64::from(id) * 1_000),
        "ts": Timestamp { time: u32::from(id), increment: 0 },
    };
    thing.extend(rest);
    thing
}
