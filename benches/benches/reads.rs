//! A list with a to-many relation, and one document by its id, against printing the ready rows and against the bare
//! queries for the same bytes. `--bench graphql` has the flat list and the to-one relation.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::hint::black_box;

use backstitch_benches::{
    Floor, MANY, ONE, ONE_ID, PAGE, PLACES, World, criterion, memory, places_sql, print_ratios, run, sqlite,
    world,
};
use criterion::Criterion;
use serde_json::Value;
use tokio::runtime::Runtime;

/// The benchmark's name, its query, and how many objects the answer has.
const SHAPES: [(&str, &str, usize); 2] = [("to_many_of_10", MANY, PAGE + PLACES), ("by_id", ONE, 1)];

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let mut criterion = criterion();
    let folder = tempfile::tempdir().expect("a folder");
    let memory = runtime.block_on(world(memory()));
    let sqlite = runtime.block_on(world(sqlite(&folder.path().join("bench.db"))));

    printed(&mut criterion, &runtime, &memory);
    fetched(&mut criterion, &Floor::new(&folder.path().join("floor.db")));
    for (store, world) in [("memory", &memory), ("sqlite", &sqlite)] {
        let mut group = criterion.benchmark_group("read");
        for (shape, query, objects) in SHAPES {
            assert_eq!(count(&answer(&runtime, world, query)), objects);
            group.bench_function(format!("{store}_{shape}"), |bencher| {
                bencher.iter(|| runtime.block_on(run(world, black_box(query))));
            });
        }
        group.finish();
    }
    criterion.final_summary();
    print_ratios(&[
        ("read/memory_to_many_of_10", "floor/serde_json_to_many_of_10"),
        ("read/memory_to_many_of_10", "floor/rusqlite_fetch_50_and_500"),
        ("read/sqlite_to_many_of_10", "floor/serde_json_to_many_of_10"),
        ("read/sqlite_to_many_of_10", "floor/rusqlite_fetch_50_and_500"),
        ("read/memory_by_id", "floor/serde_json_by_id"),
        ("read/memory_by_id", "floor/rusqlite_fetch_1"),
        ("read/sqlite_by_id", "floor/serde_json_by_id"),
        ("read/sqlite_by_id", "floor/rusqlite_fetch_1"),
    ]);
}

/// Printing the rows of the answer with serde_json.
fn printed(criterion: &mut Criterion, runtime: &Runtime, memory: &World) {
    let mut group = criterion.benchmark_group("floor");
    for (shape, query, _) in SHAPES {
        let rows = answer(runtime, memory, query);
        group.bench_function(format!("serde_json_{shape}"), |bencher| {
            bencher.iter(|| serde_json::to_vec(black_box(&rows)));
        });
    }
    group.finish();
}

/// Fetching the same documents with rusqlite alone.
fn fetched(criterion: &mut Criterion, floor: &Floor) {
    let sql = places_sql(PLACES);
    assert_eq!((floor.items("o7").len(), floor.places(&sql, PLACES).len()), (PAGE, PLACES));
    assert_eq!(floor.item(&ONE_ID).len(), 1);
    let mut group = criterion.benchmark_group("floor");
    group.bench_function("rusqlite_fetch_50_and_500", |bencher| {
        bencher.iter(|| (floor.items(black_box("o7")), floor.places(&sql, PLACES)));
    });
    group.bench_function("rusqlite_fetch_1", |bencher| {
        bencher.iter(|| floor.item(black_box(&ONE_ID)));
    });
    group.finish();
}

fn answer(runtime: &Runtime, world: &World, query: &str) -> Value {
    let answer: Value =
        serde_json::from_slice(&runtime.block_on(run(world, query))).expect("the answer is JSON");
    assert_eq!(answer.get("errors"), None, "{answer}");
    answer["data"].clone()
}

/// The objects below `data`.
fn count(value: &Value) -> usize {
    let of = |value: &Value| match value {
        Value::Array(items) => items.iter().map(|item| 1 + count(item)).sum(),
        Value::Object(_) => 1 + count(value),
        _ => 0,
    };
    value.as_object().map_or(0, |members| members.values().map(of).sum())
}
