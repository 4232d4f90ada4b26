//! A span for a request, one for each stage below it, and one for each request to the store.

use backstitch::observe::Detail;
use bson::doc;
use serde_json::json;
use tracing::Level;

use crate::capture::{Capture, Told};
use crate::world::{World, on_each_store};

/// Three shared notes of two people.
async fn fill(world: &World) {
    let note = |id: i32, author: i32| doc! { "_id": id, "kind": "shared", "text": "a", "author": author };
    world.store("notes", [note(1, 1), note(2, 1), note(3, 2)]).await;
    world.store("people", [doc! { "_id": 1, "name": "p" }, doc! { "_id": 2, "name": "q" }]).await;
}

/// Name, one field, and what is around: `find documents=3 < run < graphql < request`.
fn shown(capture: &Capture, span: &Told, field: &str) -> String {
    let around = capture.around(span);
    format!("{} {field}={} < {}", span.name, span.field(field), around.join(" < "))
}

#[test]
fn a_query_is_a_span_of_stages_with_a_span_for_each_request_to_the_store() {
    on_each_store(Detail::Nothing, |world| async move {
        let client = world.client().guest().await;
        fill(&world).await;
        let query = "{ notes { text length author { name } } }";
        for cached in ["false", "true"] {
            let before = world.capture.told().len();
            client.data(query, json!({})).await;
            let spans: Vec<Told> = world.capture.told().split_off(before);
            let told = |name: &str, field: &str| {
                let found: Vec<String> = spans
                    .iter()
                    .filter(|told| told.is_span && told.name == name)
                    .map(|span| shown(&world.capture, span, field))
                    .collect();
                found.join("; ")
            };
            for (name, field, expected) in [
                ("prepare", "cached", format!("prepare cached={cached} < graphql < request")),
                ("run", "roots", "run roots=1 < graphql < request".to_owned()),
                (
                    "find",
                    "documents",
                    "find documents=3 < run < graphql < request; \
                     find documents=2 < relation < run < graphql < request"
                        .to_owned(),
                ),
                ("relation", "parents", "relation parents=3 < run < graphql < request".to_owned()),
                ("function", "parents", "function parents=3 < run < graphql < request".to_owned()),
                ("function", "calls", "function calls=1 < run < graphql < request".to_owned()),
            ] {
                assert_eq!(told(name, field), expected);
            }
            let names: Vec<&str> =
                spans.iter().filter(|told| told.is_span).map(|told| told.name.as_str()).collect();
            assert_eq!(
                names,
                [
                    "request", "graphql", "prepare", "bind", "run", "snapshot", "find", "relation", "find",
                    "function"
                ]
            );
        }
        let level = |name: &str| world.capture.spans(name)[0].level;
        assert_eq!(
            [level("request"), level("run"), level("find")],
            [Level::INFO, Level::DEBUG, Level::TRACE]
        );
        let graphql = world.capture.spans("graphql").pop().unwrap();
        assert_eq!(Some(graphql.field("user_id")), client.user.as_deref());
    });
}

#[test]
fn a_mutation_begins_writes_and_commits_or_rolls_back() {
    on_each_store(Detail::Nothing, |world| async move {
        let client = world.client().guest().await;
        let owner = client.user.clone().unwrap();
        let insert = "mutation($o: String) { insertManyNotes(data: [{ _id: 1, owner: $o }, { _id: 2, owner: $o }]) { insertedIds } }";
        client.data(insert, json!({ "o": owner })).await;
        client.refused(insert, json!({ "o": "another" })).await;
        let writes: Vec<String> =
            world.capture.spans("write").iter().map(|span| shown(&world.capture, span, "writes")).collect();
        assert_eq!(writes, ["write writes=2 < run < graphql < request"]);
        assert_eq!(world.capture.spans("write")[0].field("collection"), "app.notes");
        let count = |name: &str| world.capture.spans(name).len();
        assert_eq!([count("begin"), count("commit"), count("rollback"), count("snapshot")], [2, 1, 1, 0]);
        let codes: Vec<_> = world
            .capture
            .spans("graphql")
            .iter()
            .map(|span| span.fields.get("error_code").cloned())
            .collect();
        assert_eq!(codes, [None, Some("NOT_PERMITTED".to_owned())]);
    });
}
