//! What a client of an engine learns when SQLite's file is locked or full.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::auth::PasswordCost;
use backstitch::auth::config::{Confirmation, EmailPasswordConfig, PasswordReset, ProviderKind};
use backstitch::engine::Engine;
use backstitch::env::Env;
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};
use bytes::Bytes;
use http::{HeaderMap, Request};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

fn config(folder: &TempDir) -> SqliteConfig {
    let env = Env::system();
    let mut config = SqliteConfig::new(folder.path().join("a.db"), env.executor, env.clock);
    config.busy_timeout = Duration::from_millis(1);
    config
}

/// An app with accounts and notes that everybody may read and write.
async fn engine(store: SqliteStore) -> Engine {
    let password =
        EmailPasswordConfig { confirmation: Confirmation::Automatic, reset: PasswordReset::Unavailable };
    let notes = CollectionConfig::new("notes")
        .schema(&json!({ "title": "Note", "properties": {
            "_id": { "bsonType": "int" }, "text": { "bsonType": "string" } } }))
        .rules(json!({ "roles": [{ "name": "all", "apply_when": {}, "read": true, "write": true }] }));
    Engine::builder()
        .store(Arc::new(store))
        .public_url("http://notes.example")
        .password_cost(PasswordCost { memory_kib: 64, passes: 1, lanes: 1 })
        .app(
            AppConfig::new("notes")
                .provider(ProviderKind::Anonymous)
                .provider(ProviderKind::EmailPassword(password))
                .collection(notes),
        )
        .build()
        .await
        .unwrap()
}

/// Status, headers and body of an answer.
async fn ask(engine: &Engine, method: &str, path: &str, token: &str, body: Value) -> (u16, HeaderMap, Value) {
    let app = engine.apps().next().unwrap().id().to_string();
    let uri = format!("/api/client/v2.0{}", path.replace("{app}", &app));
    let mut request = Request::builder().method(method).uri(uri).header("content-type", "application/json");
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = engine.handle(request.body(Bytes::from(body.to_string())).unwrap()).await;
    let (head, body) = response.into_parts();
    let json = serde_json::from_slice(body.as_bytes().unwrap()).unwrap_or_default();
    (head.status.as_u16(), head.headers, json)
}

#[tokio::test]
async fn over_http_a_lock_is_503_with_retry_after_and_no_session_is_lost_by_it() {
    const REGISTER: &str = "/app/{app}/auth/providers/local-userpass/register";
    const GUEST: &str = "/app/{app}/auth/providers/anon-user/login";
    const PERSON: &str = "/app/{app}/auth/providers/local-userpass/login";
    const GRAPHQL: &str = "/app/{app}/graphql";
    let folder = TempDir::new().unwrap();
    let engine = engine(SqliteStore::open(config(&folder)).unwrap()).await;
    let registration = json!({ "email": "ada@x", "password": "secret1" });
    let ada = json!({ "username": "ada@x", "password": "secret1" });
    assert_eq!(ask(&engine, "POST", REGISTER, "", registration).await.0, 201);
    let (status, _, tokens) = ask(&engine, "POST", PERSON, "", ada.clone()).await;
    assert_eq!(status, 200, "{tokens}");
    let (access, refresh) =
        (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());

    let other = Connection::open(folder.path().join("a.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let bob = json!({ "email": "bob@x", "password": "secret1" });
    for (method, path, token, body) in [
        ("POST", GUEST, "", json!({})),
        ("POST", PERSON, "", ada.clone()),
        ("POST", REGISTER, "", bob.clone()),
        ("DELETE", "/auth/session", refresh, json!({})),
    ] {
        let (status, headers, body) = ask(&engine, method, path, token, body).await;
        assert_eq!(status, 503, "{method} {path}: {body}");
        assert_eq!(headers["retry-after"], "1", "{method} {path}");
        assert_eq!(body["error"], "the store is busy, try again", "{method} {path}");
    }
    // Who only reads is served; a mutation says in GraphQL's way that it may be tried again.
    let query = json!({ "query": "{ notes { text } }" });
    let insert = json!({ "query": "mutation { insertOneNote(data: { _id: 1, text: \"a\" }) { text } }" });
    assert_eq!(
        ask(&engine, "POST", GRAPHQL, access, query.clone()).await.2,
        json!({ "data": { "notes": [] } })
    );
    assert_eq!(ask(&engine, "GET", "/auth/profile", access, json!({})).await.0, 200);
    assert_eq!(ask(&engine, "POST", "/auth/session", refresh, json!({})).await.0, 201);
    let (status, _, body) = ask(&engine, "POST", GRAPHQL, access, insert.clone()).await;
    assert_eq!((status, &body["data"]), (200, &Value::Null), "{body}");
    assert_eq!(body["errors"][0]["extensions"]["code"], "SERVICE_UNAVAILABLE", "{body}");

    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(ask(&engine, "POST", REGISTER, "", bob).await.0, 201, "nothing was half-registered");
    assert_eq!(ask(&engine, "POST", PERSON, "", ada).await.0, 200);
    let stored = json!({ "data": { "insertOneNote": { "text": "a" } } });
    assert_eq!(ask(&engine, "POST", GRAPHQL, access, insert).await.2, stored);
    assert_eq!(ask(&engine, "DELETE", "/auth/session", refresh, json!({})).await.0, 204);
    assert_eq!(ask(&engine, "POST", GRAPHQL, access, query).await.0, 401);
}

#[tokio::test]
async fn over_http_a_full_disk_is_our_failure_and_no_session_is_lost_by_it() {
    const GUEST: &str = "/app/{app}/auth/providers/anon-user/login";
    const GRAPHQL: &str = "/app/{app}/graphql";
    let folder = TempDir::new().unwrap();
    let mut small = config(&folder);
    small.max_pages = Some(120);
    let engine = engine(SqliteStore::open(small).unwrap()).await;
    let (_, _, tokens) = ask(&engine, "POST", GUEST, "", json!({})).await;
    let (access, refresh) =
        (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    let insert = |id: usize| {
        let data = json!({ "_id": id, "text": "x".repeat(3_000) });
        json!({ "query": "mutation($d: NoteInsertInput!) { insertOneNote(data: $d) { _id } }", "variables": { "d": data } })
    };
    let mut stored = 0;
    let refused = loop {
        let (status, _, body) = ask(&engine, "POST", GRAPHQL, access, insert(stored)).await;
        assert_eq!(status, 200, "{body}");
        if body["data"].is_null() {
            break body;
        }
        stored += 1;
        assert!(stored < 1_000);
    };
    assert_eq!(refused["errors"][0]["extensions"]["code"], "INTERNAL_SERVER_ERROR", "{refused}");
    assert_eq!(refused["errors"][0]["message"], "internal server error");
    // Sessions take the last places; then a log-in is our failure, not the client's.
    let mut guests = 0;
    let (status, _, body) = loop {
        let answer = ask(&engine, "POST", GUEST, "", json!({})).await;
        if answer.0 != 200 {
            break answer;
        }
        guests += 1;
        assert!(guests < 10_000);
    };
    assert_eq!((status, &body["error"]), (500, &json!("internal server error")), "{body}");

    let count = json!({ "query": "{ notes(limit: 1000) { _id } }" });
    let (_, _, read) = ask(&engine, "POST", GRAPHQL, access, count).await;
    assert_eq!(read["data"]["notes"].as_array().unwrap().len(), stored);
    assert_eq!(ask(&engine, "POST", "/auth/session", refresh, json!({})).await.0, 201);
    let delete = json!({ "query": "mutation { deleteManyNotes(query: { _id_lt: 20 }) { deletedCount } }" });
    let (_, _, deleted) = ask(&engine, "POST", GRAPHQL, access, delete).await;
    assert_eq!(deleted["data"]["deleteManyNotes"]["deletedCount"], 20, "{deleted}");
    assert_eq!(ask(&engine, "POST", GUEST, "", json!({})).await.0, 200);
    let (_, _, again) = ask(&engine, "POST", GRAPHQL, access, insert(stored)).await;
    assert_eq!(again["data"]["insertOneNote"]["_id"], stored, "{again}");
}
