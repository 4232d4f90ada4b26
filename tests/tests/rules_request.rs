//! Rules that know the request and the environment, over HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::auth::config::ProviderKind;
use backstitch::engine::Engine;
use backstitch::http::PeerAddress;
use backstitch_storage_memory::MemoryStore;
use backstitch_tests::Client;
use bytes::Bytes;
use http::Request;
use serde_json::{Map, Value, json};

async fn engine() -> Engine {
    let when =
        |name: &str, when: Value| json!({ "name": name, "apply_when": when, "read": true, "write": true });
    let roles = json!([
        when("tenant", json!({ "tenant": "%%request.requestHeaders.X-Tenant" })),
        when("local", json!({ "%%request.remoteIPAddress": "127.0.0.1", "%%request.httpMethod": "POST" })),
        when("open", json!({ "%%environment.tag": "qa", "stage": "%%environment.values.stage" })),
        when("secret", json!({ "%%request.requestHeaders.Authorization": { "%exists": true } })),
    ]);
    let schema = json!({ "title": "Item", "properties": {
        "_id": { "bsonType": "int" }, "tenant": { "bsonType": "string" }, "stage": { "bsonType": "string" } } });
    let items = CollectionConfig::new("items").schema(&schema).rules(json!({ "roles": roles }));
    let mut app = AppConfig::new("asked").provider(ProviderKind::Anonymous).collection(items);
    app.environment = "qa".to_owned();
    app.environment_values = Map::from_iter([("stage".to_owned(), json!("second"))]);
    let builder = Engine::builder().store(Arc::new(MemoryStore::new())).public_url("http://asked.example");
    builder.app(app).build().await.unwrap()
}

/// The ids that a query sees.
async fn seen(engine: &Engine, client: &Client, header: Option<&str>, peer: [u8; 4]) -> Value {
    let app = engine.apps().next().unwrap().id();
    let mut request = Request::post(format!("/api/client/v2.0/app/{app}/graphql"))
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {}", client.access.as_deref().unwrap()));
    if let Some(tenant) = header {
        request = request.header("x-tenant", tenant);
    }
    let mut request = request.body(Bytes::from_static(br#"{"query":"{ items { _id } }"}"#)).unwrap();
    request.extensions_mut().insert(PeerAddress(peer.into()));
    let response = engine.handle(request).await;
    let body: Value = serde_json::from_slice(response.body().as_bytes().unwrap()).unwrap();
    body["data"]["items"]
        .as_array()
        .unwrap_or_else(|| panic!("{body}"))
        .iter()
        .map(|item| item["_id"].clone())
        .collect()
}

#[tokio::test]
async fn rules_know_headers_the_peer_and_the_environment_and_no_credential() {
    let engine = engine().await;
    let app = engine.apps().next().unwrap().clone();
    let client = Client::new(&engine, app.id().as_str()).guest().await;
    let system = backstitch::actor::Actor::system(app.id().clone());
    let insert = r#"mutation { insertManyItems(data: [
        { _id: 1, tenant: "red" }, { _id: 2, tenant: "blue" }, { _id: 3, stage: "second" }, { _id: 4, stage: "first" }
    ]) { insertedIds } }"#;
    assert_eq!(
        app.graphql(&system, &backstitch::graphql::GraphqlRequest::new(insert)).await.error_code,
        None
    );

    assert_eq!(seen(&engine, &client, None, [192, 0, 2, 1]).await, json!([3]));
    assert_eq!(seen(&engine, &client, Some("red"), [192, 0, 2, 1]).await, json!([1, 3]));
    assert_eq!(seen(&engine, &client, Some("green"), [192, 0, 2, 1]).await, json!([3]));
    assert_eq!(seen(&engine, &client, None, [127, 0, 0, 1]).await, json!([1, 2, 3, 4]));
}
