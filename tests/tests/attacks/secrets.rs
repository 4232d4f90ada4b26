//! Attack 88: secrets in what is logged, in what refusals say, and in what `Debug` shows and a panic would.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use backstitch::auth::config::{
    Confirmation, CustomFunctionConfig, EmailPasswordConfig, PasswordReset, ProviderKind,
};
use backstitch::auth::{Credential, LoginRequest};
use backstitch::env::MailKind;
use backstitch::functions::{FunctionCall, FunctionFailure};
use backstitch::id::AppId;
use backstitch::secret::Secret;
use backstitch::store::{Ticket, TicketKey};
use backstitch_tests::{CLIENT_SECRET, CountingStore, PAGE, Reply, oauth_settings};
use bson::{Bson, doc};
use bytes::Bytes;
use http::Request;
use serde_json::json;

use crate::federation::{CORP, club_with};
use crate::logged::logged;
use crate::world::{APP, PASSWORD, TOKEN_SECRET, World};

const ADA: &str = "ada@club.example";
const WRONG: &str = "a wrong passw0rd that nobody may read";
const PEPPER: &str = "a pepper of more than thirty-two bytes";
const PANIC: &str = "what a function panics with";

/// What must not be seen, and what was seen.
#[derive(Default)]
struct Watch {
    secrets: Vec<String>,
    refusals: Vec<String>,
}

impl Watch {
    fn secret(&mut self, secret: impl Into<String>) {
        let secret = secret.into();
        // Of a token, the signature alone is as good a trace.
        if secret.matches('.').count() == 2 {
            self.secrets.push(secret.rsplit('.').next().unwrap().to_owned());
        }
        self.secrets.push(secret);
    }

    fn refused(&mut self, reply: &Reply) {
        assert!(reply.status >= 400, "{reply:?}");
        self.refusals.push(format!("{:?} {}", reply.headers, String::from_utf8_lossy(&reply.body)));
    }

    #[track_caller]
    fn assert_unseen(&self, text: &str) {
        for secret in &self.secrets {
            assert!(secret.len() >= 8, "no trace: {secret}");
            assert!(!text.contains(secret.as_str()), "`{secret}` is seen: {text}");
        }
    }
}

impl World {
    async fn with_everything(self) -> (Self, CountingStore) {
        let counted = CountingStore::new(Arc::clone(&self.store));
        let function = async |call: FunctionCall| match call.arguments.len() {
            1 => panic!("{PANIC}"),
            _ => Err::<Bson, _>(FunctionFailure::new("no")),
        };
        let app = club_with([oauth_settings("oidc-corp", Some(CORP))])
            .provider(ProviderKind::CustomFunction(CustomFunctionConfig { function: "panics".to_owned() }));
        let store = Arc::new(counted.clone());
        let world = self
            .serving(app, |builder| {
                let peppers = vec![("a".to_owned(), Secret::new(PEPPER))];
                builder.store(store).function("panics", function).password_peppers(peppers)
            })
            .await;
        (world, counted)
    }

    /// Everything that goes wrong with log-ins and sessions, once.
    async fn all_goes_wrong(&self, busy: &CountingStore, watch: &mut Watch) {
        for secret in [PASSWORD, WRONG, PEPPER, PANIC, TOKEN_SECRET, CLIENT_SECRET] {
            watch.secret(secret);
        }
        let ada = self.person(ADA).await;
        let (access, refresh) = (ada.access.clone().unwrap(), ada.refresh.clone().unwrap());
        watch.secret(&access);
        watch.secret(&refresh);
        for key in self.store.signing_keys(&AppId::new(APP)).await.unwrap() {
            watch.secret(format!("{:?}", key.secret));
            watch.secret(key.secret.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        }
        let made = self.app().api_keys().create("server").await.unwrap();
        let key = made.key.unwrap().expose().to_owned();
        watch.secret(&key);
        self.app().send_password_reset(ADA).await.unwrap();
        let (token, id) = self.mailbox.newest(MailKind::Reset);
        watch.secret(token.expose());

        let passwords = "local-userpass";
        for (provider, credential) in [
            (passwords, json!({ "username": ADA, "password": WRONG })),
            (passwords, json!({ "username": "nobody@club.example", "password": WRONG })),
            (passwords, json!({ "username": ADA, "password": { "$numberInt": WRONG } })),
            (passwords, json!({ "username": ADA, "password": WRONG, "options": 5 })),
            ("api-key", json!({ "key": format!("{key}x") })),
            ("custom-token", json!({ "token": access })),
            ("custom-token", json!({ "token": format!("{access}x") })),
            ("custom-function", json!({ "password": WRONG })),
            ("oidc-corp", json!({ "id_token": refresh })),
            ("oidc-corp", json!({ "authCode": WRONG, "redirectUri": PAGE, "codeVerifier": WRONG })),
            ("lost", json!({ "password": WRONG })),
        ] {
            watch.refused(&self.log_in(provider, credential).await);
        }
        let base = format!("/api/client/v2.0/app/{APP}");
        let mut requests = vec![
            Request::post(format!("{base}/auth/providers/{passwords}/login"))
                .body(Bytes::from(format!("{{\"password\": \"{WRONG}\""))),
        ];
        let query = format!("token={}&tokenId={id}&password={PASSWORD}", token.expose()).replace(' ', "+");
        requests.push(
            Request::get(format!("{base}/auth/providers/{passwords}/reset?{query}")).body(Bytes::new()),
        );
        for (name, value) in [
            ("authorization", format!("Bearer {access}x")),
            ("authorization", format!("Bearer {}", "x".repeat(40_000))),
            ("authorization", format!("Basic {access}")),
            ("apiKey", format!("{key}x")),
            ("jwtTokenString", refresh.clone()),
            ("password", WRONG.to_owned()),
        ] {
            let request = Request::post(format!("{base}/graphql")).header("content-type", "application/json");
            requests
                .push(request.header(name, value).body(Bytes::from_static(b"{\"query\":\"{__typename}\"}")));
        }
        for request in requests {
            watch.refused(&self.send(request.unwrap()).await);
        }
        for (method, path, token) in [
            ("POST", "/auth/session", access.as_str()),
            ("DELETE", "/auth/session", &access),
            ("GET", "/auth/profile", &refresh),
            ("POST", "/auth/api_keys", &access),
        ] {
            watch.refused(&ada.send(method, path, Some(token), Some(json!({ "name": key }))).await);
        }
        let short = json!({ "token": token.expose(), "tokenId": id, "password": "x" });
        let path = "/app/{app}/auth/providers/local-userpass/reset";
        watch.refused(&self.client().send("POST", path, None, Some(short)).await);
        busy.set_busy(true);
        watch.refused(&ada.send("POST", "/auth/session", Some(&refresh), None).await);
        let right = json!({ "username": ADA, "password": PASSWORD });
        watch.refused(&self.log_in("local-userpass", right).await);
        busy.set_busy(false);
    }

    /// A service that is led by the nose, or turns against us.
    async fn services_lie(&self, watch: &mut Watch) {
        let browser = self.browser();
        let away = browser.begin("oidc-corp").await;
        watch.secret(away.cookie.split('=').nth(1).unwrap());
        let code = "c0de".repeat(4);
        watch.secret(&code);
        let query = format!("code={code}&state={}x", away.query["state"]);
        watch.refused(&browser.come_back(&query, &away.cookie).await);
        // What stands in the address bar goes to the app's page, and into histories.
        let loud =
            json!({ "error": "invalid_grant", "error_description": format!("{CLIENT_SECRET} {WRONG}") });
        self.service.answer(&format!("{CORP}/token"), 400, loud);
        let members = browser.finish(&away, &code).await;
        watch.refusals.push(format!("{members:?}"));
    }
}

attack!(attack_88_no_secret_is_logged_or_told_in_a_refusal, |world| {
    let (world, busy) = world.with_everything().await;
    let mut watch = Watch::default();
    let (log, ()) = logged(async {
        world.all_goes_wrong(&busy, &mut watch).await;
        world.services_lie(&mut watch).await;
    })
    .await;
    // There is a log, of every level, and it tells what it is there to tell.
    for told in
        ["told to be busy", "a native function panicked", "invalid custom auth token", "refused the code"]
    {
        assert!(log.contains(told), "{told}: {log}");
    }
    watch.assert_unseen(&log);
    assert!(watch.refusals.len() > 25);
    for refusal in &watch.refusals {
        watch.assert_unseen(refusal);
    }
    // The watch sees what there is to see.
    let caught = std::panic::catch_unwind(|| watch.assert_unseen(&format!("x{PASSWORD}x")));
    assert!(caught.is_err());
});

attack!(attack_88_debug_shows_no_secret, |world| {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let function = {
        let seen = Arc::clone(&seen);
        move |call: FunctionCall| {
            let seen = Arc::clone(&seen);
            async move {
                // The control: it is given what its `Debug` does not show.
                assert!(format!("{:?}", call.arguments).contains("token"));
                seen.lock().unwrap().push(format!("{call:?}"));
                Ok::<_, FunctionFailure>(Bson::from(doc! { "status": "pending" }))
            }
        }
    };
    let passwords = EmailPasswordConfig {
        confirmation: Confirmation::Function { name: "decide".to_owned() },
        reset: PasswordReset::Function { name: "decide".to_owned() },
    };
    let (world, _) = world.with_everything().await;
    let mut watch = Watch::default();
    let ada = world.person(ADA).await;
    for secret in [PASSWORD, WRONG, PEPPER, TOKEN_SECRET, CLIENT_SECRET] {
        watch.secret(secret);
    }
    watch.secret(ada.access.as_deref().unwrap());
    watch.secret(ada.refresh.as_deref().unwrap());
    let mut shown = Vec::new();
    let mut show = |value: &dyn Debug| shown.extend([format!("{value:?}"), format!("{value:#?}")]);
    let app = club_with([oauth_settings("oidc-corp", Some(CORP))]);
    show(&app);
    show(&world.engine);
    show(world.app());
    show(&world.app().users());
    show(&world.actor(&ada).await);
    let tokens = world.app().log_in("local-userpass", doc! { "username": ADA, "password": PASSWORD }).await;
    let tokens = tokens.unwrap();
    watch.secret(&tokens.access_token);
    watch.secret(&tokens.refresh_token);
    show(&tokens);
    show(&Credential::new(doc! { "password": WRONG, "nested": { "token": WRONG } }));
    let body = json!({ "username": ADA, "password": WRONG }).to_string();
    show(&LoginRequest::parse(body.as_bytes()).unwrap());
    let id = AppId::new(APP);
    let registration = world.store.registration(&id, ADA).await.unwrap().unwrap();
    watch.secret(registration.password_hash.expose());
    show(&registration);
    let made = world.app().api_keys().create("server").await.unwrap();
    watch.secret(made.key.as_ref().unwrap().expose());
    show(&made);
    show(&world.store.api_keys(&id, None).await.unwrap());
    for key in world.store.signing_keys(&id).await.unwrap() {
        watch.secret(format!("{:?}", key.secret));
        watch.secret(format!("{:?}", key.secret).trim_matches(['[', ']']));
        show(&key);
        show(&backstitch::session::KeySource::Host(vec![key]));
    }
    world.app().send_password_reset(ADA).await.unwrap();
    let mail = world.mailbox.last();
    watch.secret(mail.token.as_ref().unwrap().token.expose());
    show(&mail);
    show(&mail.token);
    let payload = b"a verifier that is a secret".to_vec();
    watch.secret(format!("{payload:?}").trim_matches(['[', ']']));
    let key = TicketKey { kind: "oauth-state", hash: [7; 32] };
    show(&Ticket { key, payload, expires_at: chrono::DateTime::UNIX_EPOCH });
    let refused = world.app().log_in("local-userpass", doc! { "username": ADA, "password": WRONG }).await;
    show(&refused.unwrap_err());
    show(&world.app().log_in("custom-token", doc! { "token": &tokens.access_token }).await.unwrap_err());

    let mut deciding = backstitch::app::AppConfig::new("club").with_id(AppId::new(APP));
    deciding = deciding.provider(ProviderKind::EmailPassword(passwords));
    let world = world.serving(deciding, |builder| builder.function("decide", function)).await;
    world.app().register("bob@club.example", &Secret::new(WRONG)).await.unwrap();
    world.app().call_reset_function(ADA, &Secret::new(WRONG), vec![Bson::from(WRONG)]).await.unwrap();
    shown.extend(seen.lock().unwrap().drain(..));
    assert!(shown.len() > 30 && shown.iter().filter(|text| text.starts_with("FunctionCall")).count() == 2);
    for text in &shown {
        watch.assert_unseen(text);
    }
});
