//! What juniper 0.18 gets wrong at run time (design/graphql.md, section 2.3) does not reach a client.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use backstitch_tests::{Movies, each_store};
use serde_json::{Value, json};

/// The code of the only reason for which a whole request is refused.
fn refusal(answer: &Value) -> &str {
    assert!(answer["data"].is_null(), "{answer}");
    answer["errors"][0]["extensions"]["code"].as_str().unwrap()
}

#[test]
fn j1_a_null_for_a_defaulted_condition_is_an_error_of_its_object_and_no_panic() {
    each_store(|movies: Movies| async move {
        let ada = movies.client().guest().await;
        for condition in ["@skip", "@include"] {
            let query = format!("query($v: Boolean = true) {{ movie {{ title {condition}(if: $v) year }} }}");
            let answer = ada.graphql(&query, json!({ "v": null })).await;
            assert_eq!(answer["data"], json!({ "movie": null }), "{answer}");
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
            assert_eq!(answer["errors"][0]["path"], json!(["movie"]), "{answer}");
            ada.data(&query, json!({ "v": false })).await;
            ada.data(&query, json!({})).await;
        }
        // Each object of a list, and only those that have the condition; what is skipped before is not asked.
        let query = "query($v: Boolean = true) { movies(limit: 2) { year ... @include(if: $v) { title } } cinema { name } \
            movie @skip(if: true) { title @skip(if: $v) } director: movie { year @include(if: $v) @skip(if: true) _id } }";
        let answer = ada.graphql(query, json!({ "v": null })).await;
        assert_eq!(answer["data"]["movies"], json!([null, null]));
        assert!(
            answer["data"]["cinema"]["name"].is_string() && answer["data"]["director"]["_id"].is_string()
        );
        let paths: Vec<_> =
            answer["errors"].as_array().unwrap().iter().map(|error| error["path"].clone()).collect();
        assert_eq!(paths, [json!(["movies", 0]), json!(["movies", 1])]);
    });
}

#[test]
fn j1_at_the_root_nothing_runs_and_below_a_write_only_its_answer_is_null() {
    each_store(|movies: Movies| async move {
        let ada = movies.client().person("ada@example.test").await;
        let names = async || ada.data("{ watchlists { name } }", json!({})).await["watchlists"].clone();
        let insert = |condition: &str, inner: &str| {
            format!(
                "mutation($o: String!, $v: Boolean = true) {{ insertOneWatchlist(data: {{ owner: $o, name: \"N\" }}) {condition} \
                 {{ name {inner} }} deleteManyReviews(query: {{ OR: [] }}) {{ deletedCount {inner} }} }}"
            )
        };
        let variables = json!({ "o": ada.user, "v": null });
        let answer = ada.graphql(&insert("@include(if: $v)", ""), variables.clone()).await;
        assert_eq!(refusal(&answer), "BAD_USER_INPUT");
        assert_eq!(answer.get("data"), Some(&Value::Null));
        assert_eq!(names().await, json!([]));
        let answer = ada.graphql(&insert("", "t: __typename @skip(if: $v)"), variables).await;
        assert_eq!(answer["data"], json!({ "insertOneWatchlist": null, "deleteManyReviews": null }));
        assert_eq!(answer["errors"][1]["path"], json!(["deleteManyReviews"]), "{answer}");
        assert_eq!(names().await, json!([{ "name": "N" }]));
    });
}

#[test]
fn j3_a_mutation_that_is_selected_twice_runs_once() {
    each_store(|movies: Movies| async move {
        let ada = movies.client().person("ada@example.test").await;
        let twice = "mutation($o: String!) { \
            insertOneWatchlist(data: { owner: $o, name: \"Once\" }) { name } \
            insertOneWatchlist(data: { owner: $o, name: \"Once\" }) { owner } }";
        let data = ada.data(twice, json!({ "o": ada.user })).await;
        assert_eq!(data, json!({ "insertOneWatchlist": { "name": "Once", "owner": ada.user } }));
        assert_eq!(
            ada.data("{ watchlists { name } }", json!({})).await["watchlists"],
            json!([{ "name": "Once" }])
        );
    });
}

#[test]
fn j4_selections_of_one_field_are_merged() {
    each_store(|movies: Movies| async move {
        let ada = movies.client().guest().await;
        let query = "query Q { ...A movie(query: { title: \"Metropolis\" }) { year directors { _id } } } \
            fragment A on Query { movie(query: { title: \"Metropolis\" }) { title directors { name } } }";
        let movie = ada.data(query, json!({})).await["movie"].clone();
        assert_eq!((&movie["title"], &movie["year"]), (&json!("Metropolis"), &json!(1927)));
        let director = movie["directors"][0].as_object().unwrap();
        assert!(director["name"].is_string() && director["_id"].is_string());
    });
}

#[test]
fn j5_a_skipped_selection_does_not_hide_the_one_that_stands() {
    each_store(|movies: Movies| async move {
        let ada = movies.client().guest().await;
        let query = "{ movie(query: { title: \"Metropolis\" }) @skip(if: true) { title } \
            movie(query: { title: \"Metropolis\" }) { year } }";
        assert_eq!(ada.data(query, json!({})).await, json!({ "movie": { "year": 1927 } }));
    });
}

#[test]
fn j6_an_unknown_enum_value_is_refused_as_literal_and_as_variable() {
    each_store(|movies: Movies| async move {
        let ada = movies.client().guest().await;
        let answer = ada.graphql("{ movies(sortBy: NOPE) { title } }", json!({})).await;
        assert_eq!(refusal(&answer), "GRAPHQL_VALIDATION_FAILED");
        let query = "query($s: MovieSortByInput) { movies(sortBy: $s) { title } }";
        assert_eq!(refusal(&ada.graphql(query, json!({ "s": "NOPE" })).await), "BAD_USER_INPUT");
        // A string is no enum value where it stands in the document.
        let answer = ada.graphql("{ movies(sortBy: \"YEAR_ASC\") { title } }", json!({})).await;
        assert_eq!(refusal(&answer), "GRAPHQL_VALIDATION_FAILED");
    });
}

#[test]
fn j7_and_j8_numbers_of_every_size_are_read_or_refused_by_name() {
    each_store(|movies: Movies| async move {
        let ada = movies.client().guest().await;
        let one =
            ada.data("{ cinemas(query: { location: { lat_gt: 1 } }, limit: 1) { name } }", json!({})).await;
        assert_eq!(one["cinemas"].as_array().unwrap().len(), 1, "an integer stands for a float");
        let answer = ada.graphql("{ movies(query: { year: 99999999999 }) { title } }", json!({})).await;
        assert_eq!(refusal(&answer), "GRAPHQL_VALIDATION_FAILED");
        // Beyond 64 bits juniper's lexer gives up; it is still the client who is told.
        let answer =
            ada.graphql("{ movies(query: { year: 99999999999999999999 }) { title } }", json!({})).await;
        assert_eq!(refusal(&answer), "GRAPHQL_PARSE_FAILED");
    });
}

#[test]
fn j9_ten_thousand_aliases_and_five_thousand_braces_are_refused() {
    each_store(|movies: Movies| async move {
        let ada = movies.client().guest().await;
        for count in [2_000, 10_000] {
            let aliases: String =
                (0..count).map(|number| format!("a{number}: movies {{ title }} ")).collect();
            let answer = ada.graphql(&format!("{{ {aliases} }}"), json!({})).await;
            assert_eq!(refusal(&answer), "LIMIT_EXCEEDED");
        }
        let inner: String = (0..10_000).map(|number| format!("a{number}: title ")).collect();
        assert_eq!(
            refusal(&ada.graphql(&format!("{{ movies {{ {inner} }} }}"), json!({})).await),
            "LIMIT_EXCEEDED"
        );
        let selections = format!("{}title{}", "{ movies ".repeat(5_000), "}".repeat(5_000));
        let values =
            format!("{{ movies(query: {}{}) {{ title }} }}", "{ AND: ".repeat(5_000), "}".repeat(5_000));
        for query in [selections, values, "{".repeat(5_000)] {
            assert_eq!(refusal(&ada.graphql(&query, json!({})).await), "LIMIT_EXCEEDED");
        }
        ada.data("{ movie { title } }", json!({})).await;
    });
}

#[test]
fn a_directive_that_stands_twice_at_one_place_is_refused() {
    each_store(|movies: Movies| async move {
        let ada = movies.client().guest().await;
        for query in [
            "{ movie { title @skip(if: false) @include(if: true) @skip(if: true) } }",
            "{ movie { ...F @include(if: true) @include(if: true) } } fragment F on Movie { title }",
            "{ movie { ... @skip(if: false) @skip(if: false) { title } } }",
            "{ movie { ...F } } fragment F on Movie { year directors { name @skip(if: false) @skip(if: false) } }",
        ] {
            let answer = ada.graphql(query, json!({})).await;
            assert_eq!(refusal(&answer), "GRAPHQL_VALIDATION_FAILED", "{answer}");
        }
        let once = "{ movie { title @skip(if: false) @include(if: true) year @skip(if: false) } }";
        assert!(ada.data(once, json!({})).await["movie"]["title"].is_string());
    });
}

#[test]
fn a_null_default_does_not_let_a_variable_stand_where_null_is_not_allowed() {
    each_store(|movies: Movies| async move {
        let ada = movies.client().guest().await;
        let query = "query($v: Boolean = null) { movie { title @skip(if: $v) year } }";
        let answer = ada.graphql(query, json!({ "v": false })).await;
        assert_eq!(refusal(&answer), "GRAPHQL_VALIDATION_FAILED", "{answer}");
        let nullable =
            "query($v: MovieQueryInput = null, $n: Int = null) { movies(query: $v, limit: $n) { year } }";
        ada.data(nullable, json!({})).await;
    });
}

#[test]
fn a_default_that_does_not_fit_is_refused_even_where_a_value_is_sent() {
    each_store(|movies: Movies| async move {
        let ada = movies.client().guest().await;
        let query = "query($v: ObjectId = \"none\") { movie(query: { _id: $v }) { title } }";
        let answer = ada.graphql(query, json!({ "v": "0102030405060708090a0b0c" })).await;
        assert_eq!(refusal(&answer), "GRAPHQL_VALIDATION_FAILED", "{answer}");
    });
}

#[test]
fn a_default_of_an_unknown_type_is_an_error_of_validation_and_no_panic() {
    each_store(|movies: Movies| async move {
        let ada = movies.client().guest().await;
        for ty in ["Nope", "[Nope!]!", "Movie"] {
            let query = format!("query($v: {ty} = 1) {{ movie {{ title }} }}");
            assert_eq!(refusal(&ada.graphql(&query, json!({})).await), "GRAPHQL_VALIDATION_FAILED", "{ty}");
        }
    });
}

#[test]
fn a_literal_that_is_no_value_of_its_scalar_makes_the_document_invalid_wherever_it_stands() {
    each_store(|movies: Movies| async move {
        let ada = movies.client().guest().await;
        let id = "0102030405060708090a0b0c";
        for (literal, is_fine) in [(id, true), ("0102", false), ("brie", false), ("", false)] {
            let query = format!(
                "query($no: Boolean = true) {{ movie(query: {{ _id: \"{literal}\" }}) @skip(if: $no) {{ title }} \
                 ...F @include(if: false) }} fragment F on Query {{ movies(query: {{ _id_in: [\"{literal}\"] }}) {{ title }} }}"
            );
            let answer = ada.graphql(&query, json!({})).await;
            if is_fine {
                assert_eq!(answer, json!({ "data": {} }));
            } else {
                assert_eq!(refusal(&answer), "GRAPHQL_VALIDATION_FAILED", "{answer}");
            }
        }
        // A variable's value is looked at when it is sent, wherever it is used.
        let query = "query($v: ObjectId) { movie(query: { _id: $v }) @skip(if: true) { title } }";
        assert_eq!(refusal(&ada.graphql(query, json!({ "v": "brie" })).await), "BAD_USER_INPUT");
    });
}
