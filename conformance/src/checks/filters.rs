//! What filters match: with and without an index, alone and negated.

use backstitch::filter::{Comparison, Direction, Filter, Test, matches};
use bson::{Bson, Document, bson, doc};

use crate::factory::StoreFactory;
use crate::world::{World, collection, filtered, index, numbers, raw, scoped};

/// Values at `a`, numbered by their place.
fn corpus(values: impl IntoIterator<Item = Document>) -> Vec<Document> {
    let number = |(number, document): (usize, Document)| {
        let mut numbered = doc! {"_id": i32::try_from(number).unwrap()};
        numbered.extend(document);
        numbered
    };
    values.into_iter().enumerate().map(number).collect()
}

/// Each filter finds exactly these documents, in the order of insertion, and its negation the others;
/// without an index on `path`, with an ascending one and with a descending one.
async fn finds(factory: &dyn StoreFactory, path: &str, documents: &[Document], cases: &[(Filter, &[i32])]) {
    let world = World::open(factory).await;
    let names = [
        ("plain", vec![]),
        ("ascending", vec![index(&[(path, Direction::Ascending)])]),
        ("descending", vec![index(&[(path, Direction::Descending), ("_id", Direction::Ascending)])]),
    ];
    for (name, indexes) in names {
        let id = collection(name);
        world.with(&id, indexes, documents).await;
        for (filter, expected) in cases {
            let reference: Vec<i32> =
                (0..).zip(documents).filter(|(_, d)| matches(filter, &raw(d))).map(|(n, _)| n).collect();
            assert_eq!(reference, *expected, "the suite itself: {filter}");
            assert_eq!(world.ids(&id, filtered(filter.clone())).await, numbers(expected), "{name}: {filter}");
            let count = world.snapshot().await.count(&scoped(&id, filtered(filter.clone()))).await.unwrap();
            assert_eq!(count, expected.len() as u64, "{name}: count of {filter}");
            let others: Vec<i32> =
                (0..).zip(documents).map(|(n, _)| n).filter(|n| !expected.contains(n)).collect();
            let negated = Filter::Not(Box::new(filter.clone()));
            assert_eq!(world.ids(&id, filtered(negated)).await, numbers(&others), "{name}: not {filter}");
        }
    }
}

fn mixed() -> Vec<Document> {
    corpus([
        doc! {"a": 1},
        doc! {"a": 2_i64},
        doc! {"a": 2.5},
        doc! {"a": "2"},
        doc! {"a": Bson::Null},
        doc! {},
        doc! {"a": [1, 3]},
        doc! {"a": []},
        doc! {"a": {"b": 1}},
        doc! {"a": true},
        doc! {"a": f64::NAN},
        doc! {"a": [[1, 3]]},
        doc! {"a": bson::DateTime::from_millis(2)},
    ])
}

fn range(comparison: Comparison, value: impl Into<Bson>) -> Filter {
    Filter::compare("a", comparison, value)
}

pub(super) async fn equality_with_a_scalar_finds_it_and_arrays_that_hold_it(factory: &dyn StoreFactory) {
    let cases: &[(Filter, &[i32])] = &[
        (Filter::eq("a", 1), &[0, 6]),
        (Filter::eq("a", "2"), &[3]),
        (Filter::eq("a", true), &[9]),
        (Filter::eq("a", 99), &[]),
    ];
    finds(factory, "a", &mixed(), cases).await;
}

pub(super) async fn equality_is_the_same_across_number_widths(factory: &dyn StoreFactory) {
    let documents = corpus([
        doc! {"a": 7},
        doc! {"a": 7_i64},
        doc! {"a": 7.0},
        doc! {"a": 7.5},
        doc! {"a": "7"},
        doc! {"a": "7".parse::<bson::Decimal128>().unwrap()},
        doc! {"a": 9_007_199_254_740_993_i64},
        doc! {"a": 9_007_199_254_740_992_i64},
        doc! {"a": 0.0},
        doc! {"a": -0.0},
    ]);
    let cases: &[(Filter, &[i32])] = &[
        (Filter::eq("a", 7), &[0, 1, 2, 5]),
        (Filter::eq("a", 7.0), &[0, 1, 2, 5]),
        (Filter::eq("a", 9_007_199_254_740_993_i64), &[6]),
        (Filter::eq("a", 0), &[8, 9]),
    ];
    finds(factory, "a", &documents, cases).await;
}

pub(super) async fn equality_with_null_finds_null_and_missing(factory: &dyn StoreFactory) {
    finds(factory, "a", &mixed(), &[(Filter::eq("a", Bson::Null), &[4, 5])]).await;
}

pub(super) async fn equality_with_nan_finds_nan(factory: &dyn StoreFactory) {
    finds(factory, "a", &mixed(), &[(Filter::eq("a", f64::NAN), &[10])]).await;
}

pub(super) async fn equality_with_an_array_finds_the_whole_array_or_an_element(factory: &dyn StoreFactory) {
    let cases: &[(Filter, &[i32])] = &[
        (Filter::eq("a", bson!([1, 3])), &[6, 11]),
        (Filter::eq("a", bson!([])), &[7]),
        (Filter::eq("a", bson!([3, 1])), &[]),
    ];
    finds(factory, "a", &mixed(), cases).await;
}

pub(super) async fn equality_with_a_document_is_of_the_whole_in_its_order(factory: &dyn StoreFactory) {
    let documents = corpus([
        doc! {"a": {"b": 1, "c": 2}},
        doc! {"a": {"c": 2, "b": 1}},
        doc! {"a": {"b": 1.0, "c": 2_i64}},
        doc! {"a": {"b": 1}},
        doc! {"a": [{"b": 1, "c": 2}]},
    ]);
    finds(factory, "a", &documents, &[(Filter::eq("a", bson!({"b": 1, "c": 2})), &[0, 2, 4])]).await;
}

pub(super) async fn greater_and_less_stay_within_the_type_bracket(factory: &dyn StoreFactory) {
    use Comparison::{Gt, Gte, Lt, Lte};
    let cases: &[(Filter, &[i32])] = &[
        (range(Gt, 2), &[2, 6]),
        (range(Gte, 2), &[1, 2, 6]),
        (range(Lt, 2), &[0, 6]),
        (range(Lte, 2), &[0, 1, 6]),
        (range(Gt, "1"), &[3]),
        (range(Lt, "1"), &[]),
        (range(Lte, true), &[9]),
        (range(Gte, bson::DateTime::from_millis(0)), &[12]),
    ];
    finds(factory, "a", &mixed(), cases).await;
}

pub(super) async fn ranges_with_null_nan_and_arrays_follow_the_reference(factory: &dyn StoreFactory) {
    use Comparison::{Gt, Gte, Lte};
    let cases: &[(Filter, &[i32])] = &[
        (range(Gte, Bson::Null), &[4, 5]),
        (range(Gt, Bson::Null), &[]),
        (range(Gte, f64::NAN), &[10]),
        (range(Lte, f64::NEG_INFINITY), &[]),
        (range(Gte, bson!([1])), &[6, 11]),
    ];
    finds(factory, "a", &mixed(), cases).await;
}

pub(super) async fn two_ranges_may_hold_for_two_elements_of_an_array(factory: &dyn StoreFactory) {
    let documents = corpus([doc! {"a": [1, 9]}, doc! {"a": 5}, doc! {"a": [1, 2]}, doc! {"a": 9}]);
    let both = Filter::And(vec![range(Comparison::Gt, 4), range(Comparison::Lt, 6)]);
    finds(factory, "a", &documents, &[(both, &[0, 1])]).await;
}

pub(super) async fn in_finds_what_equals_one_of_the_values(factory: &dyn StoreFactory) {
    let cases: &[(Filter, &[i32])] = &[
        (Filter::is_in("a", vec![bson!(2), bson!("2"), bson!(3), bson!(2.0)]), &[1, 3, 6]),
        (Filter::is_in("a", vec![Bson::Null, bson!(true)]), &[4, 5, 9]),
        (Filter::is_in("a", vec![]), &[]),
        (Filter::is_in("a", vec![bson!([1, 3]), bson!(1)]), &[0, 6, 11]),
    ];
    finds(factory, "a", &mixed(), cases).await;
}

pub(super) async fn in_finds_what_equals_one_of_thousands_of_values(factory: &dyn StoreFactory) {
    let even = |wrap: fn(i32) -> Bson| (0..6000).rev().map(|n| wrap(n * 2)).collect::<Vec<_>>();
    let documents = corpus([
        doc! {"a": 7000},
        doc! {"a": 7001_i64},
        doc! {"a": 7002.0},
        doc! {"a": "7000"},
        doc! {"a": [7001, 7004]},
        doc! {"a": 12_000},
        doc! {},
        doc! {"a": [[7000]]},
    ]);
    let cases: &[(Filter, &[i32])] = &[
        (Filter::is_in("a", even(Bson::Int32)), &[0, 2, 4]),
        (Filter::is_in("a", even(|n| Bson::String(n.to_string()))), &[3]),
        (Filter::is_in("a", even(|n| bson!([n]))), &[7]),
    ];
    finds(factory, "a", &documents, cases).await;
}

pub(super) async fn exists_finds_stored_nulls_too(factory: &dyn StoreFactory) {
    finds(factory, "a", &mixed(), &[(Filter::exists("a"), &[0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12])]).await;
}

pub(super) async fn elem_match_asks_one_element_for_everything(factory: &dyn StoreFactory) {
    let documents = corpus([
        doc! {"a": [{"x": 1, "y": 2}]},
        doc! {"a": [{"x": 1}, {"y": 2}]},
        doc! {"a": {"x": 1, "y": 2}},
        doc! {"a": [1]},
        doc! {},
        doc! {"a": [{"x": [0, 1], "y": 2}]},
    ]);
    let both = Filter::And(vec![Filter::eq("x", 1), Filter::eq("y", 2)]);
    let elem = |inner| Filter::Field("a".into(), Test::ElemMatch(Box::new(inner)));
    let cases: &[(Filter, &[i32])] =
        &[(elem(both), &[0, 5]), (elem(Filter::Always), &[0, 1, 5]), (elem(Filter::Never), &[])];
    finds(factory, "a", &documents, cases).await;
}

pub(super) async fn what_no_index_helps_with_is_tested(factory: &dyn StoreFactory) {
    let documents = corpus([
        doc! {"a": "Ada"},
        doc! {"a": ["bob", 7]},
        doc! {"a": [1, 5, 9]},
        doc! {"a": []},
        doc! {"a": null},
        doc! {},
        doc! {"a": [[2]]},
    ]);
    let asked = |query: Document| Filter::parse(&query).expect("a query");
    let cases: &[(Filter, &[i32])] = &[
        (asked(doc! {"a": {"$regex": "^(a|b)", "$options": "i"}}), &[0, 1]),
        (asked(doc! {"a": {"$not": {"$regex": "a"}}}), &[1, 2, 3, 4, 5, 6]),
        (asked(doc! {"a": {"$size": 0}}), &[3]),
        (asked(doc! {"a": {"$mod": [4, 3]}}), &[1]),
        (asked(doc! {"a": {"$type": ["string", "null"]}}), &[0, 1, 4]),
        (asked(doc! {"a": {"$elemMatch": {"$gt": 1, "$lt": 9}}}), &[1, 2]),
        (asked(doc! {"a": {"$elemMatch": {"$elemMatch": {"$eq": 2}}}}), &[6]),
        (asked(doc! {"a": {"$all": [1, 9]}}), &[2]),
    ];
    finds(factory, "a", &documents, cases).await;
}

pub(super) async fn and_or_not_are_two_valued(factory: &dyn StoreFactory) {
    let (one, text) = (Filter::eq("a", 1), Filter::eq("a", "2"));
    let not = |inner| Filter::Not(Box::new(inner));
    let cases: &[(Filter, &[i32])] = &[
        (Filter::And(vec![one.clone(), Filter::eq("a", 3)]), &[6]),
        (Filter::Or(vec![one.clone(), text.clone()]), &[0, 3, 6]),
        (not(Filter::Or(vec![not(one), text])), &[0, 6]),
    ];
    finds(factory, "a", &mixed(), cases).await;
}

pub(super) async fn always_never_and_empty_lists(factory: &dyn StoreFactory) {
    let documents = corpus([doc! {"a": 1}, doc! {}]);
    let cases: &[(Filter, &[i32])] = &[
        (Filter::Always, &[0, 1]),
        (Filter::Never, &[]),
        (Filter::And(vec![]), &[0, 1]),
        (Filter::Or(vec![]), &[]),
    ];
    finds(factory, "a", &documents, cases).await;
}

pub(super) async fn dotted_paths_look_into_documents_and_arrays_of_them(factory: &dyn StoreFactory) {
    let documents = corpus([
        doc! {"a": {"b": 1}},
        doc! {"a": [{"b": 1}, {"b": 2}]},
        doc! {"a": [{"b": [1]}]},
        doc! {"a": 1},
        doc! {"a": [1]},
        doc! {"a": [[{"b": 1}]]},
        doc! {"a": {}},
        doc! {},
        doc! {"a": [{}, {"b": 2}]},
        doc! {"a.b": 1},
    ]);
    let cases: &[(Filter, &[i32])] = &[
        (Filter::eq("a.b", 1), &[0, 1, 2]),
        (Filter::eq("a.b", 2), &[1, 8]),
        (Filter::eq("a.b", Bson::Null), &[3, 6, 7, 8, 9]),
        (Filter::exists("a.b"), &[0, 1, 2, 8]),
    ];
    finds(factory, "a.b", &documents, cases).await;
}

pub(super) async fn digits_in_a_path_are_array_indexes_and_field_names(factory: &dyn StoreFactory) {
    let documents = corpus([
        doc! {"a": [1, 2]},
        doc! {"a": [2, 1]},
        doc! {"a": {"0": 1}},
        doc! {"a": [{"0": 1}]},
        doc! {"a": []},
    ]);
    finds(
        factory,
        "a.0",
        &documents,
        &[(Filter::eq("a.0", 1), &[0, 2, 3]), (Filter::exists("a.0"), &[0, 1, 2, 3])],
    )
    .await;
}
