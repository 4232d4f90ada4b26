//! `create` and `link` of relation inputs, in inserts, updates, upserts and replacements: what they store, in one
//! transaction with all the rest, and under whose rules.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::auth::config::ProviderKind;
use backstitch::engine::Engine;
use backstitch::id::{AppId, CollectionId};
use backstitch::schema::Relationship;
use backstitch::store::Store;
use backstitch_storage_memory::MemoryStore;
use backstitch_tests::{Client, CountingStore, every_store};
use serde_json::{Value, json};

const APP: &str = "garage-abcde";

/// Cars with an owner, by a name that need not be its `_id`, and parts, some of them inside the engine; parts have
/// makers. Parts that are `rare` may not be inserted, and makers are closed to everybody.
fn garage() -> AppConfig {
    let car = json!({ "title": "Car", "required": ["owner"], "properties": {
        "_id": { "bsonType": "int" }, "plate": { "bsonType": "string" },
        "owner": { "bsonType": "string" },
        "parts": { "bsonType": "array", "items": { "bsonType": "int" } },
        "engine": { "bsonType": "object", "properties": {
            "power": { "bsonType": "int" },
            "plug": { "bsonType": "int" },
            "valves": { "bsonType": "array", "items": { "bsonType": "int" } }
        } }
    }});
    let owner = json!({ "title": "Owner", "required": ["name"], "properties": {
        "_id": { "bsonType": "int" }, "name": { "bsonType": "string", "maxLength": 5 }, "car": { "bsonType": "int" }
    }});
    let part = json!({ "title": "Part", "properties": {
        "_id": { "bsonType": "int" }, "rare": { "bsonType": "bool" }, "maker": { "bsonType": "objectId" }
    }});
    let maker = json!({ "title": "Maker", "properties": { "_id": { "bsonType": "objectId" }, "a": { "bsonType": "int" } } });
    let all = json!({ "roles": [{ "name": "all", "apply_when": {}, "read": true, "write": true }] });
    let common = json!({ "roles": [{ "name": "all", "apply_when": {}, "read": true, "write": true,
        "insert": { "rare": { "$ne": true } } }] });
    let closed = json!({ "roles": [{ "name": "all", "apply_when": {}, "read": true, "insert": false }] });
    let collection =
        |name: &str, schema: &Value, rules: Value| CollectionConfig::new(name).schema(schema).rules(rules);
    AppConfig::new("garage")
        .with_id(AppId::new(APP))
        .provider(ProviderKind::Anonymous)
        .collection(collection("owners", &owner, all.clone()).relationship(to("cars", "car", "_id", false)))
        .collection(collection("parts", &part, common).relationship(to("makers", "maker", "_id", false)))
        .collection(collection("makers", &maker, closed))
        .collection(
            collection("cars", &car, all)
                .relationship(to("owners", "owner", "name", false))
                .relationship(to("parts", "parts", "_id", true))
                .relationship(to("parts", "engine.plug", "_id", false))
                .relationship(to("parts", "engine.valves", "_id", true)),
        )
}

fn to(target: &str, source: &str, foreign: &str, is_list: bool) -> Relationship {
    let target = CollectionId::new("", "mongodb-atlas", "app", target);
    Relationship { source: source.into(), target, foreign: foreign.into(), is_list }
}

async fn guest(store: Arc<dyn Store>) -> Client {
    let builder = Engine::builder().store(store).public_url("https://garage.example").app(garage());
    Client::new(&builder.build().await.unwrap(), APP).guest().await
}

/// Runs a story on each store.
async fn each_store<F: Future<Output = ()>>(story: impl Fn(Client) -> F) {
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        story(guest(store).await).await;
    }
}

const INSERT: &str = "mutation($d: CarInsertInput!) { insertOneCar(data: $d) { _id } }";
const UPDATE: &str = "mutation($q: CarQueryInput, $s: CarUpdateInput!) { updateManyCars(query: $q, set: $s) { matchedCount modifiedCount } }";

/// Everything that is stored, as the caller sees it.
async fn all(client: &Client) -> Value {
    let query = "{ cars(sortBy: _ID_ASC) { _id owner { name } parts { _id } engine { power plug { _id } valves { _id } } }
        owners(sortBy: _ID_ASC) { _id name car { _id } } parts(sortBy: _ID_ASC) { _id } makers { _id } }";
    client.graphql(query, json!({})).await["data"].clone()
}

/// A mutation that has to fail and leave everything as it was.
async fn fails(client: &Client, query: &str, variables: Value) -> (String, String) {
    let before = all(client).await;
    let answer = client.graphql(query, variables).await;
    assert!(answer["data"].is_null(), "{query}: {answer}");
    assert_eq!(all(client).await, before, "{answer}");
    let error = &answer["errors"][0];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&error["extensions"]["code"]), text(&error["message"]))
}

/// One car whose owner is Ann, without parts.
async fn one_car(client: &Client) {
    let car = json!({ "d": { "_id": 1, "owner": { "create": { "_id": 1, "name": "ann" } } } });
    client.data(INSERT, car).await;
}

#[tokio::test]
async fn an_update_links_and_creates_of_both_kinds_at_every_depth() {
    each_store(|client| async move {
        one_car(&client).await;
        let set = json!({
            "owner": { "create": { "_id": 2, "name": "bob" } },
            "parts": { "create": [{ "_id": 1 }, { "_id": 2 }] },
            "engine": { "power": 7, "plug": { "create": { "_id": 3 } }, "valves": { "create": [{ "_id": 4 }, { "_id": 5 }] } }
        });
        let counts = client.data(UPDATE, json!({ "q": { "_id": 1 }, "s": set })).await;
        assert_eq!(counts["updateManyCars"], json!({ "matchedCount": 1, "modifiedCount": 1 }));
        let seen = all(&client).await;
        let car = json!([{ "_id": 1, "owner": { "name": "bob" }, "parts": [{ "_id": 1 }, { "_id": 2 }],
            "engine": { "power": 7, "plug": { "_id": 3 }, "valves": [{ "_id": 4 }, { "_id": 5 }] } }]);
        assert_eq!(seen["cars"], car);
        assert_eq!(seen["owners"][1], json!({ "_id": 2, "name": "bob", "car": null }));
        assert_eq!(seen["parts"].as_array().unwrap().len(), 5);
        // A link replaces the whole list, and only what is named of the engine changes; `create` wins.
        let set = json!({
            "owner": { "link": "ann", "create": { "_id": 3, "name": "cid" } },
            "parts": { "link": [5, 1] },
            "engine": { "plug": { "link": 99 }, "valves": { "link": [] } }
        });
        client.data(UPDATE, json!({ "q": {}, "s": set })).await;
        let car = json!([{ "_id": 1, "owner": { "name": "cid" }, "parts": [{ "_id": 5 }, { "_id": 1 }],
            "engine": { "power": 7, "plug": null, "valves": [] } }]);
        assert_eq!(all(&client).await["cars"], car);
        // An empty input says nothing, an unset one takes the key away.
        let set = json!({ "owner": {}, "parts_unset": true, "engine": { "plug_unset": true, "valves_unset": true } });
        client.data(UPDATE, json!({ "q": {}, "s": set })).await;
        let car = json!([{ "_id": 1, "owner": { "name": "cid" }, "parts": [], "engine": { "power": 7, "plug": null, "valves": [] } }]);
        assert_eq!(all(&client).await["cars"], car);
    })
    .await;
}

#[tokio::test]
async fn what_is_created_is_created_once_and_only_where_something_matches() {
    each_store(|client| async move {
        for id in 1..=3 {
            let owner = json!({ "create": { "_id": id, "name": format!("o{id}") } });
            client.data(INSERT, json!({ "d": { "_id": id, "owner": owner } })).await;
        }
        let set = json!({ "owner": { "create": { "_id": 9, "name": "new" } } });
        let counts = client.data(UPDATE, json!({ "q": { "_id": 77 }, "s": set })).await;
        assert_eq!(counts["updateManyCars"]["matchedCount"], 0);
        assert_eq!(all(&client).await["owners"].as_array().unwrap().len(), 3);
        let counts = client.data(UPDATE, json!({ "q": { "_id_gt": 1 }, "s": set })).await;
        assert_eq!(counts["updateManyCars"], json!({ "matchedCount": 2, "modifiedCount": 2 }));
        let seen = all(&client).await;
        assert_eq!(seen["owners"].as_array().unwrap().len(), 4);
        assert_eq!(seen["cars"][0]["owner"]["name"], "o1");
        assert_eq!(seen["cars"][2]["owner"]["name"], "new");
    })
    .await;
}

#[tokio::test]
async fn a_creation_goes_as_deep_as_the_relations_do() {
    each_store(|client| async move {
        // The car's owner owns another car, which has an owner of its own.
        let inner = json!({ "_id": 2, "owner": { "create": { "_id": 2, "name": "bob" } }, "parts": { "create": [{ "_id": 1 }] } });
        let outer = json!({ "_id": 1, "owner": { "create": { "_id": 1, "name": "ann", "car": { "create": inner } } } });
        let query = "mutation($d: CarInsertInput!) { insertOneCar(data: $d) { owner { car { owner { name } parts { _id } } } } }";
        let data = client.data(query, json!({ "d": outer })).await;
        let expected = json!({ "owner": { "car": { "owner": { "name": "bob" }, "parts": [{ "_id": 1 }] } } });
        assert_eq!(data["insertOneCar"], expected);
        // A failure at the bottom undoes the top.
        let inner = json!({ "_id": 4, "owner": { "create": { "_id": 4, "name": "too long" } } });
        let outer = json!({ "_id": 3, "owner": { "create": { "_id": 3, "name": "cid", "car": { "create": inner } } } });
        assert_eq!(fails(&client, INSERT, json!({ "d": outer })).await.0, "SchemaValidationFailedWrite");
    })
    .await;
}

#[tokio::test]
async fn upserts_and_replacements_create_and_link_too() {
    each_store(|client| async move {
        one_car(&client).await;
        let upsert = "mutation($q: CarQueryInput, $d: CarInsertInput!) { upsertOneCar(query: $q, data: $d) { _id owner { name } parts { _id } } }";
        let data = json!({ "owner": { "create": { "_id": 2, "name": "bob" } }, "parts": { "create": [{ "_id": 1 }] } });
        let done = client.data(upsert, json!({ "q": { "_id": 2 }, "d": data })).await;
        assert_eq!(done["upsertOneCar"], json!({ "_id": 2, "owner": { "name": "bob" }, "parts": [{ "_id": 1 }] }));
        let data = json!({ "owner": { "link": "ann" } });
        let done = client.data(upsert, json!({ "q": { "owner": { "name": "bob" } }, "d": data })).await;
        assert_eq!(done["upsertOneCar"], json!({ "_id": 2, "owner": { "name": "ann" }, "parts": [] }));
        let replace = "mutation($q: CarQueryInput, $d: CarInsertInput!) { replaceOneCar(query: $q, data: $d) { owner { name } } }";
        let data = json!({ "owner": { "create": { "_id": 3, "name": "cid" } } });
        let done = client.data(replace, json!({ "q": { "_id": 1 }, "d": data })).await;
        assert_eq!(done["replaceOneCar"]["owner"]["name"], "cid");
        // Nothing is replaced, so nothing is created.
        let data = json!({ "owner": { "create": { "_id": 4, "name": "dan" } } });
        let done = client.data(replace, json!({ "q": { "_id": 77 }, "d": data })).await;
        assert_eq!(done["replaceOneCar"], Value::Null);
        assert_eq!(all(&client).await["owners"].as_array().unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_failure_anywhere_undoes_what_was_created_for_it() {
    each_store(|client| async move {
        one_car(&client).await;
        let set = |set: Value| json!({ "q": {}, "s": set });
        let created = json!({ "create": { "_id": 5, "name": "eve" } });
        let cases = [
            // The foreign collection's rules, schema and ids; what is created first goes with what fails later.
            (json!({ "owner": created, "parts": { "create": [{ "_id": 1 }, { "_id": 2, "rare": true }] } }), "NOT_PERMITTED"),
            (json!({ "parts": { "create": [{ "_id": 1, "maker": { "create": {} } }] } }), "NOT_PERMITTED"),
            (json!({ "owner": { "create": { "_id": 6, "name": "too long" } } }), "SchemaValidationFailedWrite"),
            (json!({ "owner": { "create": { "_id": 1, "name": "dup" } } }), "DUPLICATE_KEY"),
            (json!({ "parts": { "create": [{ "_id": 1 }, { "_id": 1 }] } }), "DUPLICATE_KEY"),
            (json!({ "parts": { "create": [{ "_id": 1 }, null] } }), "BAD_USER_INPUT"),
            // The document that is updated itself.
            (json!({ "owner": created, "plate": null }), "SchemaValidationFailedWrite"),
            (json!({ "owner": created, "_id": 2 }), "BAD_USER_INPUT"),
            (json!({ "owner": created, "owner_unset": true }), "BAD_USER_INPUT"),
            (json!({ "owner_unset": true }), "SchemaValidationFailedWrite"),
            (json!({ "owner": { "link": null } }), "SchemaValidationFailedWrite"),
            (json!({ "owner": null }), "SchemaValidationFailedWrite"),
        ];
        for (change, expected) in cases {
            assert_eq!(fails(&client, UPDATE, set(change.clone())).await.0, expected, "{change}");
        }
        // A later field of the same mutation.
        let query = "mutation { updateOneCar(set: { owner: { create: { _id: 5, name: \"eve\" } } }) { _id }
            insertOneOwner(data: { _id: 1, name: \"dup\" }) { _id } }";
        assert_eq!(fails(&client, query, json!({})).await.0, "DUPLICATE_KEY");
        // A relation that is required on insert: absent, empty, or of the wrong key.
        for (data, expected) in [
            (json!({ "_id": 2 }), "BAD_USER_INPUT"),
            (json!({ "_id": 2, "owner": {} }), "SchemaValidationFailedWrite"),
            (json!({ "_id": 2, "owner": { "link": null } }), "SchemaValidationFailedWrite"),
            (json!({ "_id": 2, "owner": { "link": 5 } }), "BAD_USER_INPUT"),
            (json!({ "_id": 2, "owner": { "create": {} } }), "BAD_USER_INPUT"),
        ] {
            assert_eq!(fails(&client, INSERT, json!({ "d": data })).await.0, expected, "{data}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_created_for_a_relation_is_seen_by_the_fields_that_follow() {
    each_store(|client| async move {
        one_car(&client).await;
        let query = "mutation {
            updateOneCar(query: { _id: 1 }, set: { owner: { create: { _id: 2, name: \"bob\" } } }) { owner { _id } }
            a: updateManyCars(query: { owner: { name: \"bob\" } }, set: { plate: \"b\" }) { matchedCount }
            updateOneOwner(query: { name: \"bob\" }, set: { car: { link: 1 } }) { car { plate owner { name } } }
            b: updateManyCars(query: { owner: { car: { plate: \"b\" } } }, set: { parts: { create: [{ _id: 8 }] } }) { matchedCount }
            deleteOneCar(query: { parts: [{ _id: 8 }] }) { parts { _id } owner { name } }
        }";
        let expected = json!({
            "updateOneCar": { "owner": { "_id": 2 } },
            "a": { "matchedCount": 1 },
            "updateOneOwner": { "car": { "plate": "b", "owner": { "name": "bob" } } },
            "b": { "matchedCount": 1 },
            "deleteOneCar": { "parts": [{ "_id": 8 }], "owner": { "name": "bob" } }
        });
        assert_eq!(client.data(query, json!({})).await.to_string(), expected.to_string());
    })
    .await;
}

#[tokio::test]
async fn the_documents_of_one_create_are_one_request() {
    let counting = CountingStore::new(Arc::new(MemoryStore::new()));
    let client = guest(Arc::new(counting.clone())).await;
    one_car(&client).await;
    counting.take();
    let parts: Vec<Value> = (10..60).map(|id| json!({ "_id": id })).collect();
    client.data(UPDATE, json!({ "q": {}, "s": { "parts": { "create": parts } } })).await;
    // The car that matches, its parts, and the car.
    assert_eq!(counting.take(), 3);
}
