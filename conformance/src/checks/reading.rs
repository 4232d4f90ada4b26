//! Limits, counts, cursors and snapshots.

use backstitch::filter::Direction::Ascending;
use backstitch::filter::Filter;
use backstitch::rules::Query;
use bson::{Document, doc};

use crate::factory::StoreFactory;
use crate::world::{
    World, collection, decode, delete, found, found_in, ids_of, insert, numbers, replace, scoped, sorted,
};

fn ten() -> Vec<Document> {
    (0..10).map(|id| doc! {"_id": id, "a": id % 3}).collect()
}

pub(super) async fn at_most_as_many_as_the_querys_limit(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.with(&id, vec![], &ten()).await;
    for (limit, expected) in [(0, 0), (1, 1), (4, 4), (10, 10), (11, 10)] {
        let found = world.ids(&id, Query { limit: Some(limit), ..Query::default() }).await;
        assert_eq!(found, numbers(&(0..expected).collect::<Vec<_>>()), "limit {limit}");
    }
}

pub(super) async fn the_limit_counts_and_the_sort_does_not(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.with(&id, vec![], &ten()).await;
    let filter = Filter::eq("a", 0);
    for (limit, expected) in [(None, 4), (Some(3), 3), (Some(9), 4), (Some(0), 0)] {
        let query = Query { filter: filter.clone(), limit, ..sorted(&[("a", Ascending)]) };
        assert_eq!(world.snapshot().await.count(&scoped(&id, query)).await.unwrap(), expected, "{limit:?}");
    }
}

pub(super) async fn a_collection_that_nothing_was_ever_written_to_is_empty(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("never seen");
    assert!(world.all(&id).await.is_empty());
    assert_eq!(world.snapshot().await.count(&scoped(&id, Query::default())).await.unwrap(), 0);
    world.prepare(&id, vec![]).await.unwrap();
    assert!(world.all(&id).await.is_empty());
}

pub(super) async fn a_cursor_gives_at_most_a_batch_and_the_end_stays_the_end(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.with(&id, vec![], &ten()).await;
    for query in [Query::default(), sorted(&[("_id", Ascending)])] {
        let mut cursor = world.snapshot().await.find(&scoped(&id, query)).await.unwrap();
        let mut all = Vec::new();
        loop {
            let batch = decode(&cursor.next(3).await.unwrap());
            assert!(batch.len() <= 3);
            if batch.is_empty() {
                break;
            }
            all.extend(batch);
        }
        assert_eq!(all, ten());
        assert!(cursor.next(3).await.unwrap().is_empty());
        assert!(cursor.next(100).await.unwrap().is_empty());
    }
}

pub(super) async fn all_reads_of_a_snapshot_see_one_state(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let (id, other) = (collection("books"), collection("authors"));
    world.with(&id, vec![], &ten()).await;
    let snapshot = world.snapshot().await;
    assert_eq!(found(snapshot.as_ref(), &scoped(&id, Query::default())).await, ten());
    let writes = [
        delete(&id, 0),
        replace(&id, &doc! {"_id": 1, "a": "new"}),
        insert(&id, &doc! {"_id": 10}),
        insert(&other, &doc! {"_id": 1}),
    ];
    world.write(&writes).await.unwrap();
    assert_eq!(found(snapshot.as_ref(), &scoped(&id, Query::default())).await, ten());
    assert_eq!(snapshot.count(&scoped(&other, Query::default())).await.unwrap(), 0);
    assert_eq!(world.all(&id).await.len(), 10);
    assert_eq!(world.all(&id).await[0], doc! {"_id": 1, "a": "new"}, "a replaced document keeps its place");
}

pub(super) async fn a_cursor_reads_the_state_of_its_snapshot_to_its_end(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.with(&id, vec![], &ten()).await;
    let snapshot = world.snapshot().await;
    let mut cursor = snapshot.find(&scoped(&id, Query::default())).await.unwrap();
    let mut all = decode(&cursor.next(2).await.unwrap());
    drop(snapshot);
    let writes: Vec<_> = (0..10).map(|key| delete(&id, key)).collect();
    world.write(&writes).await.unwrap();
    all.extend(decode(&cursor.next(100).await.unwrap()));
    assert_eq!(all, ten());
    assert!(world.all(&id).await.is_empty());
}

pub(super) async fn a_transactions_cursor_reads_the_state_as_it_was_at_find(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.with(&id, vec![], &ten()).await;
    let mut transaction = world.begin().await;
    let mut cursor = transaction.find(&scoped(&id, Query::default())).await.unwrap();
    let mut all = decode(&cursor.next(2).await.unwrap());
    transaction.write(&[delete(&id, 5), insert(&id, &doc! {"_id": 99})]).await.unwrap();
    all.extend(decode(&cursor.next(100).await.unwrap()));
    assert_eq!(all, ten());
    let now = found_in(transaction.as_mut(), &scoped(&id, Query::default())).await;
    assert_eq!(ids_of(&now), numbers(&[0, 1, 2, 3, 4, 6, 7, 8, 9, 99]));
    transaction.rollback().await.unwrap();
}
