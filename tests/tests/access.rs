//! Who may reach an app, what it publishes of its keys, what a session tells of its device, and how often mails,
//! guesses and redirects may be tried.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use backstitch::app::AppConfig;
use backstitch::auth::PasswordCost;
use backstitch::auth::config::{Confirmation, EmailPasswordConfig, OAuthConfig, PasswordReset, ProviderKind};
use backstitch::bson::{doc, oid::ObjectId};
use backstitch::engine::Engine;
use backstitch::env::test::{InlineExecutor, ManualClock, SeededRandom};
use backstitch::env::{Env, Mail, Mailer};
use backstitch::error::ErrorKind;
use backstitch::http::{Network, PeerAddress};
use backstitch::id::{AppId, UserId};
use backstitch::secret::Secret;
use backstitch::store::{KeyAlgorithm, Store};
use backstitch_tests::{CLIENT_ID, CLIENT_SECRET, Client, IdentityService, every_store, memory_store};
use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};

const APP: &str = "club-abcde";
const PASSWORD: &str = "correct horse";

struct World {
    engine: Engine,
    clock: Arc<ManualClock>,
}

struct Answer {
    status: u16,
    retry_after: Option<u32>,
    cache_control: String,
    json: Value,
}

/// Mails go nowhere.
struct Void;

#[async_trait]
impl Mailer for Void {
    async fn send(&self, _mail: Mail) -> backstitch::error::Result<()> {
        Ok(())
    }
}

fn club() -> AppConfig {
    let passwords = EmailPasswordConfig {
        confirmation: Confirmation::Automatic,
        reset: PasswordReset::Email { url: "https://club.example/reset".to_owned(), subject: None },
    };
    let corp = OAuthConfig {
        type_name: "oidc-corp".to_owned(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: Some(Secret::new(CLIENT_SECRET)),
        public_client: false,
        other_client_ids: Vec::new(),
        redirect_uris: vec!["https://club.example/".to_owned()],
        domain_restrictions: Vec::new(),
        metadata: Vec::new(),
        open_id: false,
        issuer: Some("https://login.corp.example".to_owned()),
    };
    AppConfig::new("club")
        .with_id(AppId::new(APP))
        .provider(ProviderKind::Anonymous)
        .provider(ProviderKind::EmailPassword(passwords))
        .provider(ProviderKind::OAuth(Box::new(corp)))
}

async fn world(store: Arc<dyn Store>, app: AppConfig) -> World {
    let clock = Arc::new(ManualClock::at(1_800_000_000));
    let env = Env {
        clock: clock.clone(),
        random: Arc::new(SeededRandom::new(7)),
        executor: Arc::new(InlineExecutor),
        mailer: Arc::new(Void),
        http: Arc::new(IdentityService::default()),
        ..Env::system()
    };
    let engine = Engine::builder()
        .store(store)
        .env(env)
        .public_url("https://api.club.example")
        .trusted_proxies(["192.0.2.1".parse::<Network>().unwrap()])
        .password_cost(PasswordCost { memory_kib: 64, passes: 1, lanes: 1 })
        .app(app)
        .build()
        .await
        .unwrap();
    World { engine, clock }
}

impl World {
    async fn send(&self, method: Method, path: &str, from: Option<&str>, body: Value) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api/client/v2.0/app/{APP}/{path}"));
        if let Some(peer) = from {
            request = request.extension(PeerAddress(peer.parse::<IpAddr>().unwrap()));
        }
        let request = request.header("x-forwarded-for", "10.9.9.9");
        let request = request.body(Bytes::from(body.to_string())).unwrap();
        let response = self.engine.handle(request).await;
        let header =
            |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        Answer {
            status: response.status().as_u16(),
            retry_after: header("retry-after").map(|seconds| seconds.parse().unwrap()),
            cache_control: header("cache-control").unwrap_or_default(),
            json: serde_json::from_slice(response.body().as_bytes().unwrap()).unwrap_or_default(),
        }
    }

    async fn location(&self, from: Option<&str>) -> (u16, Value) {
        let answer = self.send(Method::GET, "location", from, Value::Null).await;
        (answer.status, answer.json["error_code"].clone())
    }

    async fn reset_of(&self, email: &str, from: Option<&str>) -> Answer {
        let path = "auth/providers/local-userpass/reset/send";
        self.send(Method::POST, path, from, json!({ "email": email })).await
    }
}

#[tokio::test]
async fn an_access_list_admits_by_address_before_anything_else() {
    let memory = memory_store();
    let mut app = club();
    app.access_list = Some(vec!["10.0.0.0/8".parse().unwrap()]);
    let limited = world(memory.clone(), app.clone()).await;
    let refused = (403, json!("RestrictedHost"));
    assert_eq!(limited.location(Some("10.1.2.3")).await.0, 200);
    assert_eq!(limited.location(Some("11.0.0.1")).await, refused);
    assert_eq!(limited.location(None).await, refused, "nobody knows where it comes from");
    assert_eq!(limited.location(Some("192.0.2.1")).await.0, 200, "the proxy names 10.9.9.9");
    for (method, path) in [
        (Method::OPTIONS, "graphql"),
        (Method::POST, "graphql"),
        (Method::POST, "auth/providers/anon-user/login"),
        (Method::GET, ".well-known/jwks.json"),
    ] {
        let answer = limited.send(method.clone(), path, Some("11.0.0.1"), json!({})).await;
        assert_eq!((answer.status, &answer.json["error_code"]), (403, &refused.1), "{method} {path}");
    }
    app.access_list = Some(Vec::new());
    assert_eq!(world(memory.clone(), app).await.location(Some("10.1.2.3")).await, refused);
    assert_eq!(world(memory, club()).await.location(None).await.0, 200);
}

#[tokio::test]
async fn the_key_set_is_served_with_public_halves_only() {
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        let world = world(store, club()).await;
        let fetch = || world.send(Method::GET, ".well-known/jwks.json", None, Value::Null);
        let before = fetch().await;
        assert_eq!(
            (before.status, before.json),
            (200, json!({ "keys": [] })),
            "an HMAC key has no public half"
        );
        let app = world.engine.app(APP).unwrap();
        app.rotate_signing_keys(KeyAlgorithm::Es256).await.unwrap();
        let after = fetch().await;
        assert_eq!(after.cache_control, "public, max-age=300");
        assert_eq!(after.json, app.jwks());
        let keys = after.json["keys"].as_array().unwrap();
        assert_eq!((keys.len(), &keys[0]["crv"], keys[0].get("d")), (1, &json!("P-256"), None));
    }
}

#[tokio::test]
async fn a_session_is_listed_with_what_its_client_said_of_its_device() {
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        let world = world(store, club()).await;
        let device = json!({
            "deviceId": "65a000000000000000000001", "platform": "firefox", "sdkVersion": "2.0.1",
            "appVersion": "", "cores": 8, "note": "x".repeat(129),
        });
        let body = json!({ "options": { "device": device } });
        let tokens = world.send(Method::POST, "auth/providers/anon-user/login", None, body).await.json;
        let user = UserId::parse(tokens["user_id"].as_str().unwrap()).unwrap();
        let listed = world.engine.app(APP).unwrap().users().sessions(user).await.unwrap();
        assert_eq!(listed[0].client, doc! { "platform": "firefox", "sdkVersion": "2.0.1" });
        assert_eq!(
            listed[0].session.device.object_id(),
            ObjectId::parse_str("65a000000000000000000001").unwrap()
        );
    }
}

#[tokio::test]
async fn mails_to_one_address_are_limited_and_so_are_those_asked_for_from_one() {
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        let world = world(store, club()).await;
        world.engine.app(APP).unwrap().register("ada@example.test", &Secret::new(PASSWORD)).await.unwrap();
        for (email, status) in [("ada@example.test", 200), ("nobody@example.test", 404)] {
            for _ in 0..10 {
                assert_eq!(world.reset_of(email, None).await.status, status, "{email}");
            }
            let refused = world.reset_of(email, None).await;
            assert_eq!((refused.status, refused.retry_after), (429, Some(900)), "{email}");
        }
        let in_process = world.engine.app(APP).unwrap().send_password_reset("ada@example.test").await;
        assert_eq!(in_process.unwrap_err().kind(), ErrorKind::TooManyRequests);
        world.clock.advance(Duration::from_secs(3601));
        assert_eq!(world.reset_of("ada@example.test", None).await.status, 200);

        for number in 0..100 {
            let answer = world.reset_of(&format!("{number}@example.test"), Some("203.0.113.9")).await;
            assert_eq!(answer.status, 404);
        }
        let refused = world.reset_of("new@example.test", Some("203.0.113.9")).await;
        assert_eq!((refused.status, refused.retry_after), (429, Some(60)));
        assert_eq!(world.reset_of("new@example.test", Some("203.0.113.8")).await.status, 404);
    }
}

#[tokio::test]
async fn guesses_at_the_present_password_are_throttled_apart_from_log_ins() {
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        let world = world(store, club()).await;
        let client = Client::new(&world.engine, APP).person("ada@example.test").await;
        let app = world.engine.app(APP).unwrap();
        let (head, ()) = Request::get("/")
            .header("authorization", format!("Bearer {}", client.access.as_deref().unwrap()))
            .body(())
            .unwrap()
            .into_parts();
        let actor = app.authenticate(&head).await.unwrap();
        let change = |present: &'static str| {
            let actor = &actor;
            async move { app.change_password(actor, &Secret::new(present), &Secret::new("another one")).await }
        };
        for _ in 0..10 {
            assert_eq!(change("wrong").await.unwrap_err().kind(), ErrorKind::InvalidPassword);
            // A new password that is refused anyway does not begin the count anew.
            let short = app.change_password(&actor, &Secret::new("wrong"), &Secret::new("short")).await;
            assert!(short.is_err());
        }
        assert_eq!(change(PASSWORD).await.unwrap_err().kind(), ErrorKind::TooManyRequests);
        let credential = json!({ "username": "ada@example.test", "password": PASSWORD });
        Client::new(&world.engine, APP).log_in("local-userpass", credential).await;
        world.clock.advance(Duration::from_secs(2));
        change(PASSWORD).await.unwrap();
    }
}

#[tokio::test]
async fn an_address_that_failed_too_often_cannot_begin_a_redirect() {
    let memory = memory_store();
    let world = world(memory, club()).await;
    let begin = |from| {
        let path = "auth/providers/oidc-corp/login?redirect=https://club.example/&state=abc";
        world.send(Method::GET, path, from, Value::Null)
    };
    assert_eq!(begin(Some("203.0.113.9")).await.status, 302);
    for number in 0..100 {
        let body = json!({ "username": format!("{number}"), "password": "wrong password" });
        let path = "auth/providers/local-userpass/login";
        assert_eq!(world.send(Method::POST, path, Some("203.0.113.9"), body).await.status, 401);
    }
    assert_eq!(begin(Some("203.0.113.9")).await.status, 429);
    assert_eq!(begin(Some("203.0.113.8")).await.status, 302);
}
