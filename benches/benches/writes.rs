//! insertOne, insertMany of 100, and updateMany of 50 documents under a row rule and a field rule.
//!
//! 1. Every measured write finds the same 10,000 documents: what an insert adds is deleted before the next one, outside
//!    of the measured time. An update gives other values each time, so that it changes all 50.
//! 2. SQLite's floor is the statements that somebody would write down for the same bytes, in one transaction, with the
//!    store's own durability (WAL, `synchronous = NORMAL`); for an update they read the 50 documents as well.
//! 3. In memory the floor is the documents' BSON, made and filed in two ordered maps; for an update it is read, changed
//!    and made anew. Printing the input as JSON would leave out the stored form, which is what a write is about.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::hint::black_box;
use std::time::Instant;

use backstitch::bson::Document;
use backstitch::graphql::GraphqlRequest;
use backstitch_benches::{
    BareMaps, BareTable, Owned, TaskRow, changed_tasks, criterion, memory, new_tasks, print_ratios, sqlite,
    task_row,
};
use criterion::{BatchSize, Criterion};
use tokio::runtime::Runtime;

const MANY: usize = 100;

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let mut criterion = criterion();
    let folder = tempfile::tempdir().expect("a folder");
    let held = runtime.block_on(Owned::new(memory()));
    let filed = runtime.block_on(Owned::new(sqlite(&folder.path().join("bench.db"))));

    tables(&mut criterion, &BareTable::new(&folder.path().join("floor.db")));
    maps(&mut criterion, &mut BareMaps::new());
    for (store, owned) in [("memory", &held), ("sqlite", &filed)] {
        insert(&mut criterion, &runtime, &format!("write/{store}_insert_one"), owned, &owned.insert_one());
        insert(
            &mut criterion,
            &runtime,
            &format!("write/{store}_insert_many"),
            owned,
            &owned.insert_many(MANY),
        );
        update(&mut criterion, &runtime, &format!("write/{store}_update_many"), owned);
    }
    criterion.final_summary();
    print_ratios(&[
        ("write/memory_insert_one", "floor/maps_insert_one"),
        ("write/memory_insert_many", "floor/maps_insert_many"),
        ("write/memory_update_many", "floor/maps_update_many"),
        ("write/sqlite_insert_one", "floor/rusqlite_insert_one"),
        ("write/sqlite_insert_many", "floor/rusqlite_insert_many"),
        ("write/sqlite_update_many", "floor/rusqlite_update_many"),
    ]);
}

fn insert(criterion: &mut Criterion, runtime: &Runtime, name: &str, owned: &Owned, request: &GraphqlRequest) {
    criterion.bench_function(name, |bencher| {
        bencher.iter_batched(
            || runtime.block_on(owned.clear()),
            |_| runtime.block_on(owned.write(black_box(request))),
            BatchSize::PerIteration,
        );
        runtime.block_on(owned.clear());
    });
}

fn update(criterion: &mut Criterion, runtime: &Runtime, name: &str, owned: &Owned) {
    let mut number = 0;
    let expected = br#"{"data":{"updateManyTasks":{"matchedCount":50,"modifiedCount":50}}}"#;
    criterion.bench_function(name, |bencher| {
        bencher.iter_batched(
            || {
                number += 1;
                owned.update_many(number)
            },
            |request| assert_eq!(&*runtime.block_on(owned.write(&request)), expected),
            BatchSize::PerIteration,
        );
    });
}

fn tables(criterion: &mut Criterion, table: &BareTable) {
    let mut group = criterion.benchmark_group("floor");
    for (name, count) in [("rusqlite_insert_one", 1), ("rusqlite_insert_many", MANY)] {
        let rows = rows(&new_tasks("me", count));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || table.delete(&rows),
                |()| table.insert(black_box(&rows)),
                BatchSize::PerIteration,
            );
            table.delete(&rows);
        });
    }
    let changed = [1, 2].map(|number| rows(&changed_tasks("me", number)));
    let mut turn = changed.iter().cycle();
    group.bench_function("rusqlite_update_many", |bencher| {
        bencher.iter(|| {
            let before = table.update(turn.next().expect("a cycle"));
            assert_eq!(before.len(), 50);
            before
        });
    });
    group.finish();
}

fn maps(criterion: &mut Criterion, maps: &mut BareMaps) {
    let mut group = criterion.benchmark_group("floor");
    for (name, count) in [("maps_insert_one", 1), ("maps_insert_many", MANY)] {
        let tasks = new_tasks("me", count);
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| {
                (0..times)
                    .map(|_| {
                        let started = Instant::now();
                        maps.insert(black_box(&tasks));
                        let taken = started.elapsed();
                        maps.delete(&tasks);
                        taken
                    })
                    .sum()
            });
        });
    }
    let mut number = 0;
    group.bench_function("maps_update_many", |bencher| {
        bencher.iter(|| {
            number += 1;
            maps.update(black_box(number));
        });
    });
    group.finish();
}

fn rows(tasks: &[Document]) -> Vec<TaskRow> {
    tasks.iter().map(task_row).collect()
}
