//! The world of the resolvers: notes and people, and functions that note what they are called with.

use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::auth::config::ProviderKind;
use backstitch::builder::EngineBuilder;
use backstitch::engine::Engine;
use backstitch::functions::FunctionCall;
use backstitch::id::CollectionId;
use backstitch::rules::Access;
use backstitch::schema::{CustomResolver, Relationship, ResolverType};
use backstitch::store::{DocumentStore, Store, TransactionOptions};
use backstitch_tests::{Client, CountingStore, every_store};
use bson::{Bson, RawDocumentBuf, doc};
use serde_json::{Value, json};
use std::future::Future;
use std::sync::{Arc, Mutex};

/// What the functions were called with: the arguments of a call, or the sources of a batch.
pub type Calls = Arc<Mutex<Vec<Vec<Bson>>>>;

/// Notes, whose `secret`s nobody may read, and people, some of whom nobody may see.
pub struct World {
    pub guest: Client,
    pub calls: Calls,
    pub store: CountingStore,
}

impl World {
    pub fn calls(&self) -> Vec<Vec<Bson>> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// The errors of an answer, as (code, path).
    pub async fn failures(&self, query: &str) -> (Value, Vec<(String, Value)>) {
        let answer = self.guest.graphql(query, json!({})).await;
        let errors = answer["errors"].as_array().cloned().unwrap_or_default();
        let told =
            |error: &Value| (error["extensions"]["code"].as_str().unwrap().to_owned(), error["path"].clone());
        (answer["data"].clone(), errors.iter().map(told).collect())
    }
}

/// Runs a story on each store, with these resolvers and functions.
pub fn each_world<F: Future<Output = ()>>(
    resolvers: &[CustomResolver],
    functions: impl Fn(EngineBuilder, Calls) -> EngineBuilder,
    story: impl Fn(World) -> F,
) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        for store in every_store(folder.path()).await {
            story(world(store, resolvers, &functions).await).await;
        }
    });
}

pub async fn world(
    store: Arc<dyn Store>,
    resolvers: &[CustomResolver],
    functions: &impl Fn(EngineBuilder, Calls) -> EngineBuilder,
) -> World {
    let store = CountingStore::new(store);
    let config = resolvers.iter().cloned().fold(app(), AppConfig::resolver);
    let (id, group, calls) = (config.id.to_string(), Arc::clone(&config.data_group), Calls::default());
    let builder =
        Engine::builder().store(Arc::new(store.clone())).public_url("http://notes.example").app(config);
    let engine = functions(builder, Arc::clone(&calls)).build().await.unwrap();
    let guest = Client::new(&engine, &id).guest().await;
    fill(&store, &group).await;
    store.take();
    World { guest, calls, store }
}

/// Stores people and notes past the rules.
pub async fn fill(store: &CountingStore, group: &Arc<str>) {
    let people = vec![
        doc! { "_id": 1, "name": "ada", "secret": "a" },
        doc! { "_id": 2, "name": "bob", "hidden": true },
    ];
    let notes = vec![
        doc! { "_id": 1, "title": "one", "author": 1, "secret": "s", "stats": { "views": 1, "by": 1 },
        "parts": [{ "n": 1, "secret": "p" }, { "n": 2 }] },
        doc! { "_id": 2, "title": "two", "author": 2, "stats": { "views": 2, "by": 2 },
        "parts": [Bson::Null, { "n": 3 }] },
        doc! { "_id": 3, "title": "three" },
    ];
    let mut transaction = store.begin(TransactionOptions::default()).await.unwrap();
    for (name, documents) in [("people", people), ("notes", notes)] {
        let access = Access::system(CollectionId::new(Arc::clone(group), "mongodb-atlas", "app", name));
        let insert = |document| access.insert(RawDocumentBuf::try_from(document).unwrap()).unwrap();
        let writes: Vec<_> = documents.iter().map(insert).collect();
        transaction.write(&writes).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

pub fn app() -> AppConfig {
    let open = json!({ "read": true, "write": true });
    let people = CollectionConfig::new("people")
        .schema(&json!({ "title": "Person", "properties": {
            "_id": { "bsonType": "int" }, "name": { "bsonType": "string" }, "hidden": { "bsonType": "bool" },
            "secret": { "bsonType": "string" } } }))
        .rules(json!({ "roles": [{ "name": "all", "apply_when": {}, "insert": true,
            "document_filters": { "read": { "hidden": { "$ne": true } } },
            "fields": { "secret": { "read": false, "write": false } }, "additional_fields": open }] }));
    let notes = CollectionConfig::new("notes")
        .schema(&json!({ "title": "Note", "properties": {
            "_id": { "bsonType": "int" }, "title": { "bsonType": "string" }, "author": { "bsonType": "int" },
            "secret": { "bsonType": "string" },
            "stats": { "bsonType": "object", "properties": {
                "views": { "bsonType": "int" }, "by": { "bsonType": "int" } } },
            "parts": { "bsonType": "array", "items": { "bsonType": ["object", "null"], "properties": {
                "n": { "bsonType": "int" }, "secret": { "bsonType": "string" } } } } } }))
        .rules(json!({ "roles": [{ "name": "all", "apply_when": {}, "insert": true, "delete": true, "fields": {
            "secret": { "read": false }, "parts": { "fields": { "n": open } } }, "additional_fields": open }] }))
        .relationship(to_people("author"))
        .relationship(to_people("stats.by"));
    AppConfig::new("notes").provider(ProviderKind::Anonymous).collection(people).collection(notes)
}

pub fn to_people(source: &str) -> Relationship {
    let target = CollectionId::new("", "mongodb-atlas", "app", "people");
    Relationship { source: source.into(), target, foreign: "_id".into(), is_list: false }
}

pub fn on(on_type: &str, field: &str, function: &str) -> CustomResolver {
    CustomResolver::new(on_type, field, function)
}

pub fn scalar(name: &str) -> ResolverType {
    ResolverType::Scalar(name.into())
}

pub fn generated(name: &str) -> ResolverType {
    ResolverType::Generated(name.into())
}

pub fn generated_list(name: &str) -> ResolverType {
    ResolverType::GeneratedList(name.into())
}

/// A function that notes its arguments and gives this value.
pub fn giving(builder: EngineBuilder, calls: &Calls, name: &str, value: impl Into<Bson>) -> EngineBuilder {
    let (calls, value) = (Arc::clone(calls), value.into());
    builder.function(name, move |call: FunctionCall| {
        calls.lock().unwrap().push(call.arguments);
        let value = value.clone();
        async move { Ok(value) }
    })
}
