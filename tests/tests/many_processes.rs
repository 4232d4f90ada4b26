//! Several engines on one PostgreSQL, each with connections and caches of its own, as processes have them: what one does, the
//! others know with their next request.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::auth::PasswordCost;
use backstitch::auth::config::{EmailPasswordConfig, ProviderKind};
use backstitch::engine::Engine;
use backstitch::env::test::ManualClock;
use backstitch::env::{Clock, Env};
use backstitch::id::AppId;
use backstitch::store::{KeyAlgorithm, Store};
use backstitch_storage_postgres::{PostgresConfig, PostgresStore};
use backstitch_tests::{Client, Movies, postgres_config};
use serde_json::{Value, json};

const START: i64 = 1_800_000_000;
const APP: &str = "shop-abcde";
const LOGIN: &str = "/app/{app}/auth/providers/local-userpass/login";
const PROCESSES: i64 = 5;

/// Engines over one schema, whose clocks differ by so many seconds from each one to the next.
async fn engines(apart: i64) -> Option<Vec<Engine>> {
    let config = postgres_config()?;
    let starting: Vec<_> = (0..PROCESSES)
        .map(|number| {
            let clock = Arc::new(ManualClock::at(START + number * apart));
            tokio::spawn(engine(config.clone(), clock))
        })
        .collect();
    let mut engines = Vec::new();
    for engine in starting {
        engines.push(engine.await.unwrap());
    }
    Some(engines)
}

async fn engine(mut config: PostgresConfig, clock: Arc<ManualClock>) -> Engine {
    config.clock = Arc::clone(&clock) as Arc<dyn Clock>;
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open(config).await.unwrap());
    let everyone = json!({ "roles": [{ "name": "all", "apply_when": {}, "read": true, "write": true }] });
    let counters = CollectionConfig::new("counters")
        .schema(&json!({ "title": "Counter", "properties": {
            "_id": { "bsonType": "string" }, "n": { "bsonType": "int" } } }))
        .rules(everyone);
    let app = AppConfig::new("shop")
        .with_id(AppId::new(APP))
        .provider(ProviderKind::Anonymous)
        .provider(ProviderKind::EmailPassword(EmailPasswordConfig::automatic()))
        .collection(counters);
    Engine::builder()
        .store(store)
        .env(Env { clock, ..Env::system() })
        .public_url("http://shop.example")
        .password_cost(PasswordCost { memory_kib: 64, passes: 1, lanes: 1 })
        .app(app)
        .build()
        .await
        .unwrap()
}

fn at(engine: &Engine) -> Client {
    Client::new(engine, APP)
}

async fn profile(engine: &Engine, person: &Client) -> u16 {
    at(engine).send("GET", "/auth/profile", person.access.as_deref(), None).await.status
}

async fn refresh(engine: &Engine, person: &Client) -> u16 {
    at(engine).send("POST", "/auth/session", person.refresh.as_deref(), None).await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_is_known_and_ended_everywhere_though_clocks_differ_by_two_seconds() {
    let Some(engines) = engines(-1).await else { return };
    // The last clock is behind by four seconds, each by one from its neighbour; two seconds lie between the first and the third.
    let ada = at(&engines[0]).person("ada@example.com").await;
    for engine in &engines[..3] {
        assert_eq!(profile(engine, &ada).await, 200);
        assert_eq!(refresh(engine, &ada).await, 201);
    }
    let late = at(&engines[2]).log_in("anon-user", json!({})).await;
    assert_eq!((profile(&engines[0], &late).await, refresh(&engines[0], &late).await), (200, 201));
    assert_eq!(
        at(&engines[1]).send("DELETE", "/auth/session", ada.refresh.as_deref(), None).await.status,
        204
    );
    for engine in &engines {
        assert_eq!((profile(engine, &ada).await, refresh(engine, &ada).await), (401, 401));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_processes_that_start_at_once_one_loads_the_data() {
    let Some(config) = postgres_config() else { return };
    let starting: Vec<_> = (0..PROCESSES)
        .map(|_| {
            let config = config.clone();
            tokio::spawn(
                async move { Movies::on(Arc::new(PostgresStore::open(config).await.unwrap())).await },
            )
        })
        .collect();
    let mut counts = Vec::new();
    for movies in starting {
        let guest = movies.await.unwrap().client().guest().await;
        let films = guest.data("{ movies(limit: 1000) { _id } }", json!({})).await;
        counts.push(films["movies"].as_array().unwrap().len());
    }
    assert!(counts[0] > 0 && counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rotated_key_signs_and_verifies_everywhere() {
    let Some(engines) = engines(0).await else { return };
    let before = at(&engines[0]).guest().await;
    for (number, algorithm) in [KeyAlgorithm::Es256, KeyAlgorithm::EdDsa].into_iter().enumerate() {
        engines[number].app(APP).unwrap().rotate_signing_keys(algorithm).await.unwrap();
        let new = at(&engines[number]).guest().await;
        for engine in &engines {
            assert_eq!((profile(engine, &new).await, refresh(engine, &new).await), (200, 201));
            assert_eq!((profile(engine, &before).await, refresh(engine, &before).await), (200, 201));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failed_log_ins_are_counted_together() {
    let Some(engines) = engines(0).await else { return };
    at(&engines[0]).person("ada@example.com").await;
    let wrong = json!({ "username": "ada@example.com", "password": "wrong" });
    let mut tries = 0;
    loop {
        let engine = &engines[tries % engines.len()];
        let status = at(engine).send("POST", LOGIN, None, Some(wrong.clone())).await.status;
        tries += 1;
        if status == 429 {
            break;
        }
        assert_eq!(status, 401);
        assert!(tries <= 40, "an account is blocked by its 40th failure, wherever it was tried");
    }
    let right = json!({ "username": "ada@example.com", "password": "correct horse" });
    for engine in &engines {
        assert_eq!(at(engine).send("POST", LOGIN, None, Some(right.clone())).await.status, 429);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_token_to_reset_a_password_is_good_once() {
    let Some(engines) = engines(0).await else { return };
    let ada = at(&engines[0]).person("ada@example.com").await;
    let reset = engines[0].app(APP).unwrap().users().reset_token("ada@example.com").await.unwrap();
    let racing: Vec<_> = engines
        .iter()
        .enumerate()
        .map(|(number, engine)| {
            let (client, password) = (at(engine), format!("new password {number}"));
            let body =
                json!({ "token": reset.token.expose(), "tokenId": reset.token_id, "password": password });
            tokio::spawn(async move {
                client
                    .send("POST", "/app/{app}/auth/providers/local-userpass/reset", None, Some(body))
                    .await
                    .status
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for answer in racing {
        statuses.push(answer.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|status| **status < 300).count(), 1, "{statuses:?}");
    for engine in &engines {
        assert_eq!(profile(engine, &ada).await, 401, "a new password ends every session, everywhere");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_parallel_conditional_writes_each_sees_what_the_other_has_done() {
    let Some(engines) = engines(0).await else { return };
    let guest = at(&engines[0]).guest().await;
    let access = guest.access.clone().unwrap();
    guest.data("mutation { insertOneCounter(data: { _id: \"stock\", n: 12 }) { n } }", json!({})).await;
    let take = "mutation { updateOneCounter(query: { _id: \"stock\", n_gt: 0 }, set: { n_inc: -1 }) { n } }";
    let takers: Vec<_> = (0..40)
        .map(|number| {
            let client = at(&engines[number % engines.len()]).with_access(&access);
            tokio::spawn(async move { client.graphql(take, json!({})).await })
        })
        .collect();
    let (mut taken, mut busy) = (0, 0);
    for taker in takers {
        let answer: Value = taker.await.unwrap();
        match answer["errors"][0]["extensions"]["code"].as_str() {
            None => taken += usize::from(answer["data"]["updateOneCounter"].is_object()),
            Some("SERVICE_UNAVAILABLE") => busy += 1,
            Some(_) => panic!("{answer}"),
        }
    }
    let left = guest.data("{ counter(query: { _id: \"stock\" }) { n } }", json!({})).await;
    let left = left["counter"]["n"].as_u64().unwrap();
    assert_eq!(taken as u64 + left, 12, "{taken} were taken, {left} are left");
    assert_eq!((left, busy), (0, 0), "whoever is in another's way takes turns, and is done in the end");
}
