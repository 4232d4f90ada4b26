//! Single-use tickets and counters.

use std::collections::BTreeSet;
use std::sync::Arc;

use backstitch::store::{Ticket, TicketKey};

use crate::factory::StoreFactory;
use crate::world::{World, app, at, in_parallel, other_app};

fn key(kind: &'static str, number: u8) -> TicketKey {
    TicketKey { kind, hash: [number; 32] }
}

fn ticket(number: u8, payload: &[u8]) -> Ticket {
    Ticket { key: key("confirm", number), payload: payload.to_vec(), expires_at: at(100) }
}

pub(super) async fn a_ticket_is_taken_once_and_comes_as_it_was_put(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let mine = ticket(1, b"payload \x00\xff");
    world.store.put_ticket(&app(), &mine).await.unwrap();
    let taken = world.store.take_ticket(&app(), &mine.key, at(0)).await.unwrap();
    assert_eq!(taken, Some(mine.clone()));
    assert_eq!(world.store.take_ticket(&app(), &mine.key, at(0)).await.unwrap(), None);
}

pub(super) async fn a_ticket_of_the_same_key_is_replaced(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.store.put_ticket(&app(), &ticket(1, b"old")).await.unwrap();
    let mut new = ticket(1, b"new");
    new.expires_at = at(200);
    world.store.put_ticket(&app(), &new).await.unwrap();
    assert_eq!(world.store.take_ticket(&app(), &new.key, at(150)).await.unwrap(), Some(new.clone()));
    assert_eq!(world.store.take_ticket(&app(), &new.key, at(0)).await.unwrap(), None);
}

pub(super) async fn of_50_parallel_takes_exactly_one_gets_it(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.store.put_ticket(&app(), &ticket(1, b"one")).await.unwrap();
    let results = in_parallel(|_| {
        let store = Arc::clone(&world.store);
        async move { store.take_ticket(&app(), &key("confirm", 1), at(0)).await.unwrap() }
    })
    .await;
    assert_eq!(results.iter().flatten().count(), 1);
}

pub(super) async fn of_50_parallel_puts_of_one_key_one_ticket_stands(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let results = in_parallel(|number| {
        let store = Arc::clone(&world.store);
        async move { store.put_ticket(&app(), &ticket(1, &[u8::try_from(number).unwrap()])).await.is_ok() }
    })
    .await;
    assert!(results.iter().all(|put| *put));
    let taken = world.store.take_ticket(&app(), &key("confirm", 1), at(0)).await.unwrap().unwrap();
    assert_eq!(taken.payload.len(), 1);
    assert_eq!(world.store.take_ticket(&app(), &key("confirm", 1), at(0)).await.unwrap(), None);
}

pub(super) async fn taking_an_expired_missing_or_foreign_one_or_one_of_another_kind_is_none(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    world.store.put_ticket(&app(), &ticket(1, b"mine")).await.unwrap();
    assert_eq!(world.store.take_ticket(&app(), &key("confirm", 2), at(0)).await.unwrap(), None);
    assert_eq!(world.store.take_ticket(&app(), &key("reset", 1), at(0)).await.unwrap(), None);
    assert_eq!(world.store.take_ticket(&other_app(), &key("confirm", 1), at(0)).await.unwrap(), None);
    assert!(world.store.ticket(&app(), &key("confirm", 1), at(99)).await.unwrap().is_some());
    assert_eq!(world.store.take_ticket(&app(), &key("confirm", 1), at(100)).await.unwrap(), None);
    assert_eq!(world.store.take_ticket(&app(), &key("confirm", 1), at(101)).await.unwrap(), None);
}

pub(super) async fn a_ticket_is_read_without_using_it_up(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let mine = ticket(1, b"mine");
    world.store.put_ticket(&app(), &mine).await.unwrap();
    for _ in 0..2 {
        assert_eq!(world.store.ticket(&app(), &mine.key, at(0)).await.unwrap(), Some(mine.clone()));
    }
    assert_eq!(world.store.take_ticket(&app(), &mine.key, at(0)).await.unwrap(), Some(mine.clone()));
    assert_eq!(world.store.ticket(&app(), &mine.key, at(0)).await.unwrap(), None);
}

pub(super) async fn reading_an_expired_or_missing_one_is_none(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.store.put_ticket(&app(), &ticket(1, b"mine")).await.unwrap();
    assert_eq!(world.store.ticket(&app(), &key("confirm", 1), at(100)).await.unwrap(), None);
    assert_eq!(world.store.ticket(&app(), &key("confirm", 2), at(0)).await.unwrap(), None);
    assert_eq!(world.store.ticket(&app(), &key("reset", 1), at(0)).await.unwrap(), None);
    assert_eq!(world.store.ticket(&other_app(), &key("confirm", 1), at(0)).await.unwrap(), None);
}

pub(super) async fn a_counter_starts_at_1_when_there_is_none_or_it_has_expired(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let failures = key("failures", 1);
    let bump =
        async |now, until| world.store.bump_ticket(&app(), &failures, at(now), at(until)).await.unwrap();
    assert_eq!(bump(0, 10).await, 1);
    assert_eq!(bump(1, 10).await, 2);
    assert_eq!(bump(9, 10).await, 3);
    assert_eq!(bump(10, 20).await, 1, "from the moment of its expiry");
    assert_eq!(bump(19, 30).await, 2);
    assert_eq!(bump(500, 510).await, 1);
}

pub(super) async fn a_living_counter_keeps_the_expiry_that_it_has(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let failures = key("failures", 1);
    let bump =
        async |now, until| world.store.bump_ticket(&app(), &failures, at(now), at(until)).await.unwrap();
    assert_eq!(bump(0, 10).await, 1);
    assert_eq!(bump(5, 1000).await, 2);
    assert_eq!(bump(11, 1000).await, 1, "the later expiry did not count");
}

pub(super) async fn counters_of_another_key_kind_or_app_are_other_counters(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let cases = [
        (app(), key("failures", 1)),
        (app(), key("failures", 2)),
        (app(), key("mails", 1)),
        (other_app(), key("failures", 1)),
    ];
    for (app, key) in cases {
        assert_eq!(world.store.bump_ticket(&app, &key, at(0), at(10)).await.unwrap(), 1, "{app} {key:?}");
    }
}

pub(super) async fn fifty_parallel_bumps_return_50_different_counts(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let counts = in_parallel(|_| {
        let store = Arc::clone(&world.store);
        async move { store.bump_ticket(&app(), &key("failures", 1), at(0), at(100)).await.unwrap() }
    })
    .await;
    assert_eq!(counts.into_iter().collect::<BTreeSet<_>>(), (1..=50).collect());
}

pub(super) async fn purge_removes_tickets_and_counters_that_expired_before_now_in_all_apps(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    world.store.put_ticket(&app(), &ticket(1, b"to 100")).await.unwrap();
    world.store.put_ticket(&other_app(), &ticket(1, b"to 100")).await.unwrap();
    let mut late = ticket(2, b"to 300");
    late.expires_at = at(300);
    world.store.put_ticket(&app(), &late).await.unwrap();
    world.store.bump_ticket(&app(), &key("failures", 3), at(0), at(50)).await.unwrap();
    assert_eq!(world.store.purge_tickets(at(200)).await.unwrap(), 3);
    assert_eq!(world.store.purge_tickets(at(200)).await.unwrap(), 0);
    assert_eq!(world.store.ticket(&app(), &key("confirm", 1), at(0)).await.unwrap(), None);
    assert_eq!(world.store.ticket(&app(), &late.key, at(200)).await.unwrap(), Some(late));
}
