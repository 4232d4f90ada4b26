//! What clients learn while the database is away: 503 with `Retry-After`, never 401; and that the engine recovers by itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use backstitch::env::Env;
use backstitch_storage_postgres::{PostgresConfig, PostgresStore};
use backstitch_test_postgres::Server;
use backstitch_tests::{Client, Movies};
use serde_json::json;

const FILMS: &str = "{ movies(limit: 2, sortBy: TITLE_ASC) { title } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_503_and_nobody_has_to_log_in_again() {
    let Some(mut server) = Server::start() else { return };
    let mut config = PostgresConfig::new(server.url(), Env::system().clock);
    config.connect_timeout = Duration::from_secs(1);
    let movies = Movies::on(Arc::new(PostgresStore::open(config).await.unwrap())).await;
    let ada = movies.client().person("ada@example.com").await;
    let films = ada.data(FILMS, json!({})).await;
    for _ in 0..2 {
        server.kill();
        away(&movies.client(), &ada).await;
        server.go();
        assert_eq!(ada.data(FILMS, json!({})).await, films);
        let refreshed = ada.send("POST", "/auth/session", ada.refresh.as_deref(), None).await;
        assert_eq!(refreshed.status, 201);
    }
}

async fn away(nobody: &Client, ada: &Client) {
    let (access, refresh) = (ada.access.as_deref(), ada.refresh.as_deref());
    let login = json!({ "username": "ada@example.com", "password": "correct horse" });
    let query = json!({ "query": FILMS });
    for (method, path, token, body) in [
        ("POST", "/app/{app}/auth/providers/anon-user/login", None, Some(json!({}))),
        ("POST", "/app/{app}/auth/providers/local-userpass/login", None, Some(login)),
        ("GET", "/auth/profile", access, None),
        ("POST", "/auth/session", refresh, None),
        ("DELETE", "/auth/session", refresh, None),
        ("POST", "/app/{app}/graphql", access, Some(query)),
    ] {
        let reply = nobody.send(method, path, token, body).await;
        assert_eq!(reply.status, 503, "{method} {path}: {reply:?}");
        assert_eq!(reply.headers["retry-after"], "1", "{method} {path}: {reply:?}");
    }
}
