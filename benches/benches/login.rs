//! A log-in by password of the default cost (a whole request), against the bare Argon2id hash of that cost.

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
use std::time::Duration;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use backstitch::auth::PasswordCost;
use backstitch::env::Env;
use backstitch_benches::{PASSWORD, World, log_in, print_ratios, register, world};
use backstitch_storage_memory::MemoryStore;
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};
use criterion::Criterion;
use tokio::runtime::Runtime;

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    // A hash takes tens of milliseconds; ten samples of a few hashes say enough.
    let mut criterion = Criterion::default()
        .sample_size(20)
        .measurement_time(Duration::from_secs(4))
        .warm_up_time(Duration::from_secs(1))
        .configure_from_args();
    let folder = tempfile::tempdir().expect("a folder");
    let env = Env::system();
    let sqlite =
        SqliteStore::open(SqliteConfig::new(folder.path().join("bench.db"), env.executor, env.clock))
            .expect("a database");
    let memory = runtime.block_on(world(Arc::new(MemoryStore::new())));
    let sqlite = runtime.block_on(world(Arc::new(sqlite)));

    hash_floors(&mut criterion);
    for (name, world) in [("login/memory", &memory), ("login/sqlite", &sqlite)] {
        runtime.block_on(register(world));
        measure(&mut criterion, &runtime, name, world);
    }
    criterion.final_summary();
    print_ratios(&[
        ("login/memory", "floor/argon2id"),
        ("login/memory", "floor/argon2id_in_kept_memory"),
        ("login/sqlite", "floor/argon2id_in_kept_memory"),
    ]);
}

/// The hash alone: in memory of its own each time, as the crate's plain interface has it, and in memory that is kept.
fn hash_floors(criterion: &mut Criterion) {
    let PasswordCost { memory_kib, passes, lanes } = PasswordCost::RECOMMENDED;
    let params = Params::new(memory_kib, passes, lanes, Some(32)).expect("a cost");
    let mut kept = vec![Block::new(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let (password, mut hash) = (PASSWORD.as_bytes(), [0_u8; 32]);
    criterion.bench_function("floor/argon2id", |bencher| {
        bencher.iter(|| argon2.hash_password_into(black_box(password), &[7; 16], &mut hash).expect("a hash"));
    });
    criterion.bench_function("floor/argon2id_in_kept_memory", |bencher| {
        bencher.iter(|| {
            argon2
                .hash_password_into_with_memory(black_box(password), &[7; 16], &mut hash, &mut kept)
                .expect("a hash");
        });
    });
}

fn measure(criterion: &mut Criterion, runtime: &Runtime, name: &str, world: &World) {
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| {
            let answer = runtime.block_on(world.engine.handle(log_in(black_box(PASSWORD))));
            assert_eq!(answer.status(), 200);
            answer
        });
    });
}
