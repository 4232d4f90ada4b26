//! E-mail addresses with their passwords.

use std::sync::Arc;

use backstitch::secret::Secret;
use backstitch::store::{Registration, Registrations, StoreErrorKind};

use crate::factory::StoreFactory;
use crate::world::{
    PARALLEL, World, app, at, identity, in_parallel, kind, other_app, registration, user, user_id,
};

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

pub(super) async fn move_writes_all_of_it_and_the_old_address_is_free_again(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.store.insert_registration(&app(), &registration("ada@x", "old")).await.unwrap();
    let mut next = registration("lovelace@x", "new");
    next.confirmed = true;
    next.identity_id = "another".to_owned();
    next.created_at = at(7);
    world.store.move_registration(&app(), "ada@x", &next, &Secret::new("old")).await.unwrap();
    assert_eq!(world.store.registration(&app(), "ada@x").await.unwrap(), None);
    assert_eq!(world.store.registration(&app(), "lovelace@x").await.unwrap(), Some(next.clone()));
    world.store.insert_registration(&app(), &registration("ada@x", "again")).await.unwrap();
    // To the address that it has.
    next.password_hash = Secret::new("newer");
    world.store.move_registration(&app(), "lovelace@x", &next, &Secret::new("new")).await.unwrap();
    assert_eq!(world.store.registration(&app(), "lovelace@x").await.unwrap(), Some(next));
}

pub(super) async fn move_at_another_hash_or_of_no_such_registration_is_conflict_and_nothing_is_written(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let (ada, bob) = (registration("ada@x", "old"), registration("bob@x", "bob's"));
    world.store.insert_registration(&app(), &ada).await.unwrap();
    world.store.insert_registration(&app(), &bob).await.unwrap();
    let next = registration("lovelace@x", "new");
    for (app, from, to, hash) in [
        (app(), "ada@x", "lovelace@x", "never was"),
        (app(), "nobody@x", "lovelace@x", "old"),
        (other_app(), "ada@x", "lovelace@x", "old"),
        // Also where the new address is taken.
        (app(), "ada@x", "bob@x", "never was"),
    ] {
        let to = Registration { email: to.to_owned(), ..next.clone() };
        let result = world.store.move_registration(&app, from, &to, &Secret::new(hash)).await;
        assert_eq!(kind(result), StoreErrorKind::Conflict, "{from} to {}", to.email);
    }
    assert_eq!(world.store.registration(&app(), "ada@x").await.unwrap(), Some(ada));
    assert_eq!(world.store.registration(&app(), "bob@x").await.unwrap(), Some(bob));
    assert_eq!(world.store.registration(&app(), "lovelace@x").await.unwrap(), None);
}

pub(super) async fn move_to_an_address_that_is_registered_is_duplicate_key_and_nothing_is_written(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let (ada, bob) = (registration("ada@x", "old"), registration("bob@x", "bob's"));
    world.store.insert_registration(&app(), &ada).await.unwrap();
    world.store.insert_registration(&app(), &bob).await.unwrap();
    let moved = registration("bob@x", "new");
    let result = world.store.move_registration(&app(), "ada@x", &moved, &Secret::new("old")).await;
    assert_eq!(kind(result), StoreErrorKind::DuplicateKey);
    assert_eq!(world.store.registration(&app(), "ada@x").await.unwrap(), Some(ada));
    assert_eq!(world.store.registration(&app(), "bob@x").await.unwrap(), Some(bob));
    // An address of another app is another one.
    world.store.insert_registration(&other_app(), &registration("free@x", "theirs")).await.unwrap();
    let moved = registration("free@x", "new");
    world.store.move_registration(&app(), "ada@x", &moved, &Secret::new("old")).await.unwrap();
}

pub(super) async fn of_50_parallel_moves_of_one_registration_exactly_one_succeeds(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    world.store.insert_registration(&app(), &registration("ada@x", "old")).await.unwrap();
    let results = in_parallel(|number| {
        let store = Arc::clone(&world.store);
        async move {
            let next = registration(&format!("{number}@x"), "new");
            store.move_registration(&app(), "ada@x", &next, &Secret::new("old")).await.map_err(|e| e.kind())
        }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    assert_eq!(results.iter().filter(|result| **result == Err(StoreErrorKind::Conflict)).count(), 49);
    let winner = results.iter().position(Result::is_ok).unwrap();
    let pending = world.store.list_registrations(&app(), Registrations::Pending, None, 100).await.unwrap();
    assert_eq!(pending, [registration(&format!("{winner}@x"), "new")]);
}

pub(super) async fn of_50_parallel_moves_to_one_address_exactly_one_succeeds(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in 0..PARALLEL {
        let old = registration(&format!("{number}@x"), "old");
        world.store.insert_registration(&app(), &old).await.unwrap();
    }
    let results = in_parallel(|number| {
        let store = Arc::clone(&world.store);
        async move {
            let (old, next) = (format!("{number}@x"), registration("ada@x", "new"));
            store.move_registration(&app(), &old, &next, &Secret::new("old")).await.map_err(|e| e.kind())
        }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    assert_eq!(results.iter().filter(|result| **result == Err(StoreErrorKind::DuplicateKey)).count(), 49);
    let pending = world.store.list_registrations(&app(), Registrations::Pending, None, 100).await.unwrap();
    assert_eq!(pending.len(), PARALLEL);
}

pub(super) async fn pending_ones_come_in_the_byte_order_of_their_addresses_after_one_and_at_most_so_many(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    for email in ["b", "", "a", "é", "B", "ab", "\u{10000}", "\u{ffff}"] {
        world.store.insert_registration(&app(), &registration(email, "hash")).await.unwrap();
    }
    world.store.insert_registration(&other_app(), &registration("aa", "foreign")).await.unwrap();
    let page = |after: Option<&'static str>, limit| {
        let store = Arc::clone(&world.store);
        async move {
            let pending =
                store.list_registrations(&app(), Registrations::Pending, after, limit).await.unwrap();
            pending.into_iter().map(|one| one.email).collect::<Vec<_>>()
        }
    };
    let all = ["", "B", "a", "ab", "b", "é", "\u{ffff}", "\u{10000}"];
    assert_eq!(page(None, 100).await, all);
    assert_eq!(page(None, 2).await, all[..2]);
    assert_eq!(page(Some(""), 100).await, all[1..]);
    assert_eq!(page(Some("a"), 2).await, all[3..5]);
    assert_eq!(page(Some("aa"), 1).await, ["ab"]);
    assert!(page(Some("\u{10000}"), 100).await.is_empty());
    assert!(page(None, 0).await.is_empty());
}

pub(super) async fn among_the_pending_confirmed_ones_are_left_out(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let (first, second, mut third) = (registration("a", "1"), registration("b", "2"), registration("c", "3"));
    third.confirmed = true;
    for one in [&first, &second, &third] {
        world.store.insert_registration(&app(), one).await.unwrap();
    }
    let pending = world.store.list_registrations(&app(), Registrations::Pending, None, 2).await.unwrap();
    assert_eq!(pending, [first.clone(), second.clone()]);
    let mut confirmed = first;
    confirmed.confirmed = true;
    world.store.replace_registration(&app(), &confirmed, &Secret::new("1")).await.unwrap();
    third.confirmed = false;
    world.store.replace_registration(&app(), &third, &Secret::new("3")).await.unwrap();
    let pending = world.store.list_registrations(&app(), Registrations::Pending, None, 2).await.unwrap();
    assert_eq!(pending, [second, third]);
}

pub(super) async fn unclaimed_confirmed_or_not_are_those_that_nobody_has_logged_in_by(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    for email in ["b", "d", "a", "c"] {
        let confirmed = email != "a";
        let one = Registration { confirmed, ..registration(email, "hash") };
        world.store.insert_registration(&app(), &one).await.unwrap();
    }
    world.store.insert_registration(&other_app(), &registration("aa", "foreign")).await.unwrap();
    world.store.insert_registered_user(&app(), &user(1, "id of b"), "b").await.unwrap();
    // The same identity of another provider, or in another app, is another one.
    let mut elsewhere = user(2, "id of c");
    elsewhere.identities = vec![identity("custom-token", "id of c")];
    world.store.insert_user(&app(), &elsewhere).await.unwrap();
    world.store.insert_user(&other_app(), &user(3, "id of d")).await.unwrap();
    let page = |after: Option<&'static str>, limit| {
        let store = Arc::clone(&world.store);
        async move {
            let unclaimed =
                store.list_registrations(&app(), Registrations::Unclaimed, after, limit).await.unwrap();
            unclaimed.into_iter().map(|one| (one.email, one.confirmed)).collect::<Vec<_>>()
        }
    };
    let all = [("a".to_owned(), false), ("c".to_owned(), true), ("d".to_owned(), true)];
    assert_eq!(page(None, 100).await, all);
    assert_eq!(page(None, 1).await, all[..1]);
    assert_eq!(page(Some("a"), 1).await, all[1..2]);
    assert_eq!(page(Some("b"), 100).await, all[1..]);
    assert!(world.store.delete_user(&app(), user_id(1)).await.unwrap());
    assert_eq!(page(None, 100).await, all, "its registration goes with a user");
}

pub(super) async fn delete_says_whether_there_was_one(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.store.insert_registration(&app(), &registration("ada@x", "old")).await.unwrap();
    assert!(world.store.delete_registration(&app(), "ada@x").await.unwrap());
    assert!(!world.store.delete_registration(&app(), "ada@x").await.unwrap());
    assert_eq!(world.store.registration(&app(), "ada@x").await.unwrap(), None);
    world.store.insert_registration(&app(), &registration("ada@x", "again")).await.unwrap();
}
