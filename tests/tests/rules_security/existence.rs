//! That a document exists is not told to who may not see it.

use serde_json::{Value, json};

use crate::notes::{Notes, all, but_shy, bytes, each_store, failure, roles};

const INSERT: &str = "mutation($d: NoteInsertInput!) { insertOneNote(data: $d) { _id title } }";

#[tokio::test]
async fn who_may_not_insert_is_not_told_that_a_key_is_taken() {
    each_store(|notes: Notes| async move {
        let mut reads = but_shy();
        reads["insert"] = json!(false);
        let fields =
            json!({ "name": "f", "apply_when": {}, "read": true, "fields": { "title": { "write": true } } });
        for rules in [reads, fields] {
            let guest = notes.guest(roles(&[rules]), roles(&[all()])).await;
            let free = bytes(&guest, INSERT, json!({ "d": { "_id": 50, "code": "free" } })).await;
            assert!(free.contains("insert not permitted"), "{free}");
            for taken in [
                json!({ "_id": 1, "code": "free" }),
                json!({ "_id": 3, "code": "free" }),
                json!({ "_id": 50, "code": "a" }),
                json!({ "_id": 50, "code": "c" }),
            ] {
                assert_eq!(bytes(&guest, INSERT, json!({ "d": taken })).await, free, "{taken}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_that_is_taken_tells_nothing_of_the_document_that_has_it() {
    each_store(|notes: Notes| async move {
        let before = notes.stored().await;
        let guest = notes.guest(roles(&[but_shy()]), roles(&[all()])).await;
        // Of a unique index, and of the id: held by a document that is seen, or by one that is not.
        for (seen, hidden) in [
            (json!({ "_id": 50, "code": "a" }), json!({ "_id": 50, "code": "c" })),
            (json!({ "_id": 1, "code": "free" }), json!({ "_id": 3, "code": "free" })),
        ] {
            assert_eq!(failure(&guest, INSERT, json!({ "d": seen })).await.0, "DUPLICATE_KEY");
            let seen = bytes(&guest, INSERT, json!({ "d": seen })).await;
            let hidden = bytes(&guest, INSERT, json!({ "d": hidden })).await;
            assert_eq!(seen, hidden);
            assert!(!hidden.contains("s3") && !hidden.contains("three"), "{hidden}");
        }
        // The same by an update, which a caller without the right to update does not learn.
        let update = "mutation($c: String) { updateOneNote(query: { _id: 1 }, set: { code: $c }) { _id } }";
        assert_eq!(failure(&guest, update, json!({ "c": "c" })).await.0, "DUPLICATE_KEY");
        let same = bytes(&guest, update, json!({ "c": "b" })).await;
        assert_eq!(bytes(&guest, update, json!({ "c": "c" })).await, same);
        let reads = json!({ "name": "r", "apply_when": {}, "read": true });
        let reader = notes.guest(roles(&[reads]), roles(&[all()])).await;
        let free = bytes(&reader, update, json!({ "c": "free" })).await;
        assert!(free.contains("update not permitted"), "{free}");
        assert_eq!(bytes(&reader, update, json!({ "c": "c" })).await, free);
        assert_eq!(notes.stored().await, before);
    })
    .await;
}

/// Every request about one document, by `$i`.
const BY_ID: [&str; 7] = [
    "query($i: Int) { note(query: { _id: $i }) { _id title tag { name } } }",
    "query($i: Int) { notes(query: { _id: $i }) { _id title } }",
    "mutation($i: Int) { updateOneNote(query: { _id: $i }, set: { title: \"mine\" }) { _id title } }",
    "mutation($i: Int) { updateOneNote(query: { _id: $i }, set: { code: \"a\", tag: { create: { _id: 9 } } }) { _id } }",
    "mutation($i: Int) { updateManyNotes(query: { _id: $i }, set: { title: \"mine\" }) { matchedCount modifiedCount } }",
    "mutation($i: Int) { deleteOneNote(query: { _id: $i }) { _id title } }",
    "mutation($i: Int) { deleteManyNotes(query: { _id: $i }) { deletedCount } }",
];

#[tokio::test]
async fn a_hidden_document_and_none_are_answered_alike() {
    each_store(|notes: Notes| async move {
        let before = notes.stored().await;
        let open = json!({ "shy": { "$ne": true } });
        // Hidden by the want of a role, by a gate, by `read`, by its fields, by a filter; and where nothing may be
        // written.
        let hiding = [
            roles(&[but_shy()]),
            roles(&[json!({ "name": "r", "apply_when": {}, "read": true, "write": true,
                "document_filters": { "read": open, "write": open } })]),
            roles(&[json!({ "name": "r", "apply_when": {}, "read": open, "write": open })]),
            roles(&[json!({ "name": "r", "apply_when": {},
                "additional_fields": { "read": open, "write": open } })]),
            json!({ "roles": [all()], "filters": [{ "name": "f", "apply_when": {}, "query": open }] }),
            roles(&[json!({ "name": "r", "apply_when": {}, "read": open })]),
        ];
        for rules in hiding {
            let guest = notes.guest(rules.clone(), roles(&[all()])).await;
            for request in BY_ID {
                let none = bytes(&guest, request, json!({ "i": 99 })).await;
                assert_eq!(bytes(&guest, request, json!({ "i": 3 })).await, none, "{request}: {rules}");
                assert!(none.starts_with("200") && !none.contains("errors"), "{none}");
            }
            assert_eq!(notes.stored().await, before, "{rules}");
        }
    })
    .await;
}

#[tokio::test]
async fn counts_are_of_what_is_seen() {
    each_store(|notes: Notes| async move {
        let guest = notes.guest(roles(&[but_shy()]), roles(&[all()])).await;
        let update = "mutation { updateManyNotes(set: { title: \"t\" }) { matchedCount modifiedCount } }";
        let counts = guest.data(update, json!({})).await["updateManyNotes"].clone();
        assert_eq!(counts, json!({ "matchedCount": 2, "modifiedCount": 2 }));
        let delete = "mutation { deleteManyNotes(query: { _id_gte: 1 }) { deletedCount } }";
        assert_eq!(guest.data(delete, json!({})).await["deleteManyNotes"]["deletedCount"], 2);
        let left = notes.stored().await["notes"].clone();
        assert_eq!((left.as_array().unwrap().len(), &left[0]["title"]), (1, &json!("three")));
    })
    .await;
}

#[tokio::test]
async fn an_upsert_needs_the_right_to_insert_and_the_right_to_update() {
    each_store(|notes: Notes| async move {
        let before = notes.stored().await;
        let upsert = "mutation($q: NoteQueryInput, $d: NoteInsertInput!) { upsertOneNote(query: $q, data: $d) { _id } }";
        let old = json!({ "q": { "_id": 1 }, "d": { "title": "new", "code": "a" } });
        let new = json!({ "q": { "_id": 50 }, "d": { "title": "new", "code": "e" } });
        // Who may not insert.
        let updates = json!({ "name": "r", "apply_when": {}, "read": true, "write": true, "insert": false });
        let guest = notes.guest(roles(&[updates]), roles(&[all()])).await;
        assert_eq!(guest.refused(upsert, new.clone()).await, "insert not permitted");
        // Who may not update.
        let inserts = json!({ "name": "r", "apply_when": {}, "read": true,
            "write": { "%%prevRoot": { "%exists": false } } });
        let guest = notes.guest(roles(&[inserts]), roles(&[all()])).await;
        assert_eq!(guest.refused(upsert, old).await, "update not permitted");
        assert_eq!(notes.stored().await, before);
        assert_eq!(guest.data(upsert, new).await["upsertOneNote"]["_id"], 50);
        // What is not seen is not found: neither replaced, nor told of to who may not insert.
        let mut sees = but_shy();
        sees["insert"] = json!(false);
        let guest = notes.guest(roles(&[sees]), roles(&[all()])).await;
        let hidden = bytes(&guest, upsert, json!({ "q": { "_id": 3 }, "d": { "title": "mine" } })).await;
        let none = bytes(&guest, upsert, json!({ "q": { "_id": 99 }, "d": { "title": "mine" } })).await;
        assert_eq!(hidden, none);
        assert!(none.contains("insert not permitted"), "{none}");
        assert_eq!(notes.stored().await["notes"][2], Value::clone(&before["notes"][2]));
    })
    .await;
}
