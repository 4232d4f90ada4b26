//! Log-in when everybody comes at once, and when an account ends meanwhile.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::auth::PasswordCost;
use backstitch::auth::config::{Confirmation, EmailPasswordConfig, PasswordReset, ProviderKind};
use backstitch::bson::doc;
use backstitch::bson::oid::ObjectId;
use backstitch::engine::Engine;
use backstitch::env::{Env, Executor, Job, Saturated, ThreadPool};
use backstitch::id::{AppId, UserId};
use backstitch::limits::Limits;
use backstitch::store::{Identity, Registration, Store, User, UserKind};
use backstitch_tests::{Client, Reply, both_stores};
use serde_json::json;
use tokio::task::JoinSet;

const LOGIN: &str = "/app/{app}/auth/providers/local-userpass/login";
const REGISTER: &str = "/app/{app}/auth/providers/local-userpass/register";
const PASSWORD: &str = "correct horse";

/// A pool of threads that can be told to keep its work for later.
struct Holding {
    pool: ThreadPool,
    held: Mutex<Option<Vec<Job>>>,
}

impl Executor for Holding {
    fn spawn(&self, job: Job) -> Result<(), Saturated> {
        match self.held.lock().unwrap().as_mut() {
            Some(held) => held.push(job),
            None => return self.pool.spawn(job),
        }
        Ok(())
    }
}

impl Holding {
    fn hold(&self) {
        *self.held.lock().unwrap() = Some(Vec::new());
    }

    async fn until_held(&self, jobs: usize) {
        while self.held.lock().unwrap().as_ref().map(Vec::len) != Some(jobs) {
            tokio::task::yield_now().await;
        }
    }

    fn release(&self) {
        let held = self.held.lock().unwrap().take().unwrap();
        held.into_iter().for_each(|job| self.pool.spawn(job).unwrap());
    }
}

/// An app with accounts and one open collection.
#[derive(Clone)]
struct World {
    engine: Engine,
    app: AppId,
    store: Arc<dyn Store>,
    /// Where passwords are hashed.
    executor: Arc<Holding>,
}

impl World {
    async fn on(store: Arc<dyn Store>, limits: Limits) -> Self {
        let password =
            EmailPasswordConfig { confirmation: Confirmation::Automatic, reset: PasswordReset::Unavailable };
        let notes = CollectionConfig::new("notes")
            .schema(&json!({ "title": "Note", "properties": { "text": { "bsonType": "string" } } }))
            .rules(json!({ "roles": [{ "name": "all", "apply_when": {}, "read": true, "write": true }] }));
        let config = AppConfig::new("notes")
            .provider(ProviderKind::Anonymous)
            .provider(ProviderKind::EmailPassword(password))
            .collection(notes);
        let app = config.id.clone();
        let executor = Arc::new(Holding { pool: ThreadPool::sized_to_machine(), held: Mutex::new(None) });
        let env = Env { executor: Arc::clone(&executor) as Arc<dyn Executor>, ..Env::system() };
        let engine = Engine::builder()
            .store(Arc::clone(&store))
            .public_url("http://notes.example")
            .password_cost(PasswordCost { memory_kib: 1024, passes: 1, lanes: 1 })
            .env(env)
            .limits(limits)
            .app(config)
            .build()
            .await
            .unwrap();
        Self { engine, app, store, executor }
    }

    fn client(&self) -> Client {
        Client::new(&self.engine, self.app.as_str())
    }

    async fn log_in(&self, email: &str, password: &str) -> Reply {
        let credential = json!({ "username": email, "password": password });
        self.client().send("POST", LOGIN, None, Some(credential)).await
    }

    async fn register(&self, email: &str) {
        let body = json!({ "email": email, "password": PASSWORD });
        let reply = self.client().send("POST", REGISTER, None, Some(body)).await;
        assert_eq!(reply.status, 201, "{reply:?}");
    }

    /// What a log-in answers whose password is being hashed while something else happens.
    async fn log_in_during<T>(&self, email: &str, meanwhile: impl Future<Output = T>) -> Reply {
        self.executor.hold();
        let log_in = tokio::spawn({
            let (world, email) = (self.clone(), email.to_owned());
            async move { world.log_in(&email, PASSWORD).await }
        });
        self.executor.until_held(1).await;
        meanwhile.await;
        self.executor.release();
        log_in.await.unwrap()
    }

    /// Ends every session of a user, as an operator does.
    async fn revoke_all(&self, id: UserId) {
        let found = self.store.user(&self.app, id).await.unwrap().unwrap();
        let mut user = found.clone();
        user.epoch += 1;
        self.store.replace_user(&self.app, &user, &found).await.unwrap();
        self.store.delete_sessions_of(&self.app, id, None).await.unwrap();
    }

    /// Whether the tokens of a log-in open anything.
    async fn is_live(&self, tokens: &Reply) -> bool {
        let tokens = tokens.json();
        let access = self.client().send("GET", "/auth/profile", tokens["access_token"].as_str(), None).await;
        let refresh =
            self.client().send("POST", "/auth/session", tokens["refresh_token"].as_str(), None).await;
        assert!([200, 401].contains(&access.status), "{access:?}");
        assert_eq!(access.status == 200, refresh.status == 201, "{access:?} {refresh:?}");
        access.status == 200
    }
}

fn user_id(tokens: &Reply) -> UserId {
    UserId::new(ObjectId::parse_str(tokens.json()["user_id"].as_str().unwrap()).unwrap())
}

/// Runs a story on each store, on several threads; none takes longer than a minute.
fn each_store<F: Future<Output = ()>>(limits: &Limits, story: impl Fn(World) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        for store in both_stores(folder.path()) {
            let story = story(World::on(store, limits.clone()).await);
            tokio::time::timeout(Duration::from_secs(60), story).await.expect("nothing hangs");
        }
    });
}

#[test]
fn of_200_log_ins_at_once_each_is_served_or_told_to_come_again_and_graphql_goes_on() {
    let limits = Limits { hashing_permits: 2, hashing_queue: 8, ..Limits::default() };
    each_store(&limits, |world: World| async move {
        world.register("ada@x").await;
        let guest = world.client().guest().await;
        let over = Arc::new(AtomicBool::new(false));
        let asking = tokio::spawn({
            let over = Arc::clone(&over);
            async move {
                let mut served = 0;
                while !over.load(Ordering::SeqCst) {
                    assert_eq!(guest.data("{ notes { text } }", json!({})).await, json!({ "notes": [] }));
                    served += 1;
                    tokio::task::yield_now().await;
                }
                served
            }
        });
        let mut storm = JoinSet::new();
        for number in 0..200 {
            let world = world.clone();
            // Right, wrong and unknown cost alike, so they are refused alike.
            storm.spawn(async move {
                match number % 4 {
                    0 => (401, world.log_in("ada@x", "battery staple").await),
                    1 => (401, world.log_in("nobody@x", PASSWORD).await),
                    _ => (200, world.log_in("ada@x", PASSWORD).await),
                }
            });
        }
        let (mut served, mut refused) = (0, 0);
        while let Some(answer) = storm.join_next().await {
            let (expected, reply) = answer.unwrap();
            if reply.status == 503 {
                assert_eq!(reply.headers["retry-after"], "1");
                refused += 1;
            } else {
                assert_eq!(reply.status, expected, "{reply:?}");
                served += 1;
            }
        }
        assert_eq!(served + refused, 200);
        // The queue and the permits alone guarantee that many.
        assert!(served >= 10, "{served}");
        over.store(true, Ordering::SeqCst);
        assert!(asking.await.unwrap() > 0);
        // Every permit came back.
        for _ in 0..4 {
            assert_eq!(world.log_in("ada@x", PASSWORD).await.status, 200);
        }
    });
}

#[test]
fn with_one_permit_and_no_queue_the_overflow_is_503_and_the_permit_comes_back() {
    let limits = Limits { hashing_permits: 1, hashing_queue: 0, ..Limits::default() };
    each_store(&limits, |world: World| async move {
        world.register("ada@x").await;
        let mut storm = JoinSet::new();
        for _ in 0..200 {
            let world = world.clone();
            storm.spawn(async move { world.log_in("ada@x", PASSWORD).await });
        }
        let replies = storm.join_all().await;
        let count = |status| replies.iter().filter(|reply| reply.status == status).count();
        assert_eq!(count(200) + count(503), 200);
        assert!(count(200) > 0 && count(503) > 0, "{} {}", count(200), count(503));
        let busy = replies.iter().find(|reply| reply.status == 503).unwrap();
        assert_eq!(busy.json()["error"], "too many log-ins at once, try again");
        assert_eq!(world.log_in("ada@x", PASSWORD).await.status, 200);
    });
}

#[test]
fn of_50_wrong_passwords_at_once_no_more_are_judged_than_may_fail() {
    // As many are hashed at once as come, and no block ends meanwhile.
    let hour = Duration::from_secs(3600);
    let limits = Limits { hashing_permits: 50, login_block: hour..=hour, ..Limits::default() };
    each_store(&limits, |world: World| async move {
        world.register("ada@x").await;
        let device = world.log_in("ada@x", PASSWORD).await.json()["device_id"].as_str().unwrap().to_owned();
        // A stranger first, then whoever has stolen the id of a device that is let in.
        for (email, device) in [("ada@x", None), ("nobody@x", None), ("ada@x", Some(&device))] {
            let mut storm = JoinSet::new();
            for _ in 0..50 {
                let world = world.clone();
                let options = json!({ "device": { "deviceId": device } });
                let body = json!({ "username": email, "password": "battery staple", "options": options });
                storm.spawn(async move { world.client().send("POST", LOGIN, None, Some(body)).await });
            }
            let replies = storm.join_all().await;
            let count = |status| replies.iter().filter(|reply| reply.status == status).count();
            assert_eq!((count(401), count(429)), (20, 30), "{email}");
            assert_eq!(world.log_in(email, PASSWORD).await.status, 429, "also with the right one");
        }
    });
}

#[test]
fn a_user_who_is_deleted_during_a_log_in_stays_deleted() {
    each_store(&Limits::default(), |world: World| async move {
        world.register("ada@x").await;
        let first = world.log_in("ada@x", PASSWORD).await;
        let user = user_id(&first);
        let delete = async { assert!(world.store.delete_user(&world.app, user).await.unwrap()) };
        let reply = world.log_in_during("ada@x", delete).await;
        assert_eq!(reply.status, 401, "{reply:?}");
        assert!(!world.is_live(&first).await);
        assert!(world.store.list_users(&world.app, None, 10).await.unwrap().is_empty(), "nobody came back");
        let late = world.log_in("ada@x", PASSWORD).await;
        assert_eq!((late.status, &late.json()["error_code"]), (401, &json!("InvalidPassword")));
        // The address is free again, for somebody new.
        world.register("ada@x").await;
        assert_ne!(user_id(&world.log_in("ada@x", PASSWORD).await), user);
    });
}

#[test]
fn a_first_log_in_whose_account_is_deleted_meanwhile_makes_no_user() {
    each_store(&Limits::default(), |world: World| async move {
        world.register("ada@x").await;
        // Another first log-in is quicker, and its user is deleted with the registration.
        let meanwhile = async {
            let registration = world.store.registration(&world.app, "ada@x").await.unwrap().unwrap();
            let identity = Identity {
                provider: Registration::PROVIDER.to_owned(),
                provider_id: ObjectId::from_bytes([7; 12]),
                id: registration.identity_id,
                data: doc! { "email": "ada@x" },
            };
            let user = User {
                id: UserId::new(ObjectId::from_bytes([8; 12])),
                kind: UserKind::Normal,
                disabled: false,
                epoch: 0,
                identities: vec![identity],
                created_at: registration.created_at,
                last_login_at: registration.created_at,
            };
            world.store.insert_registered_user(&world.app, &user, "ada@x").await.unwrap();
            assert!(world.store.delete_user(&world.app, user.id).await.unwrap());
        };
        let reply = world.log_in_during("ada@x", meanwhile).await;
        assert_eq!((reply.status, &reply.json()["error_code"]), (401, &json!("AuthError")), "{reply:?}");
        assert!(world.store.list_users(&world.app, None, 10).await.unwrap().is_empty(), "nobody came back");
        world.register("ada@x").await;
        assert_eq!(world.log_in("ada@x", PASSWORD).await.status, 200);
    });
}

#[test]
fn a_log_in_under_way_when_all_sessions_are_revoked_or_the_user_is_disabled_opens_none() {
    each_store(&Limits::default(), |world: World| async move {
        world.register("ada@x").await;
        let first = world.log_in("ada@x", PASSWORD).await;
        let user = user_id(&first);
        let reply = world.log_in_during("ada@x", world.revoke_all(user)).await;
        assert!(!world.is_live(&first).await);
        assert!(reply.status == 401 || !world.is_live(&reply).await, "{reply:?}");
        let next = world.log_in("ada@x", PASSWORD).await;
        assert!(world.is_live(&next).await, "the next log-in is a new proof");

        let disable = async {
            let found = world.store.user(&world.app, user).await.unwrap().unwrap();
            let mut disabled = found.clone();
            disabled.disabled = true;
            world.store.replace_user(&world.app, &disabled, &found).await.unwrap();
        };
        let reply = world.log_in_during("ada@x", disable).await;
        assert_eq!((reply.status, &reply.json()["error_code"]), (401, &json!("UserDisabled")));
        assert!(!world.is_live(&next).await);
    });
}

#[test]
fn of_log_ins_that_race_a_delete_none_leaves_anything_behind() {
    each_store(&Limits::default(), |world: World| async move {
        for round in 0..20 {
            let email = format!("{round}@x");
            world.register(&email).await;
            let first = world.log_in(&email, PASSWORD).await;
            let user = user_id(&first);
            let mut racing = JoinSet::new();
            for _ in 0..8 {
                let (world, email) = (world.clone(), email.clone());
                racing.spawn(async move { world.log_in(&email, PASSWORD).await });
            }
            // Somewhere among the log-ins.
            for _ in 0..round * 5 {
                tokio::task::yield_now().await;
            }
            assert!(world.store.delete_user(&world.app, user).await.unwrap());
            let mut replies = racing.join_all().await;
            replies.push(first);
            for reply in replies {
                match reply.status {
                    200 => assert!(!world.is_live(&reply).await, "{reply:?}"),
                    status => assert_eq!(status, 401, "{reply:?}"),
                }
            }
            assert!(world.store.list_users(&world.app, None, 10).await.unwrap().is_empty(), "{round}");
        }
    });
}

#[test]
fn of_parallel_log_outs_one_ends_the_session_and_log_ins_meanwhile_keep_theirs() {
    each_store(&Limits::default(), |world: World| async move {
        world.register("ada@x").await;
        for _ in 0..20 {
            let first = world.log_in("ada@x", PASSWORD).await;
            let token = first.json()["refresh_token"].as_str().unwrap().to_owned();
            let mut racing = JoinSet::new();
            for _ in 0..4 {
                let world = world.clone();
                racing.spawn(async move { world.log_in("ada@x", PASSWORD).await });
            }
            // The same session is ended by several at once: one of them did it.
            let mut endings = JoinSet::new();
            for _ in 0..4 {
                let (client, token) = (world.client(), token.clone());
                endings
                    .spawn(async move { client.send("DELETE", "/auth/session", Some(&token), None).await });
            }
            let mut ends: Vec<u16> = endings.join_all().await.into_iter().map(|reply| reply.status).collect();
            ends.sort_unstable();
            assert_eq!(ends, [204, 401, 401, 401]);
            assert!(!world.is_live(&first).await);
            // Another session's log-out touches none of the others.
            for reply in racing.join_all().await {
                assert_eq!(reply.status, 200, "{reply:?}");
                assert!(world.is_live(&reply).await);
            }
        }
    });
}

#[test]
fn an_unknown_user_and_a_wrong_password_are_answered_alike_to_the_byte() {
    each_store(&Limits::default(), |world: World| async move {
        world.register("ada@x").await;
        let wrong = world.log_in("ada@x", "battery staple").await;
        let long = "x".repeat(10_000);
        for (email, password) in [
            ("bob@x", PASSWORD),
            ("bob@x", "battery staple"),
            ("ADA@x", PASSWORD),
            ("", PASSWORD),
            ("ada@x", ""),
            ("ada@x", long.as_str()),
            (long.as_str(), PASSWORD),
        ] {
            let unknown = world.log_in(email, password).await;
            assert_eq!((unknown.status, &unknown.body), (401, &wrong.body), "{email}");
            assert_eq!(unknown.headers, wrong.headers, "{email}");
        }
        assert_eq!(wrong.status, 401);
        assert_eq!(wrong.json(), json!({ "error": "unauthorized", "error_code": "InvalidPassword" }));
        // A user who has logged in before is no exception.
        assert_eq!(world.log_in("ada@x", PASSWORD).await.status, 200);
        assert_eq!(world.log_in("ada@x", "battery staple").await.body, wrong.body);
    });
}
