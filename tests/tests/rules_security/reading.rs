//! Fields that may not be read are of no use at all, and a mutation shows no more than a query.

use serde_json::{Value, json};

use crate::notes::{Notes, all, bytes, each_store, failure, roles};

/// Everything but `secret`.
fn but_secret() -> Value {
    json!({ "name": "r", "apply_when": {}, "fields": { "secret": { "read": false, "write": false } },
        "additional_fields": { "read": true, "write": true } })
}

/// Every mutation that finds what it writes, by a condition `$q`.
const BY_CONDITION: [&str; 5] = [
    "mutation($q: NoteQueryInput!) { updateOneNote(query: $q, set: { title: \"new\" }) { _id } }",
    "mutation($q: NoteQueryInput!) { updateManyNotes(query: $q, set: { title: \"new\" }) { matchedCount } }",
    "mutation($q: NoteQueryInput!) { upsertOneNote(query: $q, data: { title: \"new\" }) { _id } }",
    "mutation($q: NoteQueryInput!) { deleteOneNote(query: $q) { _id } }",
    "mutation($q: NoteQueryInput!) { deleteManyNotes(query: $q) { deletedCount } }",
];

#[tokio::test]
async fn an_unreadable_field_finds_nothing_to_write_either() {
    each_store(|notes: Notes| async move {
        let before = notes.stored().await;
        let guest = notes.guest(roles(&[but_secret()]), roles(&[all()])).await;
        let guesses = |value: &str| {
            [
                json!({ "secret": value }),
                json!({ "secret_ne": value }),
                json!({ "secret_gte": value }),
                json!({ "secret_in": [value] }),
                json!({ "OR": [{ "_id": 9 }, { "AND": [{ "secret": value }] }] }),
            ]
        };
        for mutation in BY_CONDITION {
            for (right, wrong) in guesses("s1").into_iter().zip(guesses("no")) {
                assert_eq!(failure(&guest, mutation, json!({ "q": right })).await.0, "FIELD_NOT_READABLE");
                // A guess that is right and one that is wrong are answered by the same bytes.
                let right = bytes(&guest, mutation, json!({ "q": right })).await;
                assert_eq!(right, bytes(&guest, mutation, json!({ "q": wrong })).await, "{mutation}");
            }
        }
        assert_eq!(notes.stored().await, before);
    })
    .await;
}

#[tokio::test]
async fn what_is_hidden_on_some_documents_is_missing_there() {
    each_store(|notes: Notes| async move {
        let sometimes = json!({ "name": "r", "apply_when": {},
            "fields": { "secret": { "read": { "shy": { "$ne": true } } } },
            "additional_fields": { "read": true, "write": true } });
        let guest = notes.guest(roles(&[sometimes]), roles(&[all()])).await;
        let found = async |query: Value| {
            let by = "query($q: NoteQueryInput) { notes(query: $q, sortBy: _ID_ASC) { _id } }";
            let data = guest.data(by, json!({ "q": query })).await;
            let ids = data["notes"].as_array().unwrap().iter().map(|note| note["_id"].as_i64().unwrap());
            ids.collect::<Vec<_>>()
        };
        assert_eq!(found(json!({ "secret": "s1" })).await, [1]);
        assert_eq!(found(json!({ "secret": "s3" })).await, [0; 0], "it is there, and is not to be found");
        assert_eq!(found(json!({ "secret_exists": true })).await, [1, 2]);
        assert_eq!(found(json!({ "secret_exists": false })).await, [3]);
        assert_eq!(found(json!({ "secret_ne": "s3" })).await, [1, 2, 3]);
        // By no order either, which would tell of it.
        let sorted = "{ notes(sortBy: SECRET_ASC) { _id } }";
        assert_eq!(failure(&guest, sorted, json!({})).await.0, "FIELD_NOT_READABLE");
        // Nor by what is counted, or deleted.
        let update =
            "mutation($q: NoteQueryInput) { updateManyNotes(query: $q, set: { title: \"t\" }) { matchedCount } }";
        let counted = guest.data(update, json!({ "q": { "secret": "s3" } })).await;
        assert_eq!(counted["updateManyNotes"]["matchedCount"], 0);
        let delete = "mutation($q: NoteQueryInput!) { deleteOneNote(query: $q) { _id } }";
        assert!(guest.data(delete, json!({ "q": { "secret": "s3" } })).await["deleteOneNote"].is_null());
    })
    .await;
}

#[tokio::test]
async fn what_a_mutation_returns_is_what_its_caller_may_read() {
    each_store(|notes: Notes| async move {
        // Who may write everything that is not shy, and reads neither the secrets nor the shy tags.
        let rule = json!({ "name": "r", "apply_when": { "%%prevRoot.shy": { "$ne": true } },
            "document_filters": { "read": { "shy": { "$ne": true } } },
            "fields": { "secret": { "read": false } }, "additional_fields": { "read": true, "write": true } });
        let open = json!({ "name": "r", "apply_when": {}, "read": { "shy": { "$ne": true } } });
        let guest = notes.guest(roles(&[rule]), roles(&[open])).await;
        let shown = "_id title secret tag { name }";
        let update = format!("mutation {{ updateOneNote(query: {{ _id: 2 }}, set: {{ title: \"new\" }}) {{ {shown} }} }}");
        assert_eq!(
            guest.data(&update, json!({})).await["updateOneNote"],
            json!({ "_id": 2, "title": "new", "secret": null, "tag": null })
        );
        // A document that leaves the caller's sight is written, and is not shown.
        let hide = format!("mutation {{ updateOneNote(query: {{ _id: 2 }}, set: {{ shy: true }}) {{ {shown} }} }}");
        assert_eq!(guest.data(&hide, json!({})).await["updateOneNote"], Value::Null);
        assert_eq!(notes.stored().await["notes"][1]["shy"], true);
        // Nor is one that is inserted out of it, nor one that was never in it.
        let insert = format!("mutation {{ insertOneNote(data: {{ _id: 4, code: \"d\", shy: true }}) {{ {shown} }} }}");
        assert_eq!(guest.data(&insert, json!({})).await["insertOneNote"], Value::Null);
        for id in [2, 3, 4] {
            let update = format!("mutation {{ updateOneNote(query: {{ _id: {id} }}, set: {{ title: \"mine\" }}) {{ {shown} }} }}");
            assert_eq!(guest.data(&update, json!({})).await["updateOneNote"], Value::Null, "{id}");
            let delete = format!("mutation {{ deleteOneNote(query: {{ _id: {id} }}) {{ {shown} }} }}");
            assert_eq!(guest.data(&delete, json!({})).await["deleteOneNote"], Value::Null, "{id}");
        }
        let titles: Vec<Value> = notes.stored().await["notes"].as_array().unwrap().iter().map(|note| note["title"].clone()).collect();
        assert_eq!(titles, [json!("one"), json!("new"), json!("three"), Value::Null]);
    })
    .await;
}

#[tokio::test]
async fn a_second_role_adds_no_field_to_the_first() {
    each_store(|notes: Notes| async move {
        let titles = json!({ "name": "titles", "apply_when": { "_id": 1 },
            "fields": { "_id": { "read": true }, "title": { "read": true, "write": true } } });
        let rest = json!({ "name": "rest", "apply_when": {}, "read": true, "write": true });
        let guest = notes.guest(roles(&[titles, rest]), roles(&[all()])).await;
        let query = "{ notes(sortBy: _ID_ASC, query: { _id_lt: 3 }) { _id title secret tag { name } } }";
        assert_eq!(
            guest.data(query, json!({})).await["notes"],
            json!([
                { "_id": 1, "title": "one", "secret": null, "tag": null },
                { "_id": 2, "title": "two", "secret": "s2", "tag": { "name": "y" } },
            ])
        );
        // Nor a condition by it, nor the right to write it.
        let by_secret = "query($s: String) { notes(query: { secret: $s }) { _id } }";
        assert_eq!(guest.data(by_secret, json!({ "s": "s1" })).await["notes"], json!([]));
        assert_eq!(guest.data(by_secret, json!({ "s": "s2" })).await["notes"], json!([{ "_id": 2 }]));
        let write =
            "mutation($i: Int) { updateOneNote(query: { _id: $i }, set: { secret: \"new\" }) { _id } }";
        assert_eq!(guest.refused(write, json!({ "i": 1 })).await, "update not permitted");
        assert_eq!(guest.data(write, json!({ "i": 2 })).await["updateOneNote"]["_id"], 2);
    })
    .await;
}
