//! `validate` in a schema: rules about a value and the one before it, on every store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::future::Future;

use backstitch::actor::Actor;
use backstitch::app::{AppConfig, CollectionConfig, ValidationAction};
use backstitch::auth::config::ProviderKind;
use backstitch::engine::{App, Engine};
use backstitch::functions::FunctionCall;
use backstitch::graphql::GraphqlRequest;
use backstitch_tests::{Client, every_store};
use bson::Bson;
use serde_json::{Value, json};

fn schema() -> Value {
    json!({ "title": "Note", "properties": {
        "_id": { "bsonType": "int" },
        "owner": { "bsonType": "string", "validate": { "%%this": "%%user.id" } },
        // It may be set once.
        "born": { "bsonType": "int", "validate": { "%or": [
            { "%%prev": { "%exists": false } }, { "%%this": "%%prev" } ] } },
        "ends": { "bsonType": "int", "validate": { "%%this": { "%gte": "%%root.starts" } } },
        "starts": { "bsonType": "int" },
        "box": { "bsonType": "object", "properties": {
            "grows": { "bsonType": "int", "validate": { "%or": [
                { "%%prevRoot": { "%exists": false } }, { "%%this": { "%gt": "%%prev" } } ] } }
        }},
        "scores": { "bsonType": "array", "items": { "bsonType": "int", "validate": { "%%this": { "%lte": 10 } } } },
        "word": { "bsonType": "string", "validate": { "%%true": { "%function": { "name": "isWord", "arguments": ["%%this"] } } } },
        "odd": { "bsonType": "int", "validate": { "%%nothing": 1 } }
    }})
}

fn app(action: ValidationAction) -> AppConfig {
    let rules = json!({ "roles": [{ "name": "all", "apply_when": {}, "read": true, "write": true }] });
    let notes = CollectionConfig::new("notes").schema(&schema()).rules(rules);
    let mut app = AppConfig::new("validated").provider(ProviderKind::Anonymous).collection(notes);
    app.graphql.write_validation = action;
    app
}

fn each_store<F: Future<Output = ()>>(action: ValidationAction, story: impl Fn(App, Client) -> F) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        for store in every_store(folder.path()).await {
            let is_word = async |call: FunctionCall| match call.arguments.first() {
                Some(Bson::String(text)) => Ok(Bson::Boolean(!text.contains(' '))),
                _ => Ok(Bson::Boolean(false)),
            };
            let builder =
                Engine::builder().store(store).public_url("http://x.example").function("isWord", is_word);
            let engine = builder.app(app(action)).build().await.unwrap();
            let app = engine.apps().next().unwrap().clone();
            let client = Client::new(&engine, app.id().as_str()).guest().await;
            story(app, client).await;
        }
    });
}

const INSERT: &str = "mutation($d: NoteInsertInput!) { insertOneNote(data: $d) { _id } }";
const UPDATE: &str = "mutation($s: NoteUpdateInput!) { updateOneNote(query: { _id: 1 }, set: $s) { _id } }";

#[test]
fn values_are_judged_with_the_one_before_and_the_documents_around_them() {
    each_store(ValidationAction::Error, async |_, client| {
        let me = client.user.clone().unwrap();
        let first = json!({ "_id": 1, "owner": me, "born": 3, "starts": 5, "ends": 6, "box": { "grows": 1 },
            "scores": [1, 10], "word": "one" });
        client.data(INSERT, json!({ "d": first })).await;
        for (insert, path) in [
            (json!({ "_id": 2, "owner": "somebody" }), "owner"),
            (json!({ "_id": 2, "starts": 5, "ends": 4 }), "ends"),
            (json!({ "_id": 2, "scores": [1, 11] }), "scores.1"),
            (json!({ "_id": 2, "word": "two words" }), "word"),
            (json!({ "_id": 2, "odd": 1 }), "odd"),
        ] {
            let said = client.refused(INSERT, json!({ "d": insert })).await;
            let expected = format!("`{path}`: the rule of the schema does not allow the value (`validate`)");
            assert!(said.contains(&expected), "{said}");
        }
        for (set, path) in [
            (json!({ "born": 4 }), Some("born")),
            (json!({ "born_unset": true }), Some("born")),
            (json!({ "born": 3 , "box": { "grows": 2 } }), None),
            (json!({ "box": { "grows": 2 } }), Some("box.grows")),
            (json!({ "starts": 7, "box": { "grows": 3 } }), Some("ends")),
            (json!({ "ends": 9, "starts": 7, "box": { "grows": 3 } }), None),
            (json!({ "scores": [3, 12], "box": { "grows": 4 } }), Some("scores.1")),
        ] {
            match path {
                None => drop(client.data(UPDATE, json!({ "s": set })).await),
                Some(path) => {
                    let said = client.refused(UPDATE, json!({ "s": set })).await;
                    assert!(said.contains(&format!("`{path}`")), "{set}: {said}");
                }
            }
        }
    });
}

#[test]
fn the_system_is_held_to_them_too() {
    each_store(ValidationAction::Error, async |app, _| {
        let system = Actor::system(app.id().clone());
        let insert = |document: Value| GraphqlRequest::new(INSERT).variable("d", document);
        let refused = app.graphql(&system, &insert(json!({ "_id": 1, "owner": "x" }))).await;
        assert_eq!(refused.error_code, Some("SchemaValidationFailedWrite"));
        assert_eq!(app.graphql(&system, &insert(json!({ "_id": 1, "born": 1 }))).await.error_code, None);
    });
}

#[test]
fn where_writes_are_not_refused_they_only_warn() {
    for action in [ValidationAction::Warn, ValidationAction::Off] {
        each_store(action, async |_, client| {
            client.data(INSERT, json!({ "d": { "_id": 1, "owner": "somebody", "odd": 1 } })).await;
        });
    }
}

#[test]
fn one_that_is_not_understood_is_reported() {
    each_store(ValidationAction::Error, async |app, _| {
        let problems = app.report().problems().iter();
        let told: Vec<_> =
            problems.map(|problem| (problem.pointer.as_str(), problem.message.as_str())).collect();
        let at = "/properties/odd/validate";
        assert!(
            told.contains(&("/properties/odd/validate/%%nothing", "expansion `%%nothing` is not known")),
            "{told:?}"
        );
        assert!(told.contains(&(at, "the value can never be written")), "{told:?}");
    });
}
