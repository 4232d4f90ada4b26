//! What each mutation writes, and that a mutation that fails writes nothing, on every store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use backstitch_tests::{Things, each_store_with_things};
use bson::oid::ObjectId;
use bson::{Bson, DateTime, Decimal128, Document, Timestamp, doc};
use serde_json::{Value, json};

const INSERT: &str = "mutation($d: ThingInsertInput!) { insertOneThing(data: $d) { _id } }";
const UPDATE: &str =
    "mutation($id: Int, $s: ThingUpdateInput!) { updateOneThing(query: { _id: $id }, set: $s) { _id i s } }";

/// Runs a mutation that has to fail as a whole; its code and its message.
async fn failure(things: &Things, query: &str, variables: Value) -> (String, String) {
    let answer = things.client.graphql(query, variables).await;
    assert!(answer["data"].is_null() && answer["errors"].is_array(), "{query}: {answer}");
    let error = &answer["errors"][0];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&error["extensions"]["code"]), text(&error["message"]))
}

fn at(document: &Document, key: &str) -> Bson {
    document.get(key).cloned().unwrap()
}

/// Updates one thing and gives its stored form.
async fn updated(things: &Things, id: i32, set: Value) -> Document {
    things.client.data(UPDATE, json!({ "id": id, "s": set })).await;
    things.raw("things", id).await.unwrap()
}

/// Tries an update that has to be refused and change nothing.
async fn not_updated(things: &Things, id: i32, set: Value) -> (String, String) {
    let before = things.raw("things", id).await;
    let failed = failure(things, UPDATE, json!({ "id": id, "s": set })).await;
    assert_eq!(things.raw("things", id).await, before, "{set}");
    failed
}

#[test]
fn an_insert_stores_each_kind_in_its_own_type_and_nothing_that_was_not_given() {
    each_store_with_things(|things: Things| async move {
        let data = json!({
            "_id": 1, "s": "a", "i": 2, "l": "3", "d": 4, "m": 5.5, "b": true, "o": "0a".repeat(12),
            "t": "2024-01-02T03:04:05.678+02:00", "ts": "1970-01-01T00:00:07Z", "tags": ["x", null], "nums": [],
            "e": { "x": 1, "z": {} }, "es": [{ "y": "b" }], "friend": { "link": 8 }, "friends": { "link": [8, 9] }
        });
        // The schema wants strings in `tags`.
        let (code, message) = failure(&things, INSERT, json!({ "d": data })).await;
        assert_eq!(code, "SchemaValidationFailedWrite");
        assert!(message.contains("tags"), "{message}");
        assert_eq!(things.raw("things", 1).await, None);

        let mut data = data;
        data["tags"] = json!(["x"]);
        things.client.data(INSERT, json!({ "d": data })).await;
        let decimal: Decimal128 = "5.5".parse().unwrap();
        let expected = doc! {
            "_id": 1, "s": "a", "i": 2, "l": 3_i64, "d": 4.0, "m": decimal, "b": true,
            "o": ObjectId::from_bytes([10; 12]), "t": DateTime::from_millis(1_704_157_445_678),
            "ts": Timestamp { time: 7, increment: 0 }, "tags": ["x"], "nums": [],
            "e": { "x": 1, "z": {} }, "es": [{ "y": "b" }], "friend": 8, "friends": [8, 9]
        };
        assert_eq!(things.raw("things", 1).await, Some(expected));
        things.client.data(INSERT, json!({ "d": { "_id": 2 } })).await;
        assert_eq!(things.raw("things", 2).await, Some(doc! { "_id": 2 }));
    });
}

#[test]
fn insert_many_stores_all_or_none() {
    each_store_with_things(|things: Things| async move {
        let many = "mutation($d: [ThingInsertInput!]!) { insertManyThings(data: $d) { insertedIds } }";
        let data = things.client.data(many, json!({ "d": [{ "_id": 1 }, { "_id": 2, "i": 5 }] })).await;
        assert_eq!(data["insertManyThings"]["insertedIds"], json!([1, 2]));
        let taken = json!({ "d": [{ "_id": 3 }, { "_id": 1 }, { "_id": 4 }] });
        assert_eq!(failure(&things, many, taken).await.0, "DUPLICATE_KEY");
        let twice = json!({ "d": [{ "_id": 3 }, { "_id": 3 }] });
        assert_eq!(failure(&things, many, twice).await.0, "DUPLICATE_KEY");
        let misfit = json!({ "d": [{ "_id": 3 }, { "_id": 4, "s": null }] });
        failure(&things, many, misfit).await;
        for id in [3, 4] {
            assert_eq!(things.raw("things", id).await, None);
        }
        let none = things.client.data(many, json!({ "d": [] })).await;
        assert_eq!(none["insertManyThings"]["insertedIds"], json!([]));
    });
}

#[test]
fn an_explicit_null_is_a_value_that_the_schema_refuses_and_an_absent_field_changes_nothing() {
    each_store_with_things(|things: Things| async move {
        things
            .store("things", vec![doc! { "_id": 1, "s": "a", "i": 1, "tags": ["x"], "e": { "x": 1 } }])
            .await;
        for set in [
            json!({ "s": null }),
            json!({ "tags": null }),
            json!({ "e": null }),
            json!({ "e": { "x": null } }),
            json!({ "friend": null }),
            json!({ "friend": { "link": null } }),
        ] {
            let (_, message) = not_updated(&things, 1, set.clone()).await;
            let field = set.as_object().unwrap().keys().next().unwrap().clone();
            assert!(message.contains(&field), "{set}: {message}");
        }
        let before = things.raw("things", 1).await.unwrap();
        for set in [
            json!({}),
            json!({ "i_inc": null }),
            json!({ "s_unset": false }),
            json!({ "s_unset": null }),
            json!({ "e": {} }),
            json!({ "friend": {} }),
            json!({ "_id": 1 }),
        ] {
            assert_eq!(updated(&things, 1, set.clone()).await, before, "{set}");
        }
    });
}

#[test]
fn update_many_counts_what_it_matched_and_what_it_changed() {
    each_store_with_things(|things: Things| async move {
        things
            .store("things", (1..=4).map(|id| doc! { "_id": id, "i": id * 10, "s": "old" }).collect())
            .await;
        let many = "mutation($q: ThingQueryInput, $s: ThingUpdateInput!) { \
            updateManyThings(query: $q, set: $s) { matchedCount modifiedCount } }";
        let update = async |query: Value, set: Value| {
            let data = things.client.data(many, json!({ "q": query, "s": set })).await;
            let counts = &data["updateManyThings"];
            (counts["matchedCount"].as_i64().unwrap(), counts["modifiedCount"].as_i64().unwrap())
        };
        assert_eq!(update(json!({ "i_gte": 30 }), json!({ "i_inc": 5, "s_unset": true })).await, (2, 2));
        assert_eq!(things.raw("things", 2).await, Some(doc! { "_id": 2, "i": 20, "s": "old" }));
        assert_eq!(things.raw("things", 3).await, Some(doc! { "_id": 3, "i": 35 }));
        assert_eq!(things.raw("things", 4).await, Some(doc! { "_id": 4, "i": 45 }));
        assert_eq!(update(json!({ "i": 1 }), json!({ "i": 2 })).await, (0, 0));
        assert_eq!(update(json!({}), json!({ "s": "old" })).await, (4, 2), "the same value is no change");
        assert_eq!(update(Value::Null, json!({ "d": 1 })).await, (4, 4), "without a query all match");
        // One that cannot be changed, and none is.
        let failed =
            failure(&things, many, json!({ "q": { "i_gte": 10 }, "s": { "i_inc": i32::MAX } })).await;
        assert!(failed.1.contains("overflow"), "{failed:?}");
        assert_eq!(at(&things.raw("things", 1).await.unwrap(), "i"), Bson::Int32(10));
    });
}

#[test]
fn an_increment_starts_from_zero_keeps_its_type_and_never_overflows() {
    each_store_with_things(|things: Things| async move {
        let ten: Decimal128 = "10.10".parse().unwrap();
        things
            .store(
                "things",
                vec![
                    doc! { "_id": 1, "i": null },
                    doc! { "_id": 2, "i": i32::MAX, "d": 0.5, "m": ten, "e": { "x": 1 } },
                ],
            )
            .await;
        assert_eq!(updated(&things, 1, json!({ "i_inc": 5 })).await, doc! { "_id": 1, "i": 5 });
        let set = json!({ "i_inc": -2, "d_inc": 0.25, "m_inc": 2, "e": { "x_inc": 3 } });
        let second = updated(&things, 1, set).await;
        assert_eq!((at(&second, "i"), at(&second, "d")), (Bson::Int32(3), Bson::Double(0.25)));
        assert_eq!(at(&second, "e"), Bson::from(doc! { "x": 3 }));
        assert!(matches!(second.get("m"), Some(Bson::Decimal128(_))), "{second}");

        let (_, message) = not_updated(&things, 2, json!({ "d_inc": 1, "i_inc": 1 })).await;
        assert_eq!(message, "`i` would overflow");
        let sum = updated(&things, 2, json!({ "m_inc": 0.2, "d_inc": -1, "e": { "x_inc": 1 } })).await;
        assert_eq!(sum.get_decimal128("m").unwrap().to_string(), "10.30");
        assert_eq!((at(&sum, "d"), at(&sum, "e")), (Bson::Double(-0.5), Bson::from(doc! { "x": 2 })));
        for set in ["l_inc: 1", "b_inc: true", "s_inc: \"a\"", "friend_inc: 1", "tags_inc: [1]", "i_inc: 1.5"]
        {
            let query = format!("mutation {{ updateOneThing(set: {{ {set} }}) {{ _id }} }}");
            assert_eq!(failure(&things, &query, json!({})).await.0, "GRAPHQL_VALIDATION_FAILED", "{set}");
        }
    });
}

#[test]
fn setting_an_embedded_object_merges_and_an_array_is_replaced_whole() {
    each_store_with_things(|things: Things| async move {
        things
            .store(
                "things",
                vec![doc! { "_id": 1, "e": { "x": 1, "y": "a", "more": true, "z": { "w": 1 } },
                "tags": ["x", "y"], "es": [{ "x": 1, "y": "a" }] }],
            )
            .await;
        let steps = [
            (json!({ "e": { "y": "b" } }), doc! { "x": 1, "y": "b", "more": true, "z": { "w": 1 } }),
            (
                json!({ "e": { "x_inc": 4, "z": { "w": 7 } } }),
                doc! { "x": 5, "y": "b", "more": true, "z": { "w": 7 } },
            ),
            (
                json!({ "e": { "x_unset": true, "z": { "w_unset": true } } }),
                doc! { "y": "b", "more": true, "z": {} },
            ),
            (json!({ "e": { "z_unset": true, "x": 2 } }), doc! { "y": "b", "more": true, "x": 2 }),
        ];
        for (set, expected) in steps {
            assert_eq!(at(&updated(&things, 1, set.clone()).await, "e"), Bson::from(expected), "{set}");
        }
        let arrays = updated(&things, 1, json!({ "tags": ["z"], "es": [{ "y": "c" }] })).await;
        assert_eq!(arrays.get("tags"), Some(&Bson::from(vec!["z"])));
        assert_eq!(arrays.get("es"), Some(&Bson::from(vec![doc! { "y": "c" }])));
        let gone = updated(&things, 1, json!({ "e_unset": true, "es_unset": true, "tags": [] })).await;
        assert_eq!(gone, doc! { "_id": 1, "tags": [] });
        let anew = updated(&things, 1, json!({ "e": { "z": { "w_inc": 1 } } })).await;
        assert_eq!(at(&anew, "e"), Bson::from(doc! { "z": { "w": 1 } }));

        for set in [
            json!({ "i": 1, "i_inc": 1 }),
            json!({ "i": 1, "i_unset": true }),
            json!({ "i_inc": 1, "i_unset": true }),
            json!({ "e": { "x": 1 }, "e_unset": true }),
            json!({ "_id": 2 }),
            json!({ "_id_unset": true }),
        ] {
            assert_eq!(not_updated(&things, 1, set.clone()).await.0, "BAD_USER_INPUT", "{set}");
        }
    });
}

#[test]
fn an_upsert_replaces_what_it_finds_and_inserts_what_it_does_not() {
    each_store_with_things(|things: Things| async move {
        let upsert = "mutation($q: PersonQueryInput, $d: PersonInsertInput!) { \
            upsertOnePerson(query: $q, data: $d) { _id name age } }";
        let run = async |query: Value, data: Value| {
            things.client.data(upsert, json!({ "q": query, "d": data })).await["upsertOnePerson"].clone()
        };
        // The id that was asked for is the new one's.
        let new = run(json!({ "_id": 50 }), json!({ "name": "new", "age": 1 })).await;
        assert_eq!(new, json!({ "_id": 50, "name": "new", "age": 1 }));
        // A replacement takes away what it does not name, and keeps the id.
        let old = run(json!({ "name": "new" }), json!({ "name": "newer" })).await;
        assert_eq!(old, json!({ "_id": 50, "name": "newer", "age": null }));
        assert_eq!(things.raw("people", 50).await, Some(doc! { "_id": 50, "name": "newer" }));
        let other = run(json!({ "name": "nobody" }), json!({ "_id": 51, "name": "other" })).await;
        assert_eq!(other["_id"], 51);
        let moved = json!({ "q": { "_id": 50 }, "d": { "_id": 52, "name": "moved" } });
        assert_eq!(failure(&things, upsert, moved).await.1, "`_id` may not change");
        // What may not be seen is not found, and its id is taken.
        things.store("people", vec![doc! { "_id": 60, "name": "eve", "hidden": true }]).await;
        let hidden = json!({ "q": { "_id": 60 }, "d": { "name": "mine" } });
        assert_eq!(failure(&things, upsert, hidden).await.0, "DUPLICATE_KEY");
        assert_eq!(at(&things.raw("people", 60).await.unwrap(), "name"), Bson::from("eve"));
        assert_eq!(things.raw("people", 52).await, None);
    });
}

#[test]
fn a_replacement_keeps_the_id_alone() {
    each_store_with_things(|things: Things| async move {
        things.fill().await;
        let replace = "mutation($q: ThingQueryInput, $d: ThingInsertInput!) { replaceOneThing(query: $q, data: $d) { _id i s } }";
        let by_friend = json!({ "q": { "friend": { "name": "bob" } }, "d": { "_id": 2, "i": 9 } });
        let data = things.client.data(replace, by_friend).await;
        assert_eq!(data["replaceOneThing"], json!({ "_id": 2, "i": 9, "s": null }));
        assert_eq!(things.raw("things", 2).await, Some(doc! { "_id": 2, "i": 9 }));
        let none = json!({ "q": { "_id": 99 }, "d": { "_id": 99, "i": 9 } });
        assert_eq!(things.client.data(replace, none).await["replaceOneThing"], Value::Null);
        assert_eq!(things.raw("things", 99).await, None);
        let other = json!({ "q": { "_id": 2 }, "d": { "_id": 3, "i": 9 } });
        assert_eq!(failure(&things, replace, other).await.0, "BAD_USER_INPUT");
    });
}

#[test]
fn deletes_answer_with_what_is_gone_and_spare_what_is_hidden() {
    each_store_with_things(|things: Things| async move {
        things.fill().await;
        let one = "mutation($q: ThingQueryInput!) { deleteOneThing(query: $q) { _id s friend { name } } }";
        let data = things.client.data(one, json!({ "q": { "s_gte": "b" } })).await;
        assert_eq!(data["deleteOneThing"], json!({ "_id": 2, "s": "b", "friend": { "name": "bob" } }));
        assert_eq!(things.raw("things", 2).await, None);
        assert_eq!(
            things.client.data(one, json!({ "q": { "_id": 2 } })).await["deleteOneThing"],
            Value::Null
        );
        let many = "mutation($q: ThingQueryInput) { deleteManyThings(query: $q) { deletedCount } }";
        let count = async |query: Value| {
            things.client.data(many, json!({ "q": query })).await["deleteManyThings"]["deletedCount"].clone()
        };
        assert_eq!(count(json!({ "i_exists": false })).await, 4);
        assert_eq!(count(json!({ "OR": [] })).await, 0);
        assert_eq!(count(Value::Null).await, 2, "without a query all that may be deleted go");
        assert!(things.matching(&json!({})).await.is_empty());
        let people = "mutation { deleteManyPeople { deletedCount } }";
        assert_eq!(things.client.data(people, json!({})).await["deleteManyPeople"]["deletedCount"], 2);
        assert!(things.raw("people", 3).await.is_some(), "she was never seen");
        // The argument is not optional where one document is meant.
        let without = "mutation { deleteOneThing { _id } }";
        assert_eq!(failure(&things, without, json!({})).await.0, "GRAPHQL_VALIDATION_FAILED");
    });
}

#[test]
fn relations_are_linked_or_created_and_created_ones_go_with_a_failure() {
    each_store_with_things(|things: Things| async move {
        things.fill().await;
        let insert = "mutation($d: ThingInsertInput!) { insertOneThing(data: $d) { friend { _id name } friends { name } } }";
        let both = json!({
            "_id": 20, "friend": { "create": { "_id": 10, "name": "fay" }, "link": 1 },
            "friends": { "create": [{ "_id": 11, "name": "gus" }, { "_id": 12, "name": "hal" }] }
        });
        let data = things.client.data(insert, json!({ "d": both })).await["insertOneThing"].clone();
        assert_eq!(
            data,
            json!({ "friend": { "_id": 10, "name": "fay" }, "friends": [{ "name": "gus" }, { "name": "hal" }] })
        );
        assert_eq!(
            things.raw("things", 20).await,
            Some(doc! { "_id": 20, "friend": 10, "friends": [11, 12] })
        );
        // A link is a key; whether it leads anywhere is seen when it is read. A list is set as a whole.
        let dangling =
            updated(&things, 20, json!({ "friend": { "link": 99 }, "friends": { "link": [1, 99] } })).await;
        assert_eq!(dangling, doc! { "_id": 20, "friend": 99, "friends": [1, 99] });
        let unset = updated(&things, 20, json!({ "friend_unset": true, "friends": { "link": [] } })).await;
        assert_eq!(unset, doc! { "_id": 20, "friends": [] });
        let created =
            updated(&things, 20, json!({ "friend": { "create": { "_id": 13, "name": "ida" } } })).await;
        assert_eq!(at(&created, "friend"), Bson::Int32(13));
        assert_eq!(things.raw("people", 13).await, Some(doc! { "_id": 13, "name": "ida" }));

        let name = "a name of more than twenty letters";
        for data in [
            json!({ "_id": 21, "friend": { "create": { "_id": 14, "name": name } } }),
            json!({ "_id": 21, "friends": { "create": [{ "_id": 14 }, { "_id": 15, "name": name }] } }),
            json!({ "_id": 20, "friend": { "create": { "_id": 14, "name": "jon" } } }),
            json!({ "_id": 21, "friends": { "create": [{ "_id": 14 }, { "_id": 1 }] } }),
        ] {
            failure(&things, insert, json!({ "d": data })).await;
            for id in [14, 15] {
                assert_eq!(things.raw("people", id).await, None, "{data}");
            }
            assert_eq!(things.raw("things", 21).await, None, "{data}");
        }
    });
}

#[test]
fn the_fields_of_a_mutation_run_in_order_and_fail_together() {
    each_store_with_things(|things: Things| async move {
        things.store("things", vec![doc! { "_id": 1, "i": 1 }]).await;
        let chain = "mutation {
            a: updateOneThing(query: { _id: 1 }, set: { i_inc: 1 }) { i }
            insertOneThing(data: { _id: 2, i: 5, friend: { create: { _id: 7, name: \"kim\" } } }) { friend { name } }
            b: updateOneThing(query: { _id: 1 }, set: { i_inc: 1 }) { i }
            updateManyThings(query: { friend: { name: \"kim\" } }, set: { i_inc: 1 }) { matchedCount }
            __typename
            deleteOneThing(query: { i: 6 }) { _id }
        }";
        let expected = json!({
            "a": { "i": 2 }, "insertOneThing": { "friend": { "name": "kim" } }, "b": { "i": 3 },
            "updateManyThings": { "matchedCount": 1 }, "__typename": "Mutation", "deleteOneThing": { "_id": 2 }
        });
        let data = things.client.data(chain, json!({})).await;
        assert_eq!(data, expected);
        assert_eq!(data.to_string(), expected.to_string());

        for failing in [
            "insertOneThing(data: { _id: 1 }) { _id }",
            "x: updateOneThing(query: { _id: 1 }, set: { i_inc: 2147483647 }) { i }",
            "insertOnePerson(data: { _id: 9, name: \"a name of more than twenty letters\" }) { _id }",
            "x: replaceOneThing(query: { _id: 1 }, data: { _id: 5 }) { _id }",
        ] {
            let query = format!(
                "mutation {{
                    a: updateOneThing(query: {{ _id: 1 }}, set: {{ i_inc: 1 }}) {{ i }}
                    insertManyThings(data: [{{ _id: 30 }}, {{ _id: 31, friends: {{ create: [{{ _id: 32 }}] }} }}]) {{ insertedIds }}
                    deleteManyPeople {{ deletedCount }}
                    {failing}
                    b: updateOneThing(query: {{ _id: 1 }}, set: {{ i_inc: 1 }}) {{ i }}
                }}"
            );
            failure(&things, &query, json!({})).await;
            assert_eq!(things.raw("things", 1).await, Some(doc! { "_id": 1, "i": 3 }), "{failing}");
            assert_eq!(things.matching(&json!({})).await, [1], "{failing}");
            assert!(things.raw("people", 7).await.is_some() && things.raw("people", 32).await.is_none());
        }
    });
}
