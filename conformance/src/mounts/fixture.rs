//! The engine that a mount's test serves.

use std::sync::Arc;

use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::auth::config::{EmailPasswordConfig, ProviderKind};
use backstitch::engine::Engine;
use backstitch::id::AppId;
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
        .with_id(AppId::new(APP_ID))
        .provider(ProviderKind::Anonymous)
        .provider(ProviderKind::EmailPassword(EmailPasswordConfig::automatic()))
        .collection(CollectionConfig::new("things").schema(&schema).rules(rules));
    Engine::builder()
        .store(store)
        .public_url("http://mounted.example")
        .app(config)
        .build()
        .await
        .expect("the fixture is wired")
}
