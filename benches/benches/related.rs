//! A condition on related documents: 20,000 of them match, of 20,000 that are asked, against reading both lists.

#![allow(clippy::expect_used, missing_docs, reason = "a bench fails by panicking")]

use std::sync::Arc;

use backstitch::actor::Actor;
use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::engine::{App, Engine};
use backstitch::env::Env;
use backstitch::graphql::GraphqlRequest;
use backstitch::id::CollectionId;
use backstitch::schema::Relationship;
use backstitch::store::Store;
use backstitch_benches::print_ratios;
use backstitch_storage_memory::MemoryStore;
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};
use criterion::Criterion;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const COUNT: i32 = 20_000;

async fn app(store: Arc<dyn Store>) -> (App, Actor) {
    let book = json!({ "title": "Book", "properties": { "_id": { "bsonType": "int" }, "year": { "bsonType": "int" } } });
    let loan = json!({ "title": "Loan", "properties": { "_id": { "bsonType": "int" }, "book": { "bsonType": "int" } } });
    let target = CollectionId::new("", "mongodb-atlas", "app", "books");
    let relation = Relationship { source: "book".into(), target, foreign: "_id".into(), is_list: false };
    let config = AppConfig::new("library")
        .collection(CollectionConfig::new("books").schema(&book))
        .collection(CollectionConfig::new("loans").schema(&loan).relationship(relation));
    let id = config.id.to_string();
    let builder = Engine::builder().store(store).public_url("http://bench.example").app(config);
    let app = builder.build().await.expect("the app is wired").app(&id).expect("just built").clone();
    let system = Actor::system(app.id().clone());
    let books: Vec<Value> = (0..COUNT).map(|id| json!({ "_id": id, "year": 1900 + id % 100 })).collect();
    let loans: Vec<Value> =
        (0..COUNT).map(|id| json!({ "_id": id, "book": { "link": COUNT - 1 - id } })).collect();
    let insert = "mutation($b: [BookInsertInput!]!, $l: [LoanInsertInput!]!) { insertManyBooks(data: $b) { __typename } \
        insertManyLoans(data: $l) { __typename } }";
    ask(&app, &system, &GraphqlRequest::new(insert).variable("b", books.into()).variable("l", loans.into()))
        .await;
    (app, system)
}

async fn ask(app: &App, actor: &Actor, request: &GraphqlRequest) -> usize {
    let body = app.graphql(actor, request).await.body;
    assert!(!String::from_utf8_lossy(&body).contains("errors"), "{body:?}");
    body.len()
}

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let mut criterion = Criterion::default().configure_from_args();
    let folder = tempfile::tempdir().expect("a folder");
    let env = Env::system();
    let config = SqliteConfig::new(folder.path().join("bench.db"), env.executor, env.clock);
    let sqlite: Arc<dyn Store> = Arc::new(SqliteStore::open(config).expect("a database"));
    let stores = [("memory", Arc::new(MemoryStore::new()) as Arc<dyn Store>), ("sqlite", sqlite)];
    let queries = [
        ("condition", "{ loans(query: { book: { year_gte: 1900 } }, limit: 50000) { _id } }"),
        (
            "both_lists",
            "{ loans(limit: 50000) { _id } books(query: { year_gte: 1900 }, limit: 50000) { _id } }",
        ),
    ];
    let mut group = criterion.benchmark_group("related");
    group.sample_size(10);
    for (store, opened) in stores {
        let (app, actor) = runtime.block_on(app(opened));
        for (name, query) in queries {
            let request = GraphqlRequest::new(query);
            group.bench_function(format!("{store}_{name}"), |bencher| {
                bencher.iter(|| runtime.block_on(ask(&app, &actor, &request)));
            });
        }
    }
    group.finish();
    criterion.final_summary();
    print_ratios(&[
        ("related/memory_condition", "related/memory_both_lists"),
        ("related/sqlite_condition", "related/sqlite_both_lists"),
    ]);
}
