//! What happens when somebody signs up: their document, and the app's triggers, on every store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use backstitch::actor::Actor;
use backstitch::app::{AppConfig, AuthTrigger};
use backstitch::auth::config::ProviderKind;
use backstitch::auth::{UserDocument, UserEventKind};
use backstitch::engine::Engine;
use backstitch::env::{Env, Timer};
use backstitch::functions::{FunctionCall, FunctionFailure};
use backstitch_tests::every_store;
use bson::{Bson, doc};
use serde_json::json;
use tokio::sync::watch;

const APP: &str = "signup-abcde";

/// A timer that does not wait: pauses between attempts take no time, and a deadline is never over.
struct NoPause;

#[async_trait::async_trait]
impl Timer for NoPause {
    async fn sleep(&self, duration: Duration) {
        if duration > Duration::from_secs(20) {
            std::future::pending::<()>().await;
        }
        tokio::task::yield_now().await;
    }
}

struct Story {
    engine: Engine,
    /// How many calls of the function have ended.
    ended: watch::Receiver<usize>,
}

impl Story {
    /// What the users' collection holds.
    async fn documents(&self) -> Vec<bson::Document> {
        let app = self.engine.app(APP).unwrap();
        let system = Actor::system(app.id().clone());
        let find = doc! { "database": "app", "collection": "users" };
        let found = app.call_service(&system, "mongodb-atlas", "find", vec![find.into()]).await.unwrap();
        found.as_array().unwrap().iter().map(|found| found.as_document().unwrap().clone()).collect()
    }

    async fn guest(&self) -> String {
        self.engine.app(APP).unwrap().log_in("anon-user", doc! {}).await.unwrap().user_id
    }
}

fn app() -> AppConfig {
    let config = AppConfig::new("signup").with_id(backstitch::id::AppId::new(APP));
    config.provider(ProviderKind::Anonymous)
}

fn trigger(kind: UserEventKind, function: &str) -> AuthTrigger {
    let (name, function) = ("a trigger".to_owned(), function.to_owned());
    AuthTrigger { name, kind, providers: vec!["anon-user".to_owned()], function, file: String::new() }
}

/// Inserts what a function is told into the users' collection.
async fn note(call: &FunctionCall) -> Result<Bson, FunctionFailure> {
    let event = call.arguments.first().and_then(Bson::as_document).unwrap();
    let (kind, user) = (event.get_str("operationType").unwrap(), event.get_document("user").unwrap());
    let document = doc! { "told": kind, "user": user.get_str("id").unwrap() };
    let insert = doc! { "database": "app", "collection": "users", "document": document };
    let inserted = call.context.call_service("mongodb-atlas", "insertOne", vec![insert.into()]).await;
    inserted.map_err(|error| FunctionFailure::new(error.hint().to_owned()))
}

/// The function notes what it is told into the users' collection, but fails as often as it is told to.
fn each_store<F: Future<Output = ()>>(config: &AppConfig, failures: usize, story: impl Fn(Story) -> F) {
    // On one thread, so that what is spawned has begun when it was given its turn.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        for store in every_store(folder.path()).await {
            let (sender, ended) = watch::channel(0);
            let sender = Arc::new(sender);
            let noted = move |call: FunctionCall| {
                let sender = Arc::clone(&sender);
                async move {
                    let before = *sender.borrow();
                    let outcome = if before < failures {
                        Err(FunctionFailure::new("not yet"))
                    } else {
                        note(&call).await
                    };
                    sender.send_replace(before + 1);
                    outcome
                }
            };
            let env = Env { timer: Arc::new(NoPause), ..Env::system() };
            let engine = Engine::builder().store(store).env(env).public_url("http://signup.example");
            let engine = engine.function("noted", noted).app(config.clone()).build().await.unwrap();
            story(Story { engine, ended }).await;
        }
    });
}

#[test]
fn the_document_of_a_new_user_is_in_their_first_token() {
    let collection = app().collection_id("mongodb-atlas", "app", "users");
    let template = json!({"owner": "%%user.id", "made": "%%time", "score": {"$numberLong": "5"}});
    let document = UserDocument::parse(collection.clone(), template.as_object().unwrap()).unwrap();
    let config = app().custom_user_data(collection, "owner").user_document(document);
    each_store(&config, 0, async |story| {
        let app = story.engine.app(APP).unwrap();
        let tokens = app.log_in("anon-user", doc! {}).await.unwrap();
        let [document] = story.documents().await.try_into().unwrap();
        assert_eq!(document.get_str("owner").unwrap(), tokens.user_id);
        assert_eq!(document.get_i64("score").unwrap(), 5);
        let head = http::Request::get("/").header("authorization", format!("Bearer {}", tokens.access_token));
        let actor = app.authenticate(&head.body(()).unwrap().into_parts().0).await.unwrap();
        assert_eq!(actor.as_document().get_document("custom_data").unwrap().get_i32("score").unwrap(), 5);
    });
}

#[test]
fn triggers_run_before_the_answer_where_nobody_runs_maintenance() {
    let config = app()
        .trigger(trigger(UserEventKind::Create, "noted"))
        .trigger(trigger(UserEventKind::LogIn, "noted"));
    each_store(&config, 0, async |story| {
        let user = story.guest().await;
        let told: Vec<_> = story.documents().await;
        let told: Vec<_> =
            told.iter().map(|told| (told.get_str("told").unwrap(), told.get_str("user").unwrap())).collect();
        assert_eq!(told, [("CREATE", user.as_str()), ("LOGIN", user.as_str())]);
    });
}

#[test]
fn a_failed_trigger_is_tried_again_after_the_answer_and_hurts_nobody() {
    let config = app().trigger(trigger(UserEventKind::Create, "noted"));
    for (failures, documents, calls) in [(2, 1, 3), (9, 0, 3)] {
        each_store(&config, failures, async |story| {
            let maintenance = tokio::spawn({
                let engine = story.engine.clone();
                async move { engine.maintenance().await }
            });
            // It attends once it has been polled.
            tokio::task::yield_now().await;
            story.guest().await;
            story.ended.clone().wait_for(|ended| *ended == calls).await.unwrap();
            assert_eq!(story.documents().await.len(), documents);
            tokio::task::yield_now().await;
            assert_eq!(*story.ended.borrow(), calls);
            maintenance.abort();
        });
    }
}
