//! Notes with tags, some of them shy, under whatever rules a test wants.

use std::future::Future;
use std::sync::Arc;

use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::auth::config::{EmailPasswordConfig, ProviderKind};
use backstitch::engine::Engine;
use backstitch::filter::Direction;
use backstitch::id::{AppId, CollectionId};
use backstitch::schema::Relationship;
use backstitch::store::{IndexKey, IndexSpec, Store};
use backstitch_tests::{Client, every_store};
use serde_json::{Value, json};

const APP: &str = "notes-abcde";

/// A store with the notes and tags in it.
#[derive(Clone)]
pub(crate) struct Notes {
    store: Arc<dyn Store>,
}

/// A role that may do everything.
pub(crate) fn all() -> Value {
    json!({ "name": "all", "apply_when": {}, "read": true, "write": true })
}

/// A role that may do everything with what is not shy, and does not see the rest.
pub(crate) fn but_shy() -> Value {
    let open = json!({ "shy": { "$ne": true } });
    json!({ "name": "open", "apply_when": open, "read": true, "write": true, "insert": true })
}

/// The rules of a collection with these roles.
pub(crate) fn roles(roles: &[Value]) -> Value {
    json!({ "roles": roles })
}

impl Notes {
    /// A guest under these rules.
    pub(crate) async fn guest(&self, notes: Value, tags: Value) -> Client {
        let builder = Engine::builder().store(Arc::clone(&self.store)).public_url("https://notes.example");
        Client::new(&builder.app(app(notes, tags)).build().await.unwrap(), APP).guest().await
    }

    /// Somebody who may do everything.
    pub(crate) async fn everything(&self) -> Client {
        self.guest(roles(&[all()]), roles(&[all()])).await
    }

    /// All that is stored.
    pub(crate) async fn stored(&self) -> Value {
        let query = "{ notes(sortBy: _ID_ASC) { _id title secret code shy tag { _id } } tags(sortBy: _ID_ASC) { _id name } }";
        self.everything().await.data(query, json!({})).await
    }
}

/// Runs a story on each store: notes 1 and 2 are open, 3 is shy; tag `y` is shy.
pub(crate) async fn each_store<F: Future<Output = ()>>(story: impl Fn(Notes) -> F) {
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        let notes = Notes { store };
        let fill = r#"mutation {
            insertManyTags(data: [{ _id: 1, name: "x" }, { _id: 2, name: "y", shy: true }]) { insertedIds }
            insertManyNotes(data: [
                { _id: 1, title: "one", secret: "s1", code: "a", tag: { link: "x" } },
                { _id: 2, title: "two", secret: "s2", code: "b", tag: { link: "y" } },
                { _id: 3, title: "three", secret: "s3", code: "c", shy: true }
            ]) { insertedIds }
        }"#;
        notes.everything().await.data(fill, json!({})).await;
        story(notes).await;
    }
}

fn app(notes: Value, tags: Value) -> AppConfig {
    let note = json!({ "title": "Note", "properties": {
        "_id": { "bsonType": "int" }, "title": { "bsonType": "string" }, "secret": { "bsonType": "string" },
        "code": { "bsonType": "string" }, "shy": { "bsonType": "bool" }, "tag": { "bsonType": "string" }
    }});
    let tag = json!({ "title": "Tag", "properties": {
        "_id": { "bsonType": "int" }, "name": { "bsonType": "string" }, "shy": { "bsonType": "bool" }
    }});
    let id = |name: &str| CollectionId::new("", "mongodb-atlas", "app", name);
    let by_name =
        Relationship { source: "tag".into(), target: id("tags"), foreign: "name".into(), is_list: false };
    let unique = IndexSpec {
        keys: vec![IndexKey { path: "code".into(), direction: Direction::Ascending }],
        unique: true,
    };
    AppConfig::new("notes")
        .with_id(AppId::new(APP))
        .provider(ProviderKind::Anonymous)
        .provider(ProviderKind::EmailPassword(EmailPasswordConfig::automatic()))
        .collection(CollectionConfig::new("tags").schema(&tag).rules(tags))
        .collection(CollectionConfig::new("notes").schema(&note).rules(notes).relationship(by_name))
        .index(CollectionId::new("notes-abcde", "mongodb-atlas", "app", "notes"), unique)
}

/// The answer to a request, to the byte.
pub(crate) async fn bytes(client: &Client, query: &str, variables: Value) -> String {
    let body = json!({ "query": query, "variables": variables });
    let reply = client.send("POST", "/app/{app}/graphql", client.access.as_deref(), Some(body)).await;
    format!("{} {}", reply.status, String::from_utf8(reply.body.to_vec()).unwrap())
}

/// The code and the message of a request that has to fail.
pub(crate) async fn failure(client: &Client, query: &str, variables: Value) -> (String, String) {
    let answer = client.graphql(query, variables).await;
    assert!(answer["data"].is_null(), "{query}: {answer}");
    let error = &answer["errors"][0];
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    (text(&error["extensions"]["code"]), text(&error["message"]))
}
