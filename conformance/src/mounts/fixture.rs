//! The engine that a mount's test serves.

use std::sync::Arc;

use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::engine::Engine;
use backstitch::store::Store;
use serde_json::json;

/// The fixture's client app id.
pub const APP_ID: &str = "mounted-abcde";

/// A small app over the given store, which should be empty.
///
/// # Panics
/// When the engine cannot be built.
pub async fn fixture(store: Arc<dyn Store>) -> Engine {
    let schema = json!({
        "title": "Thing",
        "properties": { "_id": { "bsonType": "objectId" }, "name": { "bsonType": "string" } }
    });
    let rules = json!({ "roles": [{ "name": "everyone", "apply_when": {}, "read": true, "write": true }] });
    let config = AppConfig::new("mounted")
        .client_app_id(APP_ID)
        .anonymous_login()
        .email_password_login()
        .collection(CollectionConfig::new("things").schema(schema).rules(rules));
    Engine::builder()
        .store(store)
        .public_url("http://mounted.example")
        .app(config)
        .build()
        .await
        .expect("the fixture is wired")
}
