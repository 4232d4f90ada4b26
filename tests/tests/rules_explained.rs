//! Rules explained: to a host, and in the answer of a GraphQL request that may ask.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use backstitch::actor::Actor;
use backstitch::app::{AppConfig, CollectionConfig, ConfigValue};
use backstitch::auth::config::ProviderKind;
use backstitch::engine::{App, Engine};
use backstitch::functions::{FunctionCall, FunctionFailure};
use backstitch::graphql::GraphqlRequest;
use backstitch::rules::{Action, Explanation, Question};
use backstitch::secret::Secret;
use backstitch_storage_memory::MemoryStore;
use backstitch_tests::Client;
use bson::{Bson, Document, RawDocumentBuf, doc};
use serde_json::{Value, json};

fn app(explain: Option<Value>) -> AppConfig {
    let schema = json!({ "title": "Note", "properties": {
        "_id": { "bsonType": "int" }, "owner": { "bsonType": "string" },
        "text": { "bsonType": "string", "maxLength": 5 }, "hidden": { "bsonType": "string" }
    }});
    let rules = json!({ "roles": [
        { "name": "coded", "apply_when": { "%%root.code": "%%values.code" }, "read": true },
        { "name": "trusted", "apply_when": {
            "%%true": { "%function": { "name": "trusts", "arguments": ["%%user.id"] } }
        }, "read": true, "write": true },
        { "name": "owner", "apply_when": { "owner": "%%user.id" }, "insert": true,
          "fields": { "hidden": {} }, "additional_fields": { "write": true } },
    ]});
    let mut app = AppConfig::new("explained")
        .provider(ProviderKind::Anonymous)
        .collection(CollectionConfig::new("notes").schema(&schema).rules(rules));
    app.values.insert("code".to_owned(), ConfigValue::Secret(Secret::new("hush-hush".to_owned())));
    app.explain = explain;
    app
}

async fn engine(explain: Option<Value>) -> Engine {
    let trusts = async |call: FunctionCall| match call.arguments.first() {
        Some(Bson::String(id)) if id == "broken" => Err(FunctionFailure::new("the inner reason")),
        Some(Bson::String(id)) => Ok(Bson::Boolean(id == "trusty")),
        _ => Ok(Bson::Null),
    };
    let builder =
        Engine::builder().store(Arc::new(MemoryStore::new())).public_url("http://explained.example");
    builder.function("trusts", trusts).app(app(explain)).build().await.unwrap()
}

fn raw(document: &Document) -> RawDocumentBuf {
    RawDocumentBuf::try_from(document).unwrap()
}

async fn ask(app: &App, user: &str, question: Question<'_>) -> backstitch::error::Result<Explanation> {
    let actor = Actor::imagined(app.id().clone(), doc! { "id": user, "type": "normal" });
    let notes = app.config().named_collection("notes").unwrap();
    app.explain(&actor, &notes, &question).await
}

async fn post(client: &Client, body: Value) -> Value {
    client.send("POST", "/app/{app}/graphql", client.access.as_deref(), Some(body)).await.json()
}

#[tokio::test]
async fn a_host_learns_which_role_decides_and_what_functions_said() {
    let engine = engine(None).await;
    let app = engine.apps().next().unwrap();
    let stored = raw(&doc! { "_id": 1, "owner": "ada", "text": "x", "hidden": "y" });

    let mine = ask(app, "ada", Question::new(Action::Read).about(&stored)).await.unwrap();
    assert_eq!((mine.allowed, mine.role.as_deref()), (Some(true), Some("owner")));
    assert_eq!(mine.visible, Some(json!({ "_id": 1, "owner": "ada", "text": "x" })));
    assert_eq!(mine.cut, ["hidden"]);
    let said = mine.roles[1].apply_when.values.as_deref();
    assert_eq!(said, Some("true = false"), "the function was called");
    assert_eq!(
        mine.query.as_ref().unwrap().pushed,
        r#"(code = "(secret)" or (owner = "ada" and not code = "(secret)"))"#
    );

    let trusted = ask(app, "trusty", Question::new(Action::Delete).about(&stored)).await.unwrap();
    assert_eq!((trusted.allowed, trusted.role.as_deref()), (Some(true), Some("trusted")));
    let foreign = ask(app, "bob", Question::new(Action::Read).about(&stored)).await.unwrap();
    assert_eq!((foreign.allowed, foreign.denied_by.as_deref()), (Some(false), Some("no role applies")));
    assert_eq!(foreign.visible, None);
}

#[tokio::test]
async fn a_denied_write_names_the_check_and_what_does_not_fit_names_the_schema() {
    let engine = engine(None).await;
    let app = engine.apps().next().unwrap();
    let stored = raw(&doc! { "_id": 1, "owner": "ada", "text": "x", "hidden": "y" });
    let hidden = raw(&doc! { "_id": 1, "owner": "ada", "text": "x", "hidden": "z" });
    let long = raw(&doc! { "_id": 1, "owner": "ada", "text": "much too long", "hidden": "y" });

    let update = |after| Question::new(Action::Update).about(after).from(&stored);
    let refused = ask(app, "ada", update(&hidden)).await.unwrap();
    assert_eq!(refused.denied_by.as_deref(), Some("fields that may not be written: hidden"));
    assert!(refused.checks.iter().any(|check| check.part == "fields.hidden.write"));
    let misfit = ask(app, "ada", update(&long)).await.unwrap();
    let why = misfit.denied_by.unwrap();
    assert!(why.starts_with("the document does not fit the schema: `text`"), "{why}");
    assert_eq!(misfit.allowed, Some(false));

    let half = ask(app, "ada", Question::new(Action::Update).about(&stored)).await.unwrap_err();
    assert_eq!(half.hint(), "an update is explained with the document before and after, or with none");
    let failed = ask(app, "broken", Question::new(Action::Read)).await.unwrap_err();
    assert_eq!(failed.hint(), "the inner reason");
}

#[tokio::test]
async fn a_secret_is_never_shown() {
    let engine = engine(None).await;
    let app = engine.apps().next().unwrap();
    let coded = raw(&doc! { "_id": 1, "code": "hush-hush" });
    let told = ask(app, "ada", Question::new(Action::Read).about(&coded)).await.unwrap();
    assert_eq!(told.role.as_deref(), Some("coded"));
    let shown = format!("{told}\n{}", serde_json::to_string(&told).unwrap());
    assert!(!shown.contains("hush"), "{shown}");
    assert!(shown.contains("(secret)"));
}

#[tokio::test]
async fn of_no_secret_a_part_is_shown() {
    let long = format!("{}end", "long".repeat(100));
    let secrets = [("code", "hush"), ("more", "hush-hush"), ("odd", "a\"b\\"), ("long", long.as_str())];
    let names = secrets.map(|(name, _)| json!({ "%%root.code": format!("%%values.{name}") }));
    let rules = json!({ "roles": [{ "name": "r", "apply_when": { "%or": names }, "read": true }] });
    let mut config = AppConfig::new("secrets").collection(CollectionConfig::new("notes").rules(rules));
    for (name, secret) in secrets {
        config.values.insert(name.to_owned(), ConfigValue::Secret(Secret::new(secret.to_owned())));
    }
    let builder =
        Engine::builder().store(Arc::new(MemoryStore::new())).public_url("http://explained.example");
    let engine = builder.app(config).build().await.unwrap();
    let app = engine.apps().next().unwrap();
    for (_, secret) in secrets {
        let stored = raw(&doc! { "_id": 1, "code": secret });
        let told = ask(app, "ada", Question::new(Action::Read).about(&stored)).await.unwrap();
        assert_eq!(told.role.as_deref(), Some("r"));
        let shown = format!("{told}\n{}", serde_json::to_string(&told).unwrap());
        for part in ["hush", "longlong", "a\\"] {
            assert!(!shown.contains(part), "{part} in {shown}");
        }
    }
}

#[tokio::test]
async fn an_answer_explains_itself_to_those_who_may_know_and_ask() {
    let engine = engine(Some(json!({ "%%user.type": "normal" }))).await;
    let client = Client::new(&engine, engine.apps().next().unwrap().id().as_str()).guest().await;
    let asked = |query: &str, explain: Value| json!({ "query": query, "extensions": { "explain": explain } });
    let insert = format!(
        r#"mutation {{ insertOneNote(data: {{ _id: 1, owner: "{}", text: "a" }}) {{ _id }} }}"#,
        client.user.as_deref().unwrap()
    );

    let answer = post(&client, asked(&insert, json!(true))).await;
    assert_eq!(answer["data"]["insertOneNote"]["_id"], 1);
    let explained = answer["extensions"]["explain"].as_array().unwrap();
    assert_eq!((&explained[0]["action"], &explained[0]["role"]), (&json!("insert"), &json!("owner")));

    let answer = post(&client, asked("{ notes { _id text } }", json!(true))).await;
    let told = &answer["extensions"]["explain"][0];
    assert_eq!(told["documents"], json!([{ "id": 1, "role": "owner" }]));
    assert!(told["query"]["pushed"].as_str().unwrap().contains("owner = "));

    let foreign = r#"mutation { insertOneNote(data: { _id: 2, owner: "x" }) { _id } }"#;
    let answer = post(&client, asked(foreign, json!(true))).await;
    assert_eq!(answer["errors"][0]["message"], "insert not permitted");
    assert_eq!(answer["extensions"]["explain"][0]["denied_by"], "no role applies");

    for explain in [json!(false), Value::Null, json!("yes")] {
        let answer = post(&client, asked("{ notes { _id } }", explain)).await;
        assert!(answer.get("extensions").is_none(), "{answer}");
    }
}

#[tokio::test]
async fn nothing_is_explained_to_others() {
    for explain in
        [None, Some(json!(false)), Some(json!({ "%%user.type": "server" })), Some(json!({ "%%x": 1 }))]
    {
        let engine = engine(explain).await;
        let app = engine.apps().next().unwrap();
        let client = Client::new(&engine, app.id().as_str()).guest().await;
        let asked = json!({ "query": "{ notes { _id } }", "extensions": { "explain": true } });
        let answer = post(&client, asked.clone()).await;
        assert!(answer.get("extensions").is_none(), "{answer}");
        let system = Actor::system(app.id().clone());
        let answer = app.graphql(&system, &GraphqlRequest::from_json(asked).unwrap()).await;
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer["extensions"]["explain"][0]["rules"], "system");
    }
}
