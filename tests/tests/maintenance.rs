//! What `Engine::maintenance` removes, and what it leaves, on every store with steered time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use backstitch::engine::Engine;
use backstitch::env::test::ManualClock;
use backstitch::env::{Env, Timer};
use backstitch::store::Store;
use backstitch_example_app::{APP_ID, notes_app};
use backstitch_storage_memory::MemoryStore;
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};
use backstitch_tests::Client;
use serde_json::json;
use tokio::sync::Notify;

const DAY: Duration = Duration::from_secs(86_400);

/// A timer whose every sleep lasts until the test ends it.
#[derive(Default)]
struct Rounds {
    asleep: Notify,
    wake: Notify,
}

#[async_trait]
impl Timer for Rounds {
    async fn sleep(&self, duration: Duration) {
        assert_eq!(duration, Duration::from_secs(600), "ten minutes from clean-up to clean-up");
        self.asleep.notify_one();
        self.wake.notified().await;
    }
}

struct World {
    engine: Engine,
    clock: Arc<ManualClock>,
    rounds: Arc<Rounds>,
}

impl World {
    async fn start(store: Arc<dyn Store>, clock: Arc<ManualClock>) -> Self {
        let rounds = Arc::new(Rounds::default());
        let env = Env { clock: Arc::clone(&clock) as _, timer: Arc::clone(&rounds) as _, ..Env::system() };
        let mut config = notes_app();
        // Longer than a guest may be idle, so that a guest goes although a session of theirs is there.
        config.auth.refresh_lifetime = DAY * 400;
        let builder = Engine::builder().store(store).env(env).public_url("https://api.example");
        let engine = builder.app(config).build().await.unwrap();
        let world = Self { engine, clock, rounds };
        let maintained = world.engine.clone();
        tokio::spawn(async move { maintained.maintenance().await });
        world.rounds.asleep.notified().await;
        world
    }

    /// Days go by, then the clean-up runs once.
    async fn pass(&self, days: u32) {
        self.clock.advance(DAY * days);
        self.rounds.wake.notify_one();
        self.rounds.asleep.notified().await;
    }

    fn client(&self) -> Client {
        Client::new(&self.engine, APP_ID)
    }

    /// Whom the engine still knows, of these.
    async fn known(&self, clients: &[&Client]) -> Vec<bool> {
        let users = self.engine.app(APP_ID).unwrap().users().list(None, 100).await.unwrap();
        let ids: Vec<String> = users.iter().map(|user| user.id.to_hex()).collect();
        clients.iter().map(|client| ids.contains(client.user.as_ref().unwrap())).collect()
    }
}

async fn each_store(story: impl AsyncFn(&World)) {
    let folder = tempfile::tempdir().unwrap();
    let clock = || Arc::new(ManualClock::at(1_800_000_000));
    let memory = clock();
    let store = Arc::new(MemoryStore::with_clock(Arc::clone(&memory) as _));
    story(&World::start(store, memory).await).await;
    let sqlite = clock();
    let config =
        SqliteConfig::new(folder.path().join("story.db"), Env::system().executor, Arc::clone(&sqlite) as _);
    story(&World::start(Arc::new(SqliteStore::open(config).unwrap()), sqlite).await).await;
}

async fn refresh(client: &Client) -> u16 {
    client.send("POST", "/auth/session", client.refresh.as_deref(), None).await.status
}

#[tokio::test]
async fn a_guest_whom_nobody_has_seen_for_ninety_days_goes_and_everybody_else_stays() {
    each_store(async |world| {
        let (idle, seen) = (world.client().guest().await, world.client().guest().await);
        let person = world.client().person("ada@example.test").await;
        let linked = world.client().guest().await;
        let body = json!({ "email": "bob@example.test", "password": "correct horse" });
        let register = "/app/{app}/auth/providers/local-userpass/register";
        assert_eq!(world.client().send("POST", register, None, Some(body)).await.status, 201);
        let link = "/app/{app}/auth/providers/local-userpass/login?link=true";
        let body = json!({ "username": "bob@example.test", "password": "correct horse" });
        assert_eq!(linked.send("POST", link, linked.access.as_deref(), Some(body)).await.status, 200);
        let insert = "mutation ($owner: String!) { insertOneNote(data: { owner: $owner, text: \"milk\", public: true }) { text } }";
        idle.data(insert, json!({ "owner": idle.user })).await;

        world.pass(89).await;
        let late = world.client().guest().await;
        let all = [&idle, &seen, &person, &linked, &late];
        assert_eq!(refresh(&seen).await, 201);
        assert_eq!(world.known(&all).await, [true; 5]);

        world.pass(2).await;
        assert_eq!(world.known(&all).await, [false, true, true, true, true]);
        assert_eq!(refresh(&idle).await, 401, "the session goes with its user");
        for client in [&seen, &person, &linked, &late] {
            assert_eq!(refresh(client).await, 201);
        }
        let reader = world.client().guest().await;
        let notes = reader.data("{ notes { text } }", json!({})).await;
        assert_eq!(notes, json!({ "notes": [{ "text": "milk" }] }), "documents stay");

        world.pass(91).await;
        assert_eq!(world.known(&all).await, [false, false, true, true, false]);
    })
    .await;
}

#[tokio::test]
async fn a_session_that_has_expired_is_removed() {
    each_store(async |world| {
        let person = world.client().person("ada@example.test").await;
        let user = world.engine.app(APP_ID).unwrap().users().list(None, 1).await.unwrap()[0].id;
        let sessions = async || world.engine.app(APP_ID).unwrap().users().sessions(user).await.unwrap().len();
        world.pass(399).await;
        assert_eq!((sessions().await, refresh(&person).await), (1, 201));
        world.pass(2).await;
        assert_eq!((sessions().await, refresh(&person).await), (0, 401));
    })
    .await;
}
