//! The web client's `mongoClient` and functions, unmodified, on every store over a real socket.
//!
//! Without Node, or before `npm ci` in `tests/clients`, these say so and pass, unless
//! `BACKSTITCH_REQUIRE_CLIENTS` is set.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::auth::config::ProviderKind;
use backstitch::engine::Engine;
use backstitch::functions::FunctionCall;
use backstitch::id::AppId;
use backstitch_tests::every_store;
use backstitch_tests::served::{free_port, in_axum_on, node};
use bson::Bson;
use serde_json::json;

const APP: &str = "data-abcde";

fn config() -> AppConfig {
    let all = json!([{"name": "all", "apply_when": {}, "read": true, "write": true, "insert": true, "delete": true}]);
    let items = CollectionConfig::new("items").rules(json!({ "roles": all }));
    AppConfig::new("data").with_id(AppId::new(APP)).provider(ProviderKind::Anonymous).collection(items)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_web_client_reads_and_writes_and_calls() {
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        let sum =
            async |call: FunctionCall| Ok(Bson::Int32(call.arguments.iter().filter_map(Bson::as_i32).sum()));
        let (listener, base) = free_port().await;
        let builder = Engine::builder().store(store).public_url(&base).function("sum", sum);
        in_axum_on(listener, builder.app(config()).build().await.unwrap());
        if let Some(said) = node("realm-data.mjs", &["realm-web"], &[&base, APP]).await {
            assert!(said.contains("as expected"), "{said}");
        }
    }
}
