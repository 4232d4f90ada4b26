//! Users who are brought in whole: what an interrupted call left, and what belongs to somebody else, on every store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use backstitch::app::AppConfig;
use backstitch::auth::config::{EmailPasswordConfig, ProviderKind};
use backstitch::auth::{Transferred, TransferredUser};
use backstitch::engine::Engine;
use backstitch::error::ErrorKind;
use backstitch::id::{AppId, UserId};
use backstitch::secret::Secret;
use backstitch::store::{Registration, Store};
use backstitch_tests::every_store;
use bson::{Document, doc};
use chrono::DateTime;

const APP: &str = "moved-abcde";
const EMAIL: &str = "ada@example.test";
/// A hash of some password, as bcrypt writes it.
const HASH: &str = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";

/// Runs a story on each store.
async fn on_each_store(story: impl AsyncFn(Arc<dyn Store>, Engine)) {
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        let config = AppConfig::new("moved")
            .with_id(AppId::new(APP))
            .provider(ProviderKind::EmailPassword(EmailPasswordConfig::automatic()));
        let builder = Engine::builder().store(Arc::clone(&store)).public_url("https://api.example");
        story(store, builder.app(config).build().await.unwrap()).await;
    }
}

fn way_in(provider: &str, id: &str, data: Document) -> (String, String, Document) {
    (provider.to_owned(), id.to_owned(), data)
}

fn user(id: u8, identities: Vec<(String, String, Document)>) -> TransferredUser {
    TransferredUser {
        id: UserId::parse(&format!("{id:024x}")),
        disabled: false,
        identities,
        password_hash: Some(Secret::new(HASH)),
        confirmed: true,
        created_at: DateTime::UNIX_EPOCH,
        last_login_at: DateTime::UNIX_EPOCH,
    }
}

fn by_password(id: u8, identity: &str) -> TransferredUser {
    user(id, vec![way_in(Registration::PROVIDER, identity, doc! { "email": EMAIL })])
}

async fn bring_in(engine: &Engine, user: TransferredUser) -> Result<Transferred, ErrorKind> {
    engine.app(APP).unwrap().users().transfer_in(user).await.map_err(|error| error.kind())
}

#[tokio::test]
async fn a_registration_that_an_interrupted_call_left_is_taken_up_by_the_next() {
    on_each_store(async |store, engine| {
        let unclaimed = TransferredUser { id: None, ..by_password(1, "x") };
        assert_eq!(bring_in(&engine, unclaimed.clone()).await, Ok(Transferred::Added));
        assert_eq!(bring_in(&engine, by_password(1, "x")).await, Ok(Transferred::Added));
        assert_eq!(bring_in(&engine, by_password(1, "x")).await, Ok(Transferred::Known));
        assert_eq!(bring_in(&engine, unclaimed).await, Ok(Transferred::Known));
        let app = AppId::new(APP);
        let made = store.user_by_identity(&app, Registration::PROVIDER, "x").await.unwrap().unwrap();
        assert_eq!(Some(made.id), by_password(1, "x").id);
        assert!(engine.app(APP).unwrap().users().unclaimed(None, 9).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_belongs_to_somebody_else_is_refused_and_theirs_stays() {
    on_each_store(async |store, engine| {
        bring_in(&engine, by_password(1, "x")).await.unwrap();
        let guest = way_in("anon-user", "guest", doc! {});
        bring_in(&engine, user(2, vec![guest.clone()])).await.unwrap();
        let fresh = way_in(Registration::PROVIDER, "z", doc! { "email": "new@example.test" });
        for taken in [
            // The same identity, the same address under another identity, and another's way in beside a new address.
            by_password(3, "x"),
            by_password(3, "y"),
            user(3, vec![fresh.clone(), guest]),
            TransferredUser { id: None, ..by_password(3, "y") },
        ] {
            assert_eq!(bring_in(&engine, taken.clone()).await, Err(ErrorKind::AccountNameInUse), "{taken:?}");
        }
        let app = AppId::new(APP);
        let there = store.registration(&app, EMAIL).await.unwrap().unwrap();
        assert_eq!(there.identity_id, "x");
        assert!(store.user(&app, UserId::parse(&format!("{:024x}", 3)).unwrap()).await.unwrap().is_none());
        assert_eq!(
            store.registration(&app, "new@example.test").await.unwrap(),
            None,
            "nothing is left of it"
        );
        assert_eq!(bring_in(&engine, user(3, vec![fresh])).await, Ok(Transferred::Added));
    })
    .await;
}
