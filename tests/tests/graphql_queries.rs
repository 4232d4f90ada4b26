//! Order, pages and the shape of the answer, on every store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use backstitch_tests::{Things, each_store_with_things, ids};
use serde_json::{Value, json};

/// Checks that a query is refused as a whole, with this code.
async fn refused(things: &Things, query: &str, code: &str) {
    let answer = things.client.graphql(query, json!({})).await;
    assert!(answer["data"].is_null(), "{query}: {answer}");
    assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{query}: {answer}");
}

#[test]
fn each_key_sorts_both_ways_with_null_and_missing_first_and_ties_in_order_of_insertion() {
    each_store_with_things(|things: Things| async move {
        things.fill().await;
        let by = async |key: String| {
            ids(&things.client.data(&format!("{{ things(sortBy: {key}) {{ _id }} }}"), json!({})).await)
        };
        for key in ["S", "I", "L", "D", "M", "O", "T", "TS"] {
            assert_eq!(by(format!("{key}_ASC")).await, [4, 5, 6, 7, 1, 2, 3], "{key}");
            assert_eq!(by(format!("{key}_DESC")).await, [3, 2, 1, 4, 5, 6, 7], "{key}");
        }
        assert_eq!(by("_ID_DESC".to_owned()).await, [7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(by("FRIEND_ASC".to_owned()).await, [4, 5, 7, 1, 2, 6, 3]);
        for key in ["B_ASC", "TAGS_ASC", "E_ASC", "ES_ASC", "FRIENDS_ASC", "s_ASC"] {
            let query = format!("{{ things(sortBy: {key}) {{ _id }} }}");
            refused(&things, &query, "GRAPHQL_VALIDATION_FAILED").await;
        }
    });
}

#[test]
fn a_page_has_100_documents_unless_the_limit_says_otherwise() {
    each_store_with_things(|things: Things| async move {
        let many = (0..150).map(|id| bson::doc! { "_id": id, "i": id % 2 }).collect();
        things.store("things", many).await;
        let count = async |arguments: &str| {
            let query = format!("{{ things{arguments} {{ _id }} }}");
            ids(&things.client.data(&query, json!({})).await).len()
        };
        assert_eq!(count("").await, 100);
        assert_eq!(count("(limit: 1)").await, 1);
        assert_eq!(count("(limit: 120)").await, 120);
        assert_eq!(count("(limit: 50000)").await, 150);
        assert_eq!(count("(limit: 2147483647)").await, 150);
        assert_eq!(count("(query: { i: 1 }, limit: 120)").await, 75);
        let last = things.client.data("{ things(sortBy: _ID_DESC, limit: 2) { _id } }", json!({})).await;
        assert_eq!(ids(&last), [149, 148]);
        let keyset = "query($after: Int, $n: Int = 40) { things(query: { _id_gt: $after }, sortBy: _ID_ASC, limit: $n) { _id } }";
        let page = ids(&things.client.data(keyset, json!({ "after": 99 })).await);
        assert_eq!(page, (100..140).collect::<Vec<_>>());
        for limit in ["0", "-1"] {
            refused(&things, &format!("{{ things(limit: {limit}) {{ _id }} }}"), "BAD_USER_INPUT").await;
        }
        refused(&things, "{ things(limit: 99999999999) { _id } }", "GRAPHQL_VALIDATION_FAILED").await;
    });
}

#[test]
fn every_kind_is_written_as_its_scalar_and_relations_as_what_may_be_read() {
    each_store_with_things(|things: Things| async move {
        things.fill().await;
        let all = "s i l d m b o t ts tags nums e { x y z { w } } es { x y } friend { name best { name } } friends { name }";
        let query = format!("query($id: Int) {{ thing(query: {{ _id: $id }}) {{ {all} }} }}");
        let thing = async |id: i64| things.client.data(&query, json!({ "id": id })).await["thing"].clone();
        let second = json!({
            "s": "b", "i": 2, "l": "2199023255552", "d": 2.5, "m": 2.25, "b": true,
            "o": "020202020202020202020202", "t": "1970-01-01T00:00:02.000Z", "ts": "1970-01-01T00:00:02.000Z",
            "tags": ["x", "y"], "nums": [1, 2], "e": { "x": 2, "y": "b", "z": { "w": 2 } },
            "es": [{ "x": 1, "y": "b" }, { "x": 2, "y": "a" }],
            "friend": { "name": "bob", "best": null }, "friends": [{ "name": "ada" }, { "name": "bob" }]
        });
        assert_eq!(thing(2).await, second);
        let third = thing(3).await;
        assert_eq!((&third["friend"], &third["friends"]), (&Value::Null, &json!([{ "name": "bob" }])));
        for id in [4, 5] {
            let nothing = thing(id).await;
            for (name, value) in nothing.as_object().unwrap() {
                // Whether there are no keys or no list of keys: nobody is related.
                let expected = if name == "friends" { json!([]) } else { Value::Null };
                assert_eq!(*value, expected, "{name}");
            }
        }
        let seventh = thing(7).await;
        assert_eq!(seventh["tags"], json!(["x", null]));
        assert_eq!(seventh["e"], json!({ "x": null, "y": null, "z": null }));
        assert_eq!((&seventh["friends"], &seventh["nums"]), (&json!([]), &json!([null])));
    });
}

#[test]
fn aliases_fragments_typenames_and_conditions_shape_the_answer() {
    each_store_with_things(|things: Things| async move {
        things.fill().await;
        let query = "query Q($yes: Boolean!, $no: Boolean = false) {
            __typename
            first: thing(query: { _id: 1 }) { __typename number: i ...Rest e { kind: __typename } }
            second: thing(query: { _id: 2 }) { i @include(if: $no) s @skip(if: $no) d @skip(if: $yes) ... on Thing @include(if: $yes) { l } }
            third: thing(query: { _id: 3 }) @include(if: $no) { i }
            none: thing(query: { _id: 99 }) { i }
        }
        fragment Rest on Thing { friend { who: name __typename } friends { _id } }";
        let data = things.client.data(query, json!({ "yes": true })).await;
        let expected = json!({
            "__typename": "Query",
            "first": {
                "__typename": "Thing", "number": 1, "friend": { "who": "ada", "__typename": "Person" },
                "friends": [{ "_id": 1 }], "e": { "kind": "ThingE" }
            },
            "second": { "s": "b", "l": "2199023255552" },
            "none": null
        });
        assert_eq!(data, expected);
        // The order of the answer is the order of the selection.
        assert_eq!(data.to_string(), expected.to_string());
        assert_eq!(things.client.data(query, json!({ "yes": false, "no": true })).await["third"]["i"], 3);
    });
}
