//! What a store lists of itself, and copies of all of it.

use backstitch::filter::Direction::{Ascending, Descending};
use backstitch::id::{AppId, CollectionId};
use backstitch::store::copy::{CopyError, Part, copy};
use backstitch::store::{
    CollectionSpec, KeptTicket, KeyAlgorithm, Registration, Registrations, SigningKeyRecord, Store, Ticket,
    TicketKey,
};
use bson::doc;

use crate::factory::StoreFactory;
use crate::world::{
    World, api_key, app, at, collection, index, other_app, registration, session, unique, user, user_id,
};

const FAILURES: TicketKey = TicketKey { kind: "failures", hash: [2; 32] };

pub(super) async fn apps_are_those_that_have_facts_in_order(factory: &dyn StoreFactory) {
    let store = factory.open().await;
    assert!(store.apps().await.unwrap().is_empty());
    store.insert_user(&AppId::new("no-facts"), &user(1, "ada")).await.unwrap();
    for name in ["b", "A", "a"] {
        for key in ["one", "two"] {
            store.meta_or_insert(&AppId::new(name), key, "x").await.unwrap();
        }
    }
    assert_eq!(store.apps().await.unwrap(), ["A", "a", "b"].map(AppId::new));
}

pub(super) async fn facts_come_in_the_order_of_their_keys_and_of_one_app(factory: &dyn StoreFactory) {
    let store = factory.open().await;
    for key in ["b", "B", "a\\b"] {
        store.meta_or_insert(&app(), key, &format!("value of {key}")).await.unwrap();
    }
    store.meta_or_insert(&other_app(), "c", "x").await.unwrap();
    let facts = store.facts(&app()).await.unwrap();
    let expected = ["B", "a\\b", "b"].map(|key| (key.to_owned(), format!("value of {key}")));
    assert_eq!(facts, expected);
}

pub(super) async fn tickets_and_counters_are_listed_in_order_and_kept_as_listed(factory: &dyn StoreFactory) {
    let store = factory.open().await;
    let reset = |byte| Ticket {
        key: TicketKey { kind: "reset", hash: [byte; 32] },
        payload: vec![byte, 0],
        expires_at: at(i64::from(byte)),
    };
    for byte in [200, 3] {
        store.put_ticket(&app(), &reset(byte)).await.unwrap();
    }
    store.put_ticket(&other_app(), &reset(9)).await.unwrap();
    for _ in 0..3 {
        store.bump_ticket(&app(), &FAILURES, at(0), at(50)).await.unwrap();
    }
    let all = store.list_tickets(&app(), None, 100).await.unwrap();
    let kept = |ticket: &Ticket| KeptTicket {
        kind: ticket.key.kind.to_owned(),
        hash: ticket.key.hash,
        payload: ticket.payload.clone(),
        count: 0,
        expires_at: ticket.expires_at,
    };
    let counter = KeptTicket {
        kind: "failures".to_owned(),
        hash: FAILURES.hash,
        payload: Vec::new(),
        count: 3,
        expires_at: at(50),
    };
    assert_eq!(all, [counter.clone(), kept(&reset(3)), kept(&reset(200))]);
    let first = (counter.kind.clone(), counter.hash);
    assert_eq!(store.list_tickets(&app(), Some(&first), 1).await.unwrap(), [kept(&reset(3))]);

    let other = factory.open().await;
    other.put_ticket(&app(), &Ticket { payload: vec![9], ..reset(3) }).await.unwrap();
    for ticket in &all {
        other.keep_ticket(&app(), ticket).await.unwrap();
    }
    assert_eq!(other.list_tickets(&app(), None, 100).await.unwrap(), all);
    assert_eq!(other.bump_ticket(&app(), &FAILURES, at(1), at(90)).await.unwrap(), 4);
    assert_eq!(other.take_ticket(&app(), &reset(200).key, at(1)).await.unwrap(), Some(reset(200)));
}

pub(super) async fn collections_are_listed_in_order_with_their_indexes(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    assert!(world.store.collections().await.unwrap().is_empty());
    let indexes = vec![unique(&["a"]), index(&[("b", Ascending), ("c", Descending)])];
    world.prepare(&collection("films"), indexes.clone()).await.unwrap();
    world.insert(&collection("books"), &[doc! {"_id": 1}]).await.unwrap();
    let mut listed = world.store.collections().await.unwrap();
    listed.iter_mut().for_each(|spec| spec.indexes.sort_by_key(|index| index.definition()));
    let mut indexes = indexes;
    indexes.sort_by_key(|index| index.definition());
    let spec = |id: CollectionId, indexes| CollectionSpec { id, indexes };
    assert_eq!(listed, [spec(collection("books"), vec![]), spec(collection("films"), indexes)]);
}

pub(super) async fn a_copy_holds_everything_and_is_gone_on_with(factory: &dyn StoreFactory) {
    let (from, to) = (World::open(factory).await, World::open(factory).await);
    fill(&from).await;
    // As a copy that was interrupted has left it.
    to.store.insert_user(&app(), &user(1, "ada")).await.unwrap();
    to.insert(&collection("books"), &[doc! {"_id": 2}]).await.unwrap();
    let mut told = 0;
    let copied = copy(&*from.store, &*to.store, &mut |_, _| told += 1).await.unwrap();
    assert!(told >= 6);
    let counts: Vec<u64> = copied.iter().map(|copied| copied.count).collect();
    // Facts, signing keys, users with what is theirs, registrations, tickets; books, films.
    assert_eq!(counts, [1, 2, 5, 2, 2, 3, 1], "{copied:?}");
    assert_eq!(copy(&*from.store, &*to.store, &mut |_, _| ()).await.unwrap(), copied);
    assert_eq!(to.all(&collection("books")).await, from.all(&collection("books")).await);
    let of = |store: &std::sync::Arc<dyn Store>| std::sync::Arc::clone(store);
    let live = of(&to.store).live_session(&app(), session(10, 1).id).await.unwrap().unwrap();
    assert_eq!(live.session, session(10, 1));
    assert_eq!(to.store.sessions_of(&app(), user_id(1)).await.unwrap()[0].client, doc! {"platform": "ios"});
    let all = to.store.list_registrations(&app(), Registrations::All, None, 9).await.unwrap();
    assert_eq!(all.len(), 2);
}

pub(super) async fn a_copy_into_a_store_that_holds_something_else_tells_the_part(factory: &dyn StoreFactory) {
    let (from, to) = (World::open(factory).await, World::open(factory).await);
    fill(&from).await;
    to.insert(&collection("films"), &[doc! {"_id": 7}]).await.unwrap();
    match copy(&*from.store, &*to.store, &mut |_, _| ()).await {
        Err(CopyError::Differs { part, counts: (1, 1) }) => {
            assert_eq!(part, Part::Documents(collection("films")))
        }
        other => panic!("{other:?}"),
    }
}

async fn fill(world: &World) {
    let store = &world.store;
    store.meta_or_insert(&app(), "domain_id", "d").await.unwrap();
    for (number, algorithm) in [KeyAlgorithm::Hs256, KeyAlgorithm::Es256].into_iter().enumerate() {
        let key = SigningKeyRecord {
            id: format!("k{number}"),
            algorithm,
            secret: vec![1; 32],
            created_at: at(number as i64),
        };
        assert!(store.insert_signing_key(&app(), &key, number).await.unwrap());
    }
    for (number, name) in [(1, "ada"), (2, "bob")] {
        store.insert_user(&app(), &user(number, name)).await.unwrap();
    }
    store.insert_session(&app(), &session(10, 1), &doc! {"platform": "ios"}).await.unwrap();
    assert!(store.insert_api_key(&app(), &api_key(20, 1), 9).await.unwrap());
    let server =
        backstitch::store::ApiKey { owner: backstitch::store::ApiKeyOwner::Server, ..api_key(21, 2) };
    assert!(store.insert_api_key(&app(), &server, 9).await.unwrap());
    for (email, confirmed) in [("ada@x", true), ("bob@x", false)] {
        let registration = Registration { confirmed, ..registration(email, "hash") };
        store.insert_registration(&app(), &registration).await.unwrap();
    }
    store.bump_ticket(&app(), &FAILURES, at(0), at(50)).await.unwrap();
    let reset =
        Ticket { key: TicketKey { kind: "reset", hash: [1; 32] }, payload: vec![1], expires_at: at(9) };
    store.put_ticket(&app(), &reset).await.unwrap();
    let books = [doc! {"_id": 2}, doc! {"_id": 1, "n": 1_i64}, doc! {"_id": 3}];
    world.with(&collection("books"), vec![unique(&["_id"])], &books).await;
    world.insert(&collection("films"), &[doc! {"_id": 1}]).await.unwrap();
}
