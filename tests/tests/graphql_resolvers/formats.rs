//! Every input and payload format, on every type.

use backstitch::schema::{CustomResolver, ResolverType};
use bson::{Bson, doc};
use serde_json::{Value, json};

use crate::world::{Calls, each_world, generated, generated_list, giving, on, scalar};

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
