//! Conditions on related documents: what they join through, what they do not, and that nothing is cut.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::auth::config::ProviderKind;
use backstitch::engine::Engine;
use backstitch::id::{AppId, CollectionId};
use backstitch::limits::Limits;
use backstitch::schema::Relationship;
use backstitch::store::Store;
use backstitch_storage_memory::MemoryStore;
use backstitch_tests::{Client, CountingStore, every_store};
use serde_json::{Value, json};

const APP: &str = "library-abcde";

/// Where loans find their books, by what the caller may read of a book.
fn books(rules: Value) -> CollectionConfig {
    let book = json!({ "title": "Book", "properties": {
        "_id": { "bsonType": "int" }, "code": { "bsonType": "string" }, "year": { "bsonType": "int" },
        "price": { "bsonType": "int" }, "shy": { "bsonType": "bool" }, "author": { "bsonType": "int" },
        "sequels": { "bsonType": "array", "items": { "bsonType": "int" } }
    }});
    let rules = json!({ "roles": [rules] });
    let collection = CollectionConfig::new("books").schema(&book).rules(rules);
    collection
        .relationship(to("authors", "author", "_id", false))
        .relationship(to("books", "sequels", "_id", true))
}

/// A role that reads everything and may write it.
fn all() -> Value {
    json!({ "name": "all", "apply_when": {}, "read": true, "write": true })
}

/// The app; `open` takes the rules away.
fn library(book_rules: Value, open: bool) -> AppConfig {
    let author = json!({ "title": "Author", "properties": {
        "_id": { "bsonType": "int" }, "name": { "bsonType": "string" }, "hidden": { "bsonType": "bool" }
    }});
    let visible = json!({ "hidden": { "$ne": true } });
    let but_hidden = json!({ "roles": [{ "name": "all", "apply_when": {}, "read": true,
        "document_filters": { "read": visible } }] });
    let author_rules = if open { json!({ "roles": [all()] }) } else { but_hidden };
    let loan = json!({ "title": "Loan", "properties": {
        "_id": { "bsonType": "int" }, "book": { "bsonType": "string" },
        "wanted": { "bsonType": "array", "items": { "bsonType": "string" } }
    }});
    AppConfig::new("library")
        .with_id(AppId::new(APP))
        .provider(ProviderKind::Anonymous)
        .collection(CollectionConfig::new("authors").schema(&author).rules(author_rules))
        .collection(books(if open { all() } else { book_rules }))
        .collection(
            CollectionConfig::new("loans")
                .schema(&loan)
                .rules(json!({ "roles": [all()] }))
                .relationship(to("books", "book", "code", false))
                .relationship(to("books", "wanted", "code", true)),
        )
}

fn to(target: &str, source: &str, foreign: &str, is_list: bool) -> Relationship {
    let target = CollectionId::new("", "mongodb-atlas", "app", target);
    Relationship { source: source.into(), target, foreign: foreign.into(), is_list }
}

async fn guest(store: &Arc<dyn Store>, rules: Value, limits: Limits) -> Client {
    served(store, library(rules, false), limits).await
}

async fn served(store: &Arc<dyn Store>, app: AppConfig, limits: Limits) -> Client {
    let builder = Engine::builder().store(Arc::clone(store)).public_url("https://library.example");
    Client::new(&builder.limits(limits).app(app).build().await.unwrap(), APP).guest().await
}

/// Three authors, one of them hidden, four books, and loans that ask for them.
async fn fill(store: &Arc<dyn Store>) {
    let client = served(store, library(all(), true), Limits::default()).await;
    let query = r#"mutation {
        insertManyAuthors(data: [{ _id: 1, name: "ada" }, { _id: 2, name: "bob" }, { _id: 3, name: "eve", hidden: true }])
            { insertedIds }
        insertManyBooks(data: [
            { _id: 1, code: "a", year: 1900, price: 1, author: { link: 1 }, sequels: { link: [2, 3] } },
            { _id: 2, code: "b", year: 1950, price: 2, author: { link: 2 }, sequels: { link: [3] } },
            { _id: 3, code: "c", year: 2000, price: 3, author: { link: 3 }, shy: true, sequels: { link: [] } },
            { _id: 4, year: 2020, price: 4, author: { link: 1 } }
        ]) { insertedIds }
        insertManyLoans(data: [
            { _id: 1, book: { link: "a" }, wanted: { link: ["a", "b"] } },
            { _id: 2, book: { link: "b" }, wanted: { link: ["b", "c"] } },
            { _id: 3, book: { link: "c" }, wanted: { link: ["c"] } },
            { _id: 4, book: { link: "lost" }, wanted: { link: [] } },
            { _id: 5 }
        ]) { insertedIds }
    }"#;
    client.data(query, json!({})).await;
}

/// The `_id`s of the loans that match.
async fn loans(client: &Client, query: &str) -> Vec<i64> {
    let data = client.data(&format!("{{ loans(query: {query}, limit: 50000) {{ _id }} }}"), json!({})).await;
    data["loans"].as_array().unwrap().iter().map(|loan| loan["_id"].as_i64().unwrap()).collect()
}

async fn code(client: &Client, query: &str) -> String {
    let answer = client.graphql(&format!("{{ loans(query: {query}) {{ _id }} }}"), json!({})).await;
    assert!(answer["data"].is_null(), "{answer}");
    answer["errors"][0]["extensions"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn conditions_nest_through_relations_of_both_kinds_with_and_or_and_their_negation() {
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        fill(&store).await;
        let client = guest(&store, all(), Limits::default()).await;
        let cases: &[(&str, &[i64])] = &[
            ("{ book: { author: { name: \"ada\" } } }", &[1]),
            ("{ book: { author: { name_in: [\"ada\", \"bob\"] } } }", &[1, 2]),
            // Nothing is joined through a document that the rules exclude, at whatever depth.
            ("{ book: { author: { name: \"eve\" } } }", &[]),
            ("{ book: { author: { name_ne: \"ada\" } } }", &[2]),
            ("{ book: { author: {} } }", &[1, 2]),
            ("{ book: { sequels: [{ author: { name: \"bob\" } }] } }", &[1]),
            ("{ book: { sequels_in: [{ sequels: [{ year: 2000 }] }] } }", &[1]),
            ("{ book: { sequels_nin: [{ year: 2000 }] } }", &[3]),
            ("{ wanted: [{ author: { name: \"ada\" } }, { author: { name: \"bob\" } }] }", &[1]),
            ("{ wanted_in: [{ author: { name: \"ada\" } }, { author: { name: \"eve\" } }] }", &[1]),
            ("{ wanted_nin: [{ author: { name: \"bob\" } }] }", &[3, 4, 5]),
            ("{ wanted_nin: [{ author: { name: \"eve\" } }] }", &[1, 2, 3, 4, 5]),
            ("{ OR: [{ book: { year: 1900 } }, { wanted: [{ year: 2000 }] }] }", &[1, 2, 3]),
            ("{ AND: [{ book: { year_gte: 1900 } }, { wanted: [{ year: 2000 }] }] }", &[2, 3]),
            ("{ book: { OR: [{ author: { name: \"ada\" } }, { year: 2000 }] } }", &[1, 3]),
            ("{ book: { AND: [{ author: { name: \"ada\" } }, { sequels: [{ year: 1950 }] }] } }", &[1]),
            // Null and missing keys join nothing, on either side: book 4 has no code, loan 5 has no key.
            ("{ book: { year: 2020 } }", &[]),
            ("{ book: {} }", &[1, 2, 3]),
            ("{ book_exists: false }", &[5]),
            ("{ book: null }", &[5]),
        ];
        for (query, expected) in cases {
            assert_eq!(loans(&client, query).await, *expected, "{query}");
        }
    }
}

#[tokio::test]
async fn a_relation_is_not_followed_by_a_key_that_the_caller_may_not_read() {
    let sometimes = json!({ "name": "some", "apply_when": {},
        "fields": { "code": { "read": { "shy": { "$ne": true } } } }, "additional_fields": { "read": true } });
    let never = json!({ "name": "some", "apply_when": {},
        "fields": { "code": { "read": false } }, "additional_fields": { "read": true } });
    let price = json!({ "name": "some", "apply_when": {},
        "fields": { "price": { "read": false } }, "additional_fields": { "read": true } });
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        fill(&store).await;
        // Neither a query nor its negation tells which loan is of the book that hides its code.
        let client = guest(&store, sometimes.clone(), Limits::default()).await;
        assert_eq!(loans(&client, "{ book: { year_gte: 1900 } }").await, [1, 2]);
        assert_eq!(loans(&client, "{ book: { year: 2000 } }").await, [0; 0]);
        assert_eq!(loans(&client, "{ wanted_nin: [{ year: 2000 }] }").await, [1, 2, 3, 4, 5]);
        let client = guest(&store, never.clone(), Limits::default()).await;
        assert_eq!(loans(&client, "{ book: {} }").await, [0; 0]);
        assert_eq!(loans(&client, "{ wanted_nin: [{}] }").await, [1, 2, 3, 4, 5]);
        // A field that can never be read may not be asked for through a relation either.
        let client = guest(&store, price.clone(), Limits::default()).await;
        assert_eq!(code(&client, "{ book: { price: 3 } }").await, "FIELD_NOT_READABLE");
        assert_eq!(code(&client, "{ wanted_nin: [{ price_gt: 1 }] }").await, "FIELD_NOT_READABLE");
        assert_eq!(loans(&client, "{ book: { year: 2000 } }").await, [3]);
    }
}

#[tokio::test]
async fn however_many_related_documents_match_none_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        let client = guest(&store, all(), Limits::default()).await;
        let many = 6_000;
        let insert = "mutation($b: [BookInsertInput!]!, $l: [LoanInsertInput!]!) {
            insertManyBooks(data: $b) { insertedIds } insertManyLoans(data: $l) { insertedIds } }";
        let books: Vec<Value> =
            (0..many).map(|n| json!({ "_id": n, "code": format!("c{n}"), "year": n % 2 })).collect();
        let wanted: Vec<Value> =
            (0..many).map(|n| json!({ "_id": n, "book": { "link": format!("c{n}") } })).collect();
        client.data(insert, json!({ "b": books, "l": wanted })).await;
        let odd: Vec<i64> = (0..many).filter(|n| n % 2 == 1).collect();
        assert_eq!(loans(&client, "{ book: { year: 1 } }").await, odd);
        assert_eq!(loans(&client, "{ book: {} }").await.len(), 6_000);
        assert_eq!(loans(&client, "{ book: { year: 1 }, _id_lt: 10 }").await, [1, 3, 5, 7, 9]);

        // Past the limit it is refused, not cut; all the conditions of an operation count together.
        let limits = Limits { relation_filter_keys: 3_000, relation_filters: 3, ..Limits::default() };
        let client = guest(&store, all(), limits).await;
        assert_eq!(loans(&client, "{ book: { year: 1 } }").await.len(), 3_000);
        assert_eq!(code(&client, "{ book: {} }").await, "LIMIT_EXCEEDED");
        assert_eq!(
            code(&client, "{ OR: [{ book: { year: 1 } }, { book: { _id: 2 } }] }").await,
            "LIMIT_EXCEEDED"
        );
        let four = "{ OR: [{ book: { _id: 1 } }, { book: { _id: 2 } }, { book: { _id: 3 } }, { book: { _id: 4 } }] }";
        assert_eq!(code(&client, four).await, "LIMIT_EXCEEDED");
    }
}

#[tokio::test]
async fn a_condition_on_related_documents_is_one_request() {
    let counting = CountingStore::new(Arc::new(MemoryStore::new()));
    let store: Arc<dyn Store> = Arc::new(counting.clone());
    fill(&store).await;
    let client = guest(&store, all(), Limits::default()).await;
    counting.take();
    let cases = [
        ("{ book: { year: 1900 } }", 2),
        ("{ book: { author: { name: \"ada\" } } }", 3),
        ("{ wanted: [{ year: 1900 }, { year: 1950 }] }", 3),
        ("{ wanted_in: [{ year: 1900 }, { year: 1950 }] }", 2),
    ];
    for (query, expected) in cases {
        loans(&client, query).await;
        assert_eq!(counting.take(), expected, "{query}");
    }
}

#[tokio::test]
async fn a_relation_whose_documents_are_too_many_is_refused_and_not_cut() {
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        fill(&store).await;
        let twins = "mutation { insertManyBooks(data: [{ _id: 8, code: \"a\" }, { _id: 9, code: \"a\" }]) { insertedIds } }";
        served(&store, library(all(), true), Limits::default()).await.data(twins, json!({})).await;
        let wanted = "{ loans(query: { _id: 1 }) { wanted { _id } } }";
        let limits = |page_size| Limits { page_size, ..Limits::default() };
        // Three books have the one key, and one the other.
        let data = guest(&store, all(), limits(4)).await.data(wanted, json!({})).await;
        assert_eq!(data["loans"][0]["wanted"].as_array().unwrap().len(), 4);
        let answer = guest(&store, all(), limits(3)).await.graphql(wanted, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED", "{answer}");
    }
}
