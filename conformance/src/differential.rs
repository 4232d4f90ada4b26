//! A store against the reference: random documents, indexes, filters, orders and limits.
//!
//! The reference is `filter::matches` over all documents in the order of insertion, a stable sort by
//! `filter::key::sort_key`, and the limit. Cases are the same in every run.

use backstitch::filter::key::sort_key;
use backstitch::filter::{
    Comparison, Direction, ElementTest, Filter, Pattern, SortKey, Test, Types, matches,
};
use backstitch::rules::Query;
use backstitch::store::{IndexKey, IndexSpec};
use bson::{Bson, Document, doc};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use crate::factory::StoreFactory;
use crate::world::{World, collection, raw, scoped};

/// One random case.
#[derive(Clone, Debug)]
struct Case {
    documents: Vec<Document>,
    indexes: Vec<IndexSpec>,
    queries: Vec<Query>,
}

/// Compares a store with the reference on so many random cases.
///
/// # Panics
/// When an answer differs; the message shows a smallest case.
pub fn differential(factory: &dyn StoreFactory, cases: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the cases need a runtime");
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, random)
        .run(&case(), |case| runtime.block_on(compare(factory, &case)).map_err(TestCaseError::fail));
    if let Err(failure) = outcome {
        panic!("the store differs from the reference: {failure}");
    }
    println!("{cases} random cases agree with the reference");
}

async fn compare(factory: &dyn StoreFactory, case: &Case) -> Result<(), String> {
    let world = World::open(factory).await;
    let id = collection("random");
    world.with(&id, case.indexes.clone(), &case.documents).await;
    for query in &case.queries {
        let expected = reference(&case.documents, query);
        let found = world.find(&id, query.clone()).await;
        let count =
            world.snapshot().await.count(&scoped(&id, query.clone())).await.map_err(|e| e.to_string())?;
        // Compared as text: NaN is not equal to itself.
        if format!("{found:?}") != format!("{expected:?}") || count != expected.len() as u64 {
            return Err(explain(case, query, &found, &expected, count));
        }
    }
    Ok(())
}

fn reference(documents: &[Document], query: &Query) -> Vec<Document> {
    let mut found: Vec<_> =
        documents.iter().filter(|document| matches(&query.filter, &raw(document))).cloned().collect();
    found.sort_by_cached_key(|document| sort_key(&raw(document), &query.sort));
    found.truncate(query.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX)));
    found
}

fn explain(case: &Case, query: &Query, found: &[Document], expected: &[Document], count: u64) -> String {
    let lines = |documents: &[Document]| {
        documents.iter().map(|document| format!("\n    {document}")).collect::<String>()
    };
    let keys: Vec<_> = case.indexes.iter().map(|index| &index.keys).collect();
    format!(
        "\n  filter {}\n  sort {:?}\n  limit {:?}\n  indexes {keys:?}\n  documents{}\n  found{}\n  expected{}\n  count {count}\n",
        query.filter,
        query.sort,
        query.limit,
        lines(&case.documents),
        lines(found),
        lines(expected),
    )
}

fn case() -> impl Strategy<Value = Case> {
    let documents = vec(document(), 0..12).prop_map(|bodies| {
        let number = |(number, body): (i32, Document)| {
            let mut document = doc! {"_id": number};
            document.extend(body);
            document
        };
        // Not in the order of `_id`, so that insertion is an order of its own.
        (0_i32..).map(|n| (n * 7) % 101).zip(bodies).map(number).collect()
    });
    (documents, vec(index(), 0..3), vec(query(), 1..6)).prop_map(|(documents, indexes, queries)| Case {
        documents,
        indexes: distinct(indexes),
        queries,
    })
}

fn distinct(indexes: Vec<IndexSpec>) -> Vec<IndexSpec> {
    let mut kept: Vec<IndexSpec> = Vec::new();
    for index in indexes {
        if !kept.contains(&index) {
            kept.push(index);
        }
    }
    kept
}

fn document() -> impl Strategy<Value = Document> {
    vec((prop_oneof!["a", "b", "c"], value()), 0..4).prop_map(|fields| fields.into_iter().collect())
}

fn scalar() -> impl Strategy<Value = Bson> {
    prop_oneof![
        4 => (-2_i32..3).prop_map(Bson::Int32),
        2 => (-2_i64..3).prop_map(Bson::Int64),
        2 => prop_oneof![Just(0.5), Just(-0.0), Just(1.0), Just(f64::NAN), Just(f64::INFINITY)].prop_map(Bson::Double),
        1 => (0_i64..3).prop_map(|n| Bson::Int64((1 << 60) + n)),
        2 => "[ab\\x00]{0,2}".prop_map(Bson::String),
        2 => Just(Bson::Null),
        1 => any::<bool>().prop_map(Bson::Boolean),
        1 => (0_i64..2).prop_map(|ms| Bson::DateTime(bson::DateTime::from_millis(ms))),
        1 => (0_u8..2).prop_map(|b| Bson::ObjectId(bson::oid::ObjectId::from_bytes([b; 12]))),
        1 => Just(Bson::Decimal128("1.0".parse().expect("a decimal"))),
        1 => prop_oneof![Just(Bson::MinKey), Just(Bson::MaxKey)],
        1 => (0_u8..2).prop_map(|b| Bson::Binary(bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: vec![b] })),
    ]
}

fn value() -> impl Strategy<Value = Bson> {
    scalar().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Bson::Array),
            vec((prop_oneof!["a", "b", "0"], inner), 0..3)
                .prop_map(|fields| Bson::Document(fields.into_iter().collect())),
        ]
    })
}

fn path() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        6 => prop_oneof![Just("a"), Just("b"), Just("c")],
        3 => prop_oneof![Just("a.b"), Just("b.a"), Just("a.a"), Just("a.0"), Just("a.0.b"), Just("a.b.a")],
        1 => Just("_id"),
    ]
}

fn comparison() -> impl Strategy<Value = Comparison> {
    prop_oneof![
        3 => Just(Comparison::Eq),
        1 => Just(Comparison::Gt),
        1 => Just(Comparison::Gte),
        1 => Just(Comparison::Lt),
        1 => Just(Comparison::Lte),
    ]
}

/// Tests that no index helps with.
fn test() -> impl Strategy<Value = Test> {
    let element = prop_oneof![
        (comparison(), value()).prop_map(|(comparison, value)| Test::Compare(comparison, value)),
        vec(value(), 0..4).prop_map(|values| Test::In(values.into())),
    ];
    let element = element.prop_map(|test| ElementTest::Is(Box::new(test)));
    prop_oneof![
        prop_oneof![Just("number"), Just("array"), Just("null"), Just("string")]
            .prop_map(|name| Test::Type(Types::named(name).expect("a type"))),
        (0_u64..4).prop_map(Test::Size),
        prop_oneof![Just("^a"), Just("b$"), Just("")]
            .prop_map(|source| Test::Matches(Pattern::new(source, "i").expect("a pattern"))),
        (1_i64..4, 0_i64..2).prop_map(|(divisor, remainder)| Test::Remainder { divisor, remainder }),
        (element.clone(), element).prop_map(|(one, other)| {
            Test::AnyElement(ElementTest::All(vec![one, ElementTest::Not(Box::new(other))]))
        }),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        8 => (path(), comparison(), value()).prop_map(|(path, comparison, value)| Filter::compare(path, comparison, value)),
        3 => (path(), vec(value(), 0..4)).prop_map(|(path, values)| Filter::is_in(path, values)),
        1 => (path(), vec(value(), 20..60)).prop_map(|(path, values)| Filter::is_in(path, values)),
        1 => path().prop_map(Filter::exists),
        2 => (path(), test()).prop_map(|(path, test)| Filter::Field(path.into(), test)),
        1 => Just(Filter::Always),
        1 => Just(Filter::Never),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            2 => vec(inner.clone(), 0..4).prop_map(Filter::And),
            1 => vec(inner.clone(), 0..3).prop_map(Filter::Or),
            1 => inner.clone().prop_map(|inner| Filter::Not(Box::new(inner))),
            1 => (path(), inner).prop_map(|(path, inner)| Filter::Field(path.into(), Test::ElemMatch(Box::new(inner)))),
        ]
    })
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Ascending), Just(Direction::Descending)]
}

fn index() -> impl Strategy<Value = IndexSpec> {
    vec((path(), direction()), 1..4).prop_map(|keys| IndexSpec {
        keys: keys.into_iter().map(|(path, direction)| IndexKey { path: path.into(), direction }).collect(),
        unique: false,
    })
}

fn query() -> impl Strategy<Value = Query> {
    let sort = vec((path(), direction()), 0..3).prop_map(|keys| {
        keys.into_iter().map(|(path, direction)| SortKey { path: path.into(), direction }).collect()
    });
    (filter(), sort, proptest::option::of(0_u64..8)).prop_map(|(filter, sort, limit)| Query {
        filter,
        sort,
        limit,
    })
}
