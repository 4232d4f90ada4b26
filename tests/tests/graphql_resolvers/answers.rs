//! What becomes of what functions give: rules, batches, failures, values that do not fit.

use backstitch::builder::EngineBuilder;
use backstitch::functions::{BatchCall, FunctionCall, FunctionFailure};
use backstitch::schema::ResolverType;
use bson::{Bson, doc};
use serde_json::{Value, json};

use crate::world::{Calls, each_world, generated, generated_list, giving, on, scalar};

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
