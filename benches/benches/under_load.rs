//! 200 log-ins at once with the default cost of a password: how others are answered meanwhile, and what it takes in
//! memory. `cargo bench -p backstitch-benches --bench under_load`; it fails when the memory is not bounded by the
//! hashes that run at once.
//!
//! What grows beyond the hashes themselves (threads, queues, allocator) has a fixed allowance.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backstitch::auth::PasswordCost;
use backstitch::env::Env;
use backstitch::limits::Limits;
use backstitch::store::Store;
use backstitch_benches::{PASSWORD, World, kibibytes, log_in, register, request, world_with};
use backstitch_storage_memory::MemoryStore;
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const LOG_INS: usize = 200;
/// Fewer than wait by default, so that some of them are refused.
const QUEUE: usize = 64;
const ALLOWANCE_KIB: u64 = 8 * 1024;

fn main() -> ExitCode {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let env = Env::system();
    let sqlite =
        SqliteStore::open(SqliteConfig::new(folder.path().join("bench.db"), env.executor, env.clock))
            .expect("a database");
    let stores: [(&str, Arc<dyn Store>); 2] =
        [("memory", Arc::new(MemoryStore::new())), ("sqlite", Arc::new(sqlite))];
    let mut bounded = true;
    for (name, store) in stores {
        bounded &= runtime.block_on(storm(name, store));
    }
    if bounded { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Logs in 200 times at once while a guest asks for its profile; whether the memory stayed within its bound.
async fn storm(name: &str, store: Arc<dyn Store>) -> bool {
    let limits = Limits { hashing_queue: QUEUE, ..Limits::default() };
    let permits = limits.hashing_permits as u64;
    let world = Arc::new(world_with(store, limits).await);
    let before = kibibytes("VmRSS");
    forget_peak();
    register(&world).await;

    let over = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn(ask(Arc::clone(&world), Arc::clone(&over)));
    let started = Instant::now();
    let mut log_ins = JoinSet::new();
    for _ in 0..LOG_INS {
        let world = Arc::clone(&world);
        log_ins.spawn(async move { world.engine.handle(log_in(PASSWORD)).await.status().as_u16() });
    }
    let answers = log_ins.join_all().await;
    let taken = started.elapsed();
    over.store(true, Ordering::SeqCst);
    let mut waits = asking.await.expect("the guest was answered");
    let grown = kibibytes("VmHWM").saturating_sub(before);

    let bound = permits * u64::from(PasswordCost::RECOMMENDED.memory_kib) + ALLOWANCE_KIB;
    let count = |status| answers.iter().filter(|answer| **answer == status).count();
    assert_eq!(count(200) + count(503), LOG_INS, "{answers:?}");
    assert!(count(503) > 0, "more than may wait");
    println!("{name}: {LOG_INS} log-ins in {taken:.1?}: {} × 200, {} × 503", count(200), count(503));
    waits.sort_unstable();
    println!(
        "{name}: {} profiles meanwhile: p50 {:.1?}, p99 {:.1?}, longest {:.1?}",
        waits.len(),
        part(&waits, 50),
        part(&waits, 99),
        part(&waits, 100)
    );
    println!(
        "{name}: {:.1} MiB more at the peak, {:.1} MiB allowed ({permits} hashes at once and {} MiB)",
        mebibytes(grown),
        mebibytes(bound),
        ALLOWANCE_KIB / 1024
    );
    grown <= bound
}

/// Asks for the profile again and again; how long each answer took.
async fn ask(world: Arc<World>, over: Arc<AtomicBool>) -> Vec<Duration> {
    let mut waits = Vec::new();
    while !over.load(Ordering::SeqCst) {
        let asked = Instant::now();
        let answer = world.engine.handle(request("GET", "/auth/profile", &world.token)).await;
        waits.push(asked.elapsed());
        assert_eq!(answer.status(), 200);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    waits
}

/// The wait that this many per cent of all do not exceed.
fn part(sorted: &[Duration], per_cent: usize) -> Duration {
    let index = (sorted.len() * per_cent).div_ceil(100).saturating_sub(1);
    sorted.get(index).copied().unwrap_or_default()
}

/// Makes `VmHWM` start anew from the present size (proc(5), `clear_refs`).
fn forget_peak() {
    // Where that is not possible the peak includes the filling of the store: too much, never too little.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}
