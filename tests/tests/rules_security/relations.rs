//! Relations into what is forbidden: conditions, creation, links.

use serde_json::{Value, json};

use crate::notes::{Notes, all, bytes, each_store, roles};

#[tokio::test]
async fn a_condition_on_a_forbidden_collection_finds_nothing() {
    each_store(|notes: Notes| async move {
        let open = json!({ "name": "r", "apply_when": {}, "read": { "shy": { "$ne": true } } });
        let closed = json!({ "name": "r", "apply_when": {} });
        let query = "query($q: NoteQueryInput) { notes(query: $q, sortBy: _ID_ASC) { _id tag { name } } }";
        // Nothing of it may be read.
        for tags in [roles(&[closed]), roles(&[])] {
            let guest = notes.guest(roles(&[all()]), tags).await;
            let wrong = bytes(&guest, query, json!({ "q": { "tag": { "name": "no" } } })).await;
            for right in
                [json!({ "name": "x" }), json!({ "name_ne": "no" }), json!({ "_id_gt": 0 }), json!({})]
            {
                assert_eq!(bytes(&guest, query, json!({ "q": { "tag": right } })).await, wrong, "{right}");
            }
            let all = guest.data(query, json!({})).await;
            let tags = all["notes"].as_array().unwrap().iter().map(|note| &note["tag"]);
            assert!(tags.eq([&Value::Null; 3]), "{all}");
        }
        // One of it may not be read: it is found by nothing, not even by that it exists.
        let guest = notes.guest(roles(&[all()]), roles(&[open])).await;
        for (condition, expected) in [
            (json!({ "name": "y" }), json!([])),
            (json!({ "name_ne": "no" }), json!([{ "_id": 1, "tag": { "name": "x" } }])),
            (json!({}), json!([{ "_id": 1, "tag": { "name": "x" } }])),
        ] {
            let data = guest.data(query, json!({ "q": { "tag": condition } })).await;
            assert_eq!(data["notes"], expected, "{condition}");
        }
        // The same of what a mutation finds.
        let delete = "mutation($q: NoteQueryInput!) { deleteManyNotes(query: $q) { deletedCount } }";
        let deleted = guest.data(delete, json!({ "q": { "tag": { "name": "y" } } })).await;
        assert_eq!(deleted["deleteManyNotes"]["deletedCount"], 0);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_created_through_a_relation_that_forbids_it() {
    each_store(|notes: Notes| async move {
        let before = notes.stored().await;
        let reads = json!({ "name": "r", "apply_when": {}, "read": true });
        for (tags, said) in [(roles(&[reads]), "insert not permitted"), (roles(&[]), "NoMatchingRuleFound")] {
            let guest = notes.guest(roles(&[all()]), tags).await;
            let free = json!({ "tag": { "create": { "_id": 9, "name": "z" } } });
            let taken = json!({ "tag": { "create": { "_id": 1, "name": "x" } } });
            let with = |data: &Value, more: Value| {
                let mut data = data.clone();
                data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                json!({ "d": data })
            };
            for (mutation, more) in [
                (
                    "mutation($d: NoteInsertInput!) { insertOneNote(data: $d) { _id } }",
                    json!({ "_id": 7, "code": "g" }),
                ),
                (
                    "mutation($d: NoteUpdateInput!) { updateOneNote(query: { _id: 1 }, set: $d) { _id } }",
                    json!({}),
                ),
                (
                    "mutation($d: NoteInsertInput!) { upsertOneNote(query: { _id: 1 }, data: $d) { _id } }",
                    json!({ "code": "a" }),
                ),
                (
                    "mutation($d: NoteInsertInput!) { replaceOneNote(query: { _id: 1 }, data: $d) { _id } }",
                    json!({ "code": "a" }),
                ),
            ] {
                let refused = bytes(&guest, mutation, with(&free, more.clone())).await;
                assert!(refused.contains(said), "{mutation}: {refused}");
                // Whether the key is taken is not told.
                assert_eq!(bytes(&guest, mutation, with(&taken, more)).await, refused);
            }
        }
        assert_eq!(notes.stored().await, before);
    })
    .await;
}

#[tokio::test]
async fn a_link_does_not_tell_whether_its_target_exists() {
    each_store(|notes: Notes| async move {
        let open = json!({ "name": "r", "apply_when": {}, "read": { "shy": { "$ne": true } } });
        let guest = notes.guest(roles(&[all()]), roles(&[open])).await;
        let link = "mutation($t: String) { updateOneNote(query: { _id: 1 }, set: { tag: { link: $t } }) { _id tag { name } } }";
        let none = bytes(&guest, link, json!({ "t": "no such tag" })).await;
        assert_eq!(bytes(&guest, link, json!({ "t": "y" })).await, none);
        assert!(!none.contains("errors"), "{none}");
        // And is a write of the key as any other.
        let titles = json!({ "name": "r", "apply_when": {}, "read": true, "fields": { "title": { "write": true } } });
        let guest = notes.guest(roles(&[titles]), roles(&[all()])).await;
        for tag in ["x", "no such tag"] {
            assert_eq!(guest.refused(link, json!({ "t": tag })).await, "update not permitted");
        }
    })
    .await;
}
