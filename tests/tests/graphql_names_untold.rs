//! With introspection off no message names a part of the schema that the client did not send.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::HashSet;

use backstitch::app::{CollectionConfig, ValidationAction};
use backstitch::schema::{CustomResolver, ResolverType};
use backstitch_tests::Client;
use backstitch_tests::served::{everything, in_memory};
use serde_json::{Value, json};

/// The words of a text that could be names.
fn words(text: &str) -> HashSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect()
}

/// Words of the messages that are plain English or GraphQL's own, whatever fields of the same name there are.
const ENGLISH: &[&str] = &["at", "input", "mutation", "name", "query", "schema", "type"];

/// What is wrong in each of these: a misspelt, misplaced or missing thing, in a document alone.
const DOCUMENTS: &[&str] = &[
    // Introspection, wherever it stands and whatever it is called.
    "{ __schema { types { name } } }",
    "{ people: __schema { queryType { name } } }",
    "{ __type(name: \"Person\") { fields { name } } }",
    "{ x: __type(name: \"Person\") { name } person { handle } }",
    "{ ...f } fragment f on Query { __type(name: \"Person\") { name } }",
    "{ ... on Query { ... { __schema { types { name } } } } }",
    "query A { __typename } query B { __schema { types { name } } }",
    "{ __schema @skip(if: true) { types { name } } __typename }",
    "mutation { __schema { types { name } } }",
    "{ person { __schema { types { name } } } }",
    "{ person { __type(name: \"Person\") { name } } }",
    // Fields, arguments, enum values and input fields that are not there.
    "{ persn { handle } }",
    "{ person { handel } }",
    "{ person { address { streeet } } }",
    "{ person { handle { x } } }",
    "{ person }",
    "{ person { address } }",
    "{ people(filter: {}) { handle } }",
    "{ people(query: { handel: \"x\" }) { handle } }",
    "{ people(query: { address: { geo: { lat: \"x\" } } }) { handle } }",
    "{ people(query: { handle: 5 }) { handle } }",
    "{ people(query: [1]) { handle } }",
    "{ people(sortBy: HANDLE) { handle } }",
    "{ people(sortBy: \"HANDLE_ASC\") { handle } }",
    "{ people(limit: \"many\") { handle } }",
    "{ people(limit: 0) { handle } }",
    "{ people(query: { born: \"yesterday\" }) { handle } }",
    "{ people(query: { age_in: null }) { handle } }",
    "{ order_lines(query: { serial: \"many\" }) { qty } }",
    // Required things that are missing.
    "mutation { insertOnePerson { handle } }",
    "mutation { insertOnePerson(data: {}) { handle } }",
    "mutation { insertOneOrder_line(data: { qty: 1 }) { qty } }",
    "mutation { insertOnePerson(data: { handle: \"x\", name: \"y\", address: {} }) { handle } }",
    "mutation { insertOnePerson(data: { handle: null, name: null, address: null }) { handle } }",
    "mutation { deleteOnePerson { handle } }",
    "mutation { updateOnePerson { handle } }",
    "mutation { insertManyPeople(data: [{}, null]) { insertedIds } }",
    "mutation { upsertOnePeron(data: {}) { handle } }",
    // Fragments on types that are not there, or that do not fit.
    "{ person { ... on Persn { handle } } }",
    "{ person { ... on Order_line { qty } } }",
    "{ ...f } fragment f on Peron { handle }",
    "{ person { ...f } } fragment f on PersonQueryInput { handle }",
    "{ person { ...nothing } }",
    "{ person { handle } } fragment unused on Person { handle }",
    "{ a: person { handle } a: people { name } }",
    "{ person { x: handle x: name } }",
    "{ people(limit: 1) { name } people(limit: 2) { name } }",
    // Variables of types that are not there, or that do not fit.
    "query($v: Persn) { person(query: $v) { handle } }",
    "query($v: Person) { person(query: $v) { handle } }",
    "query($v: Order_lineQueryInput) { person(query: $v) { handle } }",
    "query($v: PersonSortByInput = HANDLE) { people(sortBy: $v) { handle } }",
    "query($v: PersonQueryInput = { handel: 1 }) { person(query: $v) { handle } }",
    "query($v: ObjectId = \"zz\") { report(query: { _id: $v }) { url } }",
    "query($v: Int) { person { handle } }",
    "{ person(query: { age: $v }) { handle } }",
    "query($v: Boolean) { person { handle @skip(if: $v) } }",
    "query($v: Boolean = null) { person { handle @skip(if: $v) } }",
    // Directives.
    "{ person { handle @upper } }",
    "{ person { handle @skip } }",
    "{ person { handle @skip(unless: true) } }",
    "{ person { handle @skip(if: \"x\") } }",
    "{ person { handle @skip(if: true) @skip(if: true) } }",
    "query @skip(if: true) { person { handle } }",
    // No documents at all.
    "",
    "{",
    "{ person(query: { handle: }) { handle } }",
    "{ person(query: { age: 99999999999999999999 }) { handle } }",
    "type Person { handle: String }",
    "subscription { people { handle } }",
    "query A { __typename } query B { __typename }",
];

/// What only running finds, and variables that do not fit: document and variables.
fn requests() -> Vec<(&'static str, Value)> {
    let insert = "mutation($d: PersonInsertInput!) { insertOnePerson(data: $d) { handle } }";
    let by = "query($q: PersonQueryInput) { people(query: $q) { handle } }";
    let sort = "query($s: PersonSortByInput) { people(sortBy: $s) { handle } }";
    let line = "mutation($d: Order_lineInsertInput!) { insertOneOrder_line(data: $d) { qty } }";
    let set = "mutation($s: PersonUpdateInput!) { updateManyPeople(set: $s) { matchedCount } }";
    vec![
        (insert, json!({})),
        (insert, json!({ "d": null })),
        (insert, json!({ "d": 1 })),
        (insert, json!({ "d": {} })),
        (insert, json!({ "d": { "handle": "x", "name": "y", "address": {} } })),
        (insert, json!({ "d": { "handle": "x", "name": "y", "address": 5 } })),
        (insert, json!({ "d": { "handle": "x", "name": "y", "address": { "street": "z", "geo": {} } } })),
        (
            insert,
            json!({ "d": { "handle": "x", "name": "y", "address": { "street": "z", "geo": { "lat": "far" } } } }),
        ),
        (
            insert,
            json!({ "d": { "handle": "x", "name": "y", "address": { "street": "z" }, "best_friend": { "create": {} } } }),
        ),
        (insert, json!({ "d": { "handle": "x", "name": "y", "address": { "street": "z" }, "age": null } })),
        (line, json!({ "d": { "qty": 1, "buyer": { "create": 1 } } })),
        (line, json!({ "d": { "qty": 1, "buyer": {} } })),
        (line, json!({ "d": { "qty": 1, "buyer": { "link": 5 } } })),
        (by, json!({ "q": { "handel": "x" } })),
        (by, json!({ "q": { "best_friend": { "nmae": "x" } } })),
        (by, json!({ "q": { "born": 1 } })),
        (by, json!({ "q": { "OR": null } })),
        (by, json!({ "q": { "age_exists": null } })),
        (sort, json!({ "s": "HANDLE" })),
        (sort, json!({ "s": 1 })),
        (set, json!({ "s": { "age": 1, "age_inc": 1 } })),
        (set, json!({ "s": { "age_inc": 2_147_483_647 } })),
        (set, json!({ "s": { "name": null } })),
        (set, json!({ "s": { "address": { "geo": { "source": { "checked": true } } } } })),
        (set, json!({ "s": { "address_unset": true } })),
        (set, json!({ "s": { "_id": 77 } })),
        ("query($v: Boolean = true) { person { handle @skip(if: $v) } }", json!({ "v": null })),
        // What stands in the store does not fit its type, or its schema.
        ("{ people { name age address { street } } }", json!({})),
        ("{ taxas { whole truth2 r_object { x } texts at } }", json!({})),
        ("{ order_lines { qty box { w } notes { by } buyer { name } } }", json!({})),
        ("mutation { insertOneClosed(data: { word: \"x\" }) { word } }", json!({})),
        ("{ guardeds(query: { word: \"x\" }) { seen } }", json!({})),
        ("{ guardeds(sortBy: WORD_ASC) { seen } }", json!({})),
        ("{ lost }", json!({})),
        ("{ odd { handle } }", json!({})),
    ]
}

async fn served(introspection: bool) -> (Client, String) {
    let word = |title: &str| {
        json!({ "title": title, "required": ["word"], "properties": {
            "_id": { "bsonType": "int" }, "word": { "bsonType": "string" }, "seen": { "bsonType": "int" }
        } })
    };
    let guard = json!({ "roles": [{ "name": "some", "apply_when": {}, "insert": true,
        "fields": { "word": { "read": false } }, "additional_fields": { "read": true } }] });
    let mut config = everything()
        .collection(CollectionConfig::new("vaults").schema(&word("closed")))
        .collection(CollectionConfig::new("guarded_things").schema(&word("guarded")).rules(guard));
    config.graphql.introspection = introspection;
    config.graphql.read_validation = ValidationAction::Error;
    let odd = CustomResolver::new("Query", "odd", "oddity").payload(ResolverType::Generated("Person".into()));
    let config = config.resolver(CustomResolver::new("Query", "lost", "missing_function")).resolver(odd);
    let app = config.id.to_string();
    let engine = in_memory(config).await;
    let sdl = engine.app(&app).unwrap().sdl().to_owned();
    (Client::new(&engine, &app).guest().await, sdl)
}

#[tokio::test]
async fn with_introspection_off_no_message_tells_a_name() {
    let (open, _) = served(true).await;
    let (closed, sdl) = served(false).await;
    let stored = ["mongodb", "atlas", "shop", "vaults", "guarded_things", "missing_function", "oddity"];
    let names: HashSet<&str> = words(&sdl).into_iter().chain(stored).collect();
    assert!(names.contains("Person") && names.contains("HANDLE_ASC") && names.contains("handle"));
    let documents = DOCUMENTS.iter().map(|document| (*document, json!({})));
    let mut leaky = 0;
    for (document, variables) in documents.chain(requests()) {
        let sent = format!("{document} {variables}");
        let sent = words(&sent);
        let tells = |answer: &Value| {
            let errors = answer["errors"].as_array().cloned().unwrap_or_default();
            let messages: Vec<String> =
                errors.iter().map(|error| error["message"].as_str().unwrap().to_owned()).collect();
            let told: Vec<String> = messages
                .iter()
                .flat_map(|message| words(message))
                .filter(|word| names.contains(word) && !sent.contains(word) && !ENGLISH.contains(word))
                .map(str::to_owned)
                .collect();
            (messages, told)
        };
        let (messages, told) = tells(&closed.graphql(document, variables.clone()).await);
        assert_eq!(told, Vec::<String>::new(), "{document} {variables}: {messages:?}");
        let (_, would_be_told) = tells(&open.graphql(document, variables.clone()).await);
        leaky += usize::from(!would_be_told.is_empty());
        let fine = document.contains("__schema") || document.contains("__type(");
        assert!(fine || !messages.is_empty(), "{document} {variables} has no mistake");
    }
    // Most of the cases would tell something otherwise.
    assert!(leaky >= 30, "{leaky}");
}
