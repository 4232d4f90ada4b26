//! Four engine processes on one PostgreSQL: log-ins, refreshes, queries, writes and log-outs, all mixed. In the end no
//! acknowledged write is lost, no session was alive after it was ended, and nothing unexpected was answered.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use backstitch_test_postgres::Server;
use serde_json::{Value, json};

use crate::bound;
use crate::engine::{Process, Tokens, ask, graphql, log_in};

const PROCESSES: usize = 4;
const WORKERS: usize = 12;
const COUNTERS: usize = 4;

const INSERT: &str = "mutation($d: [NoteInsertInput!]!) { insertManyNotes(data: $d) { insertedIds } }";
const COUNT: &str = "mutation($c: String!) { updateOneCounter(query: { _id: $c }, set: { n_inc: 1 }) { n } }";
const MINE: &str = "query($b: String!) { notes(query: { batch: $b }, limit: 10000) { _id } }";

/// What a worker was told was done.
#[derive(Default)]
struct Told {
    notes: Vec<String>,
    counted: [u64; COUNTERS],
    /// How often each thing was done, and how often the store was busy.
    done: BTreeMap<&'static str, u64>,
}

impl Told {
    fn note(&mut self, what: &'static str) {
        *self.done.entry(what).or_default() += 1;
    }
}

#[test]
fn four_processes_on_one_database_lose_nothing_and_let_nobody_back_in() {
    let Some(server) = Server::start() else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = server.url();
    let processes: Vec<Process> = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..PROCESSES).map(|_| scope.spawn(|| Process::start(&url))).collect();
        starting.into_iter().map(|process| process.join().unwrap()).collect()
    });
    let addresses: Vec<String> = processes.iter().map(|process| process.address.clone()).collect();
    runtime.block_on(async {
        let guest = log_in(&addresses[0]).await.unwrap();
        for counter in 0..COUNTERS {
            let insert = "mutation($c: String!) { insertOneCounter(data: { _id: $c, n: 0 }) { n } }";
            let answer =
                graphql(&addresses[1], &guest.access, insert, json!({ "c": counter.to_string() })).await;
            assert_eq!(answer.unwrap().1["data"]["insertOneCounter"]["n"], 0);
        }
        let until = Instant::now() + Duration::from_secs(bound("BACKSTITCH_SOAK_SECONDS", 6));
        let workers: Vec<_> =
            (0..WORKERS).map(|number| tokio::spawn(work(number, addresses.clone(), until))).collect();
        let mut all = Vec::new();
        for worker in workers {
            all.push(worker.await.unwrap());
        }
        settle(&addresses[2], &guest, &all).await;
    });
}

/// A simple sequence of choices, another for each worker.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % u64::try_from(most).unwrap()).unwrap()
    }
}

async fn work(number: usize, addresses: Vec<String>, until: Instant) -> Told {
    let (mut dice, mut told) = (Dice(number as u64 + 1), Told::default());
    let mut tokens = log_in(&addresses[number % PROCESSES]).await.unwrap();
    let batch = format!("worker {number}");
    while Instant::now() < until {
        let address = &addresses[dice.below(PROCESSES)];
        match dice.below(10) {
            0..4 => {
                let ids = [told.notes.len(), told.notes.len() + 1].map(|note| format!("{number}/{note}"));
                let notes = ids.each_ref().map(|id| json!({ "_id": id, "batch": batch, "text": "x" }));
                if done(
                    graphql(address, &tokens.access, INSERT, json!({ "d": notes })).await,
                    "insert",
                    &mut told,
                ) {
                    told.notes.extend(ids);
                }
            }
            4..6 => {
                let counter = dice.below(COUNTERS);
                let answer =
                    graphql(address, &tokens.access, COUNT, json!({ "c": counter.to_string() })).await;
                if done(answer, "count", &mut told) {
                    told.counted[counter] += 1;
                }
            }
            6 => {
                let (status, body) =
                    graphql(address, &tokens.access, MINE, json!({ "b": batch })).await.unwrap();
                let read = body["data"]["notes"].as_array().unwrap_or_else(|| panic!("{status} {body}"));
                assert_eq!(read.len(), told.notes.len(), "what one process has written, another one reads");
                told.note("query");
            }
            7..9 => {
                let (status, body) =
                    ask(address, "POST /auth/session", &tokens.refresh, &json!({})).await.unwrap();
                assert_eq!(status, 201, "{body}");
                tokens.access = body["access_token"].as_str().unwrap().to_owned();
                told.note("refresh");
            }
            _ => {
                let (status, body) =
                    ask(address, "DELETE /auth/session", &tokens.refresh, &json!({})).await.unwrap();
                assert_eq!(status, 204, "{body}");
                for other in &addresses {
                    let alive = ask(other, "GET /auth/profile", &tokens.access, &json!({})).await.unwrap();
                    assert_eq!(alive.0, 401, "alive after its end: {}", alive.1);
                    let alive = ask(other, "POST /auth/session", &tokens.refresh, &json!({})).await.unwrap();
                    assert_eq!(alive.0, 401, "alive after its end: {}", alive.1);
                }
                tokens = log_in(address).await.unwrap();
                told.note("log out and in");
            }
        }
    }
    told
}

/// Whether a mutation was done. It may be refused only because the store is busy.
fn done(answer: crate::engine::Answer, what: &'static str, told: &mut Told) -> bool {
    let (status, body) = answer.unwrap();
    assert_eq!(status, 200, "{body}");
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    if let Some(error) = errors.first() {
        assert_eq!(error["extensions"]["code"], "SERVICE_UNAVAILABLE", "{body}");
        told.note("refused because it was busy");
        return false;
    }
    told.note(what);
    true
}

async fn settle(address: &str, guest: &Tokens, all: &[Told]) {
    let query = "{ counters(sortBy: _ID_ASC) { _id n } notes(limit: 1) { _id } }";
    let (_, body) = graphql(address, &guest.access, query, json!({})).await.unwrap();
    let counters = body["data"]["counters"].as_array().unwrap();
    for (number, counter) in counters.iter().enumerate() {
        let expected: u64 = all.iter().map(|told| told.counted[number]).sum();
        assert_eq!(counter["n"], expected, "{counter}");
    }
    for (number, told) in all.iter().enumerate() {
        let batch = json!({ "b": format!("worker {number}") });
        let (_, body) = graphql(address, &guest.access, MINE, batch).await.unwrap();
        let mut found: Vec<&Value> =
            body["data"]["notes"].as_array().unwrap().iter().map(|note| &note["_id"]).collect();
        let mut expected: Vec<&String> = told.notes.iter().collect();
        found.sort_by_key(|id| id.to_string());
        expected.sort();
        assert_eq!(found, expected, "worker {number}");
    }
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for (what, count) in all.iter().flat_map(|told| &told.done) {
        *sums.entry(what).or_default() += count;
    }
    println!("{PROCESSES} processes, {WORKERS} workers: {sums:?}; nothing lost, nobody back in");
    assert!(
        ["insert", "count", "query", "refresh", "log out and in"].iter().all(|what| sums.contains_key(what))
    );
}
