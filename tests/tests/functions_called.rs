//! Functions as clients and functions call them: who may, as whom they read and write, and within which transaction.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::future::Future;

use backstitch::actor::Actor;
use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::auth::config::ProviderKind;
use backstitch::engine::{App, Engine};
use backstitch::functions::{FunctionCall, FunctionFailure, FunctionSettings, FunctionSource};
use backstitch::id::AppId;
use backstitch::schema::{CustomResolver, ResolverType};
use backstitch_tests::every_store;
use bson::{Bson, Document, doc};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

const APP: &str = "called-abcde";

struct Story {
    engine: Engine,
    token: String,
}

impl Story {
    fn app(&self) -> &App {
        self.engine.app(APP).unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let request = http::Request::post(format!("/api/client/v2.0/app/{APP}/{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()));
        let response = self.engine.handle(request.unwrap()).await;
        let (head, body) = response.into_parts();
        (head.status, serde_json::from_slice(body.as_bytes().unwrap()).unwrap())
    }

    async fn call(&self, name: &str, arguments: Value) -> (StatusCode, Value) {
        self.post("functions/call", json!({"name": name, "arguments": arguments})).await
    }

    /// What the system sees of the items, by their `n`.
    async fn items(&self) -> Vec<i32> {
        let system = Actor::system(self.app().id().clone());
        let find = doc! { "database": "app", "collection": "items", "sort": { "n": 1 } };
        let found =
            self.app().call_service(&system, "mongodb-atlas", "find", vec![find.into()]).await.unwrap();
        found
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item.as_document().unwrap().get_i32("n").unwrap())
            .collect()
    }
}

fn source(name: &str, settings: FunctionSettings) -> FunctionSource {
    FunctionSource { name: name.to_owned(), settings, ..FunctionSource::default() }
}

/// Guests may insert items of their own, and read those below ten.
fn config() -> AppConfig {
    let schema =
        json!({"title": "item", "properties": {"_id": {"bsonType": "objectId"}, "n": {"bsonType": "int"}}});
    let roles = json!([{"name": "all", "apply_when": {}, "read": {"n": {"$lt": 10}}, "insert": true, "write": {"n": {"$lt": 10}}}]);
    let mut config = AppConfig::new("called")
        .with_id(AppId::new(APP))
        .provider(ProviderKind::Anonymous)
        .collection(CollectionConfig::new("items").schema(&schema).rules(json!({ "roles": roles })));
    let int = || ResolverType::Scalar("int".to_owned());
    let resolver = CustomResolver::new("Mutation", "addTwo", "addTwo").input(int()).payload(int());
    config = config.resolver(resolver);
    config.functions = vec![
        source("hidden", FunctionSettings { private: true, ..FunctionSettings::default() }),
        source("asSystem", FunctionSettings { run_as_system: true, ..FunctionSettings::default() }),
        source(
            "never",
            FunctionSettings {
                can_evaluate: Some(json!({"%%user.type": "server"})),
                ..FunctionSettings::default()
            },
        ),
        source(
            "normal",
            FunctionSettings {
                can_evaluate: Some(json!({"%%user.type": "normal"})),
                ..FunctionSettings::default()
            },
        ),
    ];
    config
}

fn insert(n: i32) -> Bson {
    Bson::Document(doc! { "database": "app", "collection": "items", "document": { "n": n } })
}

async fn add(call: &FunctionCall, n: i32) -> Result<Bson, FunctionFailure> {
    let inserted = call.context.call_service("mongodb-atlas", "insertOne", vec![insert(n)]).await;
    inserted.map_err(|error| FunctionFailure::new(error.hint().to_owned()))
}

fn number(call: &FunctionCall) -> i32 {
    call.arguments.first().and_then(Bson::as_i32).unwrap_or_default()
}

fn each_store<F: Future<Output = ()>>(story: impl Fn(Story) -> F) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        for store in every_store(folder.path()).await {
            let echo = async |call: FunctionCall| Ok(Bson::Array(call.arguments));
            let add_item = async |call: FunctionCall| add(&call, number(&call)).await;
            let add_two = async |call: FunctionCall| {
                let n = number(&call);
                add(&call, n).await?;
                add(&call, n + 1).await?;
                let count = doc! { "database": "app", "collection": "items" };
                let count = call.context.call_service("mongodb-atlas", "count", vec![count.into()]).await;
                let count = count.map_err(|error| FunctionFailure::new(error.hint().to_owned()))?;
                Ok(Bson::Int32(i32::try_from(count.as_i64().unwrap()).unwrap()))
            };
            let nested = async |call: FunctionCall| {
                let called = call.context.call_function("hidden", call.arguments.clone()).await;
                called.map_err(|error| FunctionFailure::new(error.hint().to_owned()))
            };
            let for_ever = async |call: FunctionCall| {
                let called = call.context.call_function("forEver", Vec::new()).await;
                called.map_err(|error| FunctionFailure::new(error.hint().to_owned()))
            };
            let engine = Engine::builder().store(store).public_url("http://called.example");
            let engine = engine.function("hidden", echo).function("never", echo).function("normal", echo);
            let engine =
                engine.function("echo", echo).function("add", add_item).function("asSystem", add_item);
            let engine =
                engine.function("addTwo", add_two).function("nested", nested).function("forEver", for_ever);
            let engine = engine.app(config()).build().await.unwrap();
            let token = engine.app(APP).unwrap().log_in("anon-user", doc! {}).await.unwrap().access_token;
            story(Story { engine, token }).await;
        }
    });
}

#[test]
fn arguments_and_results_are_extended_json() {
    each_store(async |story| {
        let sent = json!([5, {"$numberLong": "7"}, {"$date": {"$numberLong": "0"}}, {"a": 1.5}, null]);
        let got = json!([
            {"$numberInt": "5"}, {"$numberLong": "7"}, {"$date": {"$numberLong": "0"}},
            {"a": {"$numberDouble": "1.5"}}, null
        ]);
        assert_eq!(story.call("echo", sent).await, (StatusCode::OK, got));
        let (status, told) = story.post("functions/call", json!({"arguments": []})).await;
        assert_eq!(
            (status, told["error_code"].as_str()),
            (StatusCode::BAD_REQUEST, Some("MissingParameter"))
        );
    });
}

#[test]
fn clients_call_what_they_may() {
    each_store(async |story| {
        for (name, status, code) in [
            ("hidden", StatusCode::NOT_FOUND, "FunctionNotFound"),
            ("gone", StatusCode::NOT_FOUND, "FunctionNotFound"),
            ("never", StatusCode::FORBIDDEN, "NotPermitted"),
            ("forEver", StatusCode::BAD_REQUEST, "FunctionExecutionError"),
        ] {
            let (got, told) = story.call(name, json!([])).await;
            assert_eq!((got, told["error_code"].as_str()), (status, Some(code)), "{name}: {told}");
        }
        assert_eq!(story.call("normal", json!([])).await.0, StatusCode::OK);
        assert_eq!(story.call("nested", json!(["x"])).await, (StatusCode::OK, json!(["x"])));
        let stranger = Story { engine: story.engine.clone(), token: "nonsense".to_owned() };
        assert_eq!(stranger.call("echo", json!([])).await.0, StatusCode::UNAUTHORIZED);
    });
}

#[test]
fn functions_write_as_the_caller_or_as_the_system() {
    each_store(async |story| {
        assert_eq!(story.call("add", json!([3])).await.0, StatusCode::OK);
        let (status, told) = story.call("add", json!([30])).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{told}");
        assert_eq!(story.call("asSystem", json!([30])).await.0, StatusCode::OK);
        assert_eq!(story.items().await, [3, 30]);
    });
}

#[test]
fn what_a_function_writes_in_a_mutation_stands_or_falls_with_it() {
    each_store(async |story| {
        let graphql = async |query: &str| story.post("graphql", json!({ "query": query })).await.1;
        let told = graphql("mutation { insertOneItem(data: {n: 1}) { n } addTwo(input: 2) }").await;
        // It reads what was written before it, and what it has written itself.
        assert_eq!(told, json!({"data": {"insertOneItem": {"n": 1}, "addTwo": 3}}));
        let told = graphql("mutation { addTwo(input: 5) insertOneItem(data: {n: 70}) { n } }").await;
        assert_eq!(told["data"], Value::Null, "{told}");
        assert_eq!(story.items().await, [1, 2, 3]);
        let told = graphql("mutation { insertOneItem(data: {n: 4}) { n } addTwo(input: 9) }").await;
        assert_eq!(told["data"], Value::Null, "{told}");
        assert_eq!(story.items().await, [1, 2, 3]);
    });
}

#[test]
fn data_services_are_called_by_http_as_well() {
    each_store(async |story| {
        let call = async |name: &str, argument: Document| {
            let mut whole = doc! { "database": "app", "collection": "items" };
            whole.extend(argument);
            let argument = Bson::Document(whole).into_canonical_extjson();
            let body = json!({"name": name, "arguments": [argument], "service": "mongodb-atlas"});
            story.post("functions/call", body).await
        };
        let (status, told) = call("insertMany", doc! { "documents": [{ "n": 1 }, { "n": 2 }] }).await;
        assert_eq!((status, told["insertedIds"].as_array().unwrap().len()), (StatusCode::OK, 2));
        let (_, found) = call("find", doc! { "query": { "n": { "$gt": 1 } } }).await;
        assert_eq!(found[0]["n"], json!({"$numberInt": "2"}));
        assert_eq!(call("count", doc! {}).await.1, json!({"$numberLong": "2"}));
        let (status, told) = call("insertOne", doc! { "document": { "n": 50 } }).await;
        assert_eq!((status, told["error_code"].as_str()), (StatusCode::FORBIDDEN, Some("NotPermitted")));
        let (status, told) = call("find", doc! { "query": { "$where": "1" } }).await;
        assert_eq!((status, told["error_code"].as_str()), (StatusCode::BAD_REQUEST, Some("MongoDBError")));
        let body = json!({"name": "find", "arguments": [{}], "service": "twilio"});
        let (status, told) = story.post("functions/call", body).await;
        assert_eq!((status, told["error_code"].as_str()), (StatusCode::NOT_FOUND, Some("ServiceNotFound")));
    });
}
