//! The data service against a second, naive implementation of MongoDB's query and update operators, on every store.
//!
//! `BACKSTITCH_DATA_CASES` says how many random cases are tried (300 of each kind when it is not set).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use backstitch::actor::Actor;
use backstitch::app::AppConfig;
use backstitch::engine::{App, Engine};
use backstitch::id::AppId;
use backstitch_tests::{every_store, naive_data};
use bson::{Bson, Document, doc};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

fn value() -> impl Strategy<Value = Bson> {
    let scalar = prop_oneof![
        4 => (0_i32..4).prop_map(Bson::Int32),
        1 => (0_i64..3).prop_map(Bson::Int64),
        1 => prop_oneof![Just(1.0), Just(2.5)].prop_map(Bson::Double),
        2 => prop_oneof![Just("x"), Just("xy"), Just("y")].prop_map(Bson::from),
        1 => Just(Bson::Null),
        1 => any::<bool>().prop_map(Bson::Boolean),
    ];
    scalar.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            2 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Bson::Array),
            1 => fields(inner).prop_map(Bson::Document),
        ]
    })
}

fn fields(value: impl Strategy<Value = Bson>) -> impl Strategy<Value = Document> {
    let name = prop_oneof![Just("a"), Just("b"), Just("c")];
    proptest::collection::btree_map(name, value, 0..4)
        .prop_map(|fields| fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn path() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        6 => prop_oneof![Just("a"), Just("b"), Just("c")],
        3 => prop_oneof![Just("a.b"), Just("b.a"), Just("a.0"), Just("a.1.b"), Just("c.b.a")],
    ]
}

fn condition() -> impl Strategy<Value = Bson> {
    let compare = prop_oneof![Just("$eq"), Just("$ne"), Just("$gt"), Just("$gte"), Just("$lt"), Just("$lte")];
    let one = |name: &'static str, value: Bson| Bson::Document(doc! { name: value });
    let leaf = prop_oneof![
        3 => value(),
        4 => (compare, value()).prop_map(move |(name, value)| one(name, value)),
        2 => (prop_oneof![Just("$in"), Just("$nin"), Just("$all")], proptest::collection::vec(value(), 0..3))
            .prop_map(move |(name, values)| one(name, Bson::Array(values))),
        1 => any::<bool>().prop_map(move |is| one("$exists", is.into())),
        1 => prop_oneof![Just("int"), Just("array"), Just("number"), Just("null"), Just("object"), Just("bool")]
            .prop_map(move |name| one("$type", name.into())),
        1 => (0_i32..4).prop_map(move |size| one("$size", size.into())),
        1 => (1_i32..4, 0_i32..3).prop_map(move |(divisor, rest)| one("$mod", Bson::Array(vec![divisor.into(), rest.into()]))),
        1 => prop_oneof![Just("^x"), Just("y$"), Just("x"), Just("^xy$")].prop_map(move |pattern| one("$regex", pattern.into())),
    ];
    // A value that is a document is compared whole, so only what holds operators is nested.
    let leaf = leaf.prop_filter("an `$all` of operators is another thing", |_| true);
    leaf.prop_recursive(2, 6, 2, move |inner| {
        let operators = inner.clone().prop_filter_map("operators only", |inner| {
            let operators = inner.as_document()?.keys().next()?.starts_with('$');
            operators.then_some(inner)
        });
        prop_oneof![
            1 => operators.clone().prop_map(move |inner| one("$not", inner)),
            1 => operators.prop_map(move |inner| one("$elemMatch", inner)),
            1 => (prop_oneof![Just("a"), Just("b")], inner)
                .prop_map(move |(name, inner)| one("$elemMatch", Bson::Document(doc! { name: inner }))),
        ]
    })
}

fn query() -> impl Strategy<Value = Document> {
    let leaf = proptest::collection::vec((path(), condition()), 0..3).prop_map(|parts| {
        parts.into_iter().map(|(path, part)| (path.to_owned(), part)).collect::<Document>()
    });
    leaf.prop_recursive(2, 6, 3, |inner| {
        (prop_oneof![Just("$and"), Just("$or"), Just("$nor")], proptest::collection::vec(inner, 1..3))
            .prop_map(|(name, parts)| doc! { name: parts })
    })
}

fn change() -> impl Strategy<Value = (&'static str, &'static str, Bson)> {
    let any_path = prop_oneof![4 => path(), 1 => prop_oneof![Just("a.$[]"), Just("a.$[].b"), Just("b.$[e]")]];
    let push = (
        proptest::collection::vec(value(), 0..3),
        -2_i32..3,
        -2_i32..4,
        prop_oneof![Just(1), Just(-1)],
        0..5,
    )
        .prop_map(|(each, position, slice, sort, which)| {
            let mut modifiers = doc! { "$each": each };
            if which % 2 == 0 {
                modifiers.insert("$position", position);
            }
            if which > 2 {
                modifiers.insert("$slice", slice);
            }
            if which == 1 {
                modifiers.insert("$sort", sort);
            }
            Bson::Document(modifiers)
        });
    let number = prop_oneof![
        (0_i32..4).prop_map(Bson::Int32),
        Just(Bson::Int64(2)),
        Just(Bson::Double(0.5)),
        Just(Bson::from("x"))
    ];
    let operation = prop_oneof![
        3 => (prop_oneof![Just("$set"), Just("$min"), Just("$max"), Just("$unset")], value()),
        2 => (prop_oneof![Just("$inc"), Just("$mul")], number),
        2 => (prop_oneof![Just("$push"), Just("$addToSet")], value()),
        2 => (Just("$push"), push),
        1 => (Just("$addToSet"), proptest::collection::vec(value(), 0..3).prop_map(|each| Bson::Document(doc! { "$each": each }))),
        2 => (Just("$pull"), condition()),
        1 => (Just("$pullAll"), proptest::collection::vec(value(), 0..3).prop_map(Bson::Array)),
        1 => (Just("$pop"), prop_oneof![Just(Bson::Int32(1)), Just(Bson::Int32(-1))]),
    ];
    let rename = (path(), path()).prop_map(|(from, to)| ("$rename", from, Bson::from(to)));
    prop_oneof![
        12 => (any_path, operation).prop_map(|(path, (name, operand))| (name, path, operand)),
        1 => rename,
    ]
}

fn update() -> impl Strategy<Value = Document> {
    let operators = proptest::collection::vec(change(), 1..4).prop_map(|changes| {
        let mut update = Document::new();
        for (name, path, operand) in changes {
            let fields = update.entry(name.to_owned()).or_insert_with(|| Bson::Document(Document::new()));
            if let Bson::Document(fields) = fields {
                fields.insert(path, operand);
            }
        }
        update
    });
    prop_oneof![9 => operators, 1 => fields(value())]
}

struct Service {
    app: App,
    actor: Actor,
}

impl Service {
    async fn call(&self, name: &str, argument: Document) -> Result<Bson, String> {
        let mut whole = doc! { "database": "d", "collection": "c" };
        whole.extend(argument);
        let called = self.app.call_service(&self.actor, "mongodb-atlas", name, vec![whole.into()]).await;
        called.map_err(|error| error.hint().to_owned())
    }

    async fn fill(&self, documents: &[Document]) {
        self.call("deleteMany", doc! {}).await.unwrap();
        if !documents.is_empty() {
            self.call("insertMany", doc! { "documents": documents.to_vec() }).await.unwrap();
        }
    }
}

fn numbered(documents: Vec<Document>) -> Vec<Document> {
    let number = |(id, document): (i32, Document)| {
        let mut numbered = doc! { "_id": id };
        numbered.extend(document);
        numbered
    };
    (0..).zip(documents).map(number).collect()
}

/// Runs a property against every store; those that have a disk get a tenth of the cases.
fn on_every_store<T: std::fmt::Debug>(
    strategy: impl Strategy<Value = T> + Clone,
    property: impl AsyncFn(&Service, T) -> Result<(), TestCaseError>,
) {
    let cases =
        std::env::var("BACKSTITCH_DATA_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300);
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stores = runtime.block_on(every_store(folder.path()));
    for (store, cases) in stores.into_iter().zip([cases, cases / 10, cases / 10]) {
        let config = AppConfig::new("d").with_id(AppId::new("d-abcde"));
        let builder = Engine::builder().store(store).public_url("http://d.example").app(config);
        let engine = runtime.block_on(builder.build()).unwrap();
        let app = engine.app("d-abcde").unwrap().clone();
        let service = Service { actor: Actor::system(app.id().clone()), app };
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new(config);
        let outcome = runner.run(&strategy, |case| runtime.block_on(property(&service, case)));
        outcome.unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn queries_find_what_the_naive_evaluator_finds() {
    let case = (proptest::collection::vec(fields(value()), 1..7), query()).boxed();
    on_every_store(case, async |service, (documents, query)| {
        let documents = numbered(documents);
        service.fill(&documents).await;
        let found = service.call("find", doc! { "query": query.clone() }).await;
        let expected: Result<Vec<bool>, String> =
            documents.iter().map(|document| naive_data::matches(&query, document)).collect();
        match (found, expected) {
            (Ok(found), Ok(expected)) => {
                let expected: Vec<&Document> = documents
                    .iter()
                    .zip(expected)
                    .filter(|(_, is)| *is)
                    .map(|(document, _)| document)
                    .collect();
                let found: Vec<&Document> =
                    found.as_array().unwrap().iter().map(|found| found.as_document().unwrap()).collect();
                prop_assert_eq!(found, expected, "{}", query);
            }
            (found, expected) => {
                prop_assert!(found.is_err() && expected.is_err(), "{query}: {found:?}, {expected:?}")
            }
        }
        Ok(())
    });
}

#[test]
fn updates_make_what_the_naive_evaluator_makes() {
    let case = (fields(value()), update()).boxed();
    on_every_store(case, async |service, (document, update)| {
        let document = numbered(vec![document]).remove(0);
        service.fill(std::slice::from_ref(&document)).await;
        let filters =
            if format!("{update}").contains("$[e]") { vec![doc! { "e": { "$gte": 1 } }] } else { Vec::new() };
        let expected = naive_data::update(&document, &update, &filters);
        let done =
            service.call("updateOne", doc! { "update": update.clone(), "arrayFilters": filters }).await;
        let after = service.call("findOne", doc! {}).await.unwrap();
        let after = after.as_document().unwrap();
        match (done, expected) {
            (Ok(_), Ok(expected)) => prop_assert_eq!(after, &expected, "{} on {}", update, document),
            (Err(_), Err(_)) => prop_assert_eq!(after, &document),
            (done, expected) => prop_assert!(false, "{update} on {document}: {done:?}, {expected:?}"),
        }
        Ok(())
    });
}
