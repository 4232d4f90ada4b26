//! Log-in with somebody else's log-in, by token and by redirect, on the memory store. What it survives is in
//! `attacks/`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use backstitch::app::AppConfig;
use backstitch::auth::config::{OAuthConfig, ProviderKind};
use backstitch::engine::Engine;
use backstitch::env::Env;
use backstitch::env::test::{InlineExecutor, ManualClock, SeededRandom};
use backstitch::id::{AppId, UserId};
use backstitch::store::UserStore;
use backstitch_storage_memory::MemoryStore;
use backstitch_tests::{
    Away, Browser, CLIENT_ID, Client, Grant, IdentityService, PAGE, PUBLIC_CLIENT_ID, Reply, assert_refused,
    metadata_field, oauth_settings,
};
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

const START: i64 = 1_800_000_000;
const APP: &str = "club-abcde";
const CORP: &str = "https://login.corp.example";
const GOOGLE: &str = "https://accounts.google.com";
const CALLBACK: &str = "https://api.club.example/api/client/v2.0/auth/callback";

struct World {
    browser: Browser,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
}

impl Deref for World {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        &self.browser
    }
}

async fn world(providers: impl IntoIterator<Item = OAuthConfig>) -> World {
    let (service, clock) = (IdentityService::default(), Arc::new(ManualClock::at(START)));
    let store = Arc::new(MemoryStore::with_clock(clock.clone()));
    let env = Env {
        clock: clock.clone(),
        random: Arc::new(SeededRandom::new(1)),
        executor: Arc::new(InlineExecutor),
        http: Arc::new(service.clone()),
        ..Env::system()
    };
    let mut config = AppConfig::new("club").with_id(AppId::new(APP)).provider(ProviderKind::Anonymous);
    for provider in providers {
        config = config.provider(ProviderKind::OAuth(Box::new(provider)));
    }
    let builder = Engine::builder().store(store.clone()).env(env).public_url("https://api.club.example");
    let engine = builder.app(config).build().await.unwrap();
    World { browser: Browser { engine, service, clock: clock.clone(), app: APP }, clock, store }
}

async fn corp() -> World {
    world([oauth_settings("oidc-corp", Some(CORP))]).await
}

impl World {
    fn client(&self) -> Client {
        Client::new(&self.engine, APP)
    }

    async fn log_in(&self, provider: &str, credential: Value) -> Reply {
        let path = format!("/app/{{app}}/auth/providers/{provider}/login");
        self.client().send("POST", &path, None, Some(credential)).await
    }

    async fn users(&self) -> usize {
        self.store.list_users(&AppId::new(APP), None, 100).await.unwrap().len()
    }
}

#[tokio::test]
async fn a_redirect_goes_with_pkce_state_and_nonce_and_comes_back_with_tokens_that_work() {
    let world = corp().await;
    let device = "eyJkZXZpY2VJZCI6IjY1YTAwMDAwMDAwMDAwMDAwMDAwMDAwMSJ9";
    let path = format!("/app/{APP}/auth/providers/oidc-corp/login?redirect={PAGE}&state=abc&device={device}");
    let reply = world.get(&path, &[]).await;
    assert_eq!((reply.status, reply.body.len()), (302, 0));
    assert_eq!(reply.headers["cache-control"], "no-store");
    assert!(reply.headers["location"].to_str().unwrap().starts_with(&format!("{CORP}/authorize?")));
    let cookie = reply.headers["set-cookie"].to_str().unwrap();
    for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/api/client/v2.0/auth/callback"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let away = Away::read(&reply, "location");
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", CALLBACK),
        ("code_challenge_method", "S256"),
        ("scope", "openid email profile"),
    ] {
        assert_eq!(away.query[name], value, "{name}");
    }
    let secrets = [&away.query["state"], &away.query["nonce"], &away.query["code_challenge"]];
    assert!(secrets.iter().all(|secret| secret.len() >= 43), "{secrets:?}");
    world.allow(&away, "c", CORP, json!({ "email": "a@corp.example", "given_name": "Ada" }));
    let reply =
        world.come_back(&format!("code=c&state={}&iss={CORP}", away.query["state"]), &away.cookie).await;
    let members = world.fragment(&reply);
    assert!(reply.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    let parts: Vec<&str> = members["_baas_ua"].split('$').collect();
    assert_eq!((parts.len(), parts[3]), (4, "65a000000000000000000001"));
    let client = world.client().with_access(parts[0]);
    let profile = client.send("GET", "/auth/profile", client.access.as_deref(), None).await.json();
    assert_eq!(profile["user_id"], parts[2]);
    assert_eq!(profile["data"], json!({ "email": "a@corp.example", "first_name": "Ada" }));
    assert_eq!(profile["identities"][0]["id"], "person-1");
    assert_eq!(profile["identities"][0]["provider_type"], "oidc-corp");
    assert_eq!(world.client().send("POST", "/auth/session", Some(parts[1]), None).await.status, 201);
    // The same person is the same user, whatever they are called by now.
    let renamed = json!({ "email": "ada@corp.example", "given_name": "Ada" });
    let again = world.round_trip("oidc-corp", CORP, renamed).await;
    assert_eq!(again["_baas_ua"].split('$').nth(2), Some(parts[2]));
    let profile = client.send("GET", "/auth/profile", client.access.as_deref(), None).await.json();
    assert_eq!(profile["data"]["email"], "ada@corp.example");
}

#[tokio::test]
async fn a_verified_address_of_a_listed_domain_comes_in_and_no_other_does() {
    let mut config = oauth_settings("oidc-corp", Some(CORP));
    config.domain_restrictions = vec!["Corp.example".to_owned()];
    let world = world([config]).await;
    for (email, verified, admitted) in [
        (json!("a@corp.example"), json!(true), true),
        (json!("b@CORP.EXAMPLE"), json!("true"), true),
        (json!("a@corp.example"), json!(false), false),
        (json!("a@corp.example"), Value::Null, false),
        (json!("a@evil.corp.example"), json!(true), false),
        (json!("a@corp.example@evil.example"), json!(true), false),
        (json!("corp.example"), json!(true), false),
        (Value::Null, json!(true), false),
    ] {
        let more = json!({ "email": email, "email_verified": verified });
        let token = world.id_token(CORP, "person-1", more.clone());
        let reply = world.log_in("oidc-corp", json!({ "id_token": token })).await;
        assert_eq!(reply.status, if admitted { 200 } else { 403 }, "{more}");
        assert!(admitted || reply.json()["error_code"] == "DomainNotAllowed", "{more}");
    }
}

#[tokio::test]
async fn a_code_that_a_client_got_by_itself_comes_with_its_own_redirect_uri_and_verifier() {
    let mut public = oauth_settings("oidc-public", Some(CORP));
    public.client_id = PUBLIC_CLIENT_ID.to_owned();
    (public.client_secret, public.public_client) = (None, true);
    let world = world([oauth_settings("oidc-corp", Some(CORP)), public]).await;
    // RFC 7636, appendix B.
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    for (provider, client) in [("oidc-corp", CLIENT_ID), ("oidc-public", PUBLIC_CLIENT_ID)] {
        let grant = Grant {
            claims: world.claims(CORP, "person-1", json!({ "aud": client })),
            redirect_uri: "club://signed-in".to_owned(),
            challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
        };
        for (why, credential, good) in [
            ("no verifier", json!({ "authCode": "c", "redirectUri": "club://signed-in" }), false),
            ("no redirect URI", json!({ "authCode": "c", "codeVerifier": verifier }), false),
            (
                "both",
                json!({ "authCode": "c", "redirectUri": "club://signed-in", "codeVerifier": verifier }),
                true,
            ),
        ] {
            world.service.grant("c", grant.clone());
            let reply = world.log_in(provider, credential).await;
            assert_eq!(reply.status == 200, good, "{provider}, {why}: {reply:?}");
        }
    }
    // The same subject of two providers is two users.
    assert_eq!(world.users().await, 2);
}

#[tokio::test]
async fn what_a_service_says_of_itself_is_kept_for_an_hour_and_longer_while_it_is_silent() {
    let world = corp().await;
    let url = format!("{CORP}/.well-known/openid-configuration");
    world.begin("oidc-corp").await;
    world.begin("oidc-corp").await;
    assert_eq!(world.service.asked(), [url.as_str()]);
    world.clock.advance(Duration::from_secs(3600));
    world.service.answer(&url, 503, json!({}));
    world.begin("oidc-corp").await;
    world.begin("oidc-corp").await;
    assert_eq!(world.service.asked(), [url.as_str()], "a service that fails is left alone for a while");
    world.clock.advance(Duration::from_secs(10));
    world.begin("oidc-corp").await;
    assert_eq!(world.service.asked(), [url.as_str()]);
}

#[tokio::test]
async fn google_takes_a_code_or_in_its_open_id_mode_a_token_without_metadata() {
    let world = world([oauth_settings("oauth2-google", None)]).await;
    let more = json!({ "email": "a@gmail.example", "email_verified": true, "given_name": "Ada", "family_name": "L" });
    let made = world.claims("accounts.google.com", "g-1", more.clone());
    let token = IdentityService::sign(&made);
    let reply = world.log_in("oauth2-google", json!({ "id_token": token })).await;
    assert_refused(&reply, "AuthError");
    let redirect_uri = "postmessage".to_owned();
    world.service.grant("c", Grant { claims: made, redirect_uri, challenge: String::new() });
    let reply = world.log_in("oauth2-google", json!({ "authCode": "c" })).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let user = UserId::parse(reply.json()["user_id"].as_str().unwrap()).unwrap();
    let user = world.store.user(&AppId::new(APP), user).await.unwrap().unwrap();
    assert_eq!(user.identities[0].id, "g-1");
    assert_eq!(user.data().get_str("first_name").unwrap(), "Ada");
    assert_refused(&world.log_in("oauth2-google", json!({ "authCode": "c" })).await, "AuthError");
    assert_refused(&world.log_in("oauth2-google", json!({})).await, "MissingParameter");

    let mut config = oauth_settings("oauth2-google", None);
    config.open_id = true;
    config.client_secret = None;
    config.other_client_ids = vec!["android-1".to_owned()];
    let world = self::world([config]).await;
    for (why, more, good) in [
        ("web", json!({ "email": "a@gmail.example" }), true),
        ("our mobile app asked", json!({ "azp": "android-1" }), true),
        ("for our mobile app", json!({ "aud": "android-1" }), true),
        ("a stranger asked", json!({ "azp": "android-2" }), false),
        ("for a stranger", json!({ "aud": "android-2" }), false),
    ] {
        let token = world.id_token(GOOGLE, "g-1", more);
        let reply = world.log_in("oauth2-google", json!({ "id_token": token })).await;
        assert_eq!(reply.status == 200, good, "{why}");
    }
    let users = world.store.list_users(&AppId::new(APP), None, 10).await.unwrap();
    assert!(users.len() == 1 && users[0].data().is_empty());
    let reply = world.log_in("oauth2-google", json!({ "authCode": "c" })).await;
    assert_eq!(reply.json()["error"], "the client secret of `oauth2-google` is not configured");
}

#[tokio::test]
async fn facebook_has_to_say_that_the_token_was_made_for_us() {
    const GRAPH: &str = "https://graph.facebook.com/v21.0";
    let mut config = oauth_settings("oauth2-facebook", None);
    config.metadata = vec![
        metadata_field("email", true),
        metadata_field("picture", false),
        metadata_field("min_age", false),
    ];
    let world = world([config]).await;
    let good = json!({ "app_id": CLIENT_ID, "is_valid": true, "user_id": "fb-1", "type": "USER" });
    let me = json!({
        "id": "fb-1", "email": "a@fb.example", "picture": { "data": { "url": "https://p" } },
        "age_range": { "min": 21 }
    });
    world.service.answer(&format!("{GRAPH}/me"), 200, me.clone());
    for (why, changes) in [
        ("another app's", json!({ "app_id": "client-2" })),
        ("invalid", json!({ "is_valid": false })),
        ("valid as text", json!({ "is_valid": "true" })),
        ("a page's", json!({ "type": "PAGE" })),
        ("nobody's", json!({ "user_id": "" })),
        ("somebody else's", json!({ "user_id": "fb-2" })),
    ] {
        let mut data = good.clone();
        data.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        world.service.answer(&format!("{GRAPH}/debug_token"), 200, json!({ "data": data }));
        let reply = world.log_in("oauth2-facebook", json!({ "accessToken": "t" })).await;
        assert_eq!(reply.json()["error"], "the access token is not valid", "{why}");
        assert_refused(&reply, "AuthError");
    }
    world.service.answer(&format!("{GRAPH}/debug_token"), 400, json!({ "error": {} }));
    assert_refused(&world.log_in("oauth2-facebook", json!({ "accessToken": "t" })).await, "AuthError");
    world.service.answer(&format!("{GRAPH}/debug_token"), 200, json!({ "data": good }));
    assert_eq!(world.log_in("oauth2-facebook", json!({ "accessToken": "t" })).await.status, 200);
    let users = world.store.list_users(&AppId::new(APP), None, 10).await.unwrap();
    let data: Value = bson::Bson::Document(users[0].data()).into();
    assert_eq!(data, json!({ "email": "a@fb.example", "picture": "https://p", "min_age": 21 }));
    world.service.answer(&format!("{GRAPH}/me"), 200, json!({ "id": "fb-1" }));
    let reply = world.log_in("oauth2-facebook", json!({ "accessToken": "t" })).await;
    assert_eq!(reply.json()["error"], "the log-in service did not give `email`");

    world.service.answer(&format!("{GRAPH}/me"), 200, me);
    world.service.answer(&format!("{GRAPH}/oauth/access_token"), 200, json!({ "access_token": "t" }));
    let away = world.begin("oauth2-facebook").await;
    assert_eq!(away.query["scope"], "public_profile,email,user_age_range");
    let reply = world.come_back(&format!("code=c&state={}", away.query["state"]), &away.cookie).await;
    assert!(world.fragment(&reply).contains_key("_baas_ua"));
    assert_eq!(world.users().await, 1);
}

#[tokio::test]
async fn apple_posts_its_answer_from_its_own_page() {
    let world = world([oauth_settings("oauth2-apple", None)]).await;
    let reply = world
        .get(&format!("/app/{APP}/auth/providers/oauth2-apple/login?redirect={PAGE}&state=abc"), &[])
        .await;
    assert!(reply.headers["set-cookie"].to_str().unwrap().contains("SameSite=None; Secure"));
    let away = Away::read(&reply, "location");
    assert_eq!((&*away.query["response_mode"], &*away.query["scope"]), ("form_post", "openid"));
    let issuer = "https://appleid.apple.com";
    world.allow(&away, "c", issuer, json!({ "email": "a@apple.example" }));
    let request = Request::post("/api/client/v2.0/auth/callback")
        .header("cookie", &away.cookie)
        .header("origin", issuer)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from(format!("state={}&code=c&user=%7B%22name%22%3A+1%7D", away.query["state"])));
    assert!(world.fragment(&world.send(request.unwrap()).await).contains_key("_baas_ua"));
    let users = world.store.list_users(&AppId::new(APP), None, 10).await.unwrap();
    assert!(users[0].data().is_empty());
}

#[tokio::test]
async fn what_the_id_token_lacks_is_asked_of_user_info_which_speaks_of_the_same_person_only() {
    let world = corp().await;
    let url = format!("{CORP}/userinfo");
    world.service.answer(&url, 200, json!({ "sub": "person-2", "email": "b@corp.example" }));
    let members = world.round_trip("oidc-corp", CORP, json!({})).await;
    assert_eq!(members["_baas_error"], "the log-in service speaks of somebody else");
    world.service.answer(
        &url,
        200,
        json!({ "sub": "person-1", "email": "a@corp.example", "given_name": "Eve" }),
    );
    world.round_trip("oidc-corp", CORP, json!({ "given_name": "Ada" })).await;
    let users = world.store.list_users(&AppId::new(APP), None, 10).await.unwrap();
    let data: Value = bson::Bson::Document(users[0].data()).into();
    assert_eq!(data, json!({ "email": "a@corp.example", "first_name": "Ada" }));
}
