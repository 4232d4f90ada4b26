//! API keys.

use std::sync::Arc;

use backstitch::id::ApiKeyId;
use backstitch::store::{ApiKey, ApiKeyOwner, StoreErrorKind};

use crate::factory::StoreFactory;
use crate::world::{
    PARALLEL, World, api_key, api_key_id, app, at, in_parallel, kind, other_app, user, user_id,
};

const PLENTY: usize = 1000;

/// The users 1 (ada) and 2 (bob).
async fn with_users(factory: &dyn StoreFactory) -> World {
    let world = World::open(factory).await;
    world.store.insert_user(&app(), &user(1, "ada")).await.unwrap();
    world.store.insert_user(&app(), &user(2, "bob")).await.unwrap();
    world
}

fn server_key(number: u32, user: u32) -> ApiKey {
    ApiKey { owner: ApiKeyOwner::Server, ..api_key(number, user) }
}

fn named(key: ApiKey, name: &str) -> ApiKey {
    ApiKey { name: name.to_owned(), ..key }
}

impl World {
    async fn add(&self, key: &ApiKey) {
        assert!(self.store.insert_api_key(&app(), key, PLENTY).await.unwrap(), "{key:?}");
    }

    async fn key(&self, number: u32) -> Option<ApiKey> {
        self.store.api_key(&app(), api_key_id(number)).await.unwrap()
    }

    async fn keys_of(&self, user: Option<u32>) -> Vec<ApiKeyId> {
        let keys = self.store.api_keys(&app(), user.map(user_id)).await.unwrap();
        keys.iter().map(|key| key.id).collect()
    }

    /// Asserts that the key is refused as a duplicate, and that nothing of it is there.
    async fn refuse_duplicate(&self, key: &ApiKey) {
        let before = (self.keys_of(None).await, self.keys_of(Some(1)).await, self.keys_of(Some(2)).await);
        let result = self.store.insert_api_key(&app(), key, PLENTY).await;
        assert_eq!(kind(result), StoreErrorKind::DuplicateKey, "{key:?}");
        let after = (self.keys_of(None).await, self.keys_of(Some(1)).await, self.keys_of(Some(2)).await);
        assert_eq!(before, after, "{key:?}");
    }
}

pub(super) async fn a_key_reads_back_as_it_was_written(factory: &dyn StoreFactory) {
    let world = with_users(factory).await;
    let mut mine = named(api_key(10, 1), "ada's \"key\" ü");
    mine.hash = std::array::from_fn(|index| u8::try_from(index * 8).unwrap());
    let server = ApiKey { disabled: true, ..server_key(11, 2) };
    for key in [mine, server] {
        world.add(&key).await;
        assert_eq!(world.store.api_key(&app(), key.id).await.unwrap(), Some(key.clone()));
        assert_eq!(world.store.api_key_by_hash(&app(), &key.hash).await.unwrap(), Some(key.clone()));
        let of = (key.owner == ApiKeyOwner::User).then_some(key.user);
        assert_eq!(world.store.api_keys(&app(), of).await.unwrap(), [key]);
    }
}

pub(super) async fn with_most_keys_of_that_owner_it_is_not_added_whatever_else_is_wrong_with_it(
    factory: &dyn StoreFactory,
) {
    let world = with_users(factory).await;
    assert!(!world.store.insert_api_key(&app(), &api_key(10, 1), 0).await.unwrap());
    assert!(!world.store.insert_api_key(&app(), &api_key(10, 9), 0).await.unwrap());
    for number in [10, 11] {
        assert!(world.store.insert_api_key(&app(), &api_key(number, 1), 2).await.unwrap());
        assert!(world.store.insert_api_key(&app(), &server_key(number + 10, 1), 2).await.unwrap());
    }
    for full in [api_key(12, 1), api_key(10, 1), server_key(22, 2), server_key(20, 9)] {
        assert!(!world.store.insert_api_key(&app(), &full, 2).await.unwrap(), "{full:?}");
    }
    assert_eq!(world.keys_of(Some(1)).await, [10, 11].map(api_key_id));
    assert_eq!(world.keys_of(None).await, [20, 21].map(api_key_id));
    // Other owners count for themselves, and a key that is gone for none.
    assert!(world.store.insert_api_key(&app(), &api_key(12, 2), 2).await.unwrap());
    assert!(world.store.delete_api_key(&app(), api_key_id(10)).await.unwrap());
    assert!(world.store.insert_api_key(&app(), &api_key(13, 1), 2).await.unwrap());
}

pub(super) async fn of_50_parallel_inserts_exactly_most_are_added(factory: &dyn StoreFactory) {
    const MOST: usize = 7;
    let world = with_users(factory).await;
    for (first, owner) in [(100, ApiKeyOwner::User), (200, ApiKeyOwner::Server)] {
        let added = in_parallel(|number| {
            let store = Arc::clone(&world.store);
            let key = ApiKey { owner, ..api_key(first + u32::try_from(number).unwrap(), 1) };
            async move { store.insert_api_key(&app(), &key, MOST).await.unwrap() }
        })
        .await;
        assert_eq!(added.len(), PARALLEL);
        assert_eq!(added.iter().filter(|added| **added).count(), MOST, "{owner:?}");
    }
    assert_eq!(world.keys_of(Some(1)).await.len(), MOST);
    assert_eq!(world.keys_of(None).await.len(), MOST);
}

pub(super) async fn a_name_taken_among_the_apps_server_keys_or_the_users_own_is_duplicate_key_and_nothing_is_written(
    factory: &dyn StoreFactory,
) {
    let world = with_users(factory).await;
    world.add(&named(server_key(10, 1), "backup")).await;
    world.add(&named(api_key(20, 1), "backup")).await;
    world.refuse_duplicate(&named(server_key(11, 2), "backup")).await;
    world.refuse_duplicate(&named(api_key(21, 1), "backup")).await;
    world.add(&named(api_key(22, 2), "backup")).await;
    world.add(&named(api_key(23, 1), "Backup")).await;
    world.store.insert_user(&other_app(), &user(1, "ada")).await.unwrap();
    for foreign in [named(server_key(10, 1), "backup"), named(api_key(20, 1), "backup")] {
        assert!(world.store.insert_api_key(&other_app(), &foreign, PLENTY).await.unwrap());
    }
}

pub(super) async fn of_50_parallel_inserts_of_one_name_exactly_one_succeeds(factory: &dyn StoreFactory) {
    let world = with_users(factory).await;
    let results = in_parallel(|number| {
        let store = Arc::clone(&world.store);
        let key = named(api_key(u32::try_from(number).unwrap(), 1), "backup");
        async move { store.insert_api_key(&app(), &key, PLENTY).await.map_err(|error| error.kind()) }
    })
    .await;
    assert_eq!(results.iter().filter(|result| **result == Ok(true)).count(), 1, "{results:?}");
    assert_eq!(results.iter().filter(|result| **result == Err(StoreErrorKind::DuplicateKey)).count(), 49);
    assert_eq!(world.keys_of(Some(1)).await.len(), 1);
}

pub(super) async fn an_id_or_a_hash_taken_in_the_app_is_duplicate_key_and_nothing_is_written(
    factory: &dyn StoreFactory,
) {
    let world = with_users(factory).await;
    world.add(&api_key(10, 1)).await;
    world.refuse_duplicate(&ApiKey { id: api_key_id(10), ..api_key(11, 2) }).await;
    world.refuse_duplicate(&ApiKey { id: api_key_id(10), ..server_key(11, 2) }).await;
    world.refuse_duplicate(&ApiKey { hash: api_key(10, 1).hash, ..api_key(11, 2) }).await;
    world.refuse_duplicate(&ApiKey { hash: api_key(10, 1).hash, ..server_key(11, 2) }).await;
    assert_eq!(world.key(10).await, Some(api_key(10, 1)));
}

pub(super) async fn a_key_for_a_user_that_does_not_exist_any_more_is_conflict(factory: &dyn StoreFactory) {
    let world = with_users(factory).await;
    world.store.delete_user(&app(), user_id(2)).await.unwrap();
    for orphan in [api_key(10, 2), server_key(10, 2), api_key(10, 9), server_key(10, 9)] {
        let result = world.store.insert_api_key(&app(), &orphan, PLENTY).await;
        assert_eq!(kind(result), StoreErrorKind::Conflict, "{orphan:?}");
    }
    let foreign = world.store.insert_api_key(&other_app(), &api_key(10, 1), PLENTY).await;
    assert_eq!(kind(foreign), StoreErrorKind::Conflict);
    assert_eq!(world.key(10).await, None);
}

pub(super) async fn an_insert_that_races_a_delete_leaves_no_key_behind(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in 1..=20 {
        world.store.insert_user(&app(), &user(number, &format!("user {number}"))).await.unwrap();
        let (inserting, deleting) = (Arc::clone(&world.store), Arc::clone(&world.store));
        let insert = tokio::spawn(async move {
            let result = inserting.insert_api_key(&app(), &api_key(number, number), PLENTY).await;
            result.map_err(|error| error.kind())
        });
        let delete = tokio::spawn(async move { deleting.delete_user(&app(), user_id(number)).await });
        let inserted = insert.await.unwrap();
        assert!(delete.await.unwrap().unwrap());
        assert!(matches!(inserted, Ok(true) | Err(StoreErrorKind::Conflict)), "{inserted:?}");
        assert_eq!(world.key(number).await, None);
    }
}

pub(super) async fn a_missing_or_foreign_key_is_none_and_a_disabled_one_is_returned(
    factory: &dyn StoreFactory,
) {
    let world = with_users(factory).await;
    let key = ApiKey { disabled: true, ..api_key(10, 1) };
    world.add(&key).await;
    assert_eq!(world.key(11).await, None);
    assert_eq!(world.store.api_key(&other_app(), key.id).await.unwrap(), None);
    assert_eq!(world.key(10).await, Some(key));
}

pub(super) async fn an_unknown_or_foreign_hash_is_none_and_a_disabled_key_is_returned(
    factory: &dyn StoreFactory,
) {
    let world = with_users(factory).await;
    let key = ApiKey { disabled: true, ..api_key(10, 1) };
    world.add(&key).await;
    assert_eq!(world.store.api_key_by_hash(&app(), &[9; 32]).await.unwrap(), None);
    assert_eq!(world.store.api_key_by_hash(&other_app(), &key.hash).await.unwrap(), None);
    assert_eq!(world.store.api_key_by_hash(&app(), &key.hash).await.unwrap(), Some(key));
}

pub(super) async fn keys_come_oldest_first_those_of_one_moment_in_the_order_of_their_ids(
    factory: &dyn StoreFactory,
) {
    let world = with_users(factory).await;
    for (number, created) in [(12, 5), (14, 1), (11, 9), (13, 5), (10, 5)] {
        world.add(&ApiKey { created_at: at(created), ..api_key(number, 1) }).await;
        world.add(&ApiKey { created_at: at(created), ..server_key(number + 10, 2) }).await;
    }
    assert_eq!(world.keys_of(Some(1)).await, [14, 10, 12, 13, 11].map(api_key_id));
    assert_eq!(world.keys_of(None).await, [24, 20, 22, 23, 21].map(api_key_id));
    assert!(world.store.api_keys(&other_app(), None).await.unwrap().is_empty());
    assert!(world.store.api_keys(&other_app(), Some(user_id(1))).await.unwrap().is_empty());
}

pub(super) async fn the_server_key_that_logs_in_as_a_user_is_not_among_the_users_own(
    factory: &dyn StoreFactory,
) {
    let world = with_users(factory).await;
    world.add(&server_key(10, 1)).await;
    world.add(&api_key(11, 1)).await;
    assert_eq!(world.keys_of(Some(1)).await, [api_key_id(11)]);
    assert_eq!(world.keys_of(None).await, [api_key_id(10)]);
    assert!(world.keys_of(Some(2)).await.is_empty());
}

pub(super) async fn disabling_says_whether_there_was_one_be_it_changed_or_not(factory: &dyn StoreFactory) {
    let world = with_users(factory).await;
    world.add(&api_key(10, 1)).await;
    world.add(&api_key(11, 1)).await;
    assert!(!world.store.set_api_key_disabled(&app(), api_key_id(12), true).await.unwrap());
    assert!(!world.store.set_api_key_disabled(&other_app(), api_key_id(10), true).await.unwrap());
    assert_eq!(world.key(10).await, Some(api_key(10, 1)));
    for disabled in [true, true, false, false] {
        assert!(world.store.set_api_key_disabled(&app(), api_key_id(10), disabled).await.unwrap());
        assert_eq!(world.key(10).await, Some(ApiKey { disabled, ..api_key(10, 1) }));
    }
    assert_eq!(world.key(11).await, Some(api_key(11, 1)));
}

pub(super) async fn of_50_parallel_deletes_exactly_one_says_yes(factory: &dyn StoreFactory) {
    let world = with_users(factory).await;
    world.add(&api_key(10, 1)).await;
    world.add(&api_key(11, 1)).await;
    assert!(!world.store.delete_api_key(&app(), api_key_id(12)).await.unwrap());
    assert!(!world.store.delete_api_key(&other_app(), api_key_id(10)).await.unwrap());
    let deleted = in_parallel(|_| {
        let store = Arc::clone(&world.store);
        async move { store.delete_api_key(&app(), api_key_id(10)).await.unwrap() }
    })
    .await;
    assert_eq!(deleted.iter().filter(|deleted| **deleted).count(), 1);
    assert_eq!(world.store.api_key_by_hash(&app(), &api_key(10, 1).hash).await.unwrap(), None);
    assert_eq!(world.keys_of(Some(1)).await, [api_key_id(11)]);
}

pub(super) async fn after_delete_its_name_and_hash_are_free_again(factory: &dyn StoreFactory) {
    let world = with_users(factory).await;
    for key in [api_key(10, 1), server_key(11, 1)] {
        world.add(&key).await;
        assert!(world.store.delete_api_key(&app(), key.id).await.unwrap());
        world.add(&ApiKey { id: api_key_id(90), ..key.clone() }).await;
        assert!(world.store.delete_api_key(&app(), api_key_id(90)).await.unwrap());
        world.add(&key).await;
    }
}
