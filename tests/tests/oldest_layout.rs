//! An app as it was exported in 2018, unchanged: it is imported, and its log-in, trigger, function, rules and GraphQL work.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use backstitch::app::AppConfig;
use backstitch::engine::Engine;
use backstitch::env::Env;
use backstitch_functions_js::{JsFunctions, Settings};
use backstitch_storage_memory::MemoryStore;
use backstitch_tests::Client;
use bson::doc;
use serde_json::json;

const APP: &str = "notes-qwert";

async fn notes() -> Engine {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/notes-2018");
    let (config, report) = AppConfig::import(&directory).unwrap();
    assert!(!report.has_errors(), "{report}");
    let env = Env::system();
    let functions = JsFunctions::new(Settings::default(), &env);
    let builder = Engine::builder().store(Arc::new(MemoryStore::new())).env(env).runtime(functions);
    let engine = builder.public_url("http://notes.example").app(config).build().await.unwrap();
    let app = engine.app(APP).unwrap();
    app.load_data(&mut |_| ()).await.unwrap();
    assert!(!app.report().has_errors(), "{}", app.report());
    engine
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_of_2018_works_unchanged() {
    let engine = notes().await;
    let client = Client::new(&engine, APP).guest().await;
    // The filter leaves out what was thrown away, the roles what is neither one's own nor public.
    let data = client.data("{ notes { text author { name } } }", json!({})).await;
    assert_eq!(data, json!({"notes": [{"text": "Everybody may read this.", "author": {"name": "Ada"}}]}));
    // The trigger has made the guest's document.
    let data = client.data("{ people(query: {name: \"somebody\"}) { name } }", json!({})).await;
    assert_eq!(data["people"].as_array().unwrap().len(), 1);

    let app = engine.app(APP).unwrap();
    let tokens = app.log_in("anon-user", doc! {}).await.unwrap();
    let head = http::Request::get("/").header("authorization", format!("Bearer {}", tokens.access_token));
    let actor = app.authenticate(&head.body(()).unwrap().into_parts().0).await.unwrap();
    let note = doc! { "owner": &tokens.user_id, "text": "mine" };
    let insert = doc! { "database": "notes", "collection": "notes", "document": note };
    app.call_service(&actor, "mongodb-atlas", "insertOne", vec![insert.into()]).await.unwrap();
    let counted = app.call_function(&actor, "countNotes", Vec::new()).await.unwrap();
    assert_eq!(counted.as_i64().or(counted.as_i32().map(i64::from)), Some(1));
}
