//! Failed log-ins slow the next ones down, and credentials in headers are throttled as log-ins are.

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

use backstitch::app::AppConfig;
use backstitch::auth::PasswordCost;
use backstitch::auth::config::{
    Audience, CustomTokenConfig, EmailPasswordConfig, ProviderKind, TokenAlgorithm, TokenKeySource,
};
use backstitch::engine::Engine;
use backstitch::env::Env;
use backstitch::env::test::{InlineExecutor, ManualClock, SeededRandom};
use backstitch::http::{Network, PeerAddress};
use backstitch::id::{AppId, UserId};
use backstitch::store::{Store, UserStore};
use backstitch_storage_memory::MemoryStore;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Request;
use ring::hmac;
use serde_json::{Value, json};

const START: i64 = 1_800_000_000;
const APP: &str = "shop-abcde";
const SECRET: &str = "0123456789abcdef0123456789abcdef";
const LOGIN: &str = "auth/providers/local-userpass/login";
const RIGHT: &str = "correct horse";

struct World {
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    engine: Engine,
}

struct Answer {
    status: u16,
    retry_after: Option<u32>,
    json: Value,
}

async fn engine(clock: &Arc<ManualClock>, store: &Arc<MemoryStore>, seed: u64) -> Engine {
    let env = Env {
        clock: Arc::clone(clock) as _,
        random: Arc::new(SeededRandom::new(seed)),
        executor: Arc::new(InlineExecutor),
        ..Env::system()
    };
    let keys = TokenKeySource::Keys { algorithm: TokenAlgorithm::Hs256, keys: vec![SECRET.into()] };
    let token = CustomTokenConfig { keys, audience: Audience::default(), metadata: Vec::new() };
    let app = AppConfig::new("shop")
        .with_id(AppId::new(APP))
        .provider(ProviderKind::EmailPassword(EmailPasswordConfig::automatic()))
        .provider(ProviderKind::CustomToken(token));
    let proxies: [Network; 1] = ["10.0.0.0/8".parse().unwrap()];
    Engine::builder()
        .store(Arc::clone(store) as Arc<dyn Store>)
        .env(env)
        .public_url("http://app.example")
        .password_cost(PasswordCost { memory_kib: 64, passes: 1, lanes: 1 })
        .trusted_proxies(proxies)
        .app(app)
        .build()
        .await
        .unwrap()
}

async fn world() -> World {
    let clock = Arc::new(ManualClock::at(START));
    let store = Arc::new(MemoryStore::with_clock(clock.clone()));
    let engine = engine(&clock, &store, 1).await;
    let world = World { clock, store, engine };
    for name in ["ada", "bob"] {
        let body = json!({ "email": name, "password": RIGHT });
        assert_eq!(world.post("auth/providers/local-userpass/register", &[], None, body).await.status, 201);
    }
    world
}

async fn post(
    engine: &Engine,
    path: &str,
    headers: &[(&str, &str)],
    peer: Option<&str>,
    body: Value,
) -> Answer {
    let mut request = Request::post(format!("/api/client/v2.0/app/{APP}/{path}"))
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(peer) = peer {
        request = request.extension(PeerAddress(peer.parse::<IpAddr>().unwrap()));
    }
    let response = engine.handle(request.body(Bytes::from(body.to_string())).unwrap()).await;
    let retry_after = response.headers().get("retry-after");
    Answer {
        status: response.status().as_u16(),
        retry_after: retry_after.map(|value| value.to_str().unwrap().parse().unwrap()),
        json: serde_json::from_slice(response.body().as_bytes().unwrap()).unwrap_or_default(),
    }
}

fn login(name: &str, password: &str, device: Option<&str>) -> Value {
    json!({ "username": name, "password": password, "options": { "device": { "deviceId": device } } })
}

fn signed(claims: &Value) -> String {
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let text = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

impl World {
    async fn post(&self, path: &str, headers: &[(&str, &str)], peer: Option<&str>, body: Value) -> Answer {
        post(&self.engine, path, headers, peer, body).await
    }

    async fn log_in(&self, name: &str, password: &str) -> Answer {
        self.post(LOGIN, &[], None, login(name, password, None)).await
    }

    async fn fail(&self, name: &str, times: usize) {
        for _ in 0..times {
            assert_eq!(self.log_in(name, "wrong password").await.status, 401);
        }
    }

    async fn graphql(&self, headers: &[(&str, &str)]) -> Answer {
        self.post("graphql", headers, None, json!({ "query": "{ __typename }" })).await
    }
}

#[tokio::test]
async fn an_account_is_blocked_in_every_process_whether_it_exists_or_not() {
    let world = world().await;
    let other = engine(&world.clock, &world.store, 2).await;
    for name in ["ada", "nobody"] {
        world.fail(name, 20).await;
        for engine in [&world.engine, &other] {
            let answer = post(engine, LOGIN, &[], None, login(name, RIGHT, None)).await;
            assert_eq!((answer.status, answer.retry_after), (429, Some(1)), "{name}");
            assert_eq!(answer.json["error_code"], "TooManyRequests");
        }
    }
    assert_eq!(world.log_in("bob", RIGHT).await.status, 200);
    world.clock.advance(Duration::from_secs(1));
    world.fail("ada", 1).await;
    assert_eq!(world.log_in("ada", RIGHT).await.retry_after, Some(2));
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(world.log_in("ada", RIGHT).await.status, 200);
    world.fail("ada", 19).await;
    assert_eq!(world.log_in("ada", RIGHT).await.status, 200, "the success cleared the counter");
}

#[tokio::test]
async fn credentials_in_headers_log_in_for_one_request() {
    let world = world().await;
    let ada = [("email", "ada"), ("password", RIGHT)];
    let refused = world.graphql(&ada).await;
    assert_eq!((refused.status, &refused.json["error_code"]), (401, &json!("AuthError")), "no user yet");
    let user = world.log_in("ada", RIGHT).await.json["user_id"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        let answer = world.graphql(&ada).await;
        assert_eq!((answer.status, &answer.json["data"]["__typename"]), (200, &json!("Query")));
    }
    for (headers, code) in [
        (&[][..], "MissingAuthReq"),
        (&[("email", "ada")], "InvalidAuthReq"),
        (&[("email", "ada"), ("password", "wrong password")], "InvalidPassword"),
        (&[("email", "ada"), ("password", RIGHT), ("authorization", "Bearer x")], "InvalidSession"),
        (&[("email", "ada"), ("password", RIGHT), ("authorization", "Basic eDp5")], "InvalidSession"),
        (&[("jwtTokenString", "no.token.atall")], "AuthError"),
    ] {
        let answer = world.graphql(headers).await;
        assert_eq!((answer.status, answer.json["error_code"].as_str()), (401, Some(code)), "{headers:?}");
    }
    // What was right a moment ago is looked up again all the same.
    let (app, id) = (AppId::new(APP), UserId::parse(&user).unwrap());
    let before = world.store.user(&app, id).await.unwrap().unwrap();
    let mut after = before.clone();
    after.disabled = true;
    world.store.replace_user(&app, &after, &before).await.unwrap();
    assert_eq!(world.graphql(&ada).await.json["error_code"], "UserDisabled");
}

#[tokio::test]
async fn tokens_of_others_in_headers_make_no_users() {
    let world = world().await;
    let claims = json!({ "sub": "carl", "aud": APP, "iat": START, "exp": START + 3600 });
    let token = signed(&claims);
    let headers = [("jwtTokenString", token.as_str())];
    assert_eq!(world.graphql(&headers).await.status, 401);
    let path = "auth/providers/custom-token/login";
    assert_eq!(world.post(path, &[], None, json!({ "token": token })).await.status, 200);
    assert_eq!(world.graphql(&headers).await.status, 200);
}

#[tokio::test]
async fn headers_are_throttled_even_where_the_password_was_right_a_moment_ago() {
    let world = world().await;
    assert_eq!(world.log_in("ada", RIGHT).await.status, 200);
    let ada = [("email", "ada"), ("password", RIGHT)];
    assert_eq!(world.graphql(&ada).await.status, 200);
    for _ in 0..20 {
        assert_eq!(world.graphql(&[("email", "ada"), ("password", "wrong password")]).await.status, 401);
    }
    let answer = world.graphql(&ada).await;
    assert_eq!((answer.status, answer.retry_after), (429, Some(1)));
    assert_eq!(world.log_in("ada", RIGHT).await.status, 429);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.graphql(&ada).await.status, 200);
}
