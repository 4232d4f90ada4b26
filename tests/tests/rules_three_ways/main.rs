//! Rules, three ways: pushed down to the memory store, pushed down to SQLite, and evaluated naively.
//!
//! A case is one question (a query, an insert, an update, a delete) of one user about one collection under
//! random rules. `BACKSTITCH_RULE_CASES` asks more of them, `BACKSTITCH_RULE_SEED` others.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod case;
mod dice;
mod expressions;
mod generate;
mod known;
mod narrowing;
mod oracle;
mod pool;
mod questions;
mod shrink;

use std::sync::atomic::{AtomicU64, Ordering};

use case::{Answer, Ask, Bench, Case};
use dice::Dice;
use pool::Pool;

const CASES: u64 = 100_000;
/// Of the cases as many again are asked whether a denial more only denies: one in so many.
const NARROWED: u64 = 5;
const SEED: u64 = 20_260_301;
/// Each has cases of its own, so that the seed tells them all.
const THREADS: u64 = 4;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a whole number"))
}

/// A case that differs, made as small as it gets.
async fn shrunk(mut case: Case, bench: &Bench<'_>) -> String {
    let mut difference = case.difference(bench).await.expect("it differs");
    'smaller: loop {
        for smaller in shrink::smaller(&case) {
            if let Some(still) = smaller.difference(bench).await {
                (case, difference) = (smaller, still);
                continue 'smaller;
            }
        }
        break;
    }
    let documents = &bench.pool.collections[case.collection].documents;
    let shown: Vec<String> = match &case.ask {
        Ask::Find(_) => documents.iter().map(|document| format!("  {document}\n")).collect(),
        _ => Vec::new(),
    };
    let user = &bench.pool.users[case.user].0.user;
    format!("rules: {:#}\nuser: {user}\nasked: {:?}\n{}{difference}", case.rules, case.ask, shown.concat())
}

/// Asks many cases, from several threads; the tests of what is interesting about them are in `tally`.
fn each_thread(ask: impl Fn(&Pool, u64, u64) + Sync) -> u64 {
    let seed = setting("BACKSTITCH_RULE_SEED", SEED);
    eprintln!("BACKSTITCH_RULE_SEED={seed}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let pool = runtime.block_on(Pool::fill(folder.path(), &mut Dice::new(seed)));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (pool, ask) = (&pool, &ask);
            scope.spawn(move || ask(pool, thread, seed));
        }
    });
    seed
}

#[derive(Default)]
struct Tally {
    found: AtomicU64,
    partly: AtomicU64,
    refused: AtomicU64,
    allowed: AtomicU64,
    denied: AtomicU64,
}

impl Tally {
    fn count(&self, answer: &Answer) {
        let counter = match answer {
            Answer::Shows(shown) if shown.is_empty() => return,
            Answer::Shows(shown) if shown.iter().any(|(_, seen)| seen.len() < 4) => &self.partly,
            Answer::Shows(_) => &self.found,
            Answer::Refused(_) | Answer::Mixed => &self.refused,
            Answer::Allows(true) => &self.allowed,
            Answer::Allows(false) => &self.denied,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn memory_sqlite_and_the_rules_as_written_answer_alike() {
    let cases = setting("BACKSTITCH_RULE_CASES", CASES) / THREADS;
    let tally = Tally::default();
    each_thread(|pool, thread, seed| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut dice = Dice::new(seed.wrapping_mul(1_000).wrapping_add(thread));
            let bench = Bench { pool, snapshots: pool.snapshots().await };
            for number in 0..cases {
                let case = questions::case(pool, &mut dice);
                if case.difference(&bench).await.is_some() {
                    panic!("seed {seed}, thread {thread}, case {number}\n{}", shrunk(case, &bench).await);
                }
                if number % 16 == 0 {
                    tally.count(&case.engine(&bench).await[0]);
                }
            }
        });
    });
    let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed) * 16 * 100 / (cases * THREADS).max(1);
    // Cases in which nothing can be found or done would prove little.
    let shares = [&tally.found, &tally.partly, &tally.refused, &tally.allowed, &tally.denied].map(of);
    eprintln!("found, found in part, refused, allowed, denied: {shares:?} in a hundred");
}

#[test]
fn a_denial_more_shows_no_more_and_allows_no_more() {
    let cases = setting("BACKSTITCH_RULE_CASES", CASES) / NARROWED / THREADS;
    let lesser = AtomicU64::new(0);
    each_thread(|pool, thread, seed| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut dice = Dice::new(seed.wrapping_mul(1_000).wrapping_add(500 + thread));
            let mut bench = Bench { pool, snapshots: pool.snapshots().await };
            // That both stores answer alike is asked above.
            bench.snapshots.truncate(1);
            for number in 0..cases {
                let mut wide = questions::case(pool, &mut dice);
                if let Ask::Find(question) = &mut wide.ask {
                    // A field that is hidden counts as missing, so that more may match a condition.
                    *question = questions::everything();
                }
                let (rules, done) = narrowing::narrowed(&wide.rules, &mut dice);
                let narrow = Case { rules, ..wide.clone() };
                let before = wide.engine(&bench).await.remove(0);
                let after = narrow.engine(&bench).await.remove(0);
                lesser.fetch_add(u64::from(before != after), Ordering::Relaxed);
                assert!(
                    narrowing::is_less(&before, &after),
                    "seed {seed}, thread {thread}, case {number}: {done:?}\nrules: {:#}\nasked: {:?}\n{}",
                    wide.rules,
                    wide.ask,
                    case::told(("before", &before), ("after", &after))
                );
            }
        });
    });
    eprintln!("{} of {} denials made a difference", lesser.into_inner(), cases * THREADS);
}
