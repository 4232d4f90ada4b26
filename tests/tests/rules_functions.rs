//! Rules that call functions, on every store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::auth::config::ProviderKind;
use backstitch::engine::Engine;
use backstitch::functions::{FunctionCall, FunctionFailure};
use backstitch_tests::{Client, every_store, memory_store};
use bson::Bson;
use serde_json::{Value, json};

/// How often each function was called.
#[derive(Clone, Default)]
struct Calls {
    even: Arc<AtomicUsize>,
    member: Arc<AtomicUsize>,
}

/// An app with one collection `items`, whose `n` is a number and `secret` a text.
struct Story {
    client: Client,
    calls: Calls,
}

impl Story {
    async fn data(&self, query: &str) -> Value {
        self.client.data(query, json!({})).await
    }

    async fn numbers(&self, query: &str) -> Vec<i64> {
        let data = self.data(query).await;
        data["items"].as_array().unwrap().iter().map(|item| item["n"].as_i64().unwrap()).collect()
    }
}

fn each_store<F: Future<Output = ()>>(rules: &Value, story: impl Fn(Story) -> F) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        for store in every_store(folder.path()).await {
            let calls = Calls::default();
            let engine = Engine::builder()
                .store(store)
                .public_url("http://rules.example")
                .function("isEven", is_even(calls.clone()))
                .function("isMember", is_member(calls.clone()))
                .function("fails", async |_: FunctionCall| Err(FunctionFailure::new("the inner reason")))
                .function("unsure", async |_: FunctionCall| Ok(Bson::Null))
                .app(app(rules))
                .build()
                .await
                .unwrap();
            let system = backstitch::actor::Actor::system(engine.apps().next().unwrap().id().clone());
            let items: Vec<_> = (0..40).map(|n| json!({ "n": n, "secret": format!("s{n}") })).collect();
            let request = json!({
                "query": "mutation($items: [ItemInsertInput!]!) { insertManyItems(data: $items) { insertedIds } }",
                "variables": { "items": items },
            });
            let request = backstitch::graphql::GraphqlRequest::from_json(request).unwrap();
            let app = engine.apps().next().unwrap();
            let answer = app.graphql(&system, &request).await;
            assert!(!String::from_utf8_lossy(&answer.body).contains("errors"), "{answer:?}");
            let client = Client::new(&engine, app.id().as_str()).guest().await;
            story(Story { client, calls }).await;
        }
    });
}

fn app(rules: &Value) -> AppConfig {
    let schema = json!({ "title": "Item", "properties": {
        "_id": { "bsonType": "objectId" }, "n": { "bsonType": "int" }, "secret": { "bsonType": "string" }
    }});
    let items = CollectionConfig::new("items").schema(&schema).rules(rules.clone());
    AppConfig::new("rules").provider(ProviderKind::Anonymous).collection(items)
}

fn is_even(calls: Calls) -> impl backstitch::functions::Function {
    move |call: FunctionCall| {
        calls.even.fetch_add(1, Ordering::Relaxed);
        let n = match call.arguments.first() {
            Some(Bson::Document(root)) => root.get_i32("n").unwrap_or(1),
            Some(Bson::Int32(n)) => *n,
            _ => 1,
        };
        async move { Ok(Bson::Boolean(n % 2 == 0)) }
    }
}

fn is_member(calls: Calls) -> impl backstitch::functions::Function {
    move |call: FunctionCall| {
        calls.member.fetch_add(1, Ordering::Relaxed);
        let known = matches!(call.arguments.first(), Some(Bson::String(id)) if id.len() == 24);
        async move { Ok(Bson::Boolean(known)) }
    }
}

fn even() -> Value {
    json!({ "%%true": { "%function": { "name": "isEven", "arguments": ["%%root"] } } })
}

#[test]
fn pages_are_filled_with_what_a_function_lets_through() {
    let rules = json!({ "roles": [{ "name": "even", "apply_when": {}, "read": even() }] });
    each_store(&rules, async |story| {
        assert_eq!(story.numbers("{ items(limit: 5, sortBy: N_ASC) { n } }").await, [0, 2, 4, 6, 8]);
        assert_eq!(story.numbers("{ items(limit: 100, sortBy: N_DESC) { n } }").await.len(), 20);
        assert_eq!(story.numbers("{ items(query: { n_gt: 35 }) { n } }").await, [36, 38]);
        assert_eq!(story.data("{ item(query: { n: 3 }) { n } }").await["item"], Value::Null);
    });
}

#[test]
fn what_a_filter_can_decide_is_decided_before_a_function_is_called() {
    let read = json!({ "n": { "%lt": 4 }, "%%true": even()["%%true"] });
    let rules = json!({ "roles": [{ "name": "even", "apply_when": {}, "read": read }] });
    each_store(&rules, async |story| {
        assert_eq!(story.numbers("{ items(limit: 100) { n } }").await, [0, 2]);
        assert_eq!(story.calls.even.load(Ordering::Relaxed), 4);
        // The same question is not asked twice in a request.
        assert_eq!(story.numbers("{ items(limit: 100) { n } again: items(limit: 100) { n } }").await, [0, 2]);
        assert_eq!(story.calls.even.load(Ordering::Relaxed), 8);
    });
}

#[test]
fn a_function_that_knows_no_document_is_called_once_and_narrows_in_the_store() {
    let member = json!({ "%%true": { "%function": { "name": "isMember", "arguments": ["%%user.id"] } } });
    let rules = json!({ "roles": [
        { "name": "server", "apply_when": { "%%user.type": "server", "%%true": even()["%%true"] }, "read": true },
        { "name": "member", "apply_when": member, "read": true },
    ]});
    each_store(&rules, async |story| {
        assert_eq!(story.numbers("{ items(limit: 100) { n } }").await.len(), 40);
        assert_eq!(story.calls.member.load(Ordering::Relaxed), 1);
        assert_eq!(story.calls.even.load(Ordering::Relaxed), 0, "the first role cannot apply");
    });
}

#[test]
fn fields_are_hidden_and_counted_as_missing_where_a_function_says_no() {
    let field = json!({ "%%true": { "%function": { "name": "isEven", "arguments": ["%%root.n"] } } });
    let rules = json!({ "roles": [
        { "name": "some", "apply_when": {}, "fields": { "n": { "read": true }, "secret": { "read": field } } }
    ]});
    each_store(&rules, async |story| {
        let data = story.data("{ items(limit: 3, sortBy: N_ASC) { n secret } }").await;
        let expected = json!([
            { "n": 0, "secret": "s0" }, { "n": 1, "secret": null }, { "n": 2, "secret": "s2" }
        ]);
        assert_eq!(data["items"], expected);
        assert_eq!(story.numbers("{ items(query: { secret: \"s4\" }) { n } }").await, [4]);
        assert!(story.numbers("{ items(query: { secret: \"s5\" }) { n } }").await.is_empty());
        assert_eq!(
            story.numbers("{ items(query: { secret_exists: false }, limit: 100) { n } }").await.len(),
            20
        );
        let sorted = story.client.refused("{ items(sortBy: SECRET_ASC) { n } }", json!({})).await;
        assert!(sorted.contains("may not be read"), "{sorted}");
    });
}

#[test]
fn writes_ask_functions_about_both_images() {
    let rules = json!({ "roles": [
        { "name": "even", "apply_when": {}, "read": true, "write": even(), "delete": even() }
    ]});
    each_store(&rules, async |story| {
        let insert = |n: i64| format!("mutation {{ insertOneItem(data: {{ n: {n} }}) {{ n }} }}");
        assert_eq!(story.data(&insert(100)).await["insertOneItem"]["n"], 100);
        assert_eq!(story.client.refused(&insert(101), json!({})).await, "insert not permitted");
        let set = |from: i64, to: i64| {
            format!("mutation {{ updateOneItem(query: {{ n: {from} }}, set: {{ n: {to} }}) {{ n }} }}")
        };
        assert_eq!(story.data(&set(2, 200)).await["updateOneItem"]["n"], 200);
        for (from, to) in [(3, 4), (4, 5)] {
            assert_eq!(story.client.refused(&set(from, to), json!({})).await, "update not permitted");
        }
        let delete =
            |n: i64| format!("mutation {{ deleteManyItems(query: {{ n: {n} }}) {{ deletedCount }} }}");
        assert_eq!(story.data(&delete(200)).await["deleteManyItems"]["deletedCount"], 1);
        assert_eq!(story.client.refused(&delete(3), json!({})).await, "delete not permitted");
    });
}

#[test]
fn a_function_that_fails_fails_the_request_and_is_not_taken_for_no() {
    let fails =
        json!({ "%not": { "%%true": { "%function": { "name": "fails", "arguments": ["%%root"] } } } });
    let rules = json!({ "roles": [
        { "name": "first", "apply_when": fails, "read": false },
        { "name": "second", "apply_when": {}, "read": true, "write": true },
    ]});
    each_store(&rules, async |story| {
        for query in ["{ items { n } }", "mutation { insertOneItem(data: { n: 1 }) { n } }"] {
            let said = story.client.refused(query, json!({})).await;
            assert_eq!(said, "a rule could not be judged: its function failed");
        }
    });
}

#[test]
fn a_function_that_does_not_know_permits_nothing() {
    let unsure = json!({ "secret": { "%function": { "name": "unsure", "arguments": ["%%root.n"] } } });
    let rules = json!({ "roles": [{ "name": "r", "apply_when": {}, "read": unsure }] });
    each_store(&rules, async |story| {
        assert!(story.numbers("{ items { n } }").await.is_empty());
    });
}

#[test]
fn a_role_whose_function_is_not_there_is_closed_and_reported() {
    let missing = json!({ "%%true": { "%function": { "name": "nobody", "arguments": [] } } });
    let rules = json!({ "roles": [
        { "name": "first", "apply_when": { "n": { "%lt": 3 } }, "read": missing },
        { "name": "second", "apply_when": {}, "read": true },
    ]});
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = memory_store();
        let engine = Engine::builder().store(store).public_url("http://x.example").app(app(&rules));
        let engine = engine.build().await.unwrap();
        let report = engine.apps().next().unwrap().report();
        let problem = report.problems().iter().find(|problem| problem.message.contains("nobody")).unwrap();
        assert_eq!(problem.pointer, "/roles/0");
        assert_eq!(problem.severity, backstitch::report::Severity::Error);
    });
    each_store(&rules, async |story| {
        assert_eq!(story.numbers("{ items(limit: 100) { n } }").await.len(), 37);
    });
}
