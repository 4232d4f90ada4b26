//! Log-in, making and deleting of users, as a host hears of them, on every store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use backstitch::app::AppConfig;
use backstitch::auth::config::{CustomFunctionConfig, EmailPasswordConfig, ProviderKind};
use backstitch::auth::{FailurePolicy, PasswordCost, UserEvent, UserEventKind, UserHook};
use backstitch::engine::{App, Engine};
use backstitch::env::Env;
use backstitch::error::ErrorKind;
use backstitch::functions::{FunctionCall, FunctionFailure};
use backstitch::id::{AppId, UserId};
use backstitch::secret::Secret;
use backstitch::store::Store;
use backstitch_tests::{Client, every_store};
use bson::{Bson, doc};
use serde_json::json;

const APP: &str = "events-abcde";
const CHEAP: PasswordCost = PasswordCost { memory_kib: 64, passes: 1, lanes: 1 };
const SHORT: Duration = Duration::from_millis(60);

/// What a listener has heard.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<UserEvent>>>);

impl Heard {
    /// A hook that remembers, after `pause`, and always agrees.
    fn hook(&self, pause: Duration) -> UserHook {
        let heard = self.clone();
        UserHook::new(move |event: UserEvent| {
            let heard = heard.clone();
            async move {
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
                heard.0.lock().unwrap().push(event);
                Ok(())
            }
        })
    }

    /// Kind and providers of each event since the last call.
    fn take(&self) -> Vec<(&'static str, String)> {
        let events = std::mem::take(&mut *self.0.lock().unwrap());
        events.iter().map(|event| (event.kind.as_str(), event.providers.join("+"))).collect()
    }

    fn count(&self, kind: UserEventKind) -> usize {
        self.0.lock().unwrap().iter().filter(|event| event.kind == kind).count()
    }
}

/// A hook that fails in a way of its own.
fn failing(how: &'static str) -> UserHook {
    let listener = move |_: UserEvent| async move {
        match how {
            "fails" => Err(FunctionFailure::new("not today")),
            "panics" => panic!("s3cret"),
            _ => std::future::pending().await,
        }
    };
    UserHook::new(listener).deadline(SHORT)
}

async fn engine(store: &Arc<dyn Store>, hooks: impl IntoIterator<Item = UserHook>) -> Engine {
    let function = CustomFunctionConfig { function: "whoever".to_owned() };
    let config = AppConfig::new("events")
        .with_id(AppId::new(APP))
        .provider(ProviderKind::Anonymous)
        .provider(ProviderKind::ApiKey)
        .provider(ProviderKind::CustomFunction(function))
        .provider(ProviderKind::EmailPassword(EmailPasswordConfig::automatic()));
    let mut builder = Engine::builder().store(Arc::clone(store)).env(Env::system()).password_cost(CHEAP);
    for hook in hooks {
        builder = builder.on_user_event(hook);
    }
    let whoever = async |call: FunctionCall| {
        let payload = call.arguments.first().and_then(Bson::as_document).cloned().unwrap_or_default();
        Ok(Bson::from(payload.get_str("name").unwrap_or_default()))
    };
    let builder = builder.function("whoever", whoever);
    builder.public_url("https://api.example").app(config).build().await.unwrap()
}

fn app(engine: &Engine) -> &App {
    engine.app(APP).unwrap()
}

/// Runs a story on each store, in a database of its own.
fn on_each_store<F: Future<Output = ()>>(story: impl Fn(Arc<dyn Store>) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        for store in every_store(folder.path()).await {
            story(store).await;
        }
    });
}

async fn users(engine: &Engine) -> usize {
    app(engine).users().list(None, 100).await.unwrap().len()
}

fn said(kind: &'static str, providers: &str) -> (&'static str, String) {
    (kind, providers.to_owned())
}

#[test]
fn every_session_is_a_log_in_and_every_user_comes_and_goes_once() {
    on_each_store(async |store| {
        let heard = Heard::default();
        let engine = engine(&store, [heard.hook(Duration::ZERO)]).await;
        let guest = Client::new(&engine, APP).guest().await;
        assert_eq!(heard.take(), [said("CREATE", "anon-user"), said("LOGIN", "anon-user")]);

        let (email, password) = ("ada@x.test", "correct horse");
        app(&engine).register(email, &Secret::new(password)).await.unwrap();
        assert_eq!(heard.take(), [], "an address that is registered is no user yet");
        let right = json!({ "username": email, "password": password });
        let link = "/app/{app}/auth/providers/local-userpass/login?link=true";
        let linked = guest.send("POST", link, guest.access.as_deref(), Some(right.clone())).await;
        assert_eq!(linked.status, 200, "{linked:?}");
        assert_eq!(heard.take(), [], "the session goes on");
        let ada = Client::new(&engine, APP).log_in("local-userpass", right).await;
        assert_eq!(ada.user, guest.user);
        app(&engine).refresh(ada.refresh.as_deref().unwrap()).await.unwrap();
        assert_eq!(heard.take(), [said("LOGIN", "local-userpass")]);

        let headers = http::Request::post(format!("/api/client/v2.0/app/{APP}/graphql"))
            .header("content-type", "application/json")
            .header("email", email)
            .header("password", password)
            .body(bytes::Bytes::from(r#"{"query": "{ __typename }"}"#))
            .unwrap();
        assert_eq!(engine.handle(headers).await.status(), 200);
        assert_eq!(heard.take(), [], "one request is no session");

        let key = app(&engine).api_keys().create("server").await.unwrap();
        assert_eq!(heard.take(), [said("CREATE", "api-key")]);
        let taken = app(&engine).api_keys().create("server").await.unwrap_err();
        assert_eq!((taken.kind(), heard.take()), (ErrorKind::ApiKeyAlreadyExists, vec![]));
        let secret = key.key.unwrap();
        app(&engine).log_in("api-key", doc! { "key": secret.expose() }).await.unwrap();
        assert_eq!(heard.take(), [said("LOGIN", "api-key")]);
        app(&engine).api_keys().delete(&key.id).await.unwrap();
        assert_eq!(heard.take(), [said("DELETE", "api-key")]);

        let gone = ada.send("DELETE", "/auth/delete", ada.access.as_deref(), None).await;
        assert_eq!(gone.status, 204);
        assert_eq!(heard.take(), [said("DELETE", "anon-user+local-userpass")]);
        let id = UserId::parse(&ada.user.unwrap()).unwrap();
        assert_eq!(app(&engine).users().delete(id).await.unwrap_err().kind(), ErrorKind::UserNotFound);
        assert_eq!(heard.take(), [], "nobody was deleted");
    });
}

#[test]
fn of_fifty_first_log_ins_and_fifty_deletions_at_once_one_is_heard() {
    on_each_store(async |store| {
        for (name, policy) in [("told", FailurePolicy::Ignore), ("asked", FailurePolicy::Refuse)] {
            let heard = Heard::default();
            let hook = heard.hook(Duration::from_millis(20)).on_failure(policy);
            let engine = engine(&store, [hook]).await;
            let mut tries = tokio::task::JoinSet::new();
            for _ in 0..50 {
                let engine = engine.clone();
                tries.spawn(async move {
                    app(&engine).log_in("custom-function", doc! { "name": name }).await.unwrap().user_id
                });
            }
            let mut ids = tries.join_all().await;
            ids.dedup();
            assert_eq!(ids.len(), 1, "{name}");
            assert_eq!(heard.count(UserEventKind::Create), 1, "{name}");
            assert_eq!(heard.count(UserEventKind::LogIn), 50, "{name}");
            let id = UserId::parse(&ids[0]).unwrap();
            let mut tries = tokio::task::JoinSet::new();
            for _ in 0..50 {
                let engine = engine.clone();
                tries.spawn(async move { app(&engine).users().delete(id).await.is_ok() });
            }
            let deleted = tries.join_all().await.into_iter().filter(|deleted| *deleted).count();
            assert_eq!((deleted, heard.count(UserEventKind::Delete)), (1, 1), "{name}");
        }
    });
}

#[test]
fn a_refused_user_is_never_there_and_a_refused_deletion_leaves_them() {
    on_each_store(async |store| {
        let refuse = |kind| failing("fails").kinds([kind]).on_failure(FailurePolicy::Refuse);
        let told = Heard::default();
        let strict = engine(&store, [told.hook(Duration::ZERO), refuse(UserEventKind::Create)]).await;
        let mut tries = tokio::task::JoinSet::new();
        for _ in 0..10 {
            let engine = strict.clone();
            tries.spawn(async move {
                let refused = app(&engine).log_in("custom-function", doc! { "name": "eve" }).await;
                refused.map(|_| ()).map_err(|error| (error.kind(), error.hint().to_owned()))
            });
        }
        for outcome in tries.join_all().await {
            assert_eq!(outcome, Err((ErrorKind::AuthError, "not today".to_owned())));
        }
        let key = app(&strict).api_keys().create("server").await.unwrap_err();
        assert_eq!(key.kind(), ErrorKind::AuthError);
        assert_eq!((users(&strict).await, told.take().len()), (0, 0));

        let engine = engine(&store, [refuse(UserEventKind::Delete)]).await;
        let guest = Client::new(&engine, APP).guest().await;
        let stays = guest.send("DELETE", "/auth/delete", guest.access.as_deref(), None).await;
        assert_eq!((stays.status, stays.json()["error"].as_str()), (403, Some("not today")));
        let profile = guest.send("GET", "/auth/profile", guest.access.as_deref(), None).await;
        assert_eq!((profile.status, users(&engine).await), (200, 1));
        let key = app(&engine).api_keys().create("server").await.unwrap();
        assert_eq!(
            app(&engine).api_keys().delete(&key.id).await.unwrap_err().kind(),
            ErrorKind::NotPermitted
        );
        app(&engine).log_in("api-key", doc! { "key": key.key.unwrap().expose() }).await.unwrap();
    });
}

#[test]
fn a_refused_log_in_leaves_no_session() {
    on_each_store(async |store| {
        for (how, status, code) in [
            ("fails", 401, "AuthError"),
            ("panics", 500, "InternalServerError"),
            ("hangs", 503, "ServiceUnavailable"),
        ] {
            let told = Heard::default();
            let hook = failing(how).kinds([UserEventKind::LogIn]).on_failure(FailurePolicy::Refuse);
            let engine = engine(&store, [hook, told.hook(Duration::ZERO)]).await;
            let before = users(&engine).await;
            let path = "/app/{app}/auth/providers/anon-user/login";
            let refused = Client::new(&engine, APP).send("POST", path, None, Some(json!({}))).await;
            assert_eq!(
                (refused.status, refused.json()["error_code"].as_str()),
                (status, Some(code)),
                "{how}"
            );
            assert!(!String::from_utf8_lossy(&refused.body).contains("s3cret"));
            assert_eq!(told.take(), [said("CREATE", "anon-user")], "{how}: nobody logged in");
            let all = app(&engine).users().list(None, 100).await.unwrap();
            assert_eq!(all.len(), before + 1, "the user was made");
            let id = all.last().unwrap().id;
            assert_eq!(app(&engine).users().sessions(id).await.unwrap().len(), 0, "{how}");
        }
    });
}

#[test]
fn a_failure_that_is_ignored_changes_nothing() {
    on_each_store(async |store| {
        let heard = Heard::default();
        let hooks = ["fails", "panics", "hangs"].map(failing);
        let engine = engine(&store, hooks.into_iter().chain([heard.hook(Duration::ZERO)])).await;
        let guest = Client::new(&engine, APP).guest().await;
        let gone = guest.send("DELETE", "/auth/delete", guest.access.as_deref(), None).await;
        assert_eq!(gone.status, 204);
        let all = ["CREATE", "LOGIN", "DELETE"].map(|kind| said(kind, "anon-user"));
        assert_eq!(heard.take(), all, "those behind the failing ones are told");
    });
}

#[test]
fn a_client_that_goes_away_while_it_is_asked_leaves_nobody_behind() {
    on_each_store(async |store| {
        let hook = failing("hangs").deadline(Duration::from_secs(60)).on_failure(FailurePolicy::Refuse);
        let engine = engine(&store, [hook.kinds([UserEventKind::Create])]).await;
        let login = app(&engine).log_in("custom-function", doc! { "name": "eve" });
        assert!(tokio::time::timeout(SHORT, login).await.is_err());
        assert_eq!(users(&engine).await, 0);
    });
}

#[test]
fn hooks_choose_their_kinds_providers_and_apps() {
    on_each_store(async |store| {
        let (keys, others) = (Heard::default(), Heard::default());
        let other = AppConfig::new("other").with_id(AppId::new("other-abcde"));
        let config = AppConfig::new("events").with_id(AppId::new(APP)).provider(ProviderKind::Anonymous);
        let config = config.provider(ProviderKind::ApiKey);
        let keys_hook = keys.hook(Duration::ZERO).providers(["api-key"]).kinds([UserEventKind::Create]);
        let engine = Engine::builder()
            .store(store)
            .public_url("https://api.example")
            .on_user_event(keys_hook)
            .on_user_event(others.hook(Duration::ZERO).app(AppId::new("other-abcde")))
            .app(config)
            .app(other)
            .build()
            .await
            .unwrap();
        Client::new(&engine, APP).guest().await;
        app(&engine).api_keys().create("server").await.unwrap();
        assert_eq!((keys.take(), others.take()), (vec![said("CREATE", "api-key")], vec![]));
        let _ = engine;
    });
}

#[tokio::test]
async fn a_hook_that_hears_nothing_is_a_problem_of_the_wiring() {
    let heard = Heard::default();
    let hook = || heard.hook(Duration::ZERO);
    let problems = Engine::builder()
        .store(Arc::new(backstitch_storage_memory::MemoryStore::new()))
        .public_url("https://api.example")
        .app(AppConfig::new("events").with_id(AppId::new(APP)))
        .on_user_event(hook().deadline(Duration::ZERO))
        .on_user_event(hook().kinds([]))
        .on_user_event(hook().app(AppId::new("lost")))
        .build()
        .await
        .unwrap_err()
        .to_string();
    for part in ["longer than nothing", "hears nothing", "`lost`"] {
        assert!(problems.contains(part), "{problems}");
    }
}

#[tokio::test]
async fn an_event_reads_like_the_originals() {
    let heard = Heard::default();
    let store: Arc<dyn Store> = Arc::new(backstitch_storage_memory::MemoryStore::new());
    let engine = engine(&store, [heard.hook(Duration::ZERO)]).await;
    let guest = Client::new(&engine, APP).guest().await;
    let event = heard.0.lock().unwrap()[1].as_document();
    assert_eq!(event.get_str("operationType").unwrap(), "LOGIN");
    assert_eq!(event.get_array("providers").unwrap(), &[Bson::from("anon-user")]);
    assert_eq!(event.get_document("user").unwrap().get_str("id").ok(), guest.user.as_deref());
    assert!(event.get_datetime("time").is_ok());
}
