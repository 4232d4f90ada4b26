//! What is still there after a restart.

use backstitch::filter::Filter;
use backstitch::store::{
    KeyAlgorithm, ListedSession, Registration, SigningKeyRecord, StoreErrorKind, Ticket, TicketKey,
};
use bson::doc;

use crate::factory::StoreFactory;
use crate::world::{
    World, api_key, app, at, collection, filtered, kind, numbers, registration, session, unique, user,
    user_id,
};

pub(super) async fn documents_and_unique_indexes_are_still_there(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.with(&id, vec![unique(&["a"])], &[doc! {"_id": 2, "a": 1}, doc! {"_id": 1, "a": 2}]).await;
    let World { store } = world;
    let world = World { store: factory.reopen(store).await.expect("a persistent store") };
    assert!(world.store.capabilities().persistent);
    assert_eq!(world.all(&id).await, [doc! {"_id": 2, "a": 1}, doc! {"_id": 1, "a": 2}]);
    world.prepare(&id, vec![unique(&["a"])]).await.unwrap();
    assert_eq!(world.ids(&id, filtered(Filter::eq("a", 2))).await, numbers(&[1]));
    assert_eq!(kind(world.insert(&id, &[doc! {"_id": 3, "a": 1}]).await), StoreErrorKind::DuplicateKey);
}

pub(super) async fn accounts_api_keys_sessions_tickets_signing_keys_and_metadata_are_still_there(
    factory: &dyn StoreFactory,
) {
    let store = factory.open().await;
    let registration = Registration { confirmed: true, ..registration("ada@x", "hash") };
    let key = SigningKeyRecord {
        id: "k".to_owned(),
        algorithm: KeyAlgorithm::EdDsa,
        secret: vec![1; 32],
        created_at: at(0),
    };
    let ticket =
        Ticket { key: TicketKey { kind: "reset", hash: [1; 32] }, payload: vec![1], expires_at: at(9) };
    let counter = TicketKey { kind: "failures", hash: [2; 32] };
    store.insert_user(&app(), &user(1, "ada")).await.unwrap();
    store.insert_session(&app(), &session(10, 1), &doc! {"platform": "ios"}).await.unwrap();
    assert!(store.insert_api_key(&app(), &api_key(20, 1), 1).await.unwrap());
    store.insert_registration(&app(), &registration).await.unwrap();
    store.insert_signing_key(&app(), &key, 0).await.unwrap();
    store.put_ticket(&app(), &ticket).await.unwrap();
    store.bump_ticket(&app(), &counter, at(0), at(9)).await.unwrap();
    store.meta_or_insert(&app(), "domain", "d").await.unwrap();
    let store = factory.reopen(store).await.expect("a persistent store");
    let live = store.live_session(&app(), session(10, 1).id).await.unwrap().unwrap();
    assert_eq!((live.session, live.user), (session(10, 1), user(1, "ada")));
    let listed = ListedSession { session: session(10, 1), client: doc! {"platform": "ios"} };
    assert_eq!(store.sessions_of(&app(), user_id(1)).await.unwrap(), [listed]);
    assert_eq!(store.api_keys(&app(), Some(user_id(1))).await.unwrap(), [api_key(20, 1)]);
    assert!(!store.insert_api_key(&app(), &api_key(21, 1), 1).await.unwrap());
    assert_eq!(store.registration(&app(), "ada@x").await.unwrap(), Some(registration));
    assert!(store.signing_keys(&app()).await.unwrap() == [key]);
    assert_eq!(store.take_ticket(&app(), &ticket.key, at(1)).await.unwrap(), Some(ticket));
    assert_eq!(store.bump_ticket(&app(), &counter, at(1), at(9)).await.unwrap(), 2);
    assert_eq!(store.meta(&app(), "domain").await.unwrap().as_deref(), Some("d"));
}
