//! Users and their identities.

use std::sync::Arc;

use backstitch::store::{ApiKey, ApiKeyOwner, StoreErrorKind, User, UserKind};
use bson::doc;

use crate::factory::StoreFactory;
use crate::world::{
    World, api_key, api_key_id, app, at, identity, in_parallel, kind, other_app, registration, session,
    session_id, user, user_id,
};

type Alteration = fn(&mut User);

pub(super) async fn a_user_reads_back_as_it_was_written(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let mut ada = user(1, "ada");
    ada.kind = UserKind::Server;
    ada.disabled = true;
    ada.epoch = 7;
    ada.identities.push(identity("api-key", "ada's \"key\" ü"));
    world.store.insert_user(&app(), &ada).await.unwrap();
    assert_eq!(world.store.user(&app(), ada.id).await.unwrap(), Some(ada.clone()));
    let by_second = world.store.user_by_identity(&app(), "api-key", "ada's \"key\" ü").await.unwrap();
    assert_eq!(by_second, Some(ada));
}

pub(super) async fn without_its_registration_a_registered_user_is_conflict_and_nothing_is_written(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    for (app, email) in [(app(), "ada@x"), (app(), "bob@x"), (other_app(), "eve@x")] {
        world.store.insert_registration(&app, &registration(email, "h")).await.unwrap();
    }
    let by_key = User { identities: vec![identity("api-key", "id of ada@x")], ..user(4, "") };
    for (refused, email) in [
        (user(1, "id of eve@x"), "eve@x"),
        (user(2, "id of ada@x"), "bob@x"),
        (user(3, "id of ada@x"), "ADA@x"),
        (by_key, "ada@x"),
    ] {
        let inserted = world.store.insert_registered_user(&app(), &refused, email).await;
        assert_eq!(kind(inserted), StoreErrorKind::Conflict, "{email}");
    }
    assert!(world.store.list_users(&app(), None, 10).await.unwrap().is_empty());
    let mut ada = user(5, "id of ada@x");
    ada.identities.insert(0, identity("api-key", "k"));
    world.store.insert_registered_user(&app(), &ada, "ada@x").await.unwrap();
    assert_eq!(world.store.user(&app(), ada.id).await.unwrap(), Some(ada));
}

pub(super) async fn a_registered_user_whose_identity_exists_is_duplicate_key_and_nothing_is_written(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    world.store.insert_registration(&app(), &registration("ada@x", "h")).await.unwrap();
    world.store.insert_registered_user(&app(), &user(1, "id of ada@x"), "ada@x").await.unwrap();
    let second = world.store.insert_registered_user(&app(), &user(2, "id of ada@x"), "ada@x").await;
    assert_eq!(kind(second), StoreErrorKind::DuplicateKey);
    assert_eq!(world.store.user(&app(), user_id(2)).await.unwrap(), None);
    let owner = world.store.user_by_identity(&app(), "local-userpass", "id of ada@x").await.unwrap();
    assert_eq!(owner, Some(user(1, "id of ada@x")));
}

pub(super) async fn of_50_parallel_inserts_and_a_delete_none_leaves_a_user_without_its_registration(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    world.store.insert_registration(&app(), &registration("ada@x", "h")).await.unwrap();
    let results = in_parallel(|number| {
        let store = Arc::clone(&world.store);
        async move {
            let one = user(number as u32, "id of ada@x");
            let inserted = store.insert_registered_user(&app(), &one, "ada@x").await;
            // Whoever made the user deletes it, among the others' inserts.
            match inserted {
                Ok(()) => store.delete_user(&app(), one.id).await.map_err(|error| error.kind()),
                Err(error) => Err(error.kind()),
            }
        }
    })
    .await;
    assert_eq!(results.iter().filter(|result| **result == Ok(true)).count(), 1, "{results:?}");
    let refused = [StoreErrorKind::DuplicateKey, StoreErrorKind::Conflict];
    assert!(
        results
            .iter()
            .all(|result| result.is_ok_and(|deleted| deleted)
                || refused.iter().any(|kind| *result == Err(*kind))),
        "{results:?}"
    );
    assert!(world.store.list_users(&app(), None, 10).await.unwrap().is_empty());
    assert_eq!(world.store.registration(&app(), "ada@x").await.unwrap(), None);
}

pub(super) async fn a_missing_user_is_none(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.store.insert_user(&app(), &user(1, "ada")).await.unwrap();
    assert_eq!(world.store.user(&app(), user_id(2)).await.unwrap(), None);
    assert_eq!(world.store.user_by_identity(&app(), "local-userpass", "bob").await.unwrap(), None);
}

pub(super) async fn an_identity_that_exists_in_the_app_is_duplicate_key_and_nothing_is_written(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    world.store.insert_user(&app(), &user(1, "ada")).await.unwrap();
    let mut thief = user(2, "thief");
    thief.identities.push(identity("local-userpass", "ada"));
    assert_eq!(kind(world.store.insert_user(&app(), &thief).await), StoreErrorKind::DuplicateKey);
    assert_eq!(world.store.user(&app(), thief.id).await.unwrap(), None);
    assert_eq!(world.store.user_by_identity(&app(), "local-userpass", "thief").await.unwrap(), None);
    let owner = world.store.user_by_identity(&app(), "local-userpass", "ada").await.unwrap();
    assert_eq!(owner.map(|owner| owner.id), Some(user_id(1)));
}

pub(super) async fn of_50_parallel_inserts_of_one_identity_exactly_one_succeeds(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let results = in_parallel(|number| {
        let store = Arc::clone(&world.store);
        async move {
            let user = user(u32::try_from(number).unwrap(), "ada");
            store.insert_user(&app(), &user).await.map_err(|error| error.kind())
        }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    assert_eq!(results.iter().filter(|result| **result == Err(StoreErrorKind::DuplicateKey)).count(), 49);
    assert_eq!(world.store.list_users(&app(), None, 100).await.unwrap().len(), 1);
}

pub(super) async fn the_same_id_under_another_provider_or_in_another_app_is_another_identity(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let mut by_key = user(2, "ada");
    by_key.identities[0].provider = "api-key".to_owned();
    world.store.insert_user(&app(), &user(1, "ada")).await.unwrap();
    world.store.insert_user(&app(), &by_key).await.unwrap();
    world.store.insert_user(&other_app(), &user(3, "ada")).await.unwrap();
    let cases = [(app(), "local-userpass", 1), (app(), "api-key", 2), (other_app(), "local-userpass", 3)];
    for (app, provider, owner) in cases {
        let found = world.store.user_by_identity(&app, provider, "ada").await.unwrap();
        assert_eq!(found.map(|user| user.id), Some(user_id(owner)), "{app} {provider}");
    }
    assert_eq!(world.store.user_by_identity(&other_app(), "api-key", "ada").await.unwrap(), None);
}

pub(super) async fn nothing_of_another_app_is_ever_found_or_touched(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let ada = user(1, "ada");
    world.store.insert_user(&app(), &ada).await.unwrap();
    let foreign = other_app();
    assert_eq!(world.store.user(&foreign, ada.id).await.unwrap(), None);
    assert_eq!(world.store.user_by_identity(&foreign, "local-userpass", "ada").await.unwrap(), None);
    assert_eq!(kind(world.store.replace_user(&foreign, &ada, &ada).await), StoreErrorKind::Conflict);
    world.store.touch_user(&foreign, ada.id, at(99)).await.unwrap();
    assert!(!world.store.delete_user(&foreign, ada.id).await.unwrap());
    assert!(world.store.list_users(&foreign, None, 10).await.unwrap().is_empty());
    assert_eq!(world.store.user(&app(), ada.id).await.unwrap(), Some(ada));
}

pub(super) async fn one_user_id_in_two_apps_is_two_users(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.store.insert_user(&app(), &user(1, "ada")).await.unwrap();
    world.store.insert_user(&other_app(), &user(1, "bob")).await.unwrap();
    assert!(world.store.delete_user(&app(), user_id(1)).await.unwrap());
    assert_eq!(world.store.user(&other_app(), user_id(1)).await.unwrap(), Some(user(1, "bob")));
}

pub(super) async fn replace_user_writes_all_of_it(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.store.insert_user(&app(), &user(1, "ada")).await.unwrap();
    let mut changed = user(1, "ada");
    changed.disabled = true;
    changed.epoch = 1;
    changed.last_login_at = at(500);
    changed.identities.insert(0, identity("oauth2-google", "g-1"));
    changed.identities[1].data.insert("email", "new@example.com");
    world.store.replace_user(&app(), &changed, &user(1, "ada")).await.unwrap();
    assert_eq!(world.store.user(&app(), changed.id).await.unwrap(), Some(changed.clone()));
    let by_new = world.store.user_by_identity(&app(), "oauth2-google", "g-1").await.unwrap();
    assert_eq!(by_new, Some(changed));
}

pub(super) async fn replace_of_a_user_who_has_changed_is_conflict_and_nothing_is_written(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let mut ada = user(1, "ada");
    ada.epoch = 3;
    ada.identities.push(identity("api-key", "k"));
    world.store.insert_user(&app(), &ada).await.unwrap();
    let mut changed = user(1, "ada2");
    changed.disabled = true;
    let alterations: [(&str, Alteration); 9] = [
        ("no epoch", |other| other.epoch = 0),
        ("an earlier epoch", |other| other.epoch = 2),
        ("a later epoch", |other| other.epoch = 4),
        ("disabled", |other| other.disabled = true),
        ("another kind", |other| other.kind = UserKind::Server),
        ("an identity more", |other| other.identities.push(identity("oauth2-google", "g-1"))),
        ("an identity less", |other| drop(other.identities.pop())),
        ("identities in another order", |other| other.identities.reverse()),
        ("other data", |other| drop(other.identities[0].data.insert("email", "new@example.com"))),
    ];
    for (name, alter) in alterations {
        let mut expected = ada.clone();
        alter(&mut expected);
        let result = world.store.replace_user(&app(), &changed, &expected).await;
        assert_eq!(kind(result), StoreErrorKind::Conflict, "{name}");
    }
    assert_eq!(world.store.user(&app(), ada.id).await.unwrap(), Some(ada.clone()));
    assert_eq!(world.store.user_by_identity(&app(), "local-userpass", "ada2").await.unwrap(), None);
    let by_key = world.store.user_by_identity(&app(), "api-key", "k").await.unwrap();
    assert_eq!(by_key, Some(ada));
}

pub(super) async fn replace_keeps_a_later_log_in_that_was_noted_meanwhile(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let ada = user(1, "ada");
    world.store.insert_user(&app(), &ada).await.unwrap();
    world.store.touch_user(&app(), ada.id, at(700)).await.unwrap();
    let mut changed = ada.clone();
    changed.epoch = 1;
    changed.last_login_at = at(600);
    world.store.replace_user(&app(), &changed, &ada).await.unwrap();
    changed.last_login_at = at(700);
    assert_eq!(world.store.user(&app(), ada.id).await.unwrap(), Some(changed));
}

pub(super) async fn replace_of_no_such_user_is_conflict_and_nothing_is_written(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let ada = user(1, "ada");
    assert_eq!(kind(world.store.replace_user(&app(), &ada, &ada).await), StoreErrorKind::Conflict);
    assert_eq!(world.store.user(&app(), user_id(1)).await.unwrap(), None);
    assert_eq!(world.store.user_by_identity(&app(), "local-userpass", "ada").await.unwrap(), None);
}

pub(super) async fn an_added_identity_that_is_taken_is_duplicate_key_and_nothing_is_written(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    world.store.insert_user(&app(), &user(1, "ada")).await.unwrap();
    world.store.insert_user(&app(), &user(2, "bob")).await.unwrap();
    let mut changed = user(1, "ada");
    changed.epoch = 1;
    changed.identities = vec![identity("local-userpass", "fresh"), identity("local-userpass", "bob")];
    assert_eq!(
        kind(world.store.replace_user(&app(), &changed, &user(1, "ada")).await),
        StoreErrorKind::DuplicateKey
    );
    assert_eq!(world.store.user(&app(), user_id(1)).await.unwrap(), Some(user(1, "ada")));
    assert_eq!(world.store.user_by_identity(&app(), "local-userpass", "fresh").await.unwrap(), None);
    let bob = world.store.user_by_identity(&app(), "local-userpass", "bob").await.unwrap();
    assert_eq!(bob, Some(user(2, "bob")));
}

pub(super) async fn an_identity_that_is_gone_from_the_list_is_free_again(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let mut ada = user(1, "ada");
    ada.identities.push(identity("local-userpass", "spare"));
    world.store.insert_user(&app(), &ada).await.unwrap();
    world.store.replace_user(&app(), &user(1, "ada"), &ada).await.unwrap();
    assert_eq!(world.store.user_by_identity(&app(), "local-userpass", "spare").await.unwrap(), None);
    world.store.insert_user(&app(), &user(2, "spare")).await.unwrap();
}

pub(super) async fn of_50_parallel_replaces_from_one_state_exactly_one_succeeds(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.store.insert_user(&app(), &user(1, "ada")).await.unwrap();
    let results = in_parallel(|_| {
        let store = Arc::clone(&world.store);
        async move {
            let mut next = user(1, "ada");
            next.epoch = 1;
            store.replace_user(&app(), &next, &user(1, "ada")).await.map_err(|error| error.kind())
        }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    assert_eq!(results.iter().filter(|result| **result == Err(StoreErrorKind::Conflict)).count(), 49);
}

pub(super) async fn of_50_parallel_links_that_repeat_after_a_conflict_none_is_lost(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    world.store.insert_user(&app(), &user(1, "ada")).await.unwrap();
    let linked = in_parallel(|number| {
        let store = Arc::clone(&world.store);
        async move {
            let added = identity("custom-token", &format!("token {number}"));
            loop {
                let found = store.user(&app(), user_id(1)).await.unwrap().unwrap();
                let mut next = found.clone();
                next.identities.push(added.clone());
                match store.replace_user(&app(), &next, &found).await {
                    Ok(()) => return added,
                    Err(error) => assert_eq!(error.kind(), StoreErrorKind::Conflict, "{error:?}"),
                }
            }
        }
    })
    .await;
    let ada = world.store.user(&app(), user_id(1)).await.unwrap().unwrap();
    assert_eq!(ada.identities.len(), linked.len() + 1);
    for added in linked {
        assert!(ada.identities.contains(&added), "{added:?}");
        let owner = world.store.user_by_identity(&app(), &added.provider, &added.id).await.unwrap();
        assert_eq!(owner.as_ref(), Some(&ada));
    }
}

pub(super) async fn touch_notes_the_time_and_a_missing_user_is_no_error(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.store.insert_user(&app(), &user(1, "ada")).await.unwrap();
    world.store.touch_user(&app(), user_id(1), at(77)).await.unwrap();
    world.store.touch_user(&app(), user_id(2), at(78)).await.unwrap();
    let mut expected = user(1, "ada");
    expected.last_login_at = at(77);
    assert_eq!(world.store.user(&app(), user_id(1)).await.unwrap(), Some(expected));
    assert_eq!(world.store.user(&app(), user_id(2)).await.unwrap(), None);
}

pub(super) async fn delete_says_whether_there_was_one(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.store.insert_user(&app(), &user(1, "ada")).await.unwrap();
    assert!(!world.store.delete_user(&app(), user_id(2)).await.unwrap());
    assert!(world.store.delete_user(&app(), user_id(1)).await.unwrap());
    assert!(!world.store.delete_user(&app(), user_id(1)).await.unwrap());
    assert_eq!(world.store.user(&app(), user_id(1)).await.unwrap(), None);
}

pub(super) async fn after_delete_its_identities_are_free_again_and_its_sessions_are_gone(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    world.store.insert_user(&app(), &user(1, "ada")).await.unwrap();
    world.store.insert_session(&app(), &session(10, 1), &doc! {}).await.unwrap();
    assert!(world.store.delete_user(&app(), user_id(1)).await.unwrap());
    assert_eq!(world.store.live_session(&app(), session_id(10)).await.unwrap(), None);
    assert!(!world.store.delete_session(&app(), session_id(10)).await.unwrap());
    assert_eq!(world.store.user_by_identity(&app(), "local-userpass", "ada").await.unwrap(), None);
    world.store.insert_user(&app(), &user(2, "ada")).await.unwrap();
    let owner = world.store.user_by_identity(&app(), "local-userpass", "ada").await.unwrap();
    assert_eq!(owner.map(|owner| owner.id), Some(user_id(2)));
}

pub(super) async fn after_delete_its_api_keys_are_gone(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for (number, name) in [(1, "ada"), (2, "bob")] {
        world.store.insert_user(&app(), &user(number, name)).await.unwrap();
        let server = ApiKey { owner: ApiKeyOwner::Server, ..api_key(number * 10 + 1, number) };
        assert!(world.store.insert_api_key(&app(), &api_key(number * 10, number), 9).await.unwrap());
        assert!(world.store.insert_api_key(&app(), &server, 9).await.unwrap());
    }
    assert!(world.store.delete_user(&app(), user_id(1)).await.unwrap());
    for number in [10, 11] {
        let gone = api_key(number, 1);
        assert_eq!(world.store.api_key(&app(), gone.id).await.unwrap(), None);
        assert_eq!(world.store.api_key_by_hash(&app(), &gone.hash).await.unwrap(), None);
    }
    assert!(world.store.api_keys(&app(), Some(user_id(1))).await.unwrap().is_empty());
    assert_eq!(world.store.api_keys(&app(), Some(user_id(2))).await.unwrap(), [api_key(20, 2)]);
    let servers = world.store.api_keys(&app(), None).await.unwrap();
    assert_eq!(servers.iter().map(|key| key.id).collect::<Vec<_>>(), [api_key_id(21)]);
}

pub(super) async fn after_delete_the_registrations_of_its_local_userpass_identities_are_gone_and_their_addresses_free_again(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let mut ada = user(1, "id of ada@x");
    ada.identities.push(identity("custom-token", "id of other@x"));
    ada.identities.push(identity("local-userpass", "id of lovelace@x"));
    world.store.insert_user(&app(), &ada).await.unwrap();
    world.store.insert_user(&app(), &user(2, "id of bob@x")).await.unwrap();
    for email in ["ada@x", "lovelace@x", "other@x", "bob@x"] {
        world.store.insert_registration(&app(), &registration(email, "hash")).await.unwrap();
    }
    world.store.insert_registration(&other_app(), &registration("ada@x", "theirs")).await.unwrap();
    assert!(world.store.delete_user(&app(), user_id(1)).await.unwrap());
    for email in ["ada@x", "lovelace@x"] {
        assert_eq!(world.store.registration(&app(), email).await.unwrap(), None);
        world.store.insert_registration(&app(), &registration(email, "again")).await.unwrap();
    }
    for email in ["other@x", "bob@x"] {
        assert!(world.store.registration(&app(), email).await.unwrap().is_some(), "{email}");
    }
    assert!(world.store.registration(&other_app(), "ada@x").await.unwrap().is_some());
}

pub(super) async fn users_are_listed_in_the_order_of_their_ids_after_one_and_at_most_so_many(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    for number in [5, 1, 300, 2, 4] {
        world.store.insert_user(&app(), &user(number, &format!("u{number}"))).await.unwrap();
    }
    world.store.insert_user(&other_app(), &user(3, "foreign")).await.unwrap();
    let page = |after: Option<u32>, limit| {
        let store = Arc::clone(&world.store);
        async move {
            let users = store.list_users(&app(), after.map(user_id), limit).await.unwrap();
            users.iter().map(|user| user.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(page(None, 3).await, [1, 2, 4].map(user_id));
    assert_eq!(page(Some(4), 10).await, [5, 300].map(user_id));
    assert_eq!(page(Some(3), 1).await, [4].map(user_id));
    assert!(page(Some(300), 10).await.is_empty());
}
