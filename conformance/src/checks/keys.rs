//! Signing keys and metadata.

use std::sync::Arc;

use backstitch::store::{KeyAlgorithm, SigningKeyRecord};

use crate::factory::StoreFactory;
use crate::world::{World, app, at, in_parallel, other_app};

fn signing_key(id: &str, created: i64) -> SigningKeyRecord {
    SigningKeyRecord {
        id: id.to_owned(),
        algorithm: KeyAlgorithm::Hs256,
        secret: vec![0, 255, 7, 128, 1],
        created_at: at(created),
    }
}

pub(super) async fn signing_keys_come_oldest_first_as_they_were_written(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    assert!(world.store.signing_keys(&app()).await.unwrap().is_empty());
    let (young, old) = (signing_key("a", 50), signing_key("b", 10));
    assert!(world.store.insert_signing_key(&app(), &young, 0).await.unwrap());
    assert!(world.store.insert_signing_key(&app(), &old, 1).await.unwrap());
    assert!(world.store.signing_keys(&app()).await.unwrap() == [old, young]);
}

pub(super) async fn signing_keys_are_of_whatever_algorithm(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let algorithms = [KeyAlgorithm::EdDsa, KeyAlgorithm::Hs256, KeyAlgorithm::Es256];
    let mut keys = Vec::new();
    for (number, algorithm) in algorithms.into_iter().enumerate() {
        let secret = vec![0x5C; 100 + number];
        let key = SigningKeyRecord { algorithm, secret, ..signing_key(&format!("key {number}"), 0) };
        assert!(world.store.insert_signing_key(&app(), &key, number).await.unwrap());
        keys.push(key);
    }
    assert!(world.store.signing_keys(&app()).await.unwrap() == keys);
}

pub(super) async fn a_key_is_added_only_if_there_are_exactly_as_many_as_expected(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    assert!(!world.store.insert_signing_key(&app(), &signing_key("a", 0), 1).await.unwrap());
    assert!(world.store.insert_signing_key(&app(), &signing_key("a", 0), 0).await.unwrap());
    assert!(!world.store.insert_signing_key(&app(), &signing_key("b", 1), 0).await.unwrap());
    assert!(!world.store.insert_signing_key(&app(), &signing_key("b", 1), 2).await.unwrap());
    assert!(world.store.signing_keys(&app()).await.unwrap() == [signing_key("a", 0)]);
}

pub(super) async fn of_50_parallel_first_keys_exactly_one_is_added(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let added = in_parallel(|number| {
        let store = Arc::clone(&world.store);
        async move {
            let key = signing_key(&format!("key {number}"), 0);
            store.insert_signing_key(&app(), &key, 0).await.unwrap()
        }
    })
    .await;
    assert_eq!(added.iter().filter(|added| **added).count(), 1);
    let stored = world.store.signing_keys(&app()).await.unwrap();
    let winner = added.iter().position(|added| *added).unwrap();
    assert!(stored == [signing_key(&format!("key {winner}"), 0)]);
}

pub(super) async fn removing_a_key_says_whether_there_was_one(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.store.insert_signing_key(&app(), &signing_key("a", 0), 0).await.unwrap();
    assert!(!world.store.delete_signing_key(&app(), "b").await.unwrap());
    assert!(world.store.delete_signing_key(&app(), "a").await.unwrap());
    assert!(!world.store.delete_signing_key(&app(), "a").await.unwrap());
    assert!(world.store.signing_keys(&app()).await.unwrap().is_empty());
}

pub(super) async fn signing_keys_of_another_app_are_other_keys(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    assert!(world.store.insert_signing_key(&app(), &signing_key("a", 0), 0).await.unwrap());
    assert!(world.store.signing_keys(&other_app()).await.unwrap().is_empty());
    assert!(world.store.insert_signing_key(&other_app(), &signing_key("a", 9), 0).await.unwrap());
    assert!(world.store.delete_signing_key(&app(), "a").await.unwrap());
    assert!(world.store.signing_keys(&other_app()).await.unwrap() == [signing_key("a", 9)]);
}

pub(super) async fn a_value_is_stored_unless_there_is_one_and_the_standing_one_returned(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    assert_eq!(world.store.meta(&app(), "domain").await.unwrap(), None);
    assert_eq!(world.store.meta_or_insert(&app(), "domain", "one 'ü'").await.unwrap(), "one 'ü'");
    assert_eq!(world.store.meta_or_insert(&app(), "domain", "two").await.unwrap(), "one 'ü'");
    assert_eq!(world.store.meta(&app(), "domain").await.unwrap().as_deref(), Some("one 'ü'"));
}

pub(super) async fn of_50_parallel_writers_all_get_the_same_value_back(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let values = in_parallel(|number| {
        let store = Arc::clone(&world.store);
        async move { store.meta_or_insert(&app(), "domain", &number.to_string()).await.unwrap() }
    })
    .await;
    assert!(values.iter().all(|value| *value == values[0]), "{values:?}");
    assert_eq!(world.store.meta(&app(), "domain").await.unwrap().as_ref(), values.first());
}

pub(super) async fn values_under_another_key_or_app_are_other_values(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.store.meta_or_insert(&app(), "a", "1").await.unwrap();
    assert_eq!(world.store.meta_or_insert(&app(), "b", "2").await.unwrap(), "2");
    assert_eq!(world.store.meta(&other_app(), "a").await.unwrap(), None);
    assert_eq!(world.store.meta_or_insert(&other_app(), "a", "3").await.unwrap(), "3");
    assert_eq!(world.store.meta(&app(), "a").await.unwrap().as_deref(), Some("1"));
}
