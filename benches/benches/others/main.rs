//! The list of 50 × 8 fields with a to-one relation, by juniper's own executor and by async-graphql's dynamic schema
//! over the same rows in memory.
//!
//! 1. All three are given the query's text, parse and validate it as a server of theirs does, and give back bytes. Ours
//!    keeps plans, so it is measured with a text that it knows and with one that it has never seen.
//! 2. The others' rows are typed, ready and without rules; ours come from the store in memory under a row rule.
//! 3. The `data` of all answers is the same JSON.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod rows;
mod with_async_graphql;
mod with_juniper;

use std::hint::black_box;

use backstitch_benches::{LIST, criterion, memory, print_ratios, run, world};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::rows::Rows;
use crate::with_async_graphql::AsyncGraphql;
use crate::with_juniper::Juniper;

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let mut criterion = criterion();
    let ours = runtime.block_on(world(memory()));
    let juniper = Juniper::new(Rows::new());
    let async_graphql = AsyncGraphql::new(Rows::new());

    let expected = data(&runtime.block_on(run(&ours, LIST)));
    assert_eq!(expected["items"].as_array().map(Vec::len), Some(50));
    assert_eq!(data(&runtime.block_on(juniper.answer(LIST))), expected);
    assert_eq!(data(&runtime.block_on(async_graphql.answer(LIST))), expected);

    let mut group = criterion.benchmark_group("others");
    group.bench_function("backstitch", |bencher| {
        bencher.iter(|| runtime.block_on(run(&ours, black_box(LIST))));
    });
    let mut count = 0_u64;
    group.bench_function("backstitch_unseen_text", |bencher| {
        bencher.iter(|| {
            count += 1;
            runtime.block_on(run(&ours, &format!("{LIST} # {count}")))
        });
    });
    group.bench_function("juniper", |bencher| {
        bencher.iter(|| runtime.block_on(juniper.answer(black_box(LIST))));
    });
    group.bench_function("async_graphql_dynamic", |bencher| {
        bencher.iter(|| runtime.block_on(async_graphql.answer(black_box(LIST))));
    });
    group.finish();
    criterion.final_summary();
    print_ratios(&[
        ("others/juniper", "others/backstitch"),
        ("others/async_graphql_dynamic", "others/backstitch"),
        ("others/juniper", "others/backstitch_unseen_text"),
        ("others/async_graphql_dynamic", "others/backstitch_unseen_text"),
    ]);
}

/// The `data` of an answer without errors.
fn data(answer: &[u8]) -> Value {
    let answer: Value = serde_json::from_slice(answer).expect("the answer is JSON");
    assert_eq!(answer.get("errors"), None, "{answer}");
    answer["data"].clone()
}
