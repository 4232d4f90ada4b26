//! The whole schema of an app that has every kind of field, and what is asked of it at its limits.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use backstitch::engine::sdl;
use backstitch::limits::Limits;
use backstitch::report::Report;
use backstitch_tests::Client;
use backstitch_tests::served::{everything, in_memory, in_memory_within};
use serde_json::{Value, json};

#[test]
fn the_schema_of_everything_is_as_it_was() {
    let mut report = Report::default();
    insta::assert_snapshot!(sdl(&everything(), &mut report));
}

#[test]
fn without_natural_plurals_only_the_plural_names_differ() {
    let natural = sdl(&everything(), &mut Report::default());
    let mut config = everything();
    config.graphql.natural_pluralization = false;
    let plain = sdl(&config, &mut Report::default());
    let differing: Vec<(&str, &str)> = natural.lines().zip(plain.lines()).filter(|(a, b)| a != b).collect();
    assert_eq!(natural.lines().count(), plain.lines().count());
    assert!(
        plain.contains("  persons(query: PersonQueryInput, limit: Int = 100")
            && plain.contains("updateManyPersons(")
    );
    assert!(
        plain.contains("  mouses(query: MouseQueryInput")
            && plain.contains("  entitys(query: EntityQueryInput")
    );
    // They stand among the root fields, in another order where the plural sorts elsewhere.
    assert!(differing.iter().all(|(a, _)| a.contains('(')), "{differing:?}");
}

async fn client(limits: Limits) -> Client {
    let config = everything();
    let app = config.id.to_string();
    Client::new(&in_memory_within(config, limits).await, &app).guest().await
}

/// A query that follows a person's best friend so many times.
fn friends(times: usize) -> String {
    format!(
        "{{ person(query: {{ _id: 2 }}) {{ {} handle {} }} }}",
        "best_friend { ".repeat(times),
        "}".repeat(times)
    )
}

#[tokio::test]
async fn relations_are_followed_five_deep_and_no_further() {
    let client = client(Limits::default()).await;
    assert!(client.graphql(&friends(5), json!({})).await["data"]["person"]["best_friend"].is_object());
    let answer = client.graphql(&friends(6), json!({})).await;
    assert_eq!(answer["errors"][0]["message"], "max relationship depth exceeded");
    assert!(answer["data"].is_null());
    // Through fragments and mutations as well.
    let spread = "{ person { ...a } } fragment a on Person { best_friend { ...b } } fragment b on Person { best_friend { best_friend \
        { ...c } } } fragment c on Person { best_friend { best_friend { best_friend { handle } } } }";
    assert_eq!(client.refused(spread, json!({})).await, "max relationship depth exceeded");
    let mutation = friends(6).replacen(
        "{ person(query: { _id: 2 })",
        "mutation { deleteOnePerson(query: { _id: 2 })",
        1,
    );
    assert_eq!(client.refused(&mutation, json!({})).await, "max relationship depth exceeded");
    let there = client.data("{ person(query: { _id: 2 }) { handle } }", json!({})).await;
    assert_eq!(there["person"]["handle"], "h2");
}

#[tokio::test]
async fn resolvers_are_counted_where_a_limit_is_set() {
    let three = client(Limits { graphql_resolvers: 3, ..Limits::default() }).await;
    for (query, is_fine) in [
        ("{ __typename a: person { handle } b: people { handle } c: person { handle } }", true),
        ("{ a: person { handle } b: people { handle } c: person { handle } d: person { handle } }", false),
        ("{ person { best_friend { handle } friends { handle } } }", true),
        ("{ person { best_friend { best_friend { handle } } friends { handle } } }", false),
        ("{ person { best_friend { handle } friends { handle } wishes @skip(if: true) { qty } } }", true),
        (
            "mutation { a: deleteManyPeople { deletedCount } b: deleteManyPeople { deletedCount } c: deleteManyPeople { deletedCount } \
          d: deleteManyPeople { deletedCount } }",
            false,
        ),
    ] {
        let answer = three.graphql(query, json!({})).await;
        let message = answer["errors"][0]["message"].as_str();
        assert_eq!(message != Some("max number of queries reached"), is_fine, "{query}: {answer}");
    }
    let there = three.data("{ people { handle } }", json!({})).await;
    assert_ne!(there["people"], json!([]), "nothing of a refused operation runs");
}

#[tokio::test]
async fn typename_stands_wherever_an_object_does() {
    let client = client(Limits::default()).await;
    let query = "{ __typename t: __typename person(query: { _id: 7 }) { __typename address { __typename geo { __typename source { __typename } } \
        town { __typename } } friends { __typename } } history_incidents(limit: 1) { __typename attributes { __typename marks { __typename \
        deep { __typename } } } } taxas(limit: 1) { __typename } }";
    let answer = client.graphql(query, json!({})).await;
    let data = &answer["data"];
    assert_eq!((&data["__typename"], &data["t"]), (&json!("Query"), &json!("Query")));
    let address = &data["person"]["address"];
    assert_eq!(address["geo"]["source"]["__typename"], "PersonAddressGeoSource");
    assert_eq!(address["town"]["__typename"], "Entity");
    assert_eq!(data["person"]["friends"], json!([{ "__typename": "Person" }]));
    assert_eq!(data["history_incidents"][0]["attributes"][0]["__typename"], "History_incidentAttribute");
    let query = "mutation { __typename insertManyPeople(data: []) { __typename insertedIds } \
        updateManyPeople(query: { OR: [] }, set: {}) { __typename matchedCount } deleteManyPeople(query: { OR: [] }) { __typename } }";
    let data = client.data(query, json!({})).await;
    let expected = json!({
        "__typename": "Mutation",
        "insertManyPeople": { "__typename": "InsertManyPayload", "insertedIds": [] },
        "updateManyPeople": { "__typename": "UpdateManyPayload", "matchedCount": 0 },
        "deleteManyPeople": { "__typename": "DeleteManyPayload" }
    });
    assert_eq!(data, expected);
}

#[tokio::test]
async fn a_field_of_several_types_shows_the_first_and_takes_it() {
    let client = client(Limits::default()).await;
    let insert = "mutation($d: TaxaInsertInput!) { insertOneTaxa(data: $d) { either } }";
    let data = json!({ "_id": "0a".repeat(12), "r_int": 1, "r_string": "", "r_list": [], "r_object": { "x": 1 }, "either": "text" });
    assert_eq!(client.data(insert, json!({ "d": data })).await["insertOneTaxa"]["either"], "text");
    let found = client.data("{ taxas(query: { either: \"text\" }) { either } }", json!({})).await;
    assert_eq!(found["taxas"], json!([{ "either": "text" }]));
}

#[tokio::test]
async fn extensions_of_a_request_are_taken_and_other_shapes_refused() {
    let config = everything();
    let app = config.id.to_string();
    let client = Client::new(&in_memory(config).await, &app).guest().await;
    let ask = async |extensions: Value| {
        let body = json!({ "query": "{ __typename }", "extensions": extensions });
        client.send("POST", "/app/{app}/graphql", client.access.as_deref(), Some(body)).await
    };
    for extensions in [json!(null), json!({}), json!({ "persistedQuery": { "version": 1 }, "x": [1] })] {
        let reply = ask(extensions).await;
        assert_eq!((reply.status, reply.json()), (200, json!({ "data": { "__typename": "Query" } })));
    }
    for extensions in [json!([]), json!(1), json!("{}")] {
        assert_eq!(ask(extensions.clone()).await.status, 400, "{extensions}");
    }
}
