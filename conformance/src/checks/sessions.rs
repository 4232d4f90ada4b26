//! Sessions.

use std::sync::Arc;

use backstitch::id::SessionId;
use backstitch::store::{ListedSession, LiveSession, StoreErrorKind};
use bson::{Bson, doc};

use crate::factory::StoreFactory;
use crate::world::{World, app, at, in_parallel, kind, other_app, session, session_id, user, user_id};

async fn with_ada(factory: &dyn StoreFactory) -> World {
    let world = World::open(factory).await;
    world.store.insert_user(&app(), &user(1, "ada")).await.unwrap();
    world
}

impl World {
    async fn listed(&self, user: u32) -> Vec<SessionId> {
        let listed = self.store.sessions_of(&app(), user_id(user)).await.unwrap();
        listed.iter().map(|listed| listed.session.id).collect()
    }
}

pub(super) async fn a_session_reads_back_with_its_user_in_one_read(factory: &dyn StoreFactory) {
    let world = with_ada(factory).await;
    let mut mine = session(10, 1);
    mine.generation = 4;
    mine.epoch = 2;
    world.store.insert_session(&app(), &mine, &doc! {}).await.unwrap();
    let live = world.store.live_session(&app(), mine.id).await.unwrap();
    assert_eq!(live, Some(LiveSession { session: mine, user: user(1, "ada") }));
}

pub(super) async fn a_session_for_a_user_that_does_not_exist_is_conflict(factory: &dyn StoreFactory) {
    let world = with_ada(factory).await;
    assert_eq!(
        kind(world.store.insert_session(&app(), &session(10, 2), &doc! {}).await),
        StoreErrorKind::Conflict
    );
    assert_eq!(
        kind(world.store.insert_session(&other_app(), &session(10, 1), &doc! {}).await),
        StoreErrorKind::Conflict,
        "a user of another app"
    );
    assert_eq!(world.store.live_session(&app(), session_id(10)).await.unwrap(), None);
}

pub(super) async fn a_session_for_a_user_that_was_deleted_is_conflict(factory: &dyn StoreFactory) {
    let world = with_ada(factory).await;
    world.store.delete_user(&app(), user_id(1)).await.unwrap();
    assert_eq!(
        kind(world.store.insert_session(&app(), &session(10, 1), &doc! {}).await),
        StoreErrorKind::Conflict
    );
}

pub(super) async fn a_log_in_that_races_a_delete_leaves_no_session_behind(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in 0..20 {
        world.store.insert_user(&app(), &user(number, &format!("u{number}"))).await.unwrap();
        let (inserting, deleting) = (Arc::clone(&world.store), Arc::clone(&world.store));
        let insert = tokio::spawn(async move {
            let result = inserting.insert_session(&app(), &session(number, number), &doc! {}).await;
            result.map_err(|error| error.kind())
        });
        let delete = tokio::spawn(async move { deleting.delete_user(&app(), user_id(number)).await });
        let inserted = insert.await.unwrap();
        assert!(matches!(inserted, Ok(()) | Err(StoreErrorKind::Conflict)), "{inserted:?}");
        assert!(delete.await.unwrap().unwrap());
        assert_eq!(world.store.live_session(&app(), session_id(number)).await.unwrap(), None);
        assert!(!world.store.delete_session(&app(), session_id(number)).await.unwrap());
    }
}

pub(super) async fn a_missing_deleted_or_foreign_session_is_none(factory: &dyn StoreFactory) {
    let world = with_ada(factory).await;
    world.store.insert_session(&app(), &session(10, 1), &doc! {}).await.unwrap();
    assert_eq!(world.store.live_session(&app(), session_id(11)).await.unwrap(), None);
    assert_eq!(world.store.live_session(&other_app(), session_id(10)).await.unwrap(), None);
    assert!(!world.store.delete_session(&other_app(), session_id(10)).await.unwrap());
    assert!(world.store.delete_session(&app(), session_id(10)).await.unwrap());
    assert_eq!(world.store.live_session(&app(), session_id(10)).await.unwrap(), None);
}

pub(super) async fn expired_and_disabled_ones_are_returned(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let mut ada = user(1, "ada");
    ada.disabled = true;
    ada.epoch = 9;
    world.store.insert_user(&app(), &ada).await.unwrap();
    let mut old = session(10, 1);
    old.expires_at = at(-1_000_000);
    world.store.insert_session(&app(), &old, &doc! {}).await.unwrap();
    let live = world.store.live_session(&app(), old.id).await.unwrap();
    assert_eq!(live, Some(LiveSession { session: old, user: ada }));
}

pub(super) async fn a_session_shows_the_user_as_it_is_now(factory: &dyn StoreFactory) {
    let world = with_ada(factory).await;
    world.store.insert_session(&app(), &session(10, 1), &doc! {}).await.unwrap();
    let mut changed = user(1, "ada");
    changed.epoch = 1;
    changed.disabled = true;
    world.store.replace_user(&app(), &changed, &user(1, "ada")).await.unwrap();
    let live = world.store.live_session(&app(), session_id(10)).await.unwrap().unwrap();
    assert_eq!(live.user, changed);
}

pub(super) async fn touch_notes_the_time_and_a_missing_session_is_no_error(factory: &dyn StoreFactory) {
    let world = with_ada(factory).await;
    world.store.insert_session(&app(), &session(10, 1), &doc! {}).await.unwrap();
    world.store.touch_session(&app(), session_id(10), at(60)).await.unwrap();
    world.store.touch_session(&app(), session_id(11), at(60)).await.unwrap();
    world.store.touch_session(&other_app(), session_id(10), at(90)).await.unwrap();
    let live = world.store.live_session(&app(), session_id(10)).await.unwrap().unwrap();
    let mut expected = session(10, 1);
    expected.last_seen_at = at(60);
    assert_eq!(live.session, expected);
    assert_eq!(world.store.live_session(&app(), session_id(11)).await.unwrap(), None);
}

pub(super) async fn of_50_parallel_deletes_exactly_one_says_yes(factory: &dyn StoreFactory) {
    let world = with_ada(factory).await;
    world.store.insert_session(&app(), &session(10, 1), &doc! {}).await.unwrap();
    let results = in_parallel(|_| {
        let store = Arc::clone(&world.store);
        async move { store.delete_session(&app(), session_id(10)).await.unwrap() }
    })
    .await;
    assert_eq!(results.iter().filter(|deleted| **deleted).count(), 1);
}

pub(super) async fn a_users_sessions_come_oldest_first_those_of_one_moment_in_the_order_of_their_ids(
    factory: &dyn StoreFactory,
) {
    let world = with_ada(factory).await;
    world.store.insert_user(&app(), &user(2, "bob")).await.unwrap();
    world.store.insert_user(&other_app(), &user(1, "ada")).await.unwrap();
    for (number, created) in [(12, 5), (14, 1), (11, 9), (13, 5), (10, 5)] {
        let mut one = session(number, 1);
        (one.created_at, one.expires_at) = (at(created), at(-1));
        world.store.insert_session(&app(), &one, &doc! {}).await.unwrap();
    }
    world.store.insert_session(&app(), &session(20, 2), &doc! {}).await.unwrap();
    world.store.insert_session(&other_app(), &session(30, 1), &doc! {}).await.unwrap();
    assert_eq!(world.listed(1).await, [14, 10, 12, 13, 11].map(session_id));
    assert_eq!(world.listed(2).await, [session_id(20)]);
    assert!(world.listed(3).await.is_empty());
}

pub(super) async fn each_listed_session_comes_with_what_its_client_said_as_it_was_written(
    factory: &dyn StoreFactory,
) {
    let world = with_ada(factory).await;
    let said = doc! {"platform": "chrome", "version": {"z": 1, "a": [1_i64, 2.5, "ü"]}, "": Bson::Null};
    let clients = [(10, said), (11, doc! {}), (12, doc! {"platform": "ios"})];
    for (number, client) in &clients {
        let mut one = session(*number, 1);
        one.identity = format!("identity \"{number}\"");
        world.store.insert_session(&app(), &one, client).await.unwrap();
    }
    world.store.touch_session(&app(), session_id(10), at(60)).await.unwrap();
    let listed = world.store.sessions_of(&app(), user_id(1)).await.unwrap();
    assert_eq!(listed.len(), clients.len());
    for (one, (number, client)) in listed.iter().zip(clients) {
        let live = world.store.live_session(&app(), session_id(number)).await.unwrap().unwrap();
        assert_eq!(one.session, live.session);
        assert_eq!(one.session.identity, format!("identity \"{number}\""));
        assert_eq!(one.client, client);
        assert!(one.client.keys().eq(client.keys()), "the order of fields");
    }
    // What a client said goes with its session.
    assert!(world.store.delete_session(&app(), session_id(10)).await.unwrap());
    world.store.insert_session(&app(), &session(10, 1), &doc! {}).await.unwrap();
    let again = world.store.sessions_of(&app(), user_id(1)).await.unwrap();
    assert_eq!(again[0], ListedSession { session: session(10, 1), client: doc! {} });
}

pub(super) async fn every_session_of_a_user_ends_and_no_other(factory: &dyn StoreFactory) {
    let world = with_ada(factory).await;
    world.store.insert_user(&app(), &user(2, "bob")).await.unwrap();
    world.store.insert_user(&other_app(), &user(1, "ada")).await.unwrap();
    for number in 10..13 {
        world.store.insert_session(&app(), &session(number, 1), &doc! {}).await.unwrap();
    }
    world.store.insert_session(&app(), &session(20, 2), &doc! {}).await.unwrap();
    world.store.insert_session(&other_app(), &session(30, 1), &doc! {}).await.unwrap();
    assert_eq!(world.store.delete_sessions_of(&app(), user_id(1), None).await.unwrap(), 3);
    assert_eq!(world.store.delete_sessions_of(&app(), user_id(1), None).await.unwrap(), 0);
    assert_eq!(world.store.live_session(&app(), session_id(10)).await.unwrap(), None);
    assert!(world.store.live_session(&app(), session_id(20)).await.unwrap().is_some());
    assert!(world.store.live_session(&other_app(), session_id(30)).await.unwrap().is_some());
}

pub(super) async fn an_excepted_session_goes_on_and_one_that_is_not_the_users_keeps_none_alive(
    factory: &dyn StoreFactory,
) {
    let world = with_ada(factory).await;
    world.store.insert_user(&app(), &user(2, "bob")).await.unwrap();
    world.store.insert_session(&app(), &session(20, 2), &doc! {}).await.unwrap();
    for number in 10..13 {
        world.store.insert_session(&app(), &session(number, 1), &doc! {"n": number}).await.unwrap();
    }
    let here = app();
    let end = |except: u32| world.store.delete_sessions_of(&here, user_id(1), Some(session_id(except)));
    assert_eq!(end(11).await.unwrap(), 2);
    assert_eq!(world.listed(1).await, [session_id(11)]);
    assert_eq!(end(11).await.unwrap(), 0);
    assert_eq!(end(20).await.unwrap(), 1);
    assert!(world.listed(1).await.is_empty());
    assert_eq!(world.listed(2).await, [session_id(20)]);
}

/// Sessions of two users, opened by identities of two providers.
async fn with_identities(factory: &dyn StoreFactory) -> World {
    let world = with_ada(factory).await;
    world.store.insert_user(&app(), &user(2, "bob")).await.unwrap();
    world.store.insert_user(&other_app(), &user(1, "ada")).await.unwrap();
    for (app, number, user, provider, identity) in [
        (app(), 10, 1, "api-key", "one"),
        (app(), 11, 1, "api-key", "one"),
        (app(), 12, 1, "api-key", "two"),
        (app(), 13, 1, "local-userpass", "one"),
        (app(), 14, 1, "api-key", ""),
        (app(), 20, 2, "api-key", "one"),
        (other_app(), 30, 1, "api-key", "one"),
    ] {
        let mut one = session(number, user);
        (one.provider, one.identity) = (provider.to_owned(), identity.to_owned());
        world.store.insert_session(&app, &one, &doc! {}).await.unwrap();
    }
    world
}

pub(super) async fn the_sessions_of_one_identity_end_and_it_returns_how_many(factory: &dyn StoreFactory) {
    let world = with_identities(factory).await;
    let here = app();
    let end = |identity| world.store.delete_sessions_by_identity(&here, user_id(1), "api-key", identity);
    assert_eq!(end("one").await.unwrap(), 2);
    assert_eq!(end("one").await.unwrap(), 0);
    assert_eq!(end("three").await.unwrap(), 0);
    assert_eq!(world.listed(1).await, [12, 13, 14].map(session_id));
    assert_eq!(end("two").await.unwrap(), 1);
    assert_eq!(world.listed(1).await, [13, 14].map(session_id));
}

pub(super) async fn sessions_of_the_same_identity_id_under_another_provider_or_of_another_user_go_on(
    factory: &dyn StoreFactory,
) {
    let world = with_identities(factory).await;
    let here = app();
    let end = |provider| world.store.delete_sessions_by_identity(&here, user_id(1), provider, "one");
    assert_eq!(end("local-userpass").await.unwrap(), 1);
    assert_eq!(world.listed(1).await, [10, 11, 12, 14].map(session_id));
    assert_eq!(end("api-key").await.unwrap(), 2);
    assert_eq!(world.listed(1).await, [12, 14].map(session_id));
    assert_eq!(world.listed(2).await, [session_id(20)]);
    assert!(world.store.live_session(&other_app(), session_id(30)).await.unwrap().is_some());
}

pub(super) async fn the_last_session_end_is_the_latest_among_those_opened_before_past_or_not(
    factory: &dyn StoreFactory,
) {
    let world = with_ada(factory).await;
    world.store.insert_user(&other_app(), &user(1, "ada")).await.unwrap();
    for (app, number, created, ends) in [
        (app(), 10, 0, 50),
        (app(), 11, 5, 40),
        (app(), 12, 9, 70),
        (app(), 13, 10, 90),
        (other_app(), 14, 0, 999),
    ] {
        let mut one = session(number, 1);
        (one.created_at, one.expires_at) = (at(created), at(ends));
        world.store.insert_session(&app, &one, &doc! {}).await.unwrap();
    }
    for (before, end) in [(1, 50), (9, 50), (10, 70), (11, 90), (500, 90)] {
        let last = world.store.last_session_end(&app(), at(before)).await.unwrap();
        assert_eq!(last, Some(at(end)), "opened before {before}");
    }
    world.store.delete_session(&app(), session_id(12)).await.unwrap();
    assert_eq!(world.store.last_session_end(&app(), at(10)).await.unwrap(), Some(at(50)));
}

pub(super) async fn without_such_a_session_the_last_session_end_is_none(factory: &dyn StoreFactory) {
    let world = with_ada(factory).await;
    assert_eq!(world.store.last_session_end(&app(), at(999)).await.unwrap(), None);
    world.store.insert_session(&app(), &session(10, 1), &doc! {}).await.unwrap();
    assert_eq!(world.store.last_session_end(&app(), at(0)).await.unwrap(), None);
    assert_eq!(world.store.last_session_end(&other_app(), at(999)).await.unwrap(), None);
}

pub(super) async fn purge_removes_what_expired_before_now_in_all_apps(factory: &dyn StoreFactory) {
    let world = with_ada(factory).await;
    world.store.insert_user(&other_app(), &user(1, "ada")).await.unwrap();
    for (app, number, ends) in
        [(app(), 10, 99), (app(), 11, 100), (app(), 12, 101), (other_app(), 13, 5), (other_app(), 14, 500)]
    {
        let mut one = session(number, 1);
        one.expires_at = at(ends);
        world.store.insert_session(&app, &one, &doc! {}).await.unwrap();
    }
    assert_eq!(world.store.purge_sessions(at(100)).await.unwrap(), 2);
    assert_eq!(world.store.purge_sessions(at(100)).await.unwrap(), 0);
    assert_eq!(world.store.live_session(&app(), session_id(10)).await.unwrap(), None);
    for number in [11, 12] {
        assert!(world.store.live_session(&app(), session_id(number)).await.unwrap().is_some());
    }
    assert_eq!(world.store.live_session(&other_app(), session_id(13)).await.unwrap(), None);
}
