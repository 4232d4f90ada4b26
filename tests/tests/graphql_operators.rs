//! Every query operator on every kind of field, with null and missing, on every store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use backstitch_tests::{Things, each_store_with_things};
use serde_json::{Value, json};

const ALL: &[i64] = &[1, 2, 3, 4, 5, 6, 7];

/// Checks what each query matches.
async fn check(things: &Things, cases: &[(Value, &[i64])]) {
    for (query, expected) in cases {
        assert_eq!(things.matching(query).await, *expected, "{query}");
    }
}

/// Checks that a query is refused as a whole, with this code.
async fn refused(things: &Things, query: &str, code: &str) {
    let answer = things.client.graphql(query, json!({})).await;
    assert!(answer["data"].is_null(), "{query}: {answer}");
    assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{query}: {answer}");
}

/// The kinds with an order: a field, and the values that things 1, 2 and 3 have.
fn ordered() -> Vec<(&'static str, [Value; 3])> {
    let id = |digit: &str| json!(digit.repeat(12));
    vec![
        ("s", [json!("a"), json!("b"), json!("c")]),
        ("i", [json!(1), json!(2), json!(3)]),
        ("l", [1_i64, 2, 3].map(|number| json!((number << 40).to_string()))),
        ("d", [json!(1.5), json!(2.5), json!(3.5)]),
        ("m", [json!(1.25), json!(2.25), json!(3.25)]),
        ("o", [id("01"), id("02"), id("03")]),
        ("t", [1, 2, 3].map(|second| json!(format!("1970-01-01T00:00:0{second}.000Z")))),
        ("ts", [1, 2, 3].map(|second| json!(format!("1970-01-01T00:00:0{second}.000Z")))),
    ]
}

#[test]
fn each_operator_on_each_ordered_kind() {
    each_store_with_things(|things: Things| async move {
        things.fill().await;
        for (name, [low, mid, high]) in ordered() {
            let on = |operator: &str, value: Value| json!({ format!("{name}{operator}"): value });
            let cases: Vec<(Value, &[i64])> = vec![
                (on("", mid.clone()), &[2]),
                (on("_ne", mid.clone()), &[1, 3, 4, 5, 6, 7]),
                (on("_gt", mid.clone()), &[3]),
                (on("_gte", mid.clone()), &[2, 3]),
                (on("_lt", mid.clone()), &[1]),
                (on("_lte", mid.clone()), &[1, 2]),
                (on("_in", json!([low, high])), &[1, 3]),
                (on("_in", json!([mid, null])), &[2, 4, 5, 6, 7]),
                (on("_in", json!([])), &[]),
                (on("_nin", json!([low, high])), &[2, 4, 5, 6, 7]),
                (on("_nin", json!([mid, null])), &[1, 3]),
                (on("_nin", json!([])), ALL),
                (on("", Value::Null), &[4, 5, 6, 7]),
                (on("_ne", Value::Null), &[1, 2, 3]),
                (on("_exists", json!(true)), &[1, 2, 3]),
                (on("_exists", json!(false)), &[4, 5, 6, 7]),
                // A range compares within one type bracket, null being one of its own.
                (on("_gt", Value::Null), &[]),
                (on("_gte", Value::Null), &[4, 5, 6, 7]),
                (on("_lt", Value::Null), &[]),
                (on("_lte", Value::Null), &[4, 5, 6, 7]),
                // Siblings are joined by AND; a single value stands for a list of one.
                (json!({ format!("{name}_gt"): low, format!("{name}_lt"): high }), &[2]),
                (on("_in", mid.clone()), &[2]),
            ];
            check(&things, &cases).await;
        }
    });
}

#[test]
fn a_boolean_has_equality_and_existence_only() {
    each_store_with_things(|things: Things| async move {
        things.fill().await;
        let cases: [(Value, &[i64]); 7] = [
            (json!({ "b": true }), &[2]),
            (json!({ "b": false }), &[1, 3]),
            (json!({ "b_ne": true }), &[1, 3, 4, 5, 6, 7]),
            (json!({ "b": null }), &[4, 5, 6, 7]),
            (json!({ "b_ne": null }), &[1, 2, 3]),
            (json!({ "b_exists": true }), &[1, 2, 3]),
            (json!({ "b_exists": false }), &[4, 5, 6, 7]),
        ];
        check(&things, &cases).await;
    });
}

#[test]
fn an_array_of_scalars_is_compared_whole_or_by_overlap() {
    each_store_with_things(|things: Things| async move {
        things.fill().await;
        for (name, x, y, z) in
            [("tags", json!("x"), json!("y"), json!("z")), ("nums", json!(1), json!(2), json!(3))]
        {
            let on = |operator: &str, value: Value| json!({ format!("{name}{operator}"): value });
            let cases: Vec<(Value, &[i64])> = vec![
                (on("", json!([x])), &[1]),
                (on("", json!([x, y])), &[2]),
                (on("", json!([y, x])), &[3]),
                (on("", json!([])), &[6]),
                (on("", Value::Null), &[4, 5]),
                (on("_in", json!([y])), &[2, 3]),
                (on("_in", json!([y, z])), &[2, 3]),
                (on("_in", json!([z])), &[]),
                (on("_in", json!([])), &[]),
                (on("_in", json!([null])), &[4, 5, 7]),
                (on("_nin", json!([y])), &[1, 4, 5, 6, 7]),
                (on("_nin", json!([y, null])), &[1, 6]),
                (on("_nin", json!([])), ALL),
                (on("_exists", json!(true)), &[1, 2, 3, 6, 7]),
                (on("_exists", json!(false)), &[4, 5]),
            ];
            check(&things, &cases).await;
        }
        check(&things, &[(json!({ "tags": ["x", null] }), &[7]), (json!({ "nums": [null] }), &[7])]).await;
    });
}

#[test]
fn an_embedded_object_is_asked_field_by_field() {
    each_store_with_things(|things: Things| async move {
        things.fill().await;
        let cases: [(Value, &[i64]); 18] = [
            (json!({ "e": { "x": 2 } }), &[2]),
            (json!({ "e": { "x_gt": 1 } }), &[2, 3]),
            (json!({ "e": { "x": 1, "y": "a" } }), &[1]),
            (json!({ "e": { "x": 1, "y": "b" } }), &[]),
            (json!({ "e": { "x": null } }), &[4, 5, 6, 7]),
            (json!({ "e": { "x_ne": 2 } }), &[1, 3, 4, 5, 6, 7]),
            (json!({ "e": { "x_nin": [1, 2] } }), &[3, 4, 5, 6, 7]),
            (json!({ "e": { "x_exists": true } }), &[1, 2, 3]),
            (json!({ "e": { "z": { "w_gte": 2 } } }), &[2]),
            (json!({ "e": { "z_exists": true } }), &[1, 2]),
            (json!({ "e": { "OR": [{ "x": 1 }, { "y": "c" }] } }), &[1, 3]),
            (json!({ "e": { "AND": [{ "x_gt": 1 }, { "y_lt": "c" }] } }), &[2]),
            (json!({ "e": { "AND": [] } }), ALL),
            (json!({ "e": { "OR": [] } }), &[]),
            (json!({ "e": {} }), ALL),
            (json!({ "e": null }), &[4, 5]),
            (json!({ "e_exists": true }), &[1, 2, 3, 6, 7]),
            (json!({ "e_exists": false }), &[4, 5]),
        ];
        check(&things, &cases).await;
    });
}

#[test]
fn an_array_of_embedded_objects_is_asked_element_by_element() {
    each_store_with_things(|things: Things| async move {
        things.fill().await;
        let cases: [(Value, &[i64]); 17] = [
            (json!({ "es": [{ "x": 1 }] }), &[1, 2]),
            // One element has to have both.
            (json!({ "es": [{ "x": 1, "y": "a" }] }), &[1]),
            // Each query needs an element, not each the same.
            (json!({ "es": [{ "x": 1 }, { "x": 2 }] }), &[2]),
            (json!({ "es": [{ "x_gt": 1 }] }), &[2, 3]),
            (json!({ "es": [{ "x": null }] }), &[3, 7]),
            (json!({ "es": [{ "OR": [{ "x": 3 }, { "y": "b" }] }] }), &[2, 3]),
            (json!({ "es": [{}] }), &[1, 2, 3, 7]),
            (json!({ "es": [] }), ALL),
            (json!({ "es": null }), &[4, 5]),
            (json!({ "es_in": [{ "x": 2 }, { "x": 3 }] }), &[2, 3]),
            (json!({ "es_in": [] }), &[]),
            (json!({ "es_in": [{ "x": 1, "y": "c" }] }), &[]),
            (json!({ "es_nin": [{ "x": 1 }] }), &[3, 4, 5, 6, 7]),
            (json!({ "es_nin": [{ "x": 1 }, { "x": 3 }] }), &[4, 5, 6, 7]),
            (json!({ "es_nin": [] }), ALL),
            (json!({ "es_exists": true }), &[1, 2, 3, 6, 7]),
            (json!({ "es_exists": false }), &[4, 5]),
        ];
        check(&things, &cases).await;
    });
}

#[test]
fn a_to_one_relation_is_asked_by_what_the_caller_may_read_of_it() {
    each_store_with_things(|things: Things| async move {
        things.fill().await;
        let cases: [(Value, &[i64]); 11] = [
            (json!({ "friend": { "name": "ada" } }), &[1]),
            (json!({ "friend": { "age_gt": 10 } }), &[1, 2]),
            (json!({ "friend": { "name_ne": "ada" } }), &[2]),
            // Eve is hidden from the caller, so she matches nothing.
            (json!({ "friend": { "name": "eve" } }), &[]),
            (json!({ "friend": { "OR": [{ "name": "ada" }, { "_id": 2 }] } }), &[1, 2]),
            (json!({ "friend": { "best": { "name": "bob" } } }), &[1]),
            (json!({ "friend": { "OR": [] } }), &[]),
            (json!({ "friend": {} }), &[1, 2]),
            (json!({ "friend": null }), &[4, 5, 7]),
            (json!({ "friend_exists": true }), &[1, 2, 3, 6]),
            (json!({ "friend_exists": false }), &[4, 5, 7]),
        ];
        check(&things, &cases).await;
    });
}

#[test]
fn a_to_many_relation_is_asked_as_an_array_of_what_the_caller_may_read() {
    each_store_with_things(|things: Things| async move {
        things.fill().await;
        let (ada, bob, eve) = (json!({ "name": "ada" }), json!({ "name": "bob" }), json!({ "name": "eve" }));
        let cases: [(Value, &[i64]); 17] = [
            (json!({ "friends": [ada] }), &[1, 2]),
            (json!({ "friends": [ada, bob] }), &[2]),
            (json!({ "friends": [eve] }), &[]),
            (json!({ "friends": [] }), ALL),
            (json!({ "friends": null }), &[4, 5]),
            (json!({ "friends": [{}] }), &[1, 2, 3]),
            (json!({ "friends": [{ "best": ada }] }), &[]),
            (json!({ "friends": [{ "best": bob }] }), &[1, 2]),
            (json!({ "friends_in": [ada, bob] }), &[1, 2, 3]),
            (json!({ "friends_in": [eve] }), &[]),
            (json!({ "friends_in": [] }), &[]),
            (json!({ "friends_nin": [ada] }), &[3, 4, 5, 6, 7]),
            (json!({ "friends_nin": [ada, bob] }), &[4, 5, 6, 7]),
            (json!({ "friends_nin": [] }), ALL),
            (json!({ "friends_exists": true }), &[1, 2, 3, 6, 7]),
            (json!({ "friends_exists": false }), &[4, 5]),
            (json!({ "OR": [{ "friends": [bob] }, { "friend": ada }, { "s_in": ["c"] }] }), &[1, 2, 3]),
        ];
        check(&things, &cases).await;
    });
}

#[test]
fn and_and_or_nest_and_empty_ones_have_their_meaning() {
    each_store_with_things(|things: Things| async move {
        things.fill().await;
        let cases: [(Value, &[i64]); 8] = [
            (json!({}), ALL),
            (json!({ "AND": [] }), ALL),
            (json!({ "OR": [] }), &[]),
            (json!({ "OR": [{ "i": 1 }, { "s": "c" }] }), &[1, 3]),
            (json!({ "AND": [{ "i_gte": 1 }, { "OR": [{ "i": 1 }, { "i": 2 }] }], "s_ne": "a" }), &[2]),
            (json!({ "OR": [{ "OR": [] }, { "AND": [] }] }), ALL),
            (json!({ "OR": [{}] }), ALL),
            (json!({ "i": 1, "OR": [{ "i": 2 }] }), &[]),
        ];
        check(&things, &cases).await;
    });
}

#[test]
fn what_no_operator_takes_is_refused_by_name() {
    each_store_with_things(|things: Things| async move {
        things.fill().await;
        for condition in [
            "b_in: [true]",
            "b_gt: true",
            "tags_ne: [\"x\"]",
            "tags_gt: [\"x\"]",
            "e_in: [{ x: 1 }]",
            "e_ne: { x: 1 }",
            "es_ne: [{ x: 1 }]",
            "friend: 1",
            "friend_in: [1]",
            "friend_gt: 1",
            "s_regex: \"a\"",
            "s: 1",
            "i: \"1\"",
            "i: 1.5",
            "NOT: [{ i: 1 }]",
            "nothing: 1",
            "o: \"zz\"",
            "t: \"yesterday\"",
            "l: \"many\"",
        ] {
            let query = format!("{{ things(query: {{ {condition} }}) {{ _id }} }}");
            refused(&things, &query, "GRAPHQL_VALIDATION_FAILED").await;
        }
        for condition in [
            // Of a timestamp the schema says no more than `DateTime`.
            "ts: \"1901-01-01T00:00:00Z\"",
            "s_exists: null",
            "s_in: null",
            "s_nin: null",
            "tags_in: null",
            "es_in: null",
            "friends_in: null",
            "friends_nin: null",
            "OR: null",
        ] {
            let query = format!("{{ things(query: {{ {condition} }}) {{ _id }} }}");
            refused(&things, &query, "BAD_USER_INPUT").await;
        }
    });
}

#[test]
fn numbers_are_compared_by_value_whatever_their_width_and_other_types_are_not_numbers() {
    each_store_with_things(|things: Things| async move {
        let two: bson::Decimal128 = "2.0".parse().unwrap();
        things
            .store(
                "things",
                vec![
                    bson::doc! { "_id": 1, "i": 2_i64, "d": 2, "l": 2.0, "m": 2 },
                    bson::doc! { "_id": 2, "i": 2.0, "d": two, "l": 2, "m": 2.0 },
                    bson::doc! { "_id": 3, "i": "2", "d": "2", "l": true, "m": [] },
                ],
            )
            .await;
        for (name, two) in [("i", json!(2)), ("d", json!(2.0)), ("l", json!("2")), ("m", json!(2.0))] {
            let on = |operator: &str, value: &Value| json!({ format!("{name}{operator}"): value });
            let cases: [(Value, &[i64]); 6] = [
                (on("", &two), &[1, 2]),
                (on("_gte", &two), &[1, 2]),
                (on("_gt", &two), &[]),
                (on("_in", &json!([two])), &[1, 2]),
                (on("_ne", &two), &[3]),
                (on("_exists", &json!(true)), &[1, 2, 3]),
            ];
            check(&things, &cases).await;
        }
    });
}
