//! A GraphQL request asks the store once per level of its plan, however many rows there are.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use backstitch_storage_memory::MemoryStore;
use backstitch_storage_postgres::PostgresStore;
use backstitch_tests::{CountingStore, Movies, postgres_config};
use serde_json::json;

/// Queries, and how many levels their plans have.
const CASES: [(&str, usize); 6] = [
    ("{ movies(limit: 1000) { title } }", 1),
    ("{ movies(limit: 1000) { title directors { name } } }", 2),
    ("{ reviews(limit: 1000) { text movie { title directors { name } } } }", 3),
    ("{ cinemas(limit: 1000) { name showing { title directors { name } } } }", 3),
    ("{ a: movies(limit: 2) { title } b: movies(limit: 3) { title } }", 2),
    ("{ __typename }", 0),
];

#[tokio::test]
async fn a_relation_is_one_request_for_the_whole_level() {
    let store = CountingStore::new(Arc::new(MemoryStore::new()));
    let movies = Movies::on(Arc::new(store.clone())).await;
    let guest = movies.client().guest().await;
    store.take();
    for (query, expected) in CASES {
        guest.data(query, json!({})).await;
        assert_eq!(store.take(), expected, "{query}");
    }
}

#[tokio::test]
async fn on_postgres_a_level_is_one_statement() {
    let Some(config) = postgres_config() else { return };
    let store = PostgresStore::open(config).await.unwrap();
    let movies = Movies::on(Arc::new(store.clone())).await;
    let guest = movies.client().guest().await;
    let statements = async |query| {
        let before = store.statements();
        guest.data(query, json!({})).await;
        store.statements() - before
    };
    // Who asks is found out by statements of its own.
    let asking = statements("{ __typename }").await;
    for (query, levels) in CASES {
        let statements = statements(query).await - asking;
        println!("{statements} statements, {levels} levels: {query}");
        assert!(statements <= levels as u64, "{query}");
    }
}
