//! Stored documents that do not fit their schema, where reads are validated (`validation_settings.json`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use backstitch::app::{AppConfig, CollectionConfig, ValidationAction};
use backstitch::auth::config::ProviderKind;
use backstitch::engine::Engine;
use backstitch::id::AppId;
use backstitch::schema::Relationship;
use backstitch::store::Store;
use backstitch_tests::{Client, every_store};
use serde_json::{Value, json};

const APP: &str = "zoo-abcde";

/// Animals, whose secret nobody but the system reads, and keepers who look after one.
fn zoo(read: ValidationAction, write: ValidationAction, secret: bool) -> AppConfig {
    let animals = json!({
        "title": "Animal",
        "required": ["name"],
        "properties": {
            "_id": { "bsonType": "string" },
            "name": { "bsonType": "string", "maxLength": 5 },
            "secret": { "bsonType": "int", "maximum": 3 }
        }
    });
    let keepers = json!({
        "title": "Keeper",
        "properties": { "_id": { "bsonType": "string" }, "animal": { "bsonType": "string" } }
    });
    let all = json!({ "roles": [
        { "name": "all", "apply_when": {}, "read": true, "write": true, "insert": true, "delete": true }
    ] });
    let hiding = json!({ "roles": [{
        "name": "all", "apply_when": {}, "insert": true, "delete": true,
        "fields": { "secret": { "read": false, "write": true } },
        "additional_fields": { "read": true, "write": true }
    }] });
    let animals =
        CollectionConfig::new("animals").schema(&animals).rules(if secret { hiding } else { all.clone() });
    let animal = Relationship {
        source: "animal".into(),
        target: animals.id.clone(),
        foreign: "_id".into(),
        is_list: false,
    };
    let keepers = CollectionConfig::new("keepers").schema(&keepers).rules(all).relationship(animal);
    let mut app = AppConfig::new("zoo")
        .with_id(AppId::new(APP))
        .provider(ProviderKind::Anonymous)
        .collection(animals)
        .collection(keepers);
    app.graphql.read_validation = read;
    app.graphql.write_validation = write;
    app
}

async fn guest(store: &Arc<dyn Store>, app: AppConfig) -> Client {
    let builder = Engine::builder().store(Arc::clone(store)).public_url("https://zoo.example").app(app);
    let engine = builder.build().await.unwrap();
    Client::new(&engine, APP).guest().await
}

async fn ask(client: &Client, query: &str) -> Value {
    let body = json!({ "query": query });
    client.send("POST", "/app/{app}/graphql", client.access.as_deref(), Some(body)).await.json()
}

const ANIMALS: &str = "{ animals(sortBy: _ID_ASC) { _id name } }";

#[tokio::test]
async fn a_document_that_does_not_fit_reads_as_null_with_an_error() {
    use ValidationAction::{Error, Off, Warn};
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        let writer = guest(&store, zoo(Off, Off, false)).await;
        let written = ask(
            &writer,
            r#"mutation {
                insertManyAnimals(data: [{ _id: "a", name: "ape" }, { _id: "b", name: "buffalo" }]) { insertedIds }
                insertOneKeeper(data: { _id: "k", animal: { link: "b" } }) { _id }
            }"#,
        )
        .await;
        assert_eq!(written["errors"], Value::Null, "{written}");
        for lenient in [Off, Warn] {
            let read = ask(&guest(&store, zoo(lenient, Error, false)).await, ANIMALS).await;
            assert_eq!(read["data"]["animals"][1]["name"], "buffalo", "{read}");
            assert_eq!(read["errors"], Value::Null);
        }

        let strict = guest(&store, zoo(Error, Error, false)).await;
        let read = ask(&strict, ANIMALS).await;
        assert_eq!(read["data"], json!({ "animals": [{ "_id": "a", "name": "ape" }, null] }));
        let error = &read["errors"][0];
        assert_eq!(error["path"], json!(["animals", 1]));
        assert_eq!(error["extensions"]["code"], "SchemaValidationFailedRead");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("`name`") && message.contains("`maxLength`"), "{message}");

        let read = ask(&strict, "{ keepers { _id animal { name } } }").await;
        assert_eq!(read["data"], json!({ "keepers": [{ "_id": "k", "animal": null }] }));
        assert_eq!(read["errors"][0]["path"], json!(["keepers", 0, "animal"]));
        // Deleting is how one gets rid of it; the answer shows what was there no more than a query would.
        let deleted = ask(&strict, r#"mutation { deleteOneAnimal(query: { _id: "b" }) { _id } }"#).await;
        assert_eq!(deleted["errors"], Value::Null, "{deleted}");
    }
}

#[tokio::test]
async fn a_refused_write_names_path_and_keyword() {
    use ValidationAction::{Error, Off};
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        let client = guest(&store, zoo(Off, Error, false)).await;
        let refused =
            ask(&client, r#"mutation { insertOneAnimal(data: { _id: "c", name: "camels" }) { _id } }"#).await;
        let message = refused["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("`name`") && message.contains("`maxLength`"), "{message}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_not_told_of_a_field_that_is_hidden() {
    use ValidationAction::{Error, Off};
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        let writer = guest(&store, zoo(Off, Off, false)).await;
        ask(&writer, r#"mutation { insertOneAnimal(data: { _id: "a", name: "ape", secret: 9 }) { _id } }"#)
            .await;
        let read = ask(&guest(&store, zoo(Error, Error, true)).await, ANIMALS).await;
        assert_eq!(read["data"], json!({ "animals": [null] }));
        let message = read["errors"][0]["message"].as_str().unwrap();
        assert!(!message.contains("secret") && !message.contains("maximum"), "{message}");
    }
}
