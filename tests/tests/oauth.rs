//! Log-in with somebody else's log-in, by token and by redirect, against a service that lies where a test
//! tells it to. The numbers are those of the attack list.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use backstitch::app::AppConfig;
use backstitch::auth::PasswordCost;
use backstitch::auth::config::{EmailPasswordConfig, MetadataField, OAuthConfig, ProviderKind};
use backstitch::engine::Engine;
use backstitch::env::Env;
use backstitch::env::test::{InlineExecutor, ManualClock, SeededRandom};
use backstitch::id::{AppId, UserId};
use backstitch::secret::Secret;
use backstitch::store::UserStore;
use backstitch_storage_memory::MemoryStore;
use backstitch_tests::{
    CLIENT_ID, CLIENT_SECRET, Client, Grant, IdentityService, PUBLIC_CLIENT_ID, Reply, metadata, pairs,
};
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

const START: i64 = 1_800_000_000;
const APP: &str = "club-abcde";
const CORP: &str = "https://login.corp.example";
const GOOGLE: &str = "https://accounts.google.com";
const CALLBACK: &str = "https://api.club.example/api/client/v2.0/auth/callback";
const PAGE: &str = "https://club.example/signed-in";

struct World {
    engine: Engine,
    service: IdentityService,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
}

fn field(name: &str, required: bool) -> MetadataField {
    MetadataField { path: vec![name.to_owned()], field_name: name.to_owned(), required }
}

fn settings(type_name: &str, issuer: Option<&str>) -> OAuthConfig {
    OAuthConfig {
        type_name: type_name.to_owned(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: Some(Secret::new(CLIENT_SECRET)),
        public_client: false,
        other_client_ids: Vec::new(),
        redirect_uris: vec![PAGE.to_owned(), "club://signed-in".to_owned()],
        domain_restrictions: Vec::new(),
        metadata: vec![field("email", false), field("first_name", false)],
        open_id: false,
        issuer: issuer.map(str::to_owned),
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
    let mut config = AppConfig::new("club")
        .with_id(AppId::new(APP))
        .provider(ProviderKind::Anonymous)
        .provider(ProviderKind::EmailPassword(EmailPasswordConfig::automatic()));
    config.allowed_request_origins = vec!["https://club.example".to_owned()];
    for provider in providers {
        config = config.provider(ProviderKind::OAuth(Box::new(provider)));
    }
    let engine = Engine::builder()
        .store(store.clone())
        .env(env)
        .public_url("https://api.club.example")
        .password_cost(PasswordCost { memory_kib: 64, passes: 1, lanes: 1 })
        .app(config)
        .app(AppConfig::new("other").with_id(AppId::new("other-abcde")).provider(ProviderKind::Anonymous))
        .build()
        .await
        .unwrap();
    World { engine, service, clock, store }
}

async fn corp() -> World {
    world([settings("oidc-corp", Some(CORP))]).await
}

/// Claims of a token for us.
fn claims(issuer: &str, subject: &str, more: Value) -> Value {
    let mut claims = json!({
        "iss": issuer, "aud": CLIENT_ID, "sub": subject, "iat": START, "exp": START + 3600,
    });
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

/// A log-in by redirect that has come as far as the service's page.
struct Away {
    query: HashMap<String, String>,
    cookie: String,
}

impl World {
    fn client(&self) -> Client {
        Client::new(&self.engine, APP)
    }

    async fn send(&self, request: Request<Bytes>) -> Reply {
        let (head, body) = self.engine.handle(request).await.into_parts();
        let body = body.as_bytes().unwrap().clone();
        Reply { status: head.status.as_u16(), headers: head.headers, body }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = Request::get(format!("/api/client/v2.0{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Bytes::new()).unwrap()).await
    }

    async fn log_in(&self, provider: &str, credential: Value) -> Reply {
        let path = format!("/app/{{app}}/auth/providers/{provider}/login");
        self.client().send("POST", &path, None, Some(credential)).await
    }

    async fn begin(&self, provider: &str) -> Away {
        let path = format!("/app/{APP}/auth/providers/{provider}/login?redirect={PAGE}&state=abc");
        let reply = self.get(&path, &[]).await;
        assert_eq!(reply.status, 302, "{reply:?}");
        Away::read(&reply, "location")
    }

    /// The service lets the person in and says these claims of them.
    fn allow(&self, away: &Away, code: &str, issuer: &str, more: Value) {
        let mut claims = claims(issuer, "person-1", json!({ "nonce": away.query["nonce"] }));
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let (redirect_uri, challenge) =
            (away.query["redirect_uri"].clone(), away.query["code_challenge"].clone());
        self.service.grant(code, Grant { claims, redirect_uri, challenge });
    }

    async fn come_back(&self, query: &str, cookie: &str) -> Reply {
        self.get(&format!("/auth/callback?{query}"), &[("cookie", cookie)]).await
    }

    /// The whole way, with these claims; gives the fragment.
    async fn round_trip(&self, provider: &str, issuer: &str, more: Value) -> HashMap<String, String> {
        let away = self.begin(provider).await;
        self.allow(&away, "c", issuer, more);
        fragment(&self.come_back(&format!("code=c&state={}", away.query["state"]), &away.cookie).await)
    }

    async fn users(&self) -> usize {
        self.store.list_users(&AppId::new(APP), None, 100).await.unwrap().len()
    }
}

impl Away {
    fn read(reply: &Reply, header: &str) -> Self {
        let url = reply.headers[header].to_str().unwrap();
        let cookie = reply.headers["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { query: pairs(url.split_once('?').unwrap().1), cookie }
    }
}

fn fragment(reply: &Reply) -> HashMap<String, String> {
    assert_eq!(reply.status, 302, "{reply:?}");
    let location = reply.headers["location"].to_str().unwrap();
    let (page, fragment) = location.split_once('#').unwrap();
    assert_eq!(page, PAGE);
    let members = pairs(fragment);
    for (name, value) in &members {
        let twin = name.strip_prefix("_baas_").map(|name| format!("_stitch_{name}"));
        assert!(twin.is_none_or(|twin| members[&twin] == *value), "{location}");
    }
    assert_eq!(members["_baas_client_app_id"], APP);
    assert_eq!(members["_baas_state"], "abc");
    members
}

#[track_caller]
fn assert_refused(reply: &Reply, code: &str) {
    let body = reply.json();
    assert_eq!(body["error_code"], code, "{body}");
    assert!(body["error"] != "unauthorized" && body["error_code"] != "InvalidSession", "{body}");
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
    let members = fragment(&reply);
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
async fn attack_70_a_state_that_is_missing_wrong_used_late_or_another_browsers_is_refused() {
    let world = corp().await;
    let away = world.begin("oidc-corp").await;
    let state = away.query["state"].clone();
    world.allow(&away, "c", CORP, json!({}));
    let good = format!("code=c&state={state}");
    let other_app = format!("code=c&state={}", state.replacen("Y2x1Yi1hYmNkZQ", "b3RoZXItYWJjZGU", 1));
    assert_ne!(good, other_app);
    let stranger = world.begin("oidc-corp").await.cookie;
    for (query, cookie, code) in [
        ("code=c", away.cookie.as_str(), "AuthError"),
        ("code=c&state=", &away.cookie, "AuthError"),
        ("code=c&state=nonsense.nonsense", &away.cookie, "AuthError"),
        (&other_app, &away.cookie, "AuthError"),
        (&good, "", "AuthError"),
        (&good, &stranger, "AuthError"),
        (&good, &format!("{}x", away.cookie), "AuthError"),
        (&good, &format!("{}; {}", away.cookie, away.cookie), "AuthError"),
        (&format!("{good}&state={state}"), &away.cookie, "InvalidParameter"),
        (&format!("{good}&code=d"), &away.cookie, "InvalidParameter"),
    ] {
        let reply = world.come_back(query, cookie).await;
        assert_refused(&reply, code);
        assert!(reply.headers.get("location").is_none());
    }
    // None of them has used it up.
    assert!(fragment(&world.come_back(&good, &away.cookie).await).contains_key("_baas_ua"));
    assert_refused(&world.come_back(&good, &away.cookie).await, "AuthError");
    let late = world.begin("oidc-corp").await;
    world.clock.advance(Duration::from_secs(30 * 60));
    let reply = world.come_back(&format!("code=c&state={}", late.query["state"]), &late.cookie).await;
    assert_refused(&reply, "AuthError");
    assert_eq!(world.users().await, 1);
}

#[tokio::test]
async fn attack_71_a_code_of_another_challenge_is_worth_nothing_and_plain_is_not_spoken() {
    let world = corp().await;
    let (mine, stolen) = (world.begin("oidc-corp").await, world.begin("oidc-corp").await);
    world.allow(&stolen, "stolen", CORP, json!({ "nonce": mine.query["nonce"] }));
    let reply = world.come_back(&format!("code=stolen&state={}", mine.query["state"]), &mine.cookie).await;
    assert_eq!(fragment(&reply)["_baas_error"], "the log-in service refused the code");
    assert_eq!(world.users().await, 0);

    let world = corp().await;
    let mut downgraded = metadata(CORP);
    downgraded["code_challenge_methods_supported"] = json!(["plain"]);
    world.service.answer(&format!("{CORP}/.well-known/openid-configuration"), 200, downgraded);
    let path = format!("/app/{APP}/auth/providers/oidc-corp/login?redirect={PAGE}");
    assert_refused(&world.get(&path, &[]).await, "AuthError");
}

#[tokio::test]
async fn attack_72_only_a_listed_address_is_gone_back_to() {
    let world = corp().await;
    for redirect in [
        "",
        "https://club.example/signed-in/",
        "https://club.example/signed-in?x=1",
        "https://club.example/signed-in%23x",
        "https://club.example/signed-in/../evil",
        "https://club.example@evil.example/signed-in",
        "https://evil.example/signed-in",
        "https://CLUB.example/signed-in",
        "javascript:alert(1)",
    ] {
        let path = format!("/app/{APP}/auth/providers/oidc-corp/login?state=abc&redirect={redirect}");
        let reply = world.get(&path, &[]).await;
        assert_eq!(reply.status, 400, "{redirect}");
        assert_refused(&reply, "InvalidRedirectURI");
        assert!(reply.headers.get("location").is_none(), "{redirect}");
    }
    assert_eq!(world.get(&format!("/app/{APP}/auth/providers/oidc-corp/login"), &[]).await.status, 400);
    for provider in ["oidc", "local-userpass"] {
        let path = format!("/app/{APP}/auth/providers/{provider}/login?redirect={PAGE}");
        assert_refused(&world.get(&path, &[]).await, "AuthProviderNotFound");
    }
}

#[tokio::test]
async fn attack_73_one_service_cannot_speak_for_another() {
    for issuer in ["https://evil.example", "https://login.corp.example/", "https://LOGIN.corp.example"] {
        let world = corp().await;
        let url = format!("{CORP}/.well-known/openid-configuration");
        let mut forged = metadata(CORP);
        forged["issuer"] = issuer.into();
        world.service.answer(&url, 200, forged);
        let path = format!("/app/{APP}/auth/providers/oidc-corp/login?redirect={PAGE}");
        assert_refused(&world.get(&path, &[]).await, "AuthError");
        assert_eq!(world.service.asked(), [url]);
        world.get(&path, &[]).await;
        assert_eq!(world.service.asked().len(), 0, "a service that fails is left alone for a while");
    }
    let world = corp().await;
    let mixed = world.begin("oidc-corp").await;
    world.allow(&mixed, "c", CORP, json!({}));
    world.service.asked();
    let query = format!("code=c&state={}&iss=https://evil.example", mixed.query["state"]);
    let members = fragment(&world.come_back(&query, &mixed.cookie).await);
    assert_eq!(members["_baas_error"], "the answer is another service's");
    assert_eq!(world.service.asked().len(), 0, "the code goes nowhere");
    for issuer in ["https://evil.example", "https://login.corp.example/"] {
        let members = world.round_trip("oidc-corp", CORP, json!({ "iss": issuer })).await;
        assert_eq!(members["_baas_error"], "the ID token is not valid", "{issuer}");
    }
}

#[tokio::test]
async fn attack_74_a_token_for_another_log_in_or_for_somebody_else_is_refused() {
    let world = corp().await;
    let older = world.begin("oidc-corp").await.query["nonce"].clone();
    for (why, more) in [
        ("nonce missing", json!({ "nonce": null })),
        ("nonce of another log-in", json!({ "nonce": older })),
        ("nonce of another type", json!({ "nonce": 5 })),
        ("for another", json!({ "aud": "client-2" })),
        ("for another beside us", json!({ "aud": [CLIENT_ID, "client-2"], "azp": CLIENT_ID })),
        ("twice for us, asked for by nobody", json!({ "aud": [CLIENT_ID, CLIENT_ID] })),
        ("asked for by another", json!({ "azp": "client-2" })),
        ("expired", json!({ "exp": START - 60 })),
        ("of nobody", json!({ "sub": "" })),
        ("of a number", json!({ "sub": 5 })),
    ] {
        let members = world.round_trip("oidc-corp", CORP, more).await;
        assert_eq!(members["_baas_error"], "the ID token is not valid", "{why}");
        assert!(!members.contains_key("_baas_ua"), "{why}");
    }
    assert_eq!(world.users().await, 0);
    let away = world.begin("oidc-corp").await;
    let query = format!("error=access_denied&error_description=%3Cb%3Eevil&state={}", away.query["state"]);
    let members = fragment(&world.come_back(&query, &away.cookie).await);
    assert_eq!(members["_baas_error"], "the log-in was not allowed at the service");
}

#[tokio::test]
async fn attacks_39_75_76_no_e_mail_address_and_no_foreign_subject_finds_a_user() {
    let world = world([settings("oidc-corp", Some(CORP)), settings("oidc-other", Some(GOOGLE))]).await;
    let local = world.client().person("a@corp.example").await;
    let mut users = vec![local.user.unwrap()];
    for (provider, issuer, verified) in [("oidc-corp", CORP, false), ("oidc-other", GOOGLE, true)] {
        let more = json!({ "email": "a@corp.example", "email_verified": verified });
        let token = IdentityService::sign(&claims(issuer, "person-1", more));
        let reply = world.log_in(provider, json!({ "id_token": token })).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let user = reply.json()["user_id"].as_str().unwrap().to_owned();
        assert!(!users.contains(&user));
        let found = world.store.user(&AppId::new(APP), UserId::parse(&user).unwrap()).await.unwrap().unwrap();
        assert_eq!(found.data().get_str("email").ok(), verified.then_some("a@corp.example"));
        users.push(user);
    }
    assert_eq!(world.users().await, 3);
}

#[tokio::test]
async fn attack_85_a_service_at_a_private_address_is_not_asked() {
    for issuer in [
        "http://login.corp.example",
        "https://127.0.0.1:8080",
        "https://169.254.169.254",
        "https://localhost",
    ] {
        let world = world([settings("oidc-corp", Some(issuer))]).await;
        let path = format!("/app/{APP}/auth/providers/oidc-corp/login?redirect={PAGE}");
        assert_refused(&world.get(&path, &[]).await, "HTTPError");
        assert_eq!(world.service.asked().len(), 0, "{issuer}");
    }
    // Nor where a public one redirects to, or its document points to.
    let world = corp().await;
    world.service.answer(&format!("{CORP}/.well-known/openid-configuration"), 302, json!({}));
    let path = format!("/app/{APP}/auth/providers/oidc-corp/login?redirect={PAGE}");
    assert_refused(&world.get(&path, &[]).await, "HTTPError");
    assert_eq!(world.service.asked().len(), 1);
    let world = corp().await;
    let mut pointing = metadata(CORP);
    pointing["jwks_uri"] = "https://[::1]/jwks".into();
    world.service.answer(&format!("{CORP}/.well-known/openid-configuration"), 200, pointing);
    let token = IdentityService::sign(&claims(CORP, "person-1", json!({})));
    let reply = world.log_in("oidc-corp", json!({ "id_token": token })).await;
    assert!(!reply.json()["user_id"].is_string() && reply.json()["error_code"] != "InvalidSession");
    assert_eq!(world.service.asked(), [format!("{CORP}/.well-known/openid-configuration")]);
}

#[tokio::test]
async fn a_verified_address_of_a_listed_domain_comes_in_and_no_other_does() {
    let mut config = settings("oidc-corp", Some(CORP));
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
        let token = IdentityService::sign(&claims(CORP, "person-1", more.clone()));
        let reply = world.log_in("oidc-corp", json!({ "id_token": token })).await;
        assert_eq!(reply.status, if admitted { 200 } else { 403 }, "{more}");
        assert!(admitted || reply.json()["error_code"] == "DomainNotAllowed", "{more}");
    }
}

#[tokio::test]
async fn a_code_that_a_client_got_by_itself_comes_with_its_own_redirect_uri_and_verifier() {
    let mut public = settings("oidc-public", Some(CORP));
    public.client_id = PUBLIC_CLIENT_ID.to_owned();
    (public.client_secret, public.public_client) = (None, true);
    let world = world([settings("oidc-corp", Some(CORP)), public]).await;
    // RFC 7636, appendix B.
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    for (provider, client) in [("oidc-corp", CLIENT_ID), ("oidc-public", PUBLIC_CLIENT_ID)] {
        let grant = Grant {
            claims: claims(CORP, "person-1", json!({ "aud": client })),
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
    let world = world([settings("oauth2-google", None)]).await;
    let more = json!({ "email": "a@gmail.example", "email_verified": true, "given_name": "Ada", "family_name": "L" });
    let made = claims("accounts.google.com", "g-1", more.clone());
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

    let mut config = settings("oauth2-google", None);
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
        let token = IdentityService::sign(&claims(GOOGLE, "g-1", more));
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
    let mut config = settings("oauth2-facebook", None);
    config.metadata = vec![field("email", true), field("picture", false), field("min_age", false)];
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
    assert!(fragment(&reply).contains_key("_baas_ua"));
    assert_eq!(world.users().await, 1);
}

#[tokio::test]
async fn apple_posts_its_answer_from_its_own_page() {
    let world = world([settings("oauth2-apple", None)]).await;
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
    assert!(fragment(&world.send(request.unwrap()).await).contains_key("_baas_ua"));
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

#[tokio::test]
async fn a_link_by_redirect_adds_the_identity_of_nobody_else_and_only_while_the_session_lives() {
    let world = corp().await;
    let path = format!(
        "/app/{APP}/auth/providers/oidc-corp/login?redirect={PAGE}&state=abc&link=true&providerRedirectHeader=true"
    );
    assert_eq!(world.get(&path, &[]).await.json()["error_code"], "MissingAuthReq");
    let person = world.client().person("a@club.example").await;
    let bearer = format!("Bearer {}", person.access.as_deref().unwrap());
    let begin = async || {
        let headers = [("authorization", bearer.as_str()), ("origin", "https://club.example")];
        let reply = world.get(&path, &headers).await;
        assert_eq!((reply.status, reply.body.len()), (200, 0));
        assert!(reply.headers.get("content-type").is_none() && reply.headers.get("location").is_none());
        assert_eq!(reply.headers["x-baas-location"], reply.headers["x-stitch-location"]);
        assert_eq!(reply.headers["access-control-allow-credentials"], "true");
        Away::read(&reply, "x-baas-location")
    };
    let finish = async |away: &Away, subject: &str| {
        world.allow(away, "c", CORP, json!({ "sub": subject }));
        fragment(&world.come_back(&format!("code=c&state={}", away.query["state"]), &away.cookie).await)
    };
    let away = begin().await;
    let members = finish(&away, "mine").await;
    assert_eq!(members["_baas_link"], "ok");
    assert_eq!(members["_baas_ua"].split('$').nth(2), person.user.as_deref());
    let user = UserId::parse(person.user.as_deref().unwrap()).unwrap();
    let user_now = async || world.store.user(&AppId::new(APP), user).await.unwrap().unwrap();
    assert_eq!(user_now().await.identities.len(), 2);
    assert_eq!(person.send("GET", "/auth/profile", person.access.as_deref(), None).await.status, 200);

    // 77: an identity that is somebody else's stays theirs.
    let token = IdentityService::sign(&claims(CORP, "theirs", json!({})));
    let theirs = world.log_in("oidc-corp", json!({ "id_token": token })).await.json();
    let away = begin().await;
    let members = finish(&away, "theirs").await;
    assert_eq!(members["_baas_error"], "a user already exists with the specified provider");
    assert_eq!(user_now().await.identities.len(), 2);
    let token = IdentityService::sign(&claims(CORP, "theirs", json!({})));
    let again = world.log_in("oidc-corp", json!({ "id_token": token })).await.json();
    assert_eq!(theirs["user_id"], again["user_id"]);

    let away = begin().await;
    person.send("DELETE", "/auth/session", person.refresh.as_deref(), None).await;
    let members = finish(&away, "late").await;
    assert_eq!(members["_baas_error"], "the session that wanted to link has ended");
    assert!(!members.contains_key("_baas_link") && !members.contains_key("_baas_ua"));
    assert_eq!(user_now().await.identities.len(), 2);
}
