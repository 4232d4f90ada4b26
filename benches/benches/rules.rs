//! What rules cost: the same page asked by somebody whom rules bind, against the system, whom none do.
//!
//! Every document may be read, so that both write the same answer.

#![allow(clippy::expect_used, missing_docs, reason = "a bench fails by panicking")]

use std::sync::Arc;

use backstitch::actor::Actor;
use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::engine::{App, Engine};
use backstitch::functions::FunctionCall;
use backstitch::graphql::GraphqlRequest;
use backstitch::store::Store;
use backstitch_benches::{criterion, memory, print_ratios, sqlite};
use bson::{Bson, doc};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const ROWS: i32 = 5_000;
const USER: &str = "65a000000000000000000001";

/// Each kind of rules, by the collection that has them.
fn kinds() -> Vec<(&'static str, Value)> {
    let reads = |when: Value| json!({ "name": "r", "apply_when": when, "read": true });
    let function = json!({ "%%true": { "%function": { "name": "accepts", "arguments": ["%%root.rank"] } } });
    vec![
        ("owner", json!([reads(json!({ "owner": "%%user.id" }))])),
        (
            "gate",
            json!([{ "name": "r", "apply_when": {}, "read": true, "document_filters": {
            "read": { "%or": [{ "owner": "%%user.id" }, { "team": { "%in": "%%user.custom_data.teams" } }] } } }]),
        ),
        (
            "role",
            json!([
                { "name": "closed", "apply_when": { "hidden": { "%exists": true } }, "read": false },
                reads(json!({ "team": { "%in": "%%user.custom_data.teams" }, "%%user.type": "normal" })),
                reads(json!({ "owner": "%%user.id" })),
            ]),
        ),
        (
            "field",
            json!([{ "name": "r", "apply_when": {}, "fields": {
            "title": { "read": { "owner": "%%user.id" } }, "body": {} },
            "additional_fields": { "read": true } }]),
        ),
        ("function", json!([reads(function)])),
    ]
}

async fn app(store: Arc<dyn Store>) -> App {
    let text = json!({ "bsonType": "string" });
    let mut config = AppConfig::new("ruled");
    for (name, roles) in kinds() {
        let schema = json!({ "title": name, "properties": {
            "_id": { "bsonType": "int" }, "rank": { "bsonType": "int" }, "owner": text, "team": text, "title": text,
            "note": text, "price": { "bsonType": "double" }, "done": { "bsonType": "bool" }, "body": text } });
        config =
            config.collection(CollectionConfig::new(name).schema(&schema).rules(json!({ "roles": roles })));
    }
    let id = config.id.to_string();
    let builder = Engine::builder().store(store).public_url("http://bench.example").app(config);
    let builder = builder.function("accepts", async |_: FunctionCall| Ok(Bson::Boolean(true)));
    let app = builder.build().await.expect("the app is wired").app(&id).expect("just built").clone();
    let system = Actor::system(app.id().clone());
    let documents: Vec<Value> = (0..ROWS)
        .map(|rank| json!({
            "_id": rank, "rank": rank, "owner": USER, "team": "red", "title": format!("item {rank}"),
            "note": "a note that is neither long nor short", "price": f64::from(rank) * 1.25, "done": rank % 3 == 0,
            "body": "b".repeat(400),
        }))
        .collect();
    for (name, _) in kinds() {
        let root = root(&app, &format!("insertMany{}", capitalized(name)));
        let query = format!(
            "mutation($d: [{}InsertInput!]!) {{ {root}(data: $d) {{ __typename }} }}",
            capitalized(name)
        );
        ask(&app, &system, &GraphqlRequest::new(query).variable("d", documents.clone().into())).await;
    }
    app
}

/// The root field of many documents whose name begins so.
fn root(app: &App, begin: &str) -> String {
    let fields = app.sdl().lines().filter_map(|line| line.trim().split_once('('));
    let named = fields
        .filter(|(name, rest)| name.starts_with(begin) && (rest.contains("limit") || rest.contains("data")));
    named.map(|(name, _)| name.to_owned()).next().expect("a root field")
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

async fn ask(app: &App, actor: &Actor, request: &GraphqlRequest) -> usize {
    let body = app.graphql(actor, request).await.body;
    let shown = body.get(..body.len().min(300)).unwrap_or_default();
    assert!(!String::from_utf8_lossy(&body).contains("errors"), "{}", String::from_utf8_lossy(shown));
    body.len()
}

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let mut criterion = criterion();
    let folder = tempfile::tempdir().expect("a folder");
    let stores = [("memory", memory()), ("sqlite", sqlite(&folder.path().join("bench.db")))];
    let mut ratios: Vec<(String, String)> = Vec::new();
    let mut group = criterion.benchmark_group("rules");
    for (store, opened) in stores {
        let app = runtime.block_on(app(opened));
        let user = doc! { "id": USER, "type": "normal", "data": {}, "custom_data": { "teams": ["red", "blue"] },
        "identities": [] };
        let asking =
            [("ruled", Actor::imagined(app.id().clone(), user)), ("system", Actor::system(app.id().clone()))];
        for (kind, _) in kinds() {
            for rows in [1, 50, ROWS] {
                let fields = "_id rank owner title note price done team";
                let query = format!("{{ {}(limit: {rows}) {{ {fields} }} }}", root(&app, kind));
                let request = GraphqlRequest::new(query);
                for (who, actor) in &asking {
                    group.bench_function(format!("{store}_{kind}_{rows}_{who}"), |bencher| {
                        bencher.iter(|| runtime.block_on(ask(&app, actor, &request)));
                    });
                }
                let name = |who| format!("rules/{store}_{kind}_{rows}_{who}");
                ratios.push((name("ruled"), name("system")));
            }
        }
    }
    group.finish();
    criterion.final_summary();
    let ratios: Vec<(&str, &str)> =
        ratios.iter().map(|(one, other)| (one.as_str(), other.as_str())).collect();
    print_ratios(&ratios);
}
