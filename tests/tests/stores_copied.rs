//! A team moves: a store with accounts, sessions and documents is copied into a store of every other kind, and the same tokens
//! and passwords go on working there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use backstitch::store::Store;
use backstitch::store::copy::copy;
use backstitch_tests::{Client, Movies, every_store};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse";
const FILMS: &str = "{ movies(limit: 3, sortBy: TITLE_ASC) { title year } }";

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_logged_in_stays_so_in_a_copy_of_any_store_in_any_other() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let sources = every_store(first.path()).await;
    for (from, source) in sources.iter().enumerate() {
        let movies = Movies::on(Arc::clone(source)).await;
        let ada = movies.client().person("ada@example.com").await;
        let films = ada.data(FILMS, json!({})).await;
        let folder = second.path().join(from.to_string());
        std::fs::create_dir(&folder).unwrap();
        for (to, target) in every_store(&folder).await.into_iter().enumerate() {
            let copied = copy(&**source, &*target, &mut |_, _| ()).await;
            let copied = copied.unwrap_or_else(|error| panic!("{from} to {to}: {error:?}"));
            assert!(copied.iter().map(|part| part.count).sum::<u64>() > 50, "{copied:?}");
            the_same_goes_on(target, &ada, &films).await;
        }
    }
}

/// The access token of before, a refresh and the password, each in the copy; and a log-out there ends the session.
async fn the_same_goes_on(target: Arc<dyn Store>, ada: &Client, films: &Value) {
    let movies = Movies::on(target).await;
    let here = movies.client().with_access(ada.access.as_deref().unwrap());
    assert_eq!(here.data(FILMS, json!({})).await, *films);
    let refreshed = here.send("POST", "/auth/session", ada.refresh.as_deref(), None).await;
    assert_eq!(refreshed.status, 201);
    let again = movies
        .client()
        .log_in("local-userpass", json!({ "username": "ada@example.com", "password": PASSWORD }));
    assert_eq!(again.await.user, ada.user);
    assert_eq!(here.send("DELETE", "/auth/session", ada.refresh.as_deref(), None).await.status, 204);
    assert_eq!(here.send("POST", "/auth/session", ada.refresh.as_deref(), None).await.status, 401);
}
