//! What rules did to documents, in exact figures.

use backstitch::observe::Detail;
use bson::doc;
use serde_json::{Value, json};

use crate::world::{World, on_each_store};

fn role(matching: u64, evaluated: u64, discarded: u64) -> Value {
    json!({ "matching_documents": matching, "evaluated_fields": evaluated, "discarded_fields": discarded })
}

impl World {
    /// Runs a document and gives what was counted.
    async fn counted(&self, client: &backstitch_tests::Client, query: &str) -> Value {
        let answer = client.graphql(query, json!({})).await;
        let record = self.records.json().pop().unwrap();
        assert_eq!(record["type"], "GRAPHQL");
        assert_eq!(record["error_code"], answer["errors"][0]["extensions"]["code"], "{answer}");
        record["rule_metrics"]["namespaces_metrics"].clone()
    }
}

/// Two notes of the owner, two shared ones of others, one of them without `hidden`; and one that nobody sees.
async fn fill(world: &World, owner: &str) {
    world
        .store(
            "notes",
            [
                doc! { "_id": 1, "owner": owner, "text": "a", "hidden": "h", "author": 1 },
                doc! { "_id": 2, "owner": owner, "text": "b" },
                doc! { "_id": 3, "owner": "x", "kind": "shared", "text": "c", "hidden": "h", "author": 1 },
                doc! { "_id": 4, "owner": "x", "kind": "shared", "text": "d", "author": 2 },
                doc! { "_id": 5, "owner": "x", "text": "e", "hidden": "h", "author": 2 },
            ],
        )
        .await;
    world.store("people", [doc! { "_id": 1, "name": "p" }, doc! { "_id": 2, "name": "q" }]).await;
}

#[test]
fn rules_are_counted_by_the_role_that_decides() {
    on_each_store(Detail::Rules, |world| async move {
        let client = world.client().guest().await;
        let owner = client.user.clone().unwrap();
        fill(&world, &owner).await;
        let notes = |roles: Value| json!({ "app.notes": { "roles": roles, "no_matching_role": 0 } });
        for (query, expected) in [
            // The owner's notes are shown as wholes; of the shared ones `text` is shown, and `hidden` is not where it
            // is. The fifth is excluded by the store, and seen by nobody.
            (
                "{ notes { _id text hidden } }",
                notes(json!({ "owner": role(2, 0, 0), "reader": role(2, 5, 1) })),
            ),
            // A field that is asked for twice is one, and what is not asked for is none.
            (
                "{ notes { a: text b: text } }",
                notes(json!({ "owner": role(2, 0, 0), "reader": role(2, 2, 0) })),
            ),
            // What the query leaves out counts for nobody.
            ("{ notes(query: { _id: 3 }) { hidden } }", notes(json!({ "reader": role(1, 1, 1) }))),
            ("{ notes(query: { _id: 5 }) { hidden } }", Value::Null),
            ("{ note(query: { _id: 1 }) { length } }", notes(json!({ "owner": role(1, 0, 0) }))),
            // A relation is a find of its own, and the field that it follows is a field.
            (
                "{ notes(query: { kind: \"shared\" }) { author { name } } }",
                json!({
                    "app.notes": { "roles": { "reader": role(2, 2, 0) }, "no_matching_role": 0 },
                    "app.people": { "roles": { "everyone": role(2, 0, 0) }, "no_matching_role": 0 }
                }),
            ),
            // A condition on related documents asks for those first.
            (
                "{ notes(query: { author: { name: \"q\" } }) { text } }",
                json!({
                    "app.notes": { "roles": { "reader": role(1, 1, 0) }, "no_matching_role": 0 },
                    "app.people": { "roles": { "everyone": role(1, 0, 0) }, "no_matching_role": 0 }
                }),
            ),
            ("{ __typename }", Value::Null),
        ] {
            assert_eq!(world.counted(&client, query).await, expected, "{query}");
        }
    });
}

#[test]
fn writes_are_counted_by_the_role_that_decides_on_them() {
    on_each_store(Detail::Rules, |world| async move {
        let client = world.client().guest().await;
        let owner = client.user.clone().unwrap();
        fill(&world, &owner).await;
        let notes = |roles: Value, without: u64| json!({ "app.notes": { "roles": roles, "no_matching_role": without } });
        for (query, expected) in [
            (
                "mutation { updateManyNotes(query: { owner: \"%\" }, set: { text: \"new\" }) { matchedCount } }",
                notes(json!({ "owner": role(2, 0, 0) }), 0),
            ),
            (
                "mutation { insertOneNote(data: { _id: 6, owner: \"%\" }) { text } }",
                notes(json!({ "owner": role(1, 0, 0) }), 0),
            ),
            // The role that applies does not let it in, and is named all the same.
            (
                "mutation { insertOneNote(data: { _id: 7, kind: \"shared\" }) { text } }",
                notes(json!({ "reader": role(1, 0, 0) }), 0),
            ),
            // No role applies to it.
            ("mutation { insertOneNote(data: { _id: 8, owner: \"x\" }) { text } }", notes(json!({}), 1)),
            (
                "mutation { deleteManyNotes(query: { owner: \"%\" }) { deletedCount } }",
                notes(json!({ "owner": role(3, 0, 0) }), 0),
            ),
        ] {
            let query = query.replace('%', &owner);
            assert_eq!(world.counted(&client, &query).await, expected, "{query}");
        }
    });
}

#[test]
fn the_system_is_bound_by_no_rule_and_counts_for_none() {
    on_each_store(Detail::Rules, |world| async move {
        fill(&world, "nobody").await;
        let app = world.engine.apps().next().unwrap();
        let system = backstitch::actor::Actor::system(app.id().clone());
        let request = backstitch::graphql::GraphqlRequest::new("{ notes { text hidden } }");
        let answer = app.graphql(&system, &request).await;
        assert_eq!(String::from_utf8_lossy(&answer.body).matches("text").count(), 5);
        let record = world.records.all().pop().unwrap();
        assert!(record.rule_metrics.is_none() && record.user_id.is_none(), "{record:?}");
    });
}
