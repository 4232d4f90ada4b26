//! Custom resolvers: functions that answer fields of `Query`, `Mutation` and generated types, on both stores.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backstitch::app::{AppConfig, CollectionConfig, ValidationAction};
use backstitch::auth::config::ProviderKind;
use backstitch::builder::EngineBuilder;
use backstitch::engine::Engine;
use backstitch::env::Env;
use backstitch::env::test::ManualClock;
use backstitch::functions::{BatchCall, FunctionCall, FunctionFailure};
use backstitch::id::CollectionId;
use backstitch::rules::Access;
use backstitch::schema::{CustomResolver, Relationship, ResolverType};
use backstitch::store::{DocumentStore, Store, TransactionOptions};
use backstitch_storage_memory::MemoryStore;
use backstitch_tests::{Client, CountingStore, both_stores};
use bson::{Bson, RawDocumentBuf, doc};
use serde_json::{Value, json};

/// What the functions were called with: the arguments of a call, or the sources of a batch.
type Calls = Arc<Mutex<Vec<Vec<Bson>>>>;

/// Notes, whose `secret`s nobody may read, and people, some of whom nobody may see.
struct World {
    guest: Client,
    calls: Calls,
    store: CountingStore,
}

impl World {
    fn calls(&self) -> Vec<Vec<Bson>> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// The errors of an answer, as (code, path).
    async fn failures(&self, query: &str) -> (Value, Vec<(String, Value)>) {
        let answer = self.guest.graphql(query, json!({})).await;
        let errors = answer["errors"].as_array().cloned().unwrap_or_default();
        let told =
            |error: &Value| (error["extensions"]["code"].as_str().unwrap().to_owned(), error["path"].clone());
        (answer["data"].clone(), errors.iter().map(told).collect())
    }
}

/// Runs a story on each store, with these resolvers and functions.
fn each_world<F: Future<Output = ()>>(
    resolvers: &[CustomResolver],
    functions: impl Fn(EngineBuilder, Calls) -> EngineBuilder,
    story: impl Fn(World) -> F,
) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        for store in both_stores(folder.path()) {
            story(world(store, resolvers, &functions).await).await;
        }
    });
}

async fn world(
    store: Arc<dyn Store>,
    resolvers: &[CustomResolver],
    functions: &impl Fn(EngineBuilder, Calls) -> EngineBuilder,
) -> World {
    let store = CountingStore::new(store);
    let config = resolvers.iter().cloned().fold(app(), AppConfig::resolver);
    let (id, group, calls) = (config.id.to_string(), Arc::clone(&config.data_group), Calls::default());
    let builder =
        Engine::builder().store(Arc::new(store.clone())).public_url("http://notes.example").app(config);
    let engine = functions(builder, Arc::clone(&calls)).build().await.unwrap();
    let guest = Client::new(&engine, &id).guest().await;
    fill(&store, &group).await;
    store.take();
    World { guest, calls, store }
}

/// Stores people and notes past the rules.
async fn fill(store: &CountingStore, group: &Arc<str>) {
    let people = vec![
        doc! { "_id": 1, "name": "ada", "secret": "a" },
        doc! { "_id": 2, "name": "bob", "hidden": true },
    ];
    let notes = vec![
        doc! { "_id": 1, "title": "one", "author": 1, "secret": "s", "stats": { "views": 1, "by": 1 },
        "parts": [{ "n": 1, "secret": "p" }, { "n": 2 }] },
        doc! { "_id": 2, "title": "two", "author": 2, "stats": { "views": 2, "by": 2 },
        "parts": [Bson::Null, { "n": 3 }] },
        doc! { "_id": 3, "title": "three" },
    ];
    let mut transaction = store.begin(TransactionOptions::default()).await.unwrap();
    for (name, documents) in [("people", people), ("notes", notes)] {
        let access = Access::system(CollectionId::new(Arc::clone(group), "mongodb-atlas", "app", name));
        let insert = |document| access.insert(RawDocumentBuf::try_from(document).unwrap()).unwrap();
        let writes: Vec<_> = documents.iter().map(insert).collect();
        transaction.write(&writes).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

fn app() -> AppConfig {
    let open = json!({ "read": true, "write": true });
    let people = CollectionConfig::new("people")
        .schema(&json!({ "title": "Person", "properties": {
            "_id": { "bsonType": "int" }, "name": { "bsonType": "string" }, "hidden": { "bsonType": "bool" },
            "secret": { "bsonType": "string" } } }))
        .rules(json!({ "roles": [{ "name": "all", "apply_when": {}, "insert": true,
            "document_filters": { "read": { "hidden": { "$ne": true } } },
            "fields": { "secret": { "read": false, "write": false } }, "additional_fields": open }] }));
    let notes = CollectionConfig::new("notes")
        .schema(&json!({ "title": "Note", "properties": {
            "_id": { "bsonType": "int" }, "title": { "bsonType": "string" }, "author": { "bsonType": "int" },
            "secret": { "bsonType": "string" },
            "stats": { "bsonType": "object", "properties": {
                "views": { "bsonType": "int" }, "by": { "bsonType": "int" } } },
            "parts": { "bsonType": "array", "items": { "bsonType": ["object", "null"], "properties": {
                "n": { "bsonType": "int" }, "secret": { "bsonType": "string" } } } } } }))
        .rules(json!({ "roles": [{ "name": "all", "apply_when": {}, "insert": true, "delete": true, "fields": {
            "secret": { "read": false }, "parts": { "fields": { "n": open } } }, "additional_fields": open }] }))
        .relationship(to_people("author"))
        .relationship(to_people("stats.by"));
    AppConfig::new("notes").provider(ProviderKind::Anonymous).collection(people).collection(notes)
}

fn to_people(source: &str) -> Relationship {
    let target = CollectionId::new("", "mongodb-atlas", "app", "people");
    Relationship { source: source.into(), target, foreign: "_id".into(), is_list: false }
}

fn on(on_type: &str, field: &str, function: &str) -> CustomResolver {
    CustomResolver::new(on_type, field, function)
}

fn scalar(name: &str) -> ResolverType {
    ResolverType::Scalar(name.into())
}

fn generated(name: &str) -> ResolverType {
    ResolverType::Generated(name.into())
}

fn generated_list(name: &str) -> ResolverType {
    ResolverType::GeneratedList(name.into())
}

/// A function that notes its arguments and gives this value.
fn giving(builder: EngineBuilder, calls: &Calls, name: &str, value: impl Into<Bson>) -> EngineBuilder {
    let (calls, value) = (Arc::clone(calls), value.into());
    builder.function(name, move |call: FunctionCall| {
        calls.lock().unwrap().push(call.arguments);
        let value = value.clone();
        async move { Ok(value) }
    })
}

/// Name, type, the argument as a literal, and what the function gets.
fn inputs() -> Vec<(&'static str, Option<ResolverType>, &'static str, Vec<Bson>)> {
    let custom = ResolverType::Custom(
        json!({ "title": "Asked", "type": "object", "required": ["when"], "properties": {
            "when": { "bsonType": "date" }, "how many": { "type": "number" },
            "inner": { "type": "object", "properties": { "ids": { "type": "array", "items": { "bsonType": "objectId" } } } }
        }}),
    );
    let id = bson::oid::ObjectId::from_bytes([1; 12]);
    let asked =
        doc! { "when": bson::DateTime::from_millis(0), "howMany": 2.0, "inner": { "ids": [id, Bson::Null] } };
    let note = doc! { "title": "x", "author": { "link": 1 }, "stats": { "views": 1 } };
    vec![
        ("none", None, "", vec![]),
        ("absent", Some(scalar("int")), "", vec![Bson::Null]),
        ("scalar", Some(scalar("long")), "(input: 5)", vec![Bson::Int64(5)]),
        (
            "list",
            Some(ResolverType::ScalarList("string".into())),
            "(input: [\"a\", null])",
            vec![Bson::Array(vec!["a".into(), Bson::Null])],
        ),
        (
            "generated",
            Some(generated("NoteInsertInput")),
            "(input: { title: \"x\", author: { link: 1 }, stats: { views: 1 } })",
            vec![note.clone().into()],
        ),
        (
            "generatedList",
            Some(generated_list("NoteInsertInput")),
            "(input: { title: \"x\", author: { link: 1 }, stats: { views: 1 } })",
            vec![Bson::Array(vec![note.into()])],
        ),
        ("sort", Some(generated("NoteSortByInput")), "(input: TITLE_DESC)", vec!["TITLE_DESC".into()]),
        (
            "custom",
            Some(custom),
            "(input: { when: \"1970-01-01T00:00:00Z\", howMany: 2, inner: { ids: [\"010101010101010101010101\", null] } })",
            vec![asked.into()],
        ),
    ]
}

/// Name, type, what the function gives, the selection, and what is answered.
fn payloads() -> Vec<(&'static str, Option<ResolverType>, Bson, &'static str, Value)> {
    let object = json!({ "title": "Found", "bsonType": "object", "required": ["a b"], "properties": {
        "a b": { "bsonType": "string" }, "at": { "bsonType": "object", "properties": { "n": { "bsonType": "long" } } } } });
    let list = json!({ "title": "FoundList", "type": "array", "items": { "type": "object", "properties": {
        "n": { "type": "number" } } } });
    let ada = doc! { "_id": 1, "name": "ada", "secret": "told" };
    vec![
        (
            "none",
            None,
            Bson::Null,
            " { status __typename }",
            json!({ "status": "complete", "__typename": "DefaultPayload" }),
        ),
        ("scalar", Some(scalar("long")), 7.into(), "", json!("7")),
        ("list", Some(ResolverType::ScalarList("int".into())), vec![1, 2].into(), "", json!([1, 2])),
        (
            "generated",
            Some(generated("Person")),
            ada.clone().into(),
            " { name secret }",
            json!({ "name": "ada", "secret": "told" }),
        ),
        (
            "generatedList",
            Some(generated_list("[Person]")),
            vec![Bson::Null, ada.into()].into(),
            " { _id }",
            json!([null, { "_id": 1 }]),
        ),
        (
            "embedded",
            Some(generated("NoteStat")),
            doc! { "views": 3 }.into(),
            " { views }",
            json!({ "views": 3 }),
        ),
        (
            "custom",
            Some(ResolverType::Custom(object)),
            doc! { "a b": "x", "at": { "n": 5_i64 } }.into(),
            " { aB at { n __typename } }",
            json!({ "aB": "x", "at": { "n": "5", "__typename": "FoundAt" } }),
        ),
        (
            "payload",
            Some(generated("DeleteManyPayload")),
            doc! { "deletedCount": 3 }.into(),
            " { deletedCount __typename }",
            json!({ "deletedCount": 3, "__typename": "DeleteManyPayload" }),
        ),
        (
            "customList",
            Some(ResolverType::Custom(list)),
            vec![Bson::from(doc! { "n": 1.5 })].into(),
            " { n }",
            json!([{ "n": 1.5 }]),
        ),
    ]
}

#[test]
fn every_input_and_payload_format_works_on_every_type() {
    let parents = ["Query", "Mutation", "Note", "NoteStat", "NotePart"];
    let mut resolvers = Vec::new();
    for parent in parents {
        for (input_name, input, ..) in inputs() {
            for (payload_name, payload, ..) in payloads() {
                let base =
                    on(parent, &format!("{input_name}_{payload_name}"), &format!("give_{payload_name}"));
                resolvers.push(CustomResolver { input: input.clone(), payload, ..base });
            }
        }
    }
    let functions = |builder, calls: Calls| {
        payloads().into_iter().fold(builder, |builder, (name, _, value, ..)| {
            giving(builder, &calls, &format!("give_{name}"), value)
        })
    };
    each_world(&resolvers, functions, |world| async move {
        for (input_name, _, argument, given) in inputs() {
            for (payload_name, _, _, selection, expected) in payloads() {
                let field = format!("r: {input_name}_{payload_name}{argument}{selection}");
                let ask = async |query: String| world.guest.data(&query, json!({})).await;
                let with =
                    |source: bson::Document| given.iter().cloned().chain([source.into()]).collect::<Vec<_>>();

                assert_eq!(ask(format!("{{ {field} }}")).await["r"], expected, "{field}");
                assert_eq!(world.calls(), std::slice::from_ref(&given), "{field}");
                assert_eq!(ask(format!("mutation {{ {field} }}")).await["r"], expected, "{field}");
                assert_eq!(world.calls(), std::slice::from_ref(&given), "{field}");

                let query = format!("{{ notes(query: {{ _id_lt: 3 }}) {{ stats {{ {field} }} }} }}");
                let stats = json!({ "stats": { "r": expected } });
                assert_eq!(ask(query).await["notes"], json!([stats, stats]));
                assert_eq!(
                    world.calls(),
                    [with(doc! { "views": 1, "by": 1 }), with(doc! { "views": 2, "by": 2 })]
                );

                let query = format!("{{ notes(sortBy: _ID_ASC) {{ parts {{ n {field} }} }} }}");
                let part = |n: i32| json!({ "n": n, "r": expected });
                let parts =
                    json!([{ "parts": [part(1), part(2)] }, { "parts": [null, part(3)] }, { "parts": null }]);
                assert_eq!(ask(query).await["notes"], parts);
                assert_eq!(
                    world.calls(),
                    [with(doc! { "n": 1 }), with(doc! { "n": 2 }), with(doc! { "n": 3 })]
                );

                let query = format!("{{ note(query: {{ _id: 3 }}) {{ {field} }} }}");
                assert_eq!(ask(query).await["note"], json!({ "r": expected }));
                assert_eq!(world.calls(), [with(doc! { "_id": 3, "title": "three" })]);
            }
        }
    });
}

#[test]
fn relations_below_what_a_function_gives_obey_the_rules_and_nothing_else_of_it_is_hidden() {
    let note = |author: i32| doc! { "_id": 9, "author": author, "secret": "told", "stats": { "by": author } };
    let functions = |builder, calls: Calls| {
        let both = vec![Bson::from(note(1)), note(2).into(), note(1).into()];
        let builder = giving(builder, &calls, "notes", both);
        let builder = giving(builder, &calls, "note", note(1));
        giving(builder, &calls, "stats", doc! { "views": 1, "by": 1 })
    };
    let resolvers = [
        on("Query", "given", "notes").payload(generated_list("Note")),
        on("Mutation", "given", "notes").payload(generated_list("Note")),
        on("Query", "stats", "stats").payload(generated("NoteStat")),
        on("Person", "favourite", "note").payload(generated("Note")),
    ];
    each_world(&resolvers, functions, |world| async move {
        let fields = "{ given { secret author { name secret } stats { by { name } } } }";
        let ada = json!({ "secret": "told", "author": { "name": "ada", "secret": null }, "stats": { "by": { "name": "ada" } } });
        let unseen = json!({ "secret": "told", "author": null, "stats": { "by": null } });
        for kind in ["query", "mutation"] {
            let data = world.guest.data(&format!("{kind} {fields}"), json!({})).await;
            assert_eq!(data["given"], json!([ada, unseen, ada]));
            assert_eq!(world.store.take(), 2, "one request for each relation of the level");
        }
        // A relation inside an embedded object is found from the object that was given.
        let data = world.guest.data("{ stats { views by { name } } }", json!({})).await;
        assert_eq!(data["stats"], json!({ "views": 1, "by": { "name": "ada" } }));
        // Computed objects have relations and computed fields of their own.
        let query = "{ person { favourite { secret author { name favourite { _id } } } } }";
        let data = world.guest.data(query, json!({})).await;
        let expected = json!({ "secret": "told", "author": { "name": "ada", "favourite": { "_id": 9 } } });
        assert_eq!(data["person"]["favourite"], expected);
    });
}

#[test]
fn the_source_is_what_the_caller_may_read() {
    let resolvers = [
        on("Note", "look", "look").payload(scalar("int")),
        on("NotePart", "look", "look").input(scalar("string")).payload(scalar("int")),
        on("Person", "look", "look").payload(scalar("int")),
    ];
    let functions = |builder, calls: Calls| giving(builder, &calls, "look", 1);
    each_world(&resolvers, functions, |world| async move {
        world.guest.data("{ note(query: { _id: 1 }) { look } }", json!({})).await;
        let note = doc! { "_id": 1, "title": "one", "author": 1, "stats": { "views": 1, "by": 1 }, "parts": [{ "n": 1 }, { "n": 2 }] };
        assert_eq!(world.calls(), [vec![note.into()]]);
        world.guest.data("{ note(query: { _id: 1 }) { parts { look(input: \"a\") } } }", json!({})).await;
        assert_eq!(
            world.calls(),
            [vec!["a".into(), doc! { "n": 1 }.into()], vec!["a".into(), doc! { "n": 2 }.into()]]
        );
        // What was written and left the caller's sight is not shown to the function either.
        let update = "mutation { updateOnePerson(query: { _id: 1 }, set: { hidden: true }) { look } }";
        assert_eq!(world.guest.data(update, json!({})).await["updateOnePerson"], json!(null));
        assert_eq!(world.calls(), Vec::<Vec<Bson>>::new());
    });
}

#[test]
fn a_batch_function_is_called_once_for_a_level() {
    let resolvers = [
        on("Note", "words", "words").input(scalar("string")).payload(scalar("string")),
        on("NotePart", "words", "words").payload(scalar("string")),
        on("Person", "words", "words").payload(scalar("string")),
        on("Note", "short", "short").payload(scalar("string")),
        on("Query", "words", "words").payload(scalar("string")),
    ];
    let functions = |builder: EngineBuilder, calls: Calls| {
        // A single function of the same name is only for single calls.
        let builder = giving(builder, &calls, "words", "alone");
        let short = async |_: BatchCall| Ok(vec![Bson::Null]);
        builder.batch_function("short", short).batch_function("words", move |call: BatchCall| {
            calls.lock().unwrap().push(call.sources.iter().cloned().map(Bson::Document).collect());
            let suffix = call.input.as_ref().and_then(Bson::as_str).unwrap_or("").to_owned();
            let word = move |source: &bson::Document| {
                let id = source.get("_id").or(source.get("n")).cloned().unwrap_or(Bson::Null);
                Bson::from(format!("{id}{suffix}"))
            };
            let words = call.sources.iter().map(word).collect();
            async move { Ok(words) }
        })
    };
    each_world(&resolvers, functions, |world| async move {
        let query =
            "{ words notes(sortBy: _ID_ASC) { words(input: \"!\") parts { n words } author { words } } }";
        let data = world.guest.data(query, json!({})).await;
        let part = |n: i32| json!({ "n": n, "words": n.to_string() });
        let expected = json!([
            { "words": "1!", "parts": [part(1), part(2)], "author": { "words": "1" } },
            { "words": "2!", "parts": [null, part(3)], "author": null },
            { "words": "3!", "parts": null, "author": null },
        ]);
        assert_eq!((&data["words"], &data["notes"]), (&json!("alone"), &expected));
        let sizes: Vec<_> = world.calls().iter().map(Vec::len).collect();
        assert_eq!(sizes, [0, 1, 3, 3], "the root, then each level as a whole");
        world.guest.data("{ notes(query: { _id: 99 }) { words } }", json!({})).await;
        assert!(world.calls().is_empty(), "nobody asks about no documents");
        // A wrong number of values fails them all.
        let (data, failures) = world.failures("{ notes { _id short } }").await;
        assert_eq!(data["notes"][2], json!({ "_id": 3, "short": null }));
        let failed = |place: i32| ("FunctionExecutionError".to_owned(), json!(["notes", place, "short"]));
        assert_eq!(failures, [failed(0), failed(1), failed(2)]);
    });
}

#[test]
fn a_failing_resolver_undoes_its_mutation_and_in_a_query_only_its_field_is_null() {
    let resolvers = [
        on("Mutation", "fail", "fail"),
        on("Mutation", "lost", "lost"),
        on("Mutation", "fine", "fine"),
        on("Query", "fail", "fail").payload(generated_list("Note")),
        on("Query", "lost", "lost"),
        on("Query", "panic", "panic").payload(scalar("int")),
        on("Note", "fail", "failFor2").payload(scalar("int")),
        on("Note", "lost", "lost"),
    ];
    let functions = |builder: EngineBuilder, calls: Calls| {
        let fail = async |_: FunctionCall| Err(FunctionFailure::new("no luck"));
        let fail_for_2 =
            async |call: FunctionCall| match call.arguments[0].as_document().unwrap().get_i32("_id") {
                Ok(2) => Err(FunctionFailure::new("not this one")),
                _ => Ok(Bson::from(1)),
            };
        let panic = async |_: FunctionCall| panic!("s3cret");
        let builder =
            builder.function("fail", fail).function("failFor2", fail_for_2).function("panic", panic);
        giving(builder, &calls, "fine", 1)
    };
    each_world(&resolvers, functions, |world| async move {
        let insert = "a: insertOneNote(data: { _id: 50 }) { _id }";
        for (function, code, said) in [
            ("fail", "FunctionExecutionError", "no luck"),
            ("lost", "FunctionNotFound", "function not found: `lost`"),
        ] {
            let mutation = format!("mutation {{ {insert} fine {{ status }} {function} {{ status }} }}");
            let answer = world.guest.graphql(&mutation, json!({})).await;
            assert_eq!((&answer["data"], answer["errors"].as_array().unwrap().len()), (&json!(null), 1));
            let error = &answer["errors"][0];
            assert_eq!((&error["message"], &error["path"]), (&json!(said), &json!([function])));
            assert_eq!(
                (&error["extensions"]["code"], &error["locations"][0]["line"]),
                (&json!(code), &json!(1))
            );
            let gone = world.guest.data("{ note(query: { _id: 50 }) { _id } }", json!({})).await;
            assert_eq!(gone["note"], json!(null), "everything is rolled back");
        }
        let both = world.guest.data(&format!("mutation {{ {insert} fine {{ status }} }}"), json!({})).await;
        assert_eq!(both, json!({ "a": { "_id": 50 }, "fine": { "status": "complete" } }));
        // A computed field of what was written is read afterwards: the write stands.
        let (data, failures) = world
            .failures("mutation { updateOneNote(query: { _id: 2 }, set: { title: \"x\" }) { title fail } }")
            .await;
        assert_eq!(data["updateOneNote"], json!({ "title": "x", "fail": null }));
        assert_eq!(failures, [("FunctionExecutionError".to_owned(), json!(["updateOneNote", "fail"]))]);

        let query =
            "{ fail { _id } lost { status } panic notes(query: { _id_lt: 3 }) { _id fail lost { status } } }";
        let (data, failures) = world.failures(query).await;
        let note = |id: i32, fail: Value| json!({ "_id": id, "fail": fail, "lost": null });
        let notes = json!([note(1, json!(1)), note(2, json!(null))]);
        assert_eq!(data, json!({ "fail": null, "lost": null, "panic": null, "notes": notes }));
        let failed = |code: &str, path: Value| (code.to_owned(), path);
        assert_eq!(
            failures,
            [
                failed("FunctionExecutionError", json!(["fail"])),
                failed("FunctionNotFound", json!(["lost"])),
                failed("FunctionExecutionError", json!(["panic"])),
                failed("FunctionNotFound", json!(["notes", 0, "lost"])),
                failed("FunctionExecutionError", json!(["notes", 1, "fail"])),
                failed("FunctionNotFound", json!(["notes", 1, "lost"])),
            ]
        );
        assert!(!world.guest.graphql("{ panic }", json!({})).await.to_string().contains("s3cret"));
    });
}

#[test]
fn a_value_that_does_not_fit_its_type_is_null_with_an_error_where_it_stands() {
    let strict = json!({ "title": "Strict", "bsonType": "object", "required": ["n"],
        "properties": { "n": { "bsonType": "int" } } });
    let strict_list = json!({ "title": "StrictList", "type": "array", "items": strict });
    let resolvers = [
        on("Query", "int", "text").payload(scalar("int")),
        on("Query", "ints", "mixed").payload(ResolverType::ScalarList("int".into())),
        on("Query", "object", "text").payload(generated("Note")),
        on("Query", "objects", "mixed").payload(generated_list("Note")),
        on("Query", "noList", "text").payload(generated_list("Note")),
        on("Query", "strict", "empty").payload(ResolverType::Custom(strict)),
        on("Query", "strictList", "empties").payload(ResolverType::Custom(strict_list)),
        on("Mutation", "int", "text").payload(scalar("int")),
    ];
    let functions = |builder, calls: Calls| {
        let builder = giving(builder, &calls, "text", "x");
        let builder = giving(builder, &calls, "empty", doc! {});
        let builder = giving(builder, &calls, "empties", vec![Bson::from(doc! { "n": 1 }), doc! {}.into()]);
        giving(builder, &calls, "mixed", vec![1.into(), Bson::from("x"), doc! { "_id": 1 }.into()])
    };
    each_world(&resolvers, functions, |world| async move {
        let query =
            "{ int ints object { _id } objects { _id } noList { _id } strict { n } strictList { n } }";
        let (data, failures) = world.failures(query).await;
        let expected = json!({
            "int": null, "ints": [1, null, null], "object": null, "objects": [null, null, { "_id": 1 }],
            "noList": null, "strict": null, "strictList": [{ "n": 1 }, null],
        });
        assert_eq!(data, expected);
        assert!(failures.iter().all(|(code, _)| code == "FunctionExecutionError"), "{failures:?}");
        let paths: Vec<_> = failures.into_iter().map(|(_, path)| path).collect();
        let expected = json!([
            ["int"],
            ["ints", 1],
            ["ints", 2],
            ["object"],
            ["objects", 0],
            ["objects", 1],
            ["noList"],
            ["strict", "n"],
            ["strictList", 1, "n"],
        ]);
        assert_eq!(Value::Array(paths), expected);
        let answer = world.guest.graphql("{ int noList { _id } }", json!({})).await;
        assert_eq!(answer["errors"][0]["message"], "what the function gave is no `Int`");
        assert_eq!(answer["errors"][1]["message"], "what the function gave is no `list`");
        // The function did its work: the mutation stands.
        let mutation = "mutation { insertOneNote(data: { _id: 60 }) { _id } int }";
        assert_eq!(
            world.guest.graphql(mutation, json!({})).await["data"],
            json!({ "insertOneNote": { "_id": 60 }, "int": null })
        );
        assert_eq!(
            world.guest.data("{ note(query: { _id: 60 }) { _id } }", json!({})).await["note"]["_id"],
            60
        );
    });
}

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
    let [store, _] = both_stores(folder.path());
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
