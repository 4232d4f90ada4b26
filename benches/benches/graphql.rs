//! GraphQL lists of 50 against printing the ready rows, and against the bare query for the same bytes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::hint::black_box;
use std::sync::Arc;

use backstitch::env::Env;
use backstitch::graphql::GraphqlRequest;
use backstitch_benches::{
    CountingStore, FLAT, Floor, LIST, World, criterion, places_sql, print_ratios, run, world,
};
use backstitch_storage_memory::MemoryStore;
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};
use criterion::Criterion;
use ring::digest;
use tokio::runtime::Runtime;

/// So little to run that the way to the plan shows.
const PLACE: &str = "{ place(query: { number: 3 }) { name } }";

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let mut criterion = criterion();
    let folder = tempfile::tempdir().expect("a folder");
    let env = Env::system();
    let sqlite =
        SqliteStore::open(SqliteConfig::new(folder.path().join("bench.db"), env.executor, env.clock))
            .expect("a database");
    let memory = runtime.block_on(world(Arc::new(MemoryStore::new())));
    let sqlite = runtime.block_on(world(Arc::new(sqlite)));

    floors(&mut criterion, &runtime, &memory, &folder.path().join("floor.db"));
    for (name, world) in [("memory", &memory), ("sqlite", &sqlite)] {
        let mut group = criterion.benchmark_group("graphql");
        for (shape, query) in [("list", LIST), ("flat", FLAT)] {
            group.bench_function(format!("{name}_{shape}_of_50"), |bencher| {
                bencher.iter(|| runtime.block_on(run(world, black_box(query))));
            });
        }
        group.finish();
    }
    plans(&mut criterion, &runtime, &memory);
    criterion.final_summary();
    print_ratios(&[
        ("graphql/memory_flat_of_50", "floor/serde_json_flat"),
        ("graphql/memory_list_of_50", "floor/serde_json_list"),
        ("graphql/memory_flat_of_50", "floor/rusqlite_fetch_50"),
        ("graphql/memory_list_of_50", "floor/rusqlite_fetch_50_and_20"),
        ("graphql/sqlite_flat_of_50", "floor/serde_json_flat"),
        ("graphql/sqlite_list_of_50", "floor/serde_json_list"),
        ("graphql/sqlite_flat_of_50", "floor/rusqlite_fetch_50"),
        ("graphql/sqlite_list_of_50", "floor/rusqlite_fetch_50_and_20"),
        ("plan/hit", "floor/sha256_of_the_document"),
        ("plan/miss", "plan/hit"),
    ]);
    runtime.block_on(print_requests());
}

/// Printing the rows of the answer with serde_json, and fetching the same documents with rusqlite alone.
fn floors(criterion: &mut Criterion, runtime: &Runtime, memory: &World, database: &std::path::Path) {
    let mut group = criterion.benchmark_group("floor");
    for (name, query) in [("serde_json_list", LIST), ("serde_json_flat", FLAT)] {
        let answer = runtime.block_on(run(memory, query));
        let rows: serde_json::Value = serde_json::from_slice(&answer).expect("the answer is JSON");
        assert_eq!(rows["data"]["items"].as_array().map(Vec::len), Some(50), "{rows}");
        group.bench_function(name, |bencher| bencher.iter(|| serde_json::to_vec(black_box(&rows))));
    }
    group.bench_function("sha256_of_the_document", |bencher| {
        bencher.iter(|| digest::digest(&digest::SHA256, black_box(PLACE.as_bytes())));
    });
    let (floor, places) = (Floor::new(database), places_sql(20));
    group.bench_function("rusqlite_fetch_50", |bencher| bencher.iter(|| floor.items("o7")));
    group.bench_function("rusqlite_fetch_50_and_20", |bencher| {
        bencher.iter(|| (floor.items("o7"), floor.places(&places, 20)));
    });
    group.finish();
}

/// How often a request asks the store, next to the levels of its plan.
async fn print_requests() {
    let store = CountingStore::new(Arc::new(MemoryStore::new()));
    let world = world(Arc::new(store.clone())).await;
    println!();
    for (name, query, levels) in [("flat", FLAT, 1), ("list", LIST, 2), ("place", PLACE, 1)] {
        store.take();
        run(&world, query).await;
        println!("requests/{name}: {} to the store, {levels} levels of the plan", store.take());
    }
}

/// A document that was seen before, and one that never was.
fn plans(criterion: &mut Criterion, runtime: &Runtime, memory: &World) {
    let mut group = criterion.benchmark_group("plan");
    group.bench_function("hit", |bencher| {
        bencher.iter(|| runtime.block_on(run(memory, black_box(PLACE))));
    });
    let mut count = 0_u64;
    group.bench_function("miss", |bencher| {
        bencher.iter(|| {
            count += 1;
            let fresh = GraphqlRequest::new(format!("{PLACE} # {count}"));
            runtime.block_on(memory.app.graphql(&memory.actor, &fresh))
        });
    });
    group.finish();
}
