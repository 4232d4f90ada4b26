//! An engine process, or the database under it, is killed in the middle of writes, again and again. After each restart every acknowledged write is there,
//! of an unacknowledged one all or nothing, and no session that was ended is alive.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backstitch_test_postgres::Server;
use serde_json::{Value, json};

use crate::bound;
use crate::engine::{Process, Tokens, ask, graphql, log_in};

const WRITERS: usize = 4;

const INSERT: &str = "mutation($d: [NoteInsertInput!]!) { insertManyNotes(data: $d) { insertedIds } }";
const ALL: &str = "{ notes(limit: 100000) { _id batch } }";

/// What was acknowledged since the beginning.
#[derive(Default)]
struct Acknowledged {
    batches: Vec<String>,
    ended: Vec<Tokens>,
    alive: Vec<Tokens>,
}

#[test]
fn what_sqlite_acknowledged_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    rounds(&format!("sqlite:{}", folder.path().join("killed.db").display()));
}

#[test]
fn what_postgres_acknowledged_outlives_the_process() {
    if let Some(server) = Server::start() {
        rounds(&server.url());
    }
}

#[test]
fn what_was_acknowledged_outlives_a_server_that_restarts_under_load() {
    let Some(mut server) = Server::start() else { return };
    let processes = [Process::start(&server.url()), Process::start(&server.url())];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
    let is_over = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let address = processes[writer % processes.len()].address.clone();
            let (acknowledged, is_over) = (Arc::clone(&acknowledged), Arc::clone(&is_over));
            runtime.spawn(async move {
                let (mut number, mut unanswered) = (0, 0);
                while !is_over.load(Ordering::Relaxed) {
                    let written = write(&address, &format!("s/{writer}/{number}"), &acknowledged).await;
                    unanswered += u64::from(written.is_none());
                    number += 1;
                }
                unanswered
            })
        })
        .collect();
    for _ in 0..bound("BACKSTITCH_RESTARTS", 2) {
        std::thread::sleep(Duration::from_millis(500));
        server.kill();
        std::thread::sleep(Duration::from_millis(200));
        server.go();
    }
    let before = acknowledged.lock().unwrap().batches.len();
    std::thread::sleep(Duration::from_millis(700));
    is_over.store(true, Ordering::Relaxed);
    let unanswered: u64 = writers.into_iter().map(|writer| runtime.block_on(writer).unwrap()).sum();
    for process in &processes {
        runtime.block_on(check(&process.address, &acknowledged.lock().unwrap()));
    }
    let after = acknowledged.lock().unwrap().batches.len();
    println!(
        "{after} acknowledged batches are there, {unanswered} writes were refused while the server was away"
    );
    assert!(unanswered > 0 && after > before, "the engines go on by themselves: {before} {after}");
}

fn rounds(store: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
    let rounds = bound("BACKSTITCH_KILLS", 4);
    let mut process = Process::start(store);
    for round in 0..rounds {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (address, acknowledged) = (process.address.clone(), Arc::clone(&acknowledged));
                runtime.spawn(async move {
                    // Until there is no answer any more.
                    let mut number = 0;
                    while write(&address, &format!("{round}/{writer}/{number}"), &acknowledged)
                        .await
                        .is_some()
                    {
                        number += 1;
                    }
                })
            })
            .collect();
        // Another moment of the work in each round.
        std::thread::sleep(Duration::from_millis(60 + 37 * round % 200));
        process.kill();
        writers.into_iter().for_each(|writer| runtime.block_on(writer).unwrap());
        process = Process::start(store);
        runtime.block_on(check(&process.address, &acknowledged.lock().unwrap()));
    }
    let told = acknowledged.lock().unwrap();
    let (batches, ended) = (told.batches.len(), told.ended.len());
    println!(
        "killed {rounds} times: {batches} acknowledged batches are there, {ended} ended sessions stay so"
    );
    assert!(batches > 0 && ended > 0, "{batches} {ended}");
}

/// A log-in, two notes in one mutation, and at times a log-out.
async fn write(address: &str, batch: &str, acknowledged: &Mutex<Acknowledged>) -> Option<()> {
    let tokens = log_in(address).await?;
    acknowledged.lock().unwrap().alive.push(tokens.clone());
    let notes =
        ["a", "b"].map(|half| json!({ "_id": format!("{batch}{half}"), "batch": batch, "text": "x" }));
    let (_, body) = graphql(address, &tokens.access, INSERT, json!({ "d": notes })).await.ok()?;
    if body["data"]["insertManyNotes"].is_object() {
        acknowledged.lock().unwrap().batches.push(batch.to_owned());
    }
    if batch.ends_with(['0', '3', '6']) {
        // Whether it was done is not known before it is acknowledged.
        acknowledged.lock().unwrap().alive.retain(|other| other.refresh != tokens.refresh);
        if ask(address, "DELETE /auth/session", &tokens.refresh, &json!({})).await.ok()?.0 == 204 {
            acknowledged.lock().unwrap().ended.push(tokens);
        }
    }
    Some(())
}

async fn check(address: &str, acknowledged: &Acknowledged) {
    let guest = log_in(address).await.unwrap();
    let (_, body) = graphql(address, &guest.access, ALL, json!({})).await.unwrap();
    let notes = body["data"]["notes"].as_array().unwrap_or_else(|| panic!("{body}"));
    let mut halves: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    for note in notes {
        *halves.entry(note["batch"].as_str().unwrap()).or_default() += 1;
    }
    assert!(halves.values().all(|halves| *halves == 2), "half of a mutation is there");
    for batch in &acknowledged.batches {
        assert!(halves.contains_key(batch.as_str()), "{batch} was acknowledged and is lost");
    }
    let alive = async |tokens: &Tokens| {
        let answer: (u16, Value) =
            ask(address, "POST /auth/session", &tokens.refresh, &json!({})).await.unwrap();
        answer.0 == 201
    };
    for tokens in &acknowledged.ended {
        assert!(!alive(tokens).await, "a session that was ended is alive");
    }
    // As many as a round has, lest each round takes longer than the one before.
    for tokens in acknowledged.alive.iter().rev().take(20) {
        assert!(alive(tokens).await, "a session that was opened is lost");
    }
}
