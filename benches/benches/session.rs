//! The strict token check (signature and session row), against one HMAC over the same bytes.

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
use backstitch_benches::{World, print_ratios, world};
use backstitch_storage_memory::MemoryStore;
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};
use criterion::Criterion;
use ring::hmac;
use tokio::runtime::Runtime;

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let mut criterion = Criterion::default().configure_from_args();
    let folder = tempfile::tempdir().expect("a folder");
    let env = Env::system();
    let sqlite =
        SqliteStore::open(SqliteConfig::new(folder.path().join("bench.db"), env.executor, env.clock))
            .expect("a database");
    let memory = runtime.block_on(world(Arc::new(MemoryStore::new())));
    let sqlite = runtime.block_on(world(Arc::new(sqlite)));

    let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    criterion.bench_function("floor/hmac_of_a_token", |bencher| {
        bencher.iter(|| hmac::sign(&key, black_box(memory.token.as_bytes())));
    });
    for (name, world) in [("token_check/memory", &memory), ("token_check/sqlite", &sqlite)] {
        check(&mut criterion, &runtime, name, world);
    }
    criterion.final_summary();
    print_ratios(&[
        ("token_check/memory", "floor/hmac_of_a_token"),
        ("token_check/sqlite", "floor/hmac_of_a_token"),
    ]);
}

fn check(criterion: &mut Criterion, runtime: &Runtime, name: &str, world: &World) {
    let head = http::Request::get("/").header("authorization", format!("Bearer {}", world.token));
    let head = head.body(()).expect("a head").into_parts().0;
    criterion.bench_function(name, |bencher| {
        bencher
            .iter(|| runtime.block_on(world.app.authenticate(black_box(&head))).expect("the token is good"));
    });
}
