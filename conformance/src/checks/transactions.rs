//! Transactions and writes.

use std::sync::Arc;
use std::time::Duration;

use backstitch::filter::Filter;
use backstitch::id::CollectionId;
use backstitch::rules::Query;
use backstitch::store::{ReadExt, Result, StoreErrorKind, TransactionOptions};
use bson::{Bson, bson, doc};

use crate::factory::StoreFactory;
use crate::world::{
    World, collection, decode, delete, filtered, found_in, in_parallel, insert, kind, numbers, replace,
    replace_at, scoped,
};

pub(super) async fn commit_makes_everything_visible_at_once(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let (books, authors) = (collection("books"), collection("authors"));
    let mut transaction = world.begin().await;
    transaction.write(&[insert(&books, &doc! {"_id": 1}), insert(&authors, &doc! {"_id": 1})]).await.unwrap();
    assert!(world.all(&books).await.is_empty());
    transaction.write(&[insert(&books, &doc! {"_id": 2})]).await.unwrap();
    assert!(world.all(&books).await.is_empty());
    transaction.commit().await.unwrap();
    assert_eq!(world.all(&books).await.len(), 2);
    assert_eq!(world.all(&authors).await.len(), 1);
}

pub(super) async fn rollback_undoes_everything(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.with(&id, vec![], &[doc! {"_id": 1, "a": 1}]).await;
    let mut transaction = world.begin().await;
    transaction
        .write(&[replace(&id, &doc! {"_id": 1, "a": 2}), insert(&id, &doc! {"_id": 2})])
        .await
        .unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(world.all(&id).await, [doc! {"_id": 1, "a": 1}]);
}

pub(super) async fn dropping_a_transaction_rolls_it_back_and_lets_the_next_one_in(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let id = collection("books");
    let mut transaction = world.begin().await;
    transaction.write(&[insert(&id, &doc! {"_id": 1})]).await.unwrap();
    drop(transaction);
    assert!(world.all(&id).await.is_empty());
    world.insert(&id, &[doc! {"_id": 1}]).await.unwrap();
    assert_eq!(world.all(&id).await.len(), 1);
}

pub(super) async fn a_transaction_sees_its_own_writes(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world
        .with(&id, vec![crate::world::unique(&["a"])], &[doc! {"_id": 1, "a": 1}, doc! {"_id": 2, "a": 2}])
        .await;
    let mut transaction = world.begin().await;
    let writes =
        [delete(&id, 1), replace(&id, &doc! {"_id": 2, "a": 1}), insert(&id, &doc! {"_id": 3, "a": 2})];
    transaction.write(&writes).await.unwrap();
    let by_index = found_in(transaction.as_mut(), &scoped(&id, filtered(Filter::eq("a", 1)))).await;
    assert_eq!(by_index, [doc! {"_id": 2, "a": 1}]);
    let all = found_in(transaction.as_mut(), &scoped(&id, Query::default())).await;
    assert_eq!(all, [doc! {"_id": 2, "a": 1}, doc! {"_id": 3, "a": 2}]);
    transaction.commit().await.unwrap();
    assert_eq!(world.all(&id).await, all);
}

pub(super) async fn past_the_deadline_it_is_deadline_exceeded_and_nothing_was_written(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let id = collection("books");
    let options =
        TransactionOptions { deadline: Duration::from_millis(300), ..TransactionOptions::default() };
    let mut transaction = world.store.begin(options).await.unwrap();
    transaction.write(&[insert(&id, &doc! {"_id": 1})]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(kind(transaction.commit().await), StoreErrorKind::DeadlineExceeded);
    assert!(world.all(&id).await.is_empty());
    world.insert(&id, &[doc! {"_id": 1}]).await.unwrap();
}

pub(super) async fn an_insert_of_a_taken_id_is_duplicate_key(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.with(&id, vec![], &[doc! {"_id": 1, "a": "first"}]).await;
    for taken in [bson!(1), bson!(1_i64), bson!(1.0)] {
        let result = world.insert(&id, &[doc! {"_id": 2}, doc! {"_id": taken}]).await;
        assert_eq!(kind(result), StoreErrorKind::DuplicateKey);
    }
    assert_eq!(
        kind(world.insert(&id, &[doc! {"_id": 3}, doc! {"_id": 3}]).await),
        StoreErrorKind::DuplicateKey
    );
    assert_eq!(world.all(&id).await, [doc! {"_id": 1, "a": "first"}]);
}

pub(super) async fn a_replace_or_delete_of_an_id_that_is_not_there_is_conflict(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.with(&id, vec![], &[doc! {"_id": 1}]).await;
    for write in [replace(&id, &doc! {"_id": 2}), delete(&id, 2), delete(&collection("other"), 1)] {
        assert_eq!(kind(world.write(&[write]).await), StoreErrorKind::Conflict);
    }
    assert_eq!(kind(world.write(&[delete(&id, 1), delete(&id, 1)]).await), StoreErrorKind::Conflict);
    assert_eq!(world.ids(&id, Query::default()).await, numbers(&[1]));
}

pub(super) async fn after_a_failure_no_part_of_the_transaction_is_ever_committed(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.with(&id, vec![], &[doc! {"_id": 1}]).await;
    let mut transaction = world.begin().await;
    transaction.write(&[insert(&id, &doc! {"_id": 2})]).await.unwrap();
    assert!(
        transaction.write(&[insert(&id, &doc! {"_id": 3}), insert(&id, &doc! {"_id": 1})]).await.is_err()
    );
    assert!(transaction.commit().await.is_err());
    assert_eq!(world.ids(&id, Query::default()).await, numbers(&[1]));
    let mut transaction = world.begin().await;
    assert!(transaction.write(&[delete(&id, 9)]).await.is_err());
    transaction.rollback().await.unwrap();
    world.insert(&id, &[doc! {"_id": 2}]).await.unwrap();
}

pub(super) async fn an_id_may_not_be_an_array_nor_change_in_a_replace(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.with(&id, vec![], &[doc! {"_id": 1}]).await;
    assert!(world.insert(&id, &[doc! {"_id": [1]}]).await.is_err());
    assert!(world.write(&[replace_at(&id, 1, &doc! {"_id": 2})]).await.is_err());
    assert_eq!(world.ids(&id, Query::default()).await, numbers(&[1]));
}

pub(super) async fn writes_are_carried_out_in_order(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    let writes = [
        insert(&id, &doc! {"_id": 1, "a": 1}),
        replace(&id, &doc! {"_id": 1, "a": 2}),
        delete(&id, 1),
        insert(&id, &doc! {"_id": 1, "a": 3}),
    ];
    world.write(&writes).await.unwrap();
    assert_eq!(world.all(&id).await, [doc! {"_id": 1, "a": 3}]);
}

pub(super) async fn fifty_parallel_transactions_on_one_counter_lose_nothing(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("counters");
    world.with(&id, vec![], &[doc! {"_id": 1, "n": 0}]).await;
    in_parallel(|_| {
        let (world, id) = (World { store: Arc::clone(&world.store) }, id.clone());
        async move {
            let mut options = TransactionOptions::default();
            while let Err(error) = count_one_more(&world, &id, options).await {
                assert_eq!(error.kind(), StoreErrorKind::Contended, "{error:?}");
                options.attempt += 1;
                assert!(options.attempt < 10, "those that begin again take turns");
            }
        }
    })
    .await;
    assert_eq!(world.all(&id).await, [doc! {"_id": 1, "n": 50}]);
}

async fn count_one_more(world: &World, id: &CollectionId, options: TransactionOptions) -> Result<()> {
    let query = scoped(id, filtered(Filter::eq("_id", 1)));
    let mut transaction = world.store.begin(options).await?;
    let stored = transaction.find(&query).await?.collect_scoped(&query).await?;
    let n = decode(&stored)[0].get("n").and_then(Bson::as_i32).unwrap();
    tokio::task::yield_now().await;
    transaction.write(&[replace(id, &doc! {"_id": 1, "n": n + 1})]).await?;
    transaction.commit().await
}
