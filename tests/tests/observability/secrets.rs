//! The whole API is used, rightly and wrongly, with secrets everywhere; none of them is told anywhere, and what there
//! is to tell is told.

use backstitch::env::MailKind;
use backstitch::id::AppId;
use backstitch::observe::Detail;
use backstitch_tests::Signer;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bson::doc;
use serde_json::{Value, json};

use crate::story::{LOGIN, PASSWORDS, Story};
use crate::world::{APP, CORP, PEER, START, TOKEN_SECRET, on_each_store};

const ADA: &str = "ada.s3cret@club.example";
const PASSWORD: &str = "s3cret-passw0rd-of-ada";
const NEW: &str = "s3cret-new-passw0rd";
const WRONG: &str = "s3cret-wrong-passw0rd";
/// What stands in documents, in variables and in arguments.
const DATA: &str = "s3cret-in-a-document";
/// What stands where it does not belong: in paths, in queries, in headers, in bodies that are none.
const ASTRAY: &str = "s3cret-gone-astray";
impl Story {
    /// Registers, confirms, logs in.
    async fn ada_comes(&mut self) -> (String, String) {
        let body = json!({ "email": ADA, "password": PASSWORD });
        self.passwords("register", body.clone(), (201, "REGISTER - -")).await;
        self.passwords("register", body, (409, "REGISTER - AccountNameInUse")).await;
        self.passwords("confirm/send", json!({ "email": ADA }), (200, "SEND_CONFIRMATION - -")).await;
        let (token, id) = self.world.mailbox.newest(MailKind::Confirm);
        self.secret(token.expose());
        let wrong = json!({ "token": ASTRAY, "tokenId": id });
        self.passwords("confirm", wrong, (400, "CONFIRM - BadRequest")).await;
        let right = json!({ "token": token.expose(), "tokenId": id });
        self.passwords("confirm", right, (200, "CONFIRM - -")).await;
        let wrong = json!({ "username": ADA, "password": WRONG });
        self.log_in("local-userpass", wrong, (401, "InvalidPassword")).await;
        let nobody = json!({ "username": "s3cret@nobody.example", "password": WRONG });
        self.log_in("local-userpass", nobody, (401, "InvalidPassword")).await;
        let device =
            json!({ "platform": "node", "platformVersion": "22", "sdk": "realm-web", "sdkVersion": "2.0" });
        let credential = json!({ "username": ADA, "password": PASSWORD, "options": { "device": device } });
        let reply = self.log_in("local-userpass", credential, (200, "-")).await.json();
        let user = reply["user_id"].as_str().unwrap();
        self.world
            .store("people", [doc! { "_id": 1, "name": "s3cret ada", "owner": user, "diagnosis": DATA }])
            .await;
        let registration = self.world.store.registration(&AppId::new(APP), ADA).await.unwrap().unwrap();
        let hash = registration.password_hash.expose().to_owned();
        assert!(hash.starts_with("$argon2id$"));
        let salt_and_hash: Vec<&str> = hash.rsplit('$').take(2).collect();
        self.secrets.extend(salt_and_hash.into_iter().map(str::to_owned));
        self.secret(hash);
        let text = |name: &str| reply[name].as_str().unwrap().to_owned();
        (text("access_token"), text("refresh_token"))
    }

    /// Custom data come into the token; the session is refreshed, asked about, and misused.
    async fn sessions(&mut self, access: &str, refresh: &str) -> String {
        let line = "AUTH POST /auth/session | REFRESH - -";
        let reply = self.ask(("POST", "/auth/session", Some(refresh)), Value::Null, (201, line)).await;
        let fresh = self.secret(reply.json()["access_token"].as_str().unwrap());
        let claims = URL_SAFE_NO_PAD.decode(fresh.split('.').nth(1).unwrap()).unwrap();
        assert!(String::from_utf8(claims).unwrap().contains(DATA), "the custom data are in the token");
        let line = "AUTH GET /auth/profile | PROFILE - -";
        self.ask(("GET", "/auth/profile", Some(&fresh)), Value::Null, (200, line)).await;
        let line = "AUTH GET /auth/profile | PROFILE - InvalidSession";
        for token in [&format!("{access}x"), refresh, ASTRAY] {
            self.ask(("GET", "/auth/profile", Some(token)), Value::Null, (401, line)).await;
        }
        let line = "AUTH POST /auth/session | REFRESH - InvalidSession";
        self.ask(("POST", "/auth/session", Some(access)), Value::Null, (401, line)).await;
        fresh
    }

    async fn keys(&mut self, refresh: &str) {
        let line = "API_KEY POST /auth/api_keys | CREATE - -";
        let reply = self
            .ask(("POST", "/auth/api_keys", Some(refresh)), json!({ "name": "server" }), (201, line))
            .await;
        let key = self.secret(reply.json()["key"].as_str().unwrap());
        let path = format!("/auth/api_keys/{}", reply.json()["_id"].as_str().unwrap());
        self.log_in("api-key", json!({ "key": key }), (200, "-")).await;
        self.log_in("api-key", json!({ "key": format!("{key}x") }), (401, "AuthError")).await;
        let line = "API_KEY GET /auth/api_keys/{id} | - - -";
        self.ask(("GET", &path, Some(refresh)), Value::Null, (200, line)).await;
        let line = "API_KEY GET /auth/api_keys/{id} | - - APIKeyNotFound";
        self.ask(("GET", &format!("/auth/api_keys/{ASTRAY}"), Some(refresh)), Value::Null, (404, line)).await;
        let line = "API_KEY PUT /auth/api_keys/{id}/disable | DISABLE - -";
        self.ask(("PUT", &format!("{path}/disable"), Some(refresh)), Value::Null, (204, line)).await;
    }

    /// Tokens of another service, a function, and log-in by redirect.
    async fn other_ways_in(&mut self) {
        let signer = Signer::Hs256(TOKEN_SECRET.as_bytes().to_vec());
        let claims = |audience: &str| json!({ "sub": "s3cret-subject", "aud": audience, "iat": START, "exp": START + 600, "email": ADA });
        let header = json!({ "alg": "HS256", "typ": "JWT" }).to_string();
        let token = self.secret(signer.token(&header, claims(APP).to_string()));
        self.log_in("custom-token", json!({ "token": token }), (200, "-")).await;
        let other = self.secret(signer.token(&header, claims("another-app").to_string()));
        self.log_in("custom-token", json!({ "token": other }), (401, "AuthError")).await;
        self.log_in("custom-function", json!({ "password": WRONG }), (401, "AuthError")).await;
        self.log_in("anon-user", json!({}), (200, "-")).await;
        self.log_in(ASTRAY, json!({ "password": WRONG }), (404, "AuthProviderNotFound")).await;

        let browser = self.world.browser();
        for code in ["s3cret-code-1", "s3cret-code-2"] {
            let away = browser.begin("oidc-corp").await;
            self.expected.push(format!("AUTH GET {LOGIN} 302 BEGIN_REDIRECT oidc-corp -"));
            self.secret(away.cookie.split('=').nth(1).unwrap());
            for name in ["state", "nonce", "code_challenge"] {
                self.secret(away.query[name].as_str());
            }
            let fails = code.ends_with('2');
            if fails {
                let loud = json!({ "error": "invalid_grant", "error_description": ASTRAY });
                self.world.service.answer(&format!("{CORP}/token"), 400, loud);
            } else {
                browser.allow(&away, code, CORP, json!({ "email": ADA }));
            }
            let members = browser.finish(&away, code).await;
            assert_eq!(members.contains_key("_baas_error"), fails, "{members:?}");
            let told = if fails { "AuthError" } else { "-" };
            self.expected.push(format!("AUTH GET /auth/callback 302 LOGIN oidc-corp {told}"));
            if let Some(tokens) = members.get("_baas_ua") {
                tokens.split('$').take(2).for_each(|token| drop(self.secret(token)));
            }
        }
    }

    async fn graphql(&mut self, access: &str) {
        let endpoint = "/app/{app}/graphql";
        self.world.store("notes", [doc! { "_id": 9, "kind": "shared", "text": 1, "author": DATA }]).await;
        let mut asked = 0;
        for (body, status, code) in [
            (
                json!({ "query": "mutation Add($t: String, $h: String) { insertOneNote(data: {_id: 1, owner: \"%\", text: $t, hidden: $h, author: { link: 1 } }) { text hidden } }",
                "variables": { "t": DATA, "h": "s3cret" }, "operationName": "Add" }),
                200,
                "-",
            ),
            (
                json!({ "query": format!("query Mine {{ notes(query: {{ text: \"{DATA}\" }}) {{ text hidden length author {{ name diagnosis }} }} }}"),
                "operationName": "Mine" }),
                200,
                "-",
            ),
            (
                json!({ "query": "query($i: String) { echo(input: $i) }", "variables": { "i": DATA } }),
                200,
                "-",
            ),
            (
                json!({ "query": "{ note(query: { _id: 9 }) { text author { name } } }" }),
                200,
                "STORED_VALUE_MISMATCH",
            ),
            (json!({ "query": "{ fails }" }), 200, "FunctionExecutionError"),
            (json!({ "query": "{ fails }" }), 200, "FunctionExecutionError"),
            (
                json!({ "query": "mutation { insertOneNote(data: {_id: 1, owner: \"%\", text: \"s3cret twice\"}) { text } }" }),
                200,
                "DUPLICATE_KEY",
            ),
            (
                json!({ "query": "mutation { insertOneNote(data: {_id: 2, owner: \"s3cret-owner\", text: \"s3cret\"}) { text } }" }),
                200,
                "NOT_PERMITTED",
            ),
            (
                json!({ "query": "query($i: Int) { notes(query: { _id: $i }) { text } }", "variables": { "i": DATA } }),
                200,
                "BAD_USER_INPUT",
            ),
            (
                json!({ "query": format!("{{ {} }}", DATA.replace('-', "_")) }),
                200,
                "GRAPHQL_VALIDATION_FAILED",
            ),
            (
                json!({ "query": format!("{{ notes(query: {{ text: \"{DATA}\" ") }),
                200,
                "GRAPHQL_PARSE_FAILED",
            ),
            (
                json!({ "query": "query A { __typename }", "operationName": ASTRAY }),
                200,
                "GRAPHQL_VALIDATION_FAILED",
            ),
            (json!({ "query": "{ __typename }", "variables": ASTRAY }), 400, "BadRequest"),
            (
                json!([{ "query": "{ __typename }" }, { "query": format!("{{ x(y: \"{DATA}\") }}") }]),
                200,
                "GRAPHQL_VALIDATION_FAILED",
            ),
        ] {
            let user = self.world.records.all().iter().rev().find_map(|record| record.user_id).unwrap();
            let body: Value = serde_json::from_str(&body.to_string().replace('%', &user.to_hex())).unwrap();
            let line = format!("GRAPHQL POST {endpoint} | - - {code}");
            let reply = self.ask(("POST", endpoint, Some(access)), body, (status, &line)).await;
            asked += 1;
            if asked <= 3 {
                assert!(reply.json().get("errors").is_none(), "{}", reply.json());
                assert!(reply.json().to_string().contains(DATA), "{}", reply.json());
            }
        }
        for (name, value) in [
            ("authorization", format!("Basic {}", STANDARD.encode(ASTRAY))),
            ("apiKey", ASTRAY.to_owned()),
            ("jwtTokenString", format!("{ASTRAY}.{ASTRAY}.{ASTRAY}")),
        ] {
            let headers = [("content-type", "application/json"), (name, value.as_str())];
            let reply = self.world.send("POST", endpoint, &headers, "{\"query\":\"{__typename}\"}").await;
            let code = reply.json()["error_code"].as_str().unwrap().to_owned();
            self.expect(&reply, 401, &format!("GRAPHQL POST {endpoint} | - - {code}"));
        }
        let headers = [("email", ADA), ("password", PASSWORD)];
        let path = format!("{endpoint}?query=%7B__typename%7D&x={ASTRAY}");
        let reply = self.world.send("GET", &path, &headers, "").await;
        self.expect(&reply, 200, &format!("GRAPHQL GET {endpoint} | - - -"));
    }

    /// Requests that are none.
    async fn go_astray(&mut self) {
        let none = |method: &str, code: &str| format!("API {method} none | - - {code}");
        for (method, path, body, status, line) in [
            ("GET", format!("/{ASTRAY}?token={ASTRAY}"), "", 404, none("GET", "-")),
            (ASTRAY, "/auth/session".to_owned(), "", 405, none("OTHER", "-")),
            ("GET", format!("/app/{{app}}/{ASTRAY}"), "", 404, none("GET", "-")),
            (
                "POST",
                format!("{PASSWORDS}/register?password={ASTRAY}"),
                "{\"email\": \"s3cret",
                400,
                format!("AUTH POST {PASSWORDS}/register | REGISTER - BadRequest"),
            ),
            (
                "POST",
                format!("{PASSWORDS}/reset/send"),
                "{\"email\": [\"s3cret\"]}",
                400,
                format!("AUTH POST {PASSWORDS}/reset/send | SEND_RESET - InvalidParameter"),
            ),
            (
                "GET",
                format!("/auth/callback?code={ASTRAY}&state={ASTRAY}"),
                "",
                401,
                "AUTH GET /auth/callback | LOGIN - AuthError".to_owned(),
            ),
            (
                "GET",
                "/app/{app}/location".to_owned(),
                "",
                200,
                "API GET /app/{app}/location | - - -".to_owned(),
            ),
        ] {
            let headers = [("x-astray", ASTRAY), ("cookie", ASTRAY), ("user-agent", ASTRAY)];
            let reply = self.world.send(method, &path, &headers, body).await;
            self.expect(&reply, status, &line);
        }
        let path = format!("/app/{ASTRAY}/location");
        self.ask(("GET", &path, None), Value::Null, (404, "API GET /app/{app}/location | - - -")).await;
    }

    /// A new password, and the end.
    async fn ada_goes(&mut self, access: &str, refresh: &str) {
        self.passwords("reset/send", json!({ "email": ADA }), (200, "SEND_RESET - -")).await;
        let (token, id) = self.world.mailbox.newest(MailKind::Reset);
        self.secret(token.expose());
        let line = "AUTH DELETE /auth/session | LOGOUT - -";
        self.ask(("DELETE", "/auth/session", Some(refresh)), Value::Null, (204, line)).await;
        let line = "AUTH GET /auth/profile | PROFILE - InvalidSession";
        self.ask(("GET", "/auth/profile", Some(access)), Value::Null, (401, line)).await;
        let body = json!({ "token": token.expose(), "tokenId": id, "password": NEW });
        self.passwords("reset", body.clone(), (200, "RESET - -")).await;
        self.passwords("reset", body, (400, "RESET - UserpassTokenInvalid")).await;
        let credential = json!({ "username": ADA, "password": NEW });
        let reply = self.log_in("local-userpass", credential.clone(), (200, "-")).await.json();
        let line = "AUTH DELETE /auth/delete | DELETE - -";
        let token = reply["access_token"].as_str().unwrap().to_owned();
        self.ask(("DELETE", "/auth/delete", Some(&token)), Value::Null, (204, line)).await;
        // Until they are too many.
        let wrong = json!({ "username": ADA, "password": WRONG });
        for attempt in 0.. {
            let reply = self
                .world
                .send_json("POST", &LOGIN.replace("{provider}", "local-userpass"), None, wrong.clone())
                .await;
            let code = reply.json()["error_code"].as_str().unwrap().to_owned();
            self.expect(&reply, reply.status, &format!("AUTH POST {LOGIN} | LOGIN local-userpass {code}"));
            if reply.status == 429 {
                break;
            }
            assert!(attempt < 100, "{reply:?}");
        }
    }

    async fn signing_keys(&mut self) {
        let keys = self.world.store.signing_keys(&AppId::new(APP)).await.unwrap();
        assert!(!keys.is_empty());
        for key in keys {
            let bytes = &key.secret[..];
            self.secret(format!("{bytes:?}").trim_matches(['[', ']']));
            self.secret(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
            self.secret(STANDARD.encode(bytes).trim_end_matches('='));
            self.secret(URL_SAFE_NO_PAD.encode(bytes));
        }
    }
}

#[test]
fn nothing_secret_is_told_and_what_there_is_to_tell_is_told() {
    on_each_store(Detail::Rules, |world| async {
        let mut story = Story { world, secrets: Vec::new(), expected: Vec::new() };
        story.signing_keys().await;
        let (access, refresh) = story.ada_comes().await;
        let fresh = story.sessions(&access, &refresh).await;
        story.graphql(&fresh).await;
        story.keys(&refresh).await;
        story.other_ways_in().await;
        story.go_astray().await;
        story.ada_goes(&fresh, &refresh).await;
        story.assert_told();
        let told = story.told();
        story.assert_unseen(&told);
        // The watch is no blind one: it sees a secret where there is one, and what may be told is there.
        for secret in story.watched() {
            let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                story.assert_unseen(&format!("{told} {secret}"));
            }));
            assert!(seen.is_err(), "{secret}");
        }
        assert!(told.contains("a document does not fit its schema"));
        for told_of in [&PEER.to_string(), "realm-web", "app.notes", "oidc-corp", "Mine", "length", "owner"] {
            assert!(told.contains(told_of), "{told_of}");
        }
        assert!(story.expected.len() > 60, "{}", story.expected.len());
    });
}
