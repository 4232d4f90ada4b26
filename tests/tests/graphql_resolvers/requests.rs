//! Resolvers as a part of requests: names, aliases, inputs, limits, an exported app, time.

use backstitch::app::{AppConfig, ValidationAction};
use backstitch::builder::EngineBuilder;
use backstitch::engine::Engine;
use backstitch::env::Env;
use backstitch::env::test::ManualClock;
use backstitch::functions::{FunctionCall, FunctionFailure};
use backstitch::id::CollectionId;
use backstitch::rules::Access;
use backstitch::schema::ResolverType;
use backstitch::store::{DocumentStore, TransactionOptions};
use backstitch_storage_memory::MemoryStore;
use backstitch_tests::{Client, CountingStore, memory_store};
use bson::{Bson, RawDocumentBuf, doc};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

use crate::world::{Calls, app, each_world, fill, generated, generated_list, giving, on, scalar};

#[test]
fn a_resolver_takes_the_place_of_a_generated_field() {
    let resolvers = [
        on("Note", "title", "title").payload(scalar("string")),
        on("Note", "secret", "title").payload(scalar("string")),
        on("Query", "person", "person").payload(scalar("string")),
    ];
    let functions = |builder: EngineBuilder, calls: Calls| {
        let builder = giving(builder, &calls, "person", "nobody");
        builder.function("title", async |call: FunctionCall| {
            let title = call.arguments[0].as_document().unwrap().get_str("title").unwrap().to_uppercase();
            Ok(title.into())
        })
    };
    each_world(&resolvers, functions, |world| async move {
        let query = "{ person notes(query: { title: \"one\" }, sortBy: TITLE_ASC) { title secret } }";
        let data = world.guest.data(query, json!({})).await;
        assert_eq!(data, json!({ "person": "nobody", "notes": [{ "title": "ONE", "secret": "ONE" }] }));
    });
}

#[test]
fn aliases_variables_and_fragments_each_have_their_call() {
    let asked = ResolverType::Custom(json!({ "title": "Asked", "type": "object", "properties": {
        "n": { "bsonType": "int" }, "inner": { "type": "object", "properties": { "s": { "type": "string" } } } } }));
    let resolvers = [
        on("Query", "echo", "echo").input(asked).payload(scalar("string")),
        on("Note", "echo", "echo").input(scalar("int")).payload(scalar("string")),
    ];
    let functions = |builder: EngineBuilder, calls: Calls| {
        builder.function("echo", move |call: FunctionCall| {
            let value = call.arguments[0].clone().into_relaxed_extjson().to_string();
            calls.lock().unwrap().push(call.arguments);
            async move { Ok(value.into()) }
        })
    };
    each_world(&resolvers, functions, |world| async move {
        let query = "query($a: Asked = { n: 1 }, $n: Int, $with: Boolean = false) {
            a: echo(input: $a) b: echo(input: { inner: { s: \"x\" } }) a: echo(input: $a)
            note(query: { _id: 1 }) { ...f one: echo(input: $n) none: echo gone: echo(input: 5) @include(if: $with) }
        } fragment f on Note { two: echo(input: 2) one: echo(input: $n) }";
        let data = world.guest.data(query, json!({ "n": 7 })).await;
        let note = json!({ "two": "2", "one": "7", "none": "null" });
        assert_eq!(data, json!({ "a": "{\"n\":1}", "b": "{\"inner\":{\"s\":\"x\"}}", "note": note }));
        assert_eq!(world.calls().len(), 5, "a merged field is called once, a skipped one never");
        // The plan is cached; variables are bound anew.
        let data = world.guest.data(query, json!({ "a": null, "with": true })).await;
        let note = json!({ "two": "2", "one": "null", "none": "null", "gone": "5" });
        assert_eq!((&data["a"], &data["note"]), (&json!("null"), &note));
    });
}

#[test]
fn an_input_of_the_wrong_type_is_refused_before_anything_is_called() {
    let asked =
        ResolverType::Custom(json!({ "title": "Asked", "type": "object", "required": ["n"], "properties": {
        "n": { "bsonType": "int" }, "at": { "bsonType": "objectId" } } }));
    let resolvers = [
        on("Mutation", "ask", "f").input(asked).payload(scalar("int")),
        on("Note", "ask", "f").input(scalar("objectId")).payload(scalar("int")),
        on("Note", "sorted", "f").input(generated("NoteSortByInput")).payload(scalar("int")),
    ];
    let functions = |builder, calls: Calls| giving(builder, &calls, "f", 1);
    each_world(&resolvers, functions, |world| async move {
        for query in [
            "mutation { ask(input: { n: \"1\" }) }",
            "mutation { ask(input: {}) }",
            "mutation { ask(input: { n: 1, m: 2 }) }",
            "mutation { ask(input: [1]) }",
            "mutation { ask(input: { n: 1, at: \"1\" }) }",
            "mutation { ask(output: { n: 1 }) }",
            "{ notes { ask(input: \"1\") } }",
            "{ notes { sorted(input: NOPE) } }",
            "{ notes { ask { x } } }",
        ] {
            let answer = world.guest.graphql(query, json!({})).await;
            assert!(answer.get("data").is_none(), "{query}: {answer}");
        }
        let query = "mutation($i: Asked) { insertOneNote(data: { _id: 70 }) { _id } ask(input: $i) }";
        let answer = world.guest.graphql(query, json!({ "i": { "n": 1.5 } })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        assert_eq!(answer["errors"][0]["message"], "variable `$i.n`: expected `Int`, found a float");
        let answer = world.guest.graphql("{ notes { ask(input: \"1\") } }", json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
        assert_eq!(answer["errors"][0]["locations"], json!([{ "line": 1, "column": 22 }]));
        assert!(world.calls().is_empty());
        let note = world.guest.data("{ note(query: { _id: 70 }) { _id } }", json!({})).await;
        assert_eq!(note["note"], json!(null));
    });
}

#[test]
fn resolvers_are_introspected_run_as_the_caller_and_count_in_the_limits() {
    let resolvers = [
        on("Query", "me", "me").payload(scalar("string")),
        on("Note", "me", "me").input(generated("NoteInsertInput")).payload(scalar("string")),
        on("Note", "next", "next").payload(generated("Note")),
        on("Note", "all", "all").payload(generated_list("Note")),
    ];
    let functions = |builder: EngineBuilder, calls: Calls| {
        let me = async |call: FunctionCall| Ok(call.actor.acting_user().map(|me| me.user.id.to_hex()).into());
        let builder = giving(builder, &calls, "next", doc! { "_id": 5 });
        giving(builder, &calls, "all", vec![Bson::from(doc! { "_id": 5 })]).function("me", me)
    };
    each_world(&resolvers, functions, |world| async move {
        let data = world.guest.data("{ me note(query: { _id: 1 }) { me } }", json!({})).await;
        let me = world.guest.user.as_deref();
        assert_eq!((data["me"].as_str(), data["note"]["me"].as_str()), (me, me));

        let query =
            "{ __type(name: \"Note\") { fields { name type { name } args { name type { name kind } } } } }";
        let data = world.guest.data(query, json!({})).await;
        let fields = data["__type"]["fields"].as_array().unwrap();
        let input = json!({ "name": "NoteInsertInput", "kind": "INPUT_OBJECT" });
        let expected = json!({ "name": "me", "type": { "name": "String" }, "args": [{ "name": "input", "type": input }] });
        assert!(fields.contains(&expected), "{fields:?}");

        let nested = |field: &str, depth: usize| {
            format!("{{ notes {{ {}_id{} }} }}", format!("{field} {{ ").repeat(depth), " }".repeat(depth))
        };
        world.guest.data(&nested("next", 5), json!({})).await;
        for query in [nested("next", 6), nested("all", 5)] {
            let answer = world.guest.graphql(&query, json!({})).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED", "{query}: {answer}");
        }
    });
}

#[tokio::test]
async fn a_function_is_not_asked_about_a_document_that_does_not_fit_its_schema() {
    let mut config = app().resolver(on("Note", "look", "look").payload(scalar("int")));
    config.graphql.read_validation = ValidationAction::Error;
    let (id, group) = (config.id.to_string(), Arc::clone(&config.data_group));
    let store = CountingStore::new(Arc::new(MemoryStore::new()));
    let calls = Calls::default();
    let builder =
        Engine::builder().store(Arc::new(store.clone())).public_url("http://notes.example").app(config);
    let engine = giving(builder, &calls, "look", 1).build().await.unwrap();
    let guest = Client::new(&engine, &id).guest().await;
    fill(&store, &group).await;
    let access = Access::system(CollectionId::new(group, "mongodb-atlas", "app", "notes"));
    let broken = RawDocumentBuf::try_from(&doc! { "_id": 4, "title": 5 }).unwrap();
    let mut transaction = store.begin(TransactionOptions::default()).await.unwrap();
    transaction.write(&[access.insert(broken).unwrap()]).await.unwrap();
    transaction.commit().await.unwrap();
    let answer = guest.graphql("{ notes(query: { _id_gt: 2 }) { _id look } }", json!({})).await;
    assert_eq!(answer["data"]["notes"], json!([{ "_id": 3, "look": 1 }, null]));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "SchemaValidationFailedRead");
    assert_eq!(calls.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_exported_app_is_served_with_its_resolvers() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, content: Value| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content.to_string()).unwrap();
    };
    write("root_config.json", json!({ "name": "exported" }));
    write(
        "auth/providers.json",
        json!({ "anon-user": { "name": "anon-user", "type": "anon-user", "disabled": false } }),
    );
    write(
        "graphql/custom_resolvers/query_risks.json",
        json!({ "on_type": "Query", "field_name": "risks", "function_name": "risks",
            "input_type": { "title": "RisksInput", "type": "object", "properties": {
                "tags": { "type": "array", "items": { "type": "string" } } } },
            "input_type_format": "custom",
            "payload_type": { "title": "RisksPayload", "type": "array", "items": { "type": "object", "properties": {
                "precedents": { "type": "array", "items": { "type": "object", "properties": {
                    "title": { "type": "string" } } } } } } },
            "payload_type_format": "custom" }),
    );
    let (config, report) = AppConfig::import(folder.path()).unwrap();
    assert_eq!(report.problems(), []);
    let id = config.id.to_string();
    let store = memory_store();
    let risks = async |call: FunctionCall| {
        let tags = call.arguments[0].as_document().unwrap().get_array("tags").unwrap().clone();
        let risk = |tag: Bson| Bson::from(doc! { "precedents": [{ "title": tag }] });
        Ok(tags.into_iter().map(risk).collect())
    };
    let builder = Engine::builder().store(store).public_url("http://exported.example").app(config);
    let engine = builder.function("risks", risks).build().await.unwrap();
    let guest = Client::new(&engine, &id).guest().await;
    let query = "query($i: RisksInput) { risks(input: $i) { __typename precedents { __typename title } } }";
    let data = guest.data(query, json!({ "i": { "tags": ["x"] } })).await;
    let precedent = json!({ "__typename": "RisksPayloadPrecedent", "title": "x" });
    assert_eq!(data["risks"], json!([{ "__typename": "RisksPayloadItem", "precedents": [precedent] }]));
}

#[test]
fn a_request_that_goes_on_for_too_long_reads_no_more() {
    let clock = Arc::new(ManualClock::at(1_800_000_000));
    let slow = |builder: EngineBuilder, _| {
        let (env, waiting) = (Env { clock: clock.clone(), ..Env::system() }, clock.clone());
        builder.env(env).function("wait", move |_: FunctionCall| {
            waiting.advance(Duration::from_secs(61));
            async { Ok::<_, FunctionFailure>(Bson::from("done")) }
        })
    };
    let waits = on("Query", "waits", "wait").payload(scalar("string"));
    each_world(&[waits], slow, |world| async move {
        let query = "{ before: notes { _id } waits after: notes { _id } }";
        let (_, failures) = world.failures(query).await;
        assert_eq!(failures, [("ExecutionTimeLimitExceeded".to_owned(), json!(["after"]))]);
        let (_, failures) = world.failures("{ notes { _id author { _id } } }").await;
        assert_eq!(failures, [], "each request has its own time");
    });
}
