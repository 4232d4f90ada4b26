//! An export whose log-in, rules, resolver and functions are JavaScript, served on every store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::future::Future;
use std::path::Path;

use backstitch::app::AppConfig;
use backstitch::engine::Engine;
use backstitch::env::Env;
use backstitch_functions_js::{JsFunctions, Settings};
use backstitch_tests::{Client, every_store};
use serde_json::{Value, json};

const APP: &str = "scripted-abcde";

const FILES: &[(&str, &str)] = &[
    ("root_config.json", r#"{ "name": "scripted", "app_id": "scripted-abcde" }"#),
    (
        "auth/providers.json",
        r#"{ "custom-function": { "name": "custom-function", "type": "custom-function", "disabled": false,
            "config": { "authFunctionName": "logIn" } } }"#,
    ),
    (
        "functions/config.json",
        r#"[{ "name": "logIn", "private": true, "run_as_system": true },
            { "name": "add", "run_as_system": true }, { "name": "audit", "private": true, "run_as_system": true }, { "name": "total", "private": false }]"#,
    ),
    // Whoever comes for the first time is written down, which no rule lets a user do.
    (
        "functions/logIn.js",
        "exports = async function (payload) {
  if (!payload.name) throw new Error('who are you?');
  const people = context.services.get('mongodb-atlas').db('shop').collection('people');
  const known = await people.findOne({ name: payload.name });
  if (known) return known.name;
  await people.insertOne({ name: payload.name, since: new Date() });
  return payload.name;
};",
    ),
    (
        "functions/isMine.js",
        "exports = (owner) => owner === context.user.identities[0].id;",
    ),
    (
        "functions/add.js",
        "exports = async function (names) {
  const orders = context.services.get('mongodb-atlas').db('shop').collection('orders');
  const { insertedIds } = await orders.insertMany(names.map((owner, i) => ({ owner, price: (i + 1) * 10 })));
  return insertedIds.length;
};",
    ),
    (
        "functions/total.js",
        "exports = async function () {
  const orders = context.services.get('mongodb-atlas').db('shop').collection('orders');
  const mine = await orders.find({}, { price: 1 }).sort({ price: -1 }).toArray();
  const first = await orders.findOne({ price: { $gte: 20 } });
  return { mine: mine.map((order) => order.price), first: first && first.owner, all: await context.functions.execute('audit') };
};",
    ),
    (
        "functions/audit.js",
        "exports = async function () {
  const orders = context.services.get('mongodb-atlas').db('shop').collection('orders');
  const [sum] = await orders.aggregate([{ $group: { _id: null, price: { $sum: '$price' } } }]).toArray();
  return { sum: sum.price, for: context.user.identities[0].id, system: context.runningAsSystem() };
};",
    ),
    (
        "functions/greet.js",
        "exports = async (input) => `Hello ${input}, you are ${context.user.identities[0].id}`;",
    ),
    (
        "graphql/custom_resolvers/greet.json",
        r#"{ "on_type": "Query", "field_name": "greet", "function_name": "greet", "input_type": "string",
            "input_type_format": "scalar", "payload_type": "string", "payload_type_format": "scalar" }"#,
    ),
    ("data_sources/mongodb-atlas/config.json", r#"{ "name": "mongodb-atlas", "type": "mongodb-atlas", "config": {} }"#),
    (
        "data_sources/mongodb-atlas/shop/orders/schema.json",
        r#"{ "title": "order", "bsonType": "object", "properties": { "_id": { "bsonType": "objectId" },
            "owner": { "bsonType": "string" }, "price": { "bsonType": "int" } } }"#,
    ),
    (
        "data_sources/mongodb-atlas/shop/orders/rules.json",
        r#"{ "database": "shop", "collection": "orders", "roles": [{ "name": "owner", "apply_when": {
            "%%true": { "%function": { "name": "isMine", "arguments": ["%%root.owner"] } } }, "read": true }] }"#,
    ),
    (
        "data_sources/mongodb-atlas/shop/people/schema.json",
        r#"{ "title": "person", "bsonType": "object", "properties": { "_id": { "bsonType": "objectId" },
            "name": { "bsonType": "string" }, "since": { "bsonType": "date" } } }"#,
    ),
    (
        "data_sources/mongodb-atlas/shop/people/rules.json",
        r#"{ "database": "shop", "collection": "people", "roles": [] }"#,
    ),
];

fn exported(folder: &Path) -> AppConfig {
    for (file, text) in FILES {
        let path = folder.join("export").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    AppConfig::import(&folder.join("export")).unwrap().0
}

fn each_store<F: Future<Output = ()>>(story: impl Fn(Engine) -> F) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        for store in every_store(folder.path()).await {
            let env = Env::system();
            let functions = JsFunctions::new(Settings::default().workers(2), &env);
            let builder = Engine::builder().store(store).env(env).public_url("https://scripted.example");
            let engine = builder.runtime(functions).app(exported(folder.path())).build().await.unwrap();
            let report = engine.app(APP).unwrap().report().to_string();
            assert!(!report.contains("JavaScript"), "{report}");
            story(engine).await;
        }
    });
}

async fn call(client: &Client, name: &str, arguments: Value) -> (u16, Value) {
    let body = json!({ "name": name, "arguments": arguments });
    let reply = client.send("POST", "/app/{app}/functions/call", client.access.as_deref(), Some(body)).await;
    (reply.status, reply.json())
}

#[test]
fn an_export_in_javascript_comes_back_to_life() {
    each_store(async |engine| {
        let ada = Client::new(&engine, APP).log_in("custom-function", json!({ "name": "ada" })).await;
        let again = Client::new(&engine, APP).log_in("custom-function", json!({ "name": "ada" })).await;
        assert_eq!(ada.user, again.user);
        let bob = Client::new(&engine, APP).log_in("custom-function", json!({ "name": "bob" })).await;

        let added = call(&bob, "add", json!([["ada", "bob", "ada"]])).await;
        assert_eq!(added, (200, json!({ "$numberInt": "3" })));
        let int = |n: i32| json!({ "$numberInt": n.to_string() });
        for (client, name, mine, first) in
            [(&ada, "ada", vec![30, 10], "ada"), (&bob, "bob", vec![20], "bob")]
        {
            let mine: Vec<Value> = mine.into_iter().map(int).collect();
            let all = json!({ "sum": int(60), "for": name, "system": true });
            let told = call(client, "total", json!([])).await;
            assert_eq!(told, (200, json!({ "mine": mine, "first": first, "all": all })));
        }
        let data = ada.data("{ greet(input: \"you\") orders(sortBy: PRICE_ASC) { price } }", json!({})).await;
        assert_eq!(
            data,
            json!({ "greet": "Hello you, you are ada", "orders": [{ "price": 10 }, { "price": 30 }] })
        );
    });
}

#[test]
fn what_a_script_throws_is_told_and_what_is_private_is_not_there() {
    each_store(async |engine| {
        let nobody = Client::new(&engine, APP);
        let path = "/app/{app}/auth/providers/custom-function/login";
        let refused = nobody.send("POST", path, None, Some(json!({}))).await;
        assert!(refused.status == 401 || refused.status == 400, "{refused:?}");
        let eve = nobody.log_in("custom-function", json!({ "name": "eve" })).await;
        let (status, told) = call(&eve, "audit", json!([])).await;
        assert_eq!((status, &told["error_code"]), (404, &json!("FunctionNotFound")));
        let (status, told) = call(&eve, "add", json!(["not a list"])).await;
        assert_eq!((status, &told["error_code"]), (400, &json!("FunctionExecutionError")));
        assert_eq!(told["error"], json!("not a function"));
    });
}
