//! The strict token check (signature and session row) and the refresh (a whole `POST /auth/session`), against the bare
//! HMACs and JSON over the same bytes and, on SQLite, the bare read of the row.

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
use backstitch_benches::{World, criterion, print_ratios, request, world};
use backstitch_storage_memory::MemoryStore;
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};
use criterion::Criterion;
use ring::hmac;
use serde::Serialize;
use tokio::runtime::Runtime;

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

    row_floor(&mut criterion, &sqlite, &folder.path().join("bench.db"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    criterion.bench_function("floor/hmac_of_a_token", |bencher| {
        let (signed, _) = memory.token.rsplit_once('.').expect("three parts");
        let tag = hmac::sign(&key, signed.as_bytes());
        bencher.iter(|| hmac::verify(&key, black_box(signed.as_bytes()), tag.as_ref()));
    });
    for (name, world) in [("token_check/memory", &memory), ("token_check/sqlite", &sqlite)] {
        check(&mut criterion, &runtime, name, world);
    }
    refresh_floor(&mut criterion, &memory);
    for (name, world) in [("refresh/memory", &memory), ("refresh/sqlite", &sqlite)] {
        refresh(&mut criterion, &runtime, name, world);
    }
    criterion.final_summary();
    print_ratios(&[
        ("token_check/memory", "floor/hmac_of_a_token"),
        ("token_check/sqlite", "floor/hmac_of_a_token"),
        ("token_check/sqlite", "floor/hmac_of_a_token + floor/session_row"),
        ("refresh/memory", "floor/refresh_hmacs_and_json"),
        ("refresh/sqlite", "floor/refresh_hmacs_and_json + floor/session_row"),
    ]);
}

/// One HMAC over a refresh token, one over an access token, and the answer's JSON.
fn refresh_floor(criterion: &mut Criterion, world: &World) {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    let (presented, _) = world.refresh.rsplit_once('.').expect("three parts");
    let (made, _) = world.token.rsplit_once('.').expect("three parts");
    let tag = hmac::sign(&key, presented.as_bytes());
    let answer = Answer { access_token: &world.token };
    criterion.bench_function("floor/refresh_hmacs_and_json", |bencher| {
        bencher.iter(|| {
            hmac::verify(&key, black_box(presented.as_bytes()), tag.as_ref()).expect("the same bytes");
            let signed = hmac::sign(&key, black_box(made.as_bytes()));
            (signed, serde_json::to_vec(black_box(&answer)).expect("JSON"))
        });
    });
}

#[derive(Serialize)]
struct Answer<'a> {
    access_token: &'a str,
}

/// The whole request, as a mount hands it over.
fn refresh(criterion: &mut Criterion, runtime: &Runtime, name: &str, world: &World) {
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| {
            let asked = request("POST", "/auth/session", black_box(&world.refresh));
            let answer = runtime.block_on(world.engine.handle(asked));
            assert_eq!(answer.status(), 201);
            answer
        });
    });
}

/// The row of the session and its user, with rusqlite alone.
fn row_floor(criterion: &mut Criterion, sqlite: &World, database: &std::path::Path) {
    let connection = rusqlite::Connection::open(database).expect("the world's database");
    // As the store does: or a cached statement is planned anew for every bound value.
    connection
        .set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .expect("a setting");
    let id = sqlite.actor.acting_user().and_then(|user| user.session).expect("a session").object_id().bytes();
    let sql = "SELECT s.*, u.* FROM sessions s CROSS JOIN users u ON u.app = s.app AND u.id = s.user
               WHERE s.app = ?1 AND s.id = ?2";
    criterion.bench_function("floor/session_row", |bencher| {
        bencher.iter(|| {
            let mut statement = connection.prepare_cached(sql).expect("SQL");
            let columns = statement.column_count();
            let read = |row: &rusqlite::Row<'_>| {
                (0..columns)
                    .map(|column| row.get(column))
                    .collect::<rusqlite::Result<Vec<rusqlite::types::Value>>>()
            };
            statement.query_row(rusqlite::params![sqlite.app.id().as_str(), id], read).expect("a row")
        });
    });
}

fn check(criterion: &mut Criterion, runtime: &Runtime, name: &str, world: &World) {
    let head = http::Request::get("/").header("authorization", format!("Bearer {}", world.token));
    let head = head.body(()).expect("a head").into_parts().0;
    criterion.bench_function(name, |bencher| {
        bencher
            .iter(|| runtime.block_on(world.app.authenticate(black_box(&head))).expect("the token is good"));
    });
}
