//! Filter and sort on an index, a page of 50, while the collection grows from ten thousand to a million documents:
//! `cargo bench -p backstitch-benches --bench scale`, or `-- _10k` and `-- _100k` for what needs no million. A store is
//! filled when the first benchmark of that size is measured; the million takes about half a minute.
//!
//! - `one_page`: the same first page again and again, as in the target.
//! - `any_page`: the first pages of 50 owners in turn, which at a million lie on more pages of the file than SQLite's
//!   cache has room for. `middle_page`: pages from the middle of the index range.
//! - `floor/rusqlite_…`: the same pages from the store's own file with one statement.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use backstitch::bson::Bson;
use backstitch::filter::Direction;
use backstitch::filter::key::encode;
use backstitch::graphql::GraphqlRequest;
use backstitch_benches::{Scaled, bare, criterion, fetch, kibibytes, memory, print_ratios, sqlite};
use criterion::{Bencher, Criterion};
use tokio::runtime::Runtime;

const SIZES: [(&str, usize); 3] = [("10k", 10_000), ("100k", 100_000), ("1m", 1_000_000)];
const SHAPES: [&str; 3] = ["one_page", "any_page", "middle_page"];

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let mut criterion = criterion();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bench.db");

    let before = kibibytes("VmRSS");
    let held = runtime.block_on(Scaled::new(memory()));
    let filed = runtime.block_on(Scaled::new(sqlite(&file)));
    for (size, count) in SIZES {
        measure(&mut criterion, &runtime, ("memory", size, count), &held);
        if held.len() == count {
            let grown = kibibytes("VmRSS").saturating_sub(before) / 1024;
            println!("memory store of {size}: the process has grown by {grown} MiB\n");
        }
    }
    drop(held);
    for (size, count) in SIZES {
        measure(&mut criterion, &runtime, ("sqlite", size, count), &filed);
        floor(&mut criterion, &runtime, (size, count), &filed, &file);
    }
    criterion.final_summary();
    for subject in ["scale/memory", "scale/sqlite"] {
        for shape in SHAPES {
            ratios(&format!("{subject}_{shape}"));
        }
    }
    ratios("floor/rusqlite_any_page");
    for (size, _) in SIZES {
        print_ratios(&[(
            &format!("scale/sqlite_any_page_{size}"),
            &format!("floor/rusqlite_any_page_{size}"),
        )]);
    }
}

/// Each size against ten thousand.
fn ratios(name: &str) {
    let at = |size: &str| format!("{name}_{size}");
    print_ratios(&[(&at("100k"), &at("10k")), (&at("1m"), &at("10k"))]);
}

fn measure(
    criterion: &mut Criterion,
    runtime: &Runtime,
    (store, size, count): (&str, &str, usize),
    scaled: &Scaled,
) {
    let (first, middle) = (Scaled::first_pages(), Scaled::middle_pages());
    let mut group = criterion.benchmark_group("scale");
    for (shape, requests) in SHAPES.into_iter().zip([&first[..1], &first, &middle]) {
        group.bench_function(format!("{store}_{shape}_{size}"), |bencher| {
            if scaled.len() < count {
                let started = Instant::now();
                scaled.grow(runtime, count);
                println!("\n{store} store of {size}: filled in {:.1?}", started.elapsed());
            }
            ask(bencher, runtime, scaled, requests);
        });
    }
    group.finish();
}

/// The requests in turn.
fn ask(bencher: &mut Bencher<'_>, runtime: &Runtime, scaled: &Scaled, requests: &[GraphqlRequest]) {
    assert_eq!(scaled.rows(runtime, &requests[0]), 50);
    let mut requests = requests.iter().cycle();
    bencher.iter(|| scaled.answer(runtime, black_box(requests.next().expect("a cycle"))));
}

/// The first pages from the store's own tables.
fn floor(
    criterion: &mut Criterion,
    runtime: &Runtime,
    (size, count): (&str, usize),
    scaled: &Scaled,
    file: &Path,
) {
    let connection = bare(file);
    let sql =
        "SELECT d.body FROM idx_1 i CROSS JOIN docs_1 d WHERE i.key >= ?1 AND i.key < ?2 AND d.seq = i.seq
               ORDER BY i.key LIMIT 50";
    let ranges: Vec<_> = Scaled::owners().map(range).collect();
    criterion.bench_function(&format!("floor/rusqlite_any_page_{size}"), |bencher| {
        scaled.grow(runtime, count);
        let page = |[from, to]: &[Vec<u8>; 2]| fetch(&connection, sql, (from, to));
        assert_eq!(page(&ranges[0]).len(), 50);
        let mut ranges = ranges.iter().cycle();
        bencher.iter(|| page(black_box(ranges.next().expect("a cycle"))));
    });
}

/// Where the keys of an owner begin, and where they have ended.
fn range(owner: String) -> [Vec<u8>; 2] {
    let from = encode(&Bson::from(owner), Direction::Ascending);
    let mut to = from.clone();
    *to.last_mut().expect("a key") += 1;
    [from, to]
}
