//! In which order documents come.

use backstitch::filter::Direction::{self, Ascending, Descending};
use backstitch::filter::Filter;
use backstitch::rules::Query;
use bson::{Bson, Document, doc};

use crate::factory::StoreFactory;
use crate::world::{World, collection, index, numbers, sorted};

/// The query gives these documents in this order, whatever indexes there are.
async fn gives(factory: &dyn StoreFactory, documents: &[Document], query: &Query, expected: &[i32]) {
    let world = World::open(factory).await;
    let exact: Vec<(&str, Direction)> =
        query.sort.iter().map(|key| (key.path.as_str(), key.direction)).collect();
    let ascending: Vec<_> = exact.iter().map(|(path, _)| (*path, Ascending)).collect();
    let owned: Vec<_> = std::iter::once(("owner", Ascending)).chain(exact.iter().copied()).collect();
    let all =
        [("plain", None), ("exact", Some(exact)), ("ascending", Some(ascending)), ("owned", Some(owned))];
    for (name, keys) in all {
        let indexes = keys.filter(|keys| !keys.is_empty()).map(|keys| index(&keys));
        world.with(&collection(name), indexes.into_iter().collect(), documents).await;
        assert_eq!(world.ids(&collection(name), query.clone()).await, numbers(expected), "{name}");
    }
}

pub(super) async fn without_a_sort_documents_come_in_the_order_of_insertion(factory: &dyn StoreFactory) {
    let documents = [3, 1, 2].map(|id| doc! {"_id": id, "owner": 10 - id});
    gives(factory, &documents, &Query::default(), &[3, 1, 2]).await;
    let owners = Filter::is_in("owner", vec![7.into(), 8.into(), 9.into()]);
    gives(factory, &documents, &Query { filter: owners, ..Query::default() }, &[3, 1, 2]).await;
}

pub(super) async fn mixed_types_sort_by_bracket_and_missing_counts_as_null(factory: &dyn StoreFactory) {
    let documents = [
        doc! {"_id": 0, "a": true},
        doc! {"_id": 1, "a": "text"},
        doc! {"_id": 2, "a": 5},
        doc! {"_id": 3},
        doc! {"_id": 4, "a": {"x": 1}},
        doc! {"_id": 5, "a": Bson::Null},
        doc! {"_id": 6, "a": 4.5},
        doc! {"_id": 7, "a": bson::DateTime::from_millis(0)},
    ];
    gives(factory, &documents, &sorted(&[("a", Ascending)]), &[3, 5, 6, 2, 1, 4, 0, 7]).await;
    gives(factory, &documents, &sorted(&[("a", Descending)]), &[7, 0, 4, 1, 2, 6, 3, 5]).await;
}

pub(super) async fn an_array_sorts_as_its_smallest_or_largest_element(factory: &dyn StoreFactory) {
    let documents = [
        doc! {"_id": 0, "a": [1, 9]},
        doc! {"_id": 1, "a": 5},
        doc! {"_id": 2, "a": []},
        doc! {"_id": 3},
        doc! {"_id": 4, "a": [7, 3]},
    ];
    gives(factory, &documents, &sorted(&[("a", Ascending)]), &[2, 3, 0, 4, 1]).await;
    gives(factory, &documents, &sorted(&[("a", Descending)]), &[0, 4, 1, 3, 2]).await;
}

pub(super) async fn ties_keep_the_order_of_insertion_in_both_directions(factory: &dyn StoreFactory) {
    let documents: Vec<_> = [5, 3, 9, 1].iter().map(|id| doc! {"_id": *id, "a": id % 2}).collect();
    gives(factory, &documents, &sorted(&[("a", Ascending)]), &[5, 3, 9, 1]).await;
    gives(factory, &documents, &sorted(&[("a", Descending)]), &[5, 3, 9, 1]).await;
}

pub(super) async fn two_keys_sort_one_after_the_other(factory: &dyn StoreFactory) {
    let pairs = [(0, 1, 1), (1, 2, 1), (2, 1, 2), (3, 2, 2), (4, 1, 2)];
    let documents = pairs.map(|(id, a, b)| doc! {"_id": id, "a": a, "b": b, "owner": "me"});
    gives(factory, &documents, &sorted(&[("a", Ascending), ("b", Descending)]), &[2, 4, 0, 3, 1]).await;
    let mine = Query { filter: Filter::eq("owner", "me"), ..sorted(&[("a", Descending), ("b", Ascending)]) };
    gives(factory, &documents, &mine, &[1, 3, 0, 2, 4]).await;
}

pub(super) async fn a_limit_cuts_after_the_sort(factory: &dyn StoreFactory) {
    let documents = [4, 2, 8, 6].map(|id| doc! {"_id": id, "a": id, "owner": id % 4});
    let first = Query { limit: Some(2), ..sorted(&[("a", Descending)]) };
    gives(factory, &documents, &first, &[8, 6]).await;
    let own = Query { filter: Filter::eq("owner", 0), limit: Some(1), ..sorted(&[("a", Ascending)]) };
    gives(factory, &documents, &own, &[4]).await;
}
