//! Preparing, and unique indexes.

use backstitch::filter::Direction::Ascending;
use backstitch::filter::Filter;
use backstitch::store::StoreErrorKind;
use bson::{Bson, doc};

use crate::factory::StoreFactory;
use crate::world::{World, collection, delete, filtered, index, kind, numbers, replace, unique};

pub(super) async fn preparing_twice_is_no_error(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    let indexes = vec![index(&[("a", Ascending)]), unique(&["b"])];
    world.with(&id, indexes.clone(), &[doc! {"_id": 1, "a": 1}]).await;
    world.prepare(&id, indexes).await.unwrap();
    assert_eq!(world.ids(&id, filtered(Filter::eq("a", 1))).await, numbers(&[1]));
}

pub(super) async fn an_index_that_is_no_longer_listed_goes_away(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.with(&id, vec![unique(&["a"])], &[doc! {"_id": 1, "a": 1}]).await;
    world.prepare(&id, vec![]).await.unwrap();
    world.insert(&id, &[doc! {"_id": 2, "a": 1}]).await.unwrap();
    assert_eq!(world.ids(&id, filtered(Filter::eq("a", 1))).await, numbers(&[1, 2]));
}

pub(super) async fn preparing_one_collection_leaves_the_others_alone(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.with(&id, vec![unique(&["a"])], &[doc! {"_id": 1, "a": 1}]).await;
    world.prepare(&collection("authors"), vec![]).await.unwrap();
    assert_eq!(kind(world.insert(&id, &[doc! {"_id": 2, "a": 1}]).await), StoreErrorKind::DuplicateKey);
}

pub(super) async fn a_new_index_covers_the_documents_that_are_already_there(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.with(&id, vec![], &[doc! {"_id": 1, "a": 1}, doc! {"_id": 2, "a": [1, 2]}]).await;
    world.prepare(&id, vec![index(&[("a", Ascending)])]).await.unwrap();
    assert_eq!(world.ids(&id, filtered(Filter::eq("a", 1))).await, numbers(&[1, 2]));
    world.prepare(&id, vec![unique(&["_id", "a"])]).await.unwrap();
    assert_eq!(world.ids(&id, filtered(Filter::eq("a", 2))).await, numbers(&[2]));
}

pub(super) async fn a_unique_index_over_duplicates_is_duplicate_key_and_names_the_index(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.with(&id, vec![], &[doc! {"_id": 1, "isbn": 1}, doc! {"_id": 2, "isbn": 1}]).await;
    let error = world.prepare(&id, vec![unique(&["isbn"])]).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::DuplicateKey);
    assert!(error.to_string().contains("isbn"), "{error}");
    assert_eq!(world.all(&id).await.len(), 2);
}

pub(super) async fn a_write_that_breaks_a_unique_index_is_duplicate_key(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.with(&id, vec![unique(&["a"])], &[doc! {"_id": 1, "a": 1}, doc! {"_id": 2, "a": 2}]).await;
    assert_eq!(kind(world.insert(&id, &[doc! {"_id": 3, "a": 1.0}]).await), StoreErrorKind::DuplicateKey);
    assert_eq!(
        kind(world.write(&[replace(&id, &doc! {"_id": 2, "a": 1})]).await),
        StoreErrorKind::DuplicateKey
    );
    world.write(&[replace(&id, &doc! {"_id": 2, "a": 2, "b": 1})]).await.unwrap();
    world.write(&[delete(&id, 1), replace(&id, &doc! {"_id": 2, "a": 1})]).await.unwrap();
    assert_eq!(world.all(&id).await, [doc! {"_id": 2, "a": 1}]);
}

pub(super) async fn in_a_unique_index_a_missing_field_counts_as_null(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.with(&id, vec![unique(&["a"])], &[doc! {"_id": 1}]).await;
    for second in [doc! {"_id": 2}, doc! {"_id": 2, "a": Bson::Null}] {
        assert_eq!(kind(world.insert(&id, &[second]).await), StoreErrorKind::DuplicateKey);
    }
}

pub(super) async fn a_unique_index_holds_every_element_of_an_array(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.with(&id, vec![unique(&["a"])], &[doc! {"_id": 1, "a": [1, 2, 2]}]).await;
    assert_eq!(kind(world.insert(&id, &[doc! {"_id": 2, "a": 2}]).await), StoreErrorKind::DuplicateKey);
    assert_eq!(kind(world.insert(&id, &[doc! {"_id": 2, "a": [3, 1]}]).await), StoreErrorKind::DuplicateKey);
    world.insert(&id, &[doc! {"_id": 2, "a": [3, 4]}]).await.unwrap();
}

pub(super) async fn a_unique_index_of_two_keys_is_broken_by_both_together_only(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world
        .with(
            &id,
            vec![unique(&["a", "b"])],
            &[doc! {"_id": 1, "a": 1, "b": 1}, doc! {"_id": 2, "a": 1, "b": 2}],
        )
        .await;
    assert_eq!(
        kind(world.insert(&id, &[doc! {"_id": 3, "a": 1, "b": 2}]).await),
        StoreErrorKind::DuplicateKey
    );
    world.insert(&id, &[doc! {"_id": 3, "a": 2, "b": 2}]).await.unwrap();
}
