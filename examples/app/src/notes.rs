//! Notes: readable and writable by their owner, readable by everyone once they are public.

use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::auth::config::{EmailPasswordConfig, ProviderKind};
use backstitch::id::AppId;
use serde_json::json;

/// The client app id.
pub const APP_ID: &str = "notes-abcde";

/// The app: two ways to log in and one collection with its schema and rules.
pub fn notes_app() -> AppConfig {
    let schema = json!({
        "title": "Note",
        "required": ["owner", "text"],
        "properties": {
            "_id": { "bsonType": "objectId" },
            "owner": { "bsonType": "string" },
            "text": { "bsonType": "string", "maxLength": 1000 },
            "public": { "bsonType": "bool" }
        }
    });
    let rules = json!({
        "roles": [
            { "name": "owner", "apply_when": { "owner": "%%user.id" },
              "read": true, "write": true, "insert": true, "delete": true },
            { "name": "reader", "apply_when": { "public": true },
              "read": true, "write": false, "insert": false, "delete": false }
        ]
    });
    AppConfig::new("notes")
        .with_id(AppId::new(APP_ID))
        .provider(ProviderKind::Anonymous)
        .provider(ProviderKind::EmailPassword(EmailPasswordConfig::automatic()))
        .collection(CollectionConfig::new("notes").schema(&schema).rules(rules))
}
