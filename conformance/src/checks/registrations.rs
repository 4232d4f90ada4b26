//! E-mail addresses with their passwords.

use std::sync::Arc;

use backstitch::secret::Secret;
use backstitch::store::{Registration, StoreErrorKind};

use crate::factory::StoreFactory;
use crate::world::{World, app, at, in_parallel, kind, other_app};

fn registration(email: &str, hash: &str) -> Registration {
    Registration {
        email: email.to_owned(),
        identity_id: format!("id of {email}"),
        password_hash: Secret::new(hash),
        confirmed: false,
        created_at: at(0),
    }
}

pub(super) async fn a_registration_reads_back_as_it_was_written(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let mut ada = registration("ada@example.com", "$argon2id$1");
    ada.confirmed = true;
    world.store.insert_registration(&app(), &ada).await.unwrap();
    assert_eq!(world.store.registration(&app(), &ada.email).await.unwrap(), Some(ada));
    assert_eq!(world.store.registration(&app(), "bob@example.com").await.unwrap(), None);
}

pub(super) async fn a_registered_address_is_duplicate_key(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let first = registration("ada@example.com", "one");
    world.store.insert_registration(&app(), &first).await.unwrap();
    let second = registration("ada@example.com", "two");
    assert_eq!(kind(world.store.insert_registration(&app(), &second).await), StoreErrorKind::DuplicateKey);
    assert_eq!(world.store.registration(&app(), "ada@example.com").await.unwrap(), Some(first));
}

pub(super) async fn of_50_parallel_inserts_of_one_address_exactly_one_succeeds(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let results = in_parallel(|number| {
        let store = Arc::clone(&world.store);
        async move {
            let mine = registration("ada@example.com", &number.to_string());
            store.insert_registration(&app(), &mine).await.map_err(|error| error.kind())
        }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    let winner = results.iter().position(Result::is_ok).unwrap();
    let stored = world.store.registration(&app(), "ada@example.com").await.unwrap().unwrap();
    assert_eq!(stored.password_hash, Secret::new(winner.to_string()));
}

pub(super) async fn letters_case_matters(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.store.insert_registration(&app(), &registration("A@x", "upper")).await.unwrap();
    assert_eq!(world.store.registration(&app(), "a@x").await.unwrap(), None);
    world.store.insert_registration(&app(), &registration("a@x", "lower")).await.unwrap();
    let upper = world.store.registration(&app(), "A@x").await.unwrap().unwrap();
    assert_eq!(upper.password_hash, Secret::new("upper"));
}

pub(super) async fn an_address_in_another_app_is_another_registration(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let mine = registration("ada@example.com", "mine");
    world.store.insert_registration(&app(), &mine).await.unwrap();
    assert_eq!(world.store.registration(&other_app(), "ada@example.com").await.unwrap(), None);
    assert!(!world.store.delete_registration(&other_app(), "ada@example.com").await.unwrap());
    let theirs = registration("ada@example.com", "theirs");
    world.store.insert_registration(&other_app(), &theirs).await.unwrap();
    assert_eq!(world.store.registration(&app(), "ada@example.com").await.unwrap(), Some(mine));
}

pub(super) async fn replace_writes_if_the_hash_is_still_the_expected_one(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.store.insert_registration(&app(), &registration("ada@x", "old")).await.unwrap();
    let mut next = registration("ada@x", "new");
    next.confirmed = true;
    next.identity_id = "another".to_owned();
    world.store.replace_registration(&app(), &next, &Secret::new("old")).await.unwrap();
    assert_eq!(world.store.registration(&app(), "ada@x").await.unwrap(), Some(next));
}

pub(super) async fn replace_of_another_hash_or_no_such_registration_is_conflict_and_nothing_is_written(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let old = registration("ada@x", "old");
    world.store.insert_registration(&app(), &old).await.unwrap();
    let next = registration("ada@x", "new");
    let wrong = Secret::new("never was");
    assert_eq!(kind(world.store.replace_registration(&app(), &next, &wrong).await), StoreErrorKind::Conflict);
    assert_eq!(world.store.registration(&app(), "ada@x").await.unwrap(), Some(old));
    let missing = registration("bob@x", "new");
    let expected = Secret::new("old");
    assert_eq!(
        kind(world.store.replace_registration(&app(), &missing, &expected).await),
        StoreErrorKind::Conflict
    );
    assert_eq!(world.store.registration(&app(), "bob@x").await.unwrap(), None);
}

pub(super) async fn of_50_parallel_replaces_of_one_hash_exactly_one_succeeds(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.store.insert_registration(&app(), &registration("ada@x", "old")).await.unwrap();
    let results = in_parallel(|number| {
        let store = Arc::clone(&world.store);
        async move {
            let next = registration("ada@x", &format!("new {number}"));
            store.replace_registration(&app(), &next, &Secret::new("old")).await.map_err(|e| e.kind())
        }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
}

pub(super) async fn delete_says_whether_there_was_one(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.store.insert_registration(&app(), &registration("ada@x", "old")).await.unwrap();
    assert!(world.store.delete_registration(&app(), "ada@x").await.unwrap());
    assert!(!world.store.delete_registration(&app(), "ada@x").await.unwrap());
    assert_eq!(world.store.registration(&app(), "ada@x").await.unwrap(), None);
    world.store.insert_registration(&app(), &registration("ada@x", "again")).await.unwrap();
}
