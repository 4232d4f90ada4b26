//! Attacks 53, 55, 61 and 62: everybody comes at once, and an account ends or changes meanwhile.

use std::future::Future;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::auth::PasswordCost;
use backstitch::env::{Env, Executor, Job, Saturated, ThreadPool};
use backstitch::id::{AppId, UserId};
use backstitch::limits::Limits;
use backstitch::secret::Secret;
use backstitch::store::{Identity, Registration, User, UserKind};
use backstitch_tests::Reply;
use bson::doc;
use bson::oid::ObjectId;
use serde_json::json;
use tokio::task::JoinSet;

use crate::world::{APP, PASSWORD, World, club};

const ADA: &str = "ada@club.example";
const NEW: &str = "battery staple";

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

    /// Does the newest of what is held, and goes on holding the rest.
    fn do_newest(&self) {
        let newest = self.held.lock().unwrap().as_mut().and_then(Vec::pop).unwrap();
        newest();
    }

    fn release(&self) {
        let held = self.held.lock().unwrap().take().unwrap();
        held.into_iter().for_each(|job| self.pool.spawn(job).unwrap());
    }
}

/// A world whose passwords are hashed elsewhere than on the caller's thread.
#[derive(Clone)]
struct Crowd {
    world: Arc<World>,
    executor: Arc<Holding>,
}

impl Deref for Crowd {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl Crowd {
    async fn of(world: World, limits: Limits, app: AppConfig) -> Self {
        let executor = Arc::new(Holding { pool: ThreadPool::sized_to_machine(), held: Mutex::new(None) });
        let env = Env { executor: Arc::clone(&executor) as Arc<dyn Executor>, ..world.env() };
        let cost = PasswordCost { memory_kib: 1024, passes: 1, lanes: 1 };
        let world = world.serving(app, |builder| builder.env(env).limits(limits).password_cost(cost)).await;
        Self { world: Arc::new(world), executor }
    }

    async fn register(&self, email: &str) {
        self.app().users().create(email, &Secret::new(PASSWORD)).await.unwrap();
    }

    async fn enter(&self, email: &str, password: &str) -> Reply {
        self.log_in("local-userpass", json!({ "username": email, "password": password })).await
    }

    /// What a log-in answers whose password is being hashed while something else happens.
    async fn enter_during<T>(&self, email: &str, meanwhile: impl Future<Output = T>) -> Reply {
        self.executor.hold();
        let log_in = tokio::spawn({
            let (crowd, email) = (self.clone(), email.to_owned());
            async move { crowd.enter(&email, PASSWORD).await }
        });
        self.executor.until_held(1).await;
        meanwhile.await;
        self.executor.release();
        log_in.await.unwrap()
    }

    /// Sets another password, whose hash goes before those that are held.
    async fn set_password(&self, email: &str) {
        let setting = tokio::spawn({
            let (crowd, email) = (self.clone(), email.to_owned());
            async move { crowd.app().users().set_password(&email, &Secret::new(NEW)).await }
        });
        self.executor.until_held(2).await;
        self.executor.do_newest();
        setting.await.unwrap().unwrap();
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

fn user_of(tokens: &Reply) -> UserId {
    UserId::parse(tokens.json()["user_id"].as_str().unwrap()).unwrap()
}

/// Nothing here takes longer than a minute.
async fn in_time(story: impl Future<Output = ()>) {
    tokio::time::timeout(Duration::from_secs(60), story).await.expect("nothing hangs");
}

attack!(attack_53_of_parallel_log_outs_one_ends_the_session_and_no_other, |world| {
    in_time(async {
        let crowd = Crowd::of(world, Limits::default(), club()).await;
        crowd.register(ADA).await;
        for _ in 0..20 {
            let first = crowd.enter(ADA, PASSWORD).await;
            let token = first.json()["refresh_token"].as_str().unwrap().to_owned();
            let mut racing = JoinSet::new();
            for _ in 0..4 {
                let crowd = crowd.clone();
                racing.spawn(async move { crowd.enter(ADA, PASSWORD).await });
            }
            let mut endings = JoinSet::new();
            for _ in 0..4 {
                let (client, token) = (crowd.client(), token.clone());
                endings
                    .spawn(async move { client.send("DELETE", "/auth/session", Some(&token), None).await });
            }
            let mut ends: Vec<u16> = endings.join_all().await.into_iter().map(|reply| reply.status).collect();
            ends.sort_unstable();
            assert_eq!(ends, [204, 401, 401, 401]);
            assert!(!crowd.is_live(&first).await);
            // Another session's log-out touches none of the others.
            for reply in racing.join_all().await {
                assert_eq!(reply.status, 200, "{reply:?}");
                assert!(crowd.is_live(&reply).await);
            }
        }
    })
    .await;
});

attack!(attack_55_a_user_who_is_deleted_during_a_log_in_stays_deleted, |world| {
    in_time(async {
        let crowd = Crowd::of(world, Limits::default(), club()).await;
        crowd.register(ADA).await;
        let first = crowd.enter(ADA, PASSWORD).await;
        let user = user_of(&first);
        let delete = async { crowd.app().users().delete(user).await.unwrap() };
        let reply = crowd.enter_during(ADA, delete).await;
        assert_eq!(reply.status, 401, "{reply:?}");
        assert!(!crowd.is_live(&first).await);
        assert!(crowd.users().await.is_empty(), "nobody came back");
        let late = crowd.enter(ADA, PASSWORD).await;
        assert_eq!((late.status, &late.json()["error_code"]), (401, &json!("InvalidPassword")));
        // The address is free again, for somebody new.
        crowd.register(ADA).await;
        assert_ne!(user_of(&crowd.enter(ADA, PASSWORD).await), user);
    })
    .await;
});

attack!(attack_55_a_first_log_in_whose_account_is_deleted_meanwhile_makes_no_user, |world| {
    in_time(async {
        let crowd = Crowd::of(world, Limits::default(), club()).await;
        crowd.register(ADA).await;
        let app = AppId::new(APP);
        // Another first log-in is quicker, and its user is deleted with the registration.
        let meanwhile = async {
            let registration = crowd.store.registration(&app, ADA).await.unwrap().unwrap();
            let user = User {
                id: UserId::new(ObjectId::from_bytes([8; 12])),
                kind: UserKind::Normal,
                disabled: false,
                epoch: 0,
                identities: vec![Identity {
                    provider: Registration::PROVIDER.to_owned(),
                    provider_id: ObjectId::from_bytes([7; 12]),
                    id: registration.identity_id,
                    data: doc! { "email": ADA },
                }],
                created_at: registration.created_at,
                last_login_at: registration.created_at,
            };
            crowd.store.insert_registered_user(&app, &user, ADA).await.unwrap();
            assert!(crowd.store.delete_user(&app, user.id).await.unwrap());
        };
        let reply = crowd.enter_during(ADA, meanwhile).await;
        assert_eq!((reply.status, &reply.json()["error_code"]), (401, &json!("AuthError")), "{reply:?}");
        assert!(crowd.users().await.is_empty(), "nobody came back");
        crowd.register(ADA).await;
        assert_eq!(crowd.enter(ADA, PASSWORD).await.status, 200);
    })
    .await;
});

attack!(attack_55_a_log_in_during_a_revocation_opens_no_session, |world| {
    in_time(async {
        let crowd = Crowd::of(world, Limits::default(), club()).await;
        crowd.register(ADA).await;
        let first = crowd.enter(ADA, PASSWORD).await;
        let (user, users) = (user_of(&first), crowd.app().users());
        let reply = crowd.enter_during(ADA, async { users.log_out(user).await.unwrap() }).await;
        assert!(!crowd.is_live(&first).await);
        assert!(reply.status == 401 || !crowd.is_live(&reply).await, "{reply:?}");
        let next = crowd.enter(ADA, PASSWORD).await;
        assert!(crowd.is_live(&next).await, "the next log-in is a new proof");

        let reply = crowd.enter_during(ADA, async { users.disable(user).await.unwrap() }).await;
        assert_eq!((reply.status, &reply.json()["error_code"]), (401, &json!("UserDisabled")));
        assert!(!crowd.is_live(&next).await);
    })
    .await;
});

attack!(attack_55_of_log_ins_that_race_a_delete_none_leaves_anything_behind, |world| {
    in_time(async {
        let crowd = Crowd::of(world, Limits::default(), club()).await;
        for round in 0..20 {
            let email = format!("{round}@club.example");
            crowd.register(&email).await;
            let first = crowd.enter(&email, PASSWORD).await;
            let user = user_of(&first);
            let mut racing = JoinSet::new();
            for _ in 0..8 {
                let (crowd, email) = (crowd.clone(), email.clone());
                racing.spawn(async move { crowd.enter(&email, PASSWORD).await });
            }
            // Somewhere among the log-ins.
            for _ in 0..round * 5 {
                tokio::task::yield_now().await;
            }
            crowd.app().users().delete(user).await.unwrap();
            let mut replies = racing.join_all().await;
            replies.push(first);
            for reply in replies {
                match reply.status {
                    200 => assert!(!crowd.is_live(&reply).await, "{reply:?}"),
                    status => assert_eq!(status, 401, "{reply:?}"),
                }
            }
            assert!(crowd.users().await.is_empty(), "{round}");
        }
    })
    .await;
});

attack!(attack_61_a_password_that_is_set_during_a_log_in_wins, |world| {
    in_time(async {
        let crowd = Crowd::of(world, Limits::default(), club()).await;
        // Made by libxcrypt; a log-in replaces it by one of ours.
        let imported = "$2a$04$abcdefghijklmnopqrstuunQyUw6zg0jclhYTlg5/zHyfwGycQZ8W";
        for had_logged_in in [true, false] {
            let email = format!("{had_logged_in}@club.example");
            if had_logged_in {
                crowd.register(&email).await;
                assert_eq!(crowd.enter(&email, PASSWORD).await.status, 200);
            } else {
                crowd.app().users().import(&email, &Secret::new(imported)).await.unwrap();
            }
            crowd.executor.hold();
            let log_in = tokio::spawn({
                let (crowd, email) = (crowd.clone(), email.clone());
                let password = if had_logged_in { PASSWORD } else { "user1password" };
                async move { crowd.enter(&email, password).await }
            });
            crowd.executor.until_held(1).await;
            crowd.set_password(&email).await;
            let set = crowd.store.registration(&AppId::new(APP), &email).await.unwrap().unwrap();
            crowd.executor.release();
            let reply = log_in.await.unwrap();
            let live = reply.status == 200 && crowd.is_live(&reply).await;
            assert!(!live, "{email}: the password that is no more opened a session");
            let kept = crowd.store.registration(&AppId::new(APP), &email).await.unwrap().unwrap();
            assert_eq!(kept, set, "{email}");
            assert_eq!(crowd.enter(&email, NEW).await.status, 200, "{email}");
            assert_eq!(crowd.enter(&email, PASSWORD).await.status, 401, "{email}");
        }
    })
    .await;
});

attack!(attack_62_of_200_log_ins_at_once_each_is_served_or_told_to_come_again, |world| {
    in_time(async {
        let limits =
            Limits { hashing_permits: 2, hashing_queue: 8, login_failures: 1000, ..Limits::default() };
        let notes = CollectionConfig::new("notes")
            .schema(&json!({ "title": "Note", "properties": { "text": { "bsonType": "string" } } }))
            .rules(json!({ "roles": [{ "name": "all", "apply_when": {}, "read": true, "write": true }] }));
        let crowd = Crowd::of(world, limits, club().collection(notes)).await;
        crowd.register(ADA).await;
        let guest = crowd.client().guest().await;
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
            let crowd = crowd.clone();
            // Right, wrong and unknown cost alike, so they are refused alike.
            storm.spawn(async move {
                match number % 4 {
                    0 => (401, crowd.enter(ADA, NEW).await),
                    1 => (401, crowd.enter("nobody@club.example", PASSWORD).await),
                    _ => (200, crowd.enter(ADA, PASSWORD).await),
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
        assert!(asking.await.unwrap() > 0, "GraphQL goes on");
        // Every permit came back.
        for _ in 0..4 {
            assert_eq!(crowd.enter(ADA, PASSWORD).await.status, 200);
        }
    })
    .await;
});

attack!(attack_63_of_50_wrong_passwords_at_once_no_more_are_judged_than_may_fail, |world| {
    in_time(async {
        // As many are hashed at once as come, and no block ends meanwhile.
        let hour = Duration::from_secs(3600);
        let limits = Limits { hashing_permits: 50, login_block: hour..=hour, ..Limits::default() };
        let crowd = Crowd::of(world, limits, club()).await;
        crowd.register(ADA).await;
        let device = crowd.enter(ADA, PASSWORD).await.json()["device_id"].as_str().unwrap().to_owned();
        // A stranger first, then whoever has stolen the id of a device that is let in.
        for (email, device) in [(ADA, None), ("nobody@club.example", None), (ADA, Some(&device))] {
            let mut storm = JoinSet::new();
            for _ in 0..50 {
                let crowd = crowd.clone();
                let options = json!({ "device": { "deviceId": device } });
                let body = json!({ "username": email, "password": NEW, "options": options });
                storm.spawn(async move { crowd.log_in("local-userpass", body).await });
            }
            let replies = storm.join_all().await;
            let count = |status| replies.iter().filter(|reply| reply.status == status).count();
            assert_eq!((count(401), count(429)), (20, 30), "{email}");
            assert_eq!(crowd.enter(email, PASSWORD).await.status, 429, "also with the right one");
        }
    })
    .await;
});

attack!(attack_62_a_client_that_hangs_up_frees_no_place_early, |world| {
    in_time(async {
        let limits = Limits { hashing_permits: 1, hashing_queue: 0, ..Limits::default() };
        let crowd = Crowd::of(world, limits, club()).await;
        crowd.register(ADA).await;
        crowd.executor.hold();
        let gone = tokio::spawn({
            let crowd = crowd.clone();
            async move { crowd.enter(ADA, PASSWORD).await }
        });
        crowd.executor.until_held(1).await;
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        for _ in 0..50 {
            let busy = crowd.enter(ADA, PASSWORD).await;
            let text =
                json!({ "error": "too many log-ins at once, try again", "error_code": "ServiceUnavailable" });
            assert_eq!((busy.status, busy.json()), (503, text), "its hash still takes the place");
        }
        crowd.executor.until_held(1).await;
        crowd.executor.release();
        // Once that is done, the place is free.
        while crowd.enter(ADA, PASSWORD).await.status == 503 {
            tokio::task::yield_now().await;
        }
        assert_eq!(crowd.enter(ADA, PASSWORD).await.status, 200);
    })
    .await;
});
