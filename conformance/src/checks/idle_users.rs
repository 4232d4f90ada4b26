//! Users that nobody has used for long.

use std::sync::Arc;

use backstitch::store::{ApiKeyOwner, User};
use bson::doc;

use crate::factory::StoreFactory;
use crate::world::{
    World, api_key, api_key_id, app, at, identity, in_parallel, other_app, registration, session, session_id,
    user, user_id,
};

const ANONYMOUS: &str = "anon-user";

/// What is created before this moment may go.
const CREATED: i64 = 100;
/// And was not used from this moment on.
const ACTIVE: i64 = 200;

/// An anonymous user that is idle by [`CREATED`] and [`ACTIVE`].
fn idle(number: u32) -> User {
    let mut user = user(number, &format!("user {number}"));
    user.identities[0].provider = ANONYMOUS.to_owned();
    user.created_at = at(CREATED - 1);
    user.last_login_at = at(ACTIVE - 1);
    user
}

impl World {
    async fn delete_idle(&self) -> u64 {
        self.store.delete_idle_users(&app(), ANONYMOUS, at(CREATED), at(ACTIVE)).await.unwrap()
    }

    async fn numbers(&self) -> Vec<u32> {
        let users = self.store.list_users(&app(), None, 5000).await.unwrap();
        (0..5000).filter(|number| users.iter().any(|user| user.id == user_id(*number))).collect()
    }
}

pub(super) async fn a_user_with_an_identity_of_another_provider_stays(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let mut linked = idle(1);
    linked.identities.push(identity("local-userpass", "ada"));
    let mut other = idle(2);
    other.identities[0].provider = "custom-token".to_owned();
    let mut twice = idle(3);
    twice.identities.push(identity(ANONYMOUS, "another"));
    for user in [linked, other, twice, idle(4)] {
        world.store.insert_user(&app(), &user).await.unwrap();
    }
    world.store.insert_user(&other_app(), &idle(5)).await.unwrap();
    assert_eq!(world.delete_idle().await, 2);
    assert_eq!(world.numbers().await, [1, 2]);
    assert_eq!(world.store.user(&other_app(), user_id(5)).await.unwrap(), Some(idle(5)));
    assert_eq!(world.delete_idle().await, 0);
}

pub(super) async fn a_user_who_was_created_logged_in_or_seen_at_the_given_moment_or_later_stays(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let cases = [
        // number, created, logged in, seen
        (1, CREATED - 1, ACTIVE - 1, Some(ACTIVE - 1)),
        (2, CREATED, ACTIVE - 1, None),
        (3, CREATED + 1, ACTIVE - 1, None),
        (4, CREATED - 1, ACTIVE, None),
        (5, CREATED - 1, ACTIVE + 1, Some(ACTIVE - 9)),
        (6, CREATED - 1, ACTIVE - 1, Some(ACTIVE)),
        (7, CREATED - 1, ACTIVE - 1, Some(ACTIVE + 1)),
        (8, CREATED - 9, ACTIVE - 9, None),
    ];
    for (number, created, logged_in, seen) in cases {
        let mut one = idle(number);
        (one.created_at, one.last_login_at) = (at(created), at(logged_in));
        world.store.insert_user(&app(), &one).await.unwrap();
        if let Some(seen) = seen {
            for (id, seen) in [(number * 10, at(0)), (number * 10 + 1, at(seen))] {
                let mut session = session(id, number);
                session.last_seen_at = seen;
                world.store.insert_session(&app(), &session, &doc! {}).await.unwrap();
            }
        }
    }
    assert_eq!(world.delete_idle().await, 2);
    assert_eq!(world.numbers().await, [2, 3, 4, 5, 6, 7]);
}

pub(super) async fn with_each_goes_all_that_goes_with_a_deleted_user(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.store.insert_user(&app(), &idle(1)).await.unwrap();
    world.store.insert_session(&app(), &session(10, 1), &doc! {"a": 1}).await.unwrap();
    world.store.insert_api_key(&app(), &api_key(20, 1), 9).await.unwrap();
    let mut server = api_key(21, 1);
    server.owner = ApiKeyOwner::Server;
    world.store.insert_api_key(&app(), &server, 9).await.unwrap();
    assert_eq!(world.delete_idle().await, 1);
    assert_eq!(world.store.live_session(&app(), session_id(10)).await.unwrap(), None);
    assert!(!world.store.delete_session(&app(), session_id(10)).await.unwrap());
    for number in [20, 21] {
        assert_eq!(world.store.api_key(&app(), api_key_id(number)).await.unwrap(), None);
    }
    assert_eq!(world.store.user_by_identity(&app(), ANONYMOUS, "user 1").await.unwrap(), None);
    world.store.insert_user(&app(), &idle(1)).await.unwrap();

    let mut by_mail = user(2, "id of ada@x");
    by_mail.created_at = at(0);
    world.store.insert_user(&app(), &by_mail).await.unwrap();
    world.store.insert_registration(&app(), &registration("ada@x", "one")).await.unwrap();
    world.store.insert_registration(&app(), &registration("bob@x", "two")).await.unwrap();
    let deleted = world.store.delete_idle_users(&app(), "local-userpass", at(CREATED), at(ACTIVE)).await;
    assert_eq!(deleted.unwrap(), 1);
    assert_eq!(world.store.registration(&app(), "ada@x").await.unwrap(), None);
    assert!(world.store.registration(&app(), "bob@x").await.unwrap().is_some());
}

pub(super) async fn of_50_parallel_calls_each_removed_user_is_counted_by_exactly_one(
    factory: &dyn StoreFactory,
) {
    // More than a store takes in one go.
    const IDLE: u32 = 1100;
    let world = World::open(factory).await;
    for number in 0..IDLE {
        let mut one = idle(number);
        if number % 100 == 50 {
            one.last_login_at = at(ACTIVE);
        }
        world.store.insert_user(&app(), &one).await.unwrap();
    }
    let counts = in_parallel(|_| {
        let store = Arc::clone(&world.store);
        async move { store.delete_idle_users(&app(), ANONYMOUS, at(CREATED), at(ACTIVE)).await.unwrap() }
    })
    .await;
    let stay: Vec<u32> = (0..IDLE).filter(|number| number % 100 == 50).collect();
    assert_eq!(counts.iter().sum::<u64>(), u64::from(IDLE) - stay.len() as u64, "{counts:?}");
    assert_eq!(world.numbers().await, stay);
}
