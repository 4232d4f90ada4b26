//! The example apps with their JavaScript: the one of 2018, unchanged, and the movies.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::sync::Arc;

use backstitch::actor::Actor;
use backstitch::app::AppConfig;
use backstitch::engine::Engine;
use backstitch::env::Env;
use backstitch::id::AppId;
use backstitch_functions_js::{JsFunctions, Settings};
use backstitch_storage_memory::MemoryStore;
use backstitch_tests::Client;
use bson::doc;
use serde_json::json;

const NOTES: &str = "notes-qwert";

/// An example by its folder, with the data of its directory.
async fn example(folder: &str) -> Engine {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(folder);
    let (config, report) = AppConfig::import(&directory).unwrap();
    assert!(!report.has_errors(), "{report}");
    let env = Env::system();
    let functions = JsFunctions::new(Settings::default(), &env);
    let builder = Engine::builder().store(Arc::new(MemoryStore::new())).env(env).runtime(functions);
    let engine = builder.public_url("http://example.example").app(config).build().await.unwrap();
    let app = engine.apps().next().unwrap();
    app.load_data(&mut |_| ()).await.unwrap();
    assert!(!app.report().has_errors(), "{}", app.report());
    engine
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_of_2018_works_unchanged() {
    let engine = example("notes-2018").await;
    let client = Client::new(&engine, NOTES).guest().await;
    // The filter leaves out what was thrown away, the roles what is neither one's own nor public.
    let data = client.data("{ notes { text author { name } } }", json!({})).await;
    assert_eq!(data, json!({"notes": [{"text": "Everybody may read this.", "author": {"name": "Ada"}}]}));
    // The trigger has made the guest's document.
    let data = client.data("{ people(query: {name: \"somebody\"}) { name } }", json!({})).await;
    assert_eq!(data["people"].as_array().unwrap().len(), 1);

    let app = engine.app(NOTES).unwrap();
    let tokens = app.log_in("anon-user", doc! {}).await.unwrap();
    let head = http::Request::get("/").header("authorization", format!("Bearer {}", tokens.access_token));
    let actor = app.authenticate(&head.body(()).unwrap().into_parts().0).await.unwrap();
    let note = doc! { "owner": &tokens.user_id, "text": "mine" };
    let insert = doc! { "database": "notes", "collection": "notes", "document": note };
    app.call_service(&actor, "mongodb-atlas", "insertOne", vec![insert.into()]).await.unwrap();
    let counted = app.call_function(&actor, "countNotes", Vec::new()).await.unwrap();
    assert_eq!(counted.as_i64().or(counted.as_i32().map(i64::from)), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_movies_are_rated_by_functions_and_log_ins_are_noted() {
    let engine = example("movies").await;
    let app = engine.apps().next().unwrap().id().to_string();
    let client = Client::new(&engine, &app).person("ada@example.test").await;
    let data =
        client.data("{ topRated(input: 2) { title averageRating } accounts { role } }", json!({})).await;
    let best = json!([{"title": "Seven Samurai", "averageRating": 9.5}, {"title": "Casablanca", "averageRating": 9}]);
    assert_eq!(data, json!({"topRated": best, "accounts": [{"role": "viewer"}]}));
    // Nobody runs the maintenance here, so the trigger has run before the answer.
    let system = Actor::system(AppId::new(app.as_str()));
    let find = doc! { "database": "movies", "collection": "accounts", "query": { "log_ins": 1 } };
    let found =
        engine.app(&app).unwrap().call_service(&system, "mongodb-atlas", "find", vec![find.into()]).await;
    assert_eq!(found.unwrap().as_array().unwrap().len(), 1);
    let rated = client.data("{ movies(limit: 100, sortBy: YEAR_DESC) { averageRating } }", json!({})).await;
    assert!(
        rated["movies"].as_array().unwrap().iter().any(|movie| movie["averageRating"].is_number()),
        "{rated}"
    );
}
