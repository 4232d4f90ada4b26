//! Log-in by redirect as a browser does it, at the service that a test steers.

use std::collections::HashMap;
use std::sync::Arc;

use backstitch::auth::config::{MetadataField, OAuthConfig};
use backstitch::engine::Engine;
use backstitch::env::Clock;
use backstitch::secret::Secret;
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::{CLIENT_ID, CLIENT_SECRET, Grant, IdentityService, Reply, pairs};

/// The page that log-ins by redirect end at.
pub const PAGE: &str = "https://club.example/signed-in";

/// A browser, and the service that it is sent to.
#[derive(Clone)]
pub struct Browser {
    /// What it talks to.
    pub engine: Engine,
    /// Where it is sent.
    pub service: IdentityService,
    /// The service's clock.
    pub clock: Arc<dyn Clock>,
    /// The client app id.
    pub app: &'static str,
}

/// A log-in by redirect that has come as far as the service's page.
pub struct Away {
    /// What the service is asked.
    pub query: HashMap<String, String>,
    /// The cookie that the browser keeps.
    pub cookie: String,
}

impl Browser {
    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Bytes>) -> Reply {
        let (head, body) = self.engine.handle(request).await.into_parts();
        let body = body.as_bytes().unwrap().clone();
        Reply { status: head.status.as_u16(), headers: head.headers, body }
    }

    /// Gets a page below `/api/client/v2.0`.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = Request::get(format!("/api/client/v2.0{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Bytes::new()).unwrap()).await
    }

    /// Where a log-in begins that is to end at [`PAGE`].
    pub fn login_path(&self, provider: &str) -> String {
        format!("/app/{}/auth/providers/{provider}/login?redirect={PAGE}&state=abc", self.app)
    }

    /// Is sent to the service.
    pub async fn begin(&self, provider: &str) -> Away {
        let reply = self.get(&self.login_path(provider), &[]).await;
        assert_eq!(reply.status, 302, "{reply:?}");
        Away::read(&reply, "location")
    }

    /// Claims of a token for us.
    pub fn claims(&self, issuer: &str, subject: &str, more: Value) -> Value {
        let now = self.clock.now().timestamp();
        let claims =
            json!({ "iss": issuer, "aud": CLIENT_ID, "sub": subject, "iat": now, "exp": now + 3600 });
        with(claims, more)
    }

    /// A token of such claims.
    pub fn id_token(&self, issuer: &str, subject: &str, more: Value) -> String {
        IdentityService::sign(&self.claims(issuer, subject, more))
    }

    /// The service lets the person in and says these claims of them.
    pub fn allow(&self, away: &Away, code: &str, issuer: &str, more: Value) {
        let claims = self.claims(issuer, "person-1", json!({ "nonce": away.query["nonce"] }));
        let (redirect_uri, challenge) =
            (away.query["redirect_uri"].clone(), away.query["code_challenge"].clone());
        self.service.grant(code, Grant { claims: with(claims, more), redirect_uri, challenge });
    }

    /// Comes back from the service.
    pub async fn come_back(&self, query: &str, cookie: &str) -> Reply {
        self.get(&format!("/auth/callback?{query}"), &[("cookie", cookie)]).await
    }

    /// Comes back with a code; gives the fragment.
    pub async fn finish(&self, away: &Away, code: &str) -> HashMap<String, String> {
        self.fragment(
            &self.come_back(&format!("code={code}&state={}", away.query["state"]), &away.cookie).await,
        )
    }

    /// The whole way, with these claims; gives the fragment.
    pub async fn round_trip(&self, provider: &str, issuer: &str, more: Value) -> HashMap<String, String> {
        let away = self.begin(provider).await;
        self.allow(&away, "c", issuer, more);
        self.finish(&away, "c").await
    }

    /// What the page reads behind its address, under both generations of names alike.
    pub fn fragment(&self, reply: &Reply) -> HashMap<String, String> {
        assert_eq!(reply.status, 302, "{reply:?}");
        let location = reply.headers["location"].to_str().unwrap();
        let (page, fragment) = location.split_once('#').unwrap();
        assert_eq!(page, PAGE);
        let members = pairs(fragment);
        for (name, value) in &members {
            let twin = name.strip_prefix("_baas_").map(|name| format!("_stitch_{name}"));
            assert!(twin.is_none_or(|twin| members[&twin] == *value), "{location}");
        }
        assert_eq!(members["_baas_client_app_id"], self.app);
        assert_eq!(members["_baas_state"], "abc");
        members
    }
}

impl Away {
    /// Reads where the browser is sent from one of the reply's headers.
    pub fn read(reply: &Reply, header: &str) -> Self {
        let url = reply.headers[header].to_str().unwrap();
        let cookie = reply.headers["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { query: pairs(url.split_once('?').unwrap().1), cookie }
    }
}

/// A service with a secret and two listed addresses.
pub fn oauth_settings(type_name: &str, issuer: Option<&str>) -> OAuthConfig {
    OAuthConfig {
        type_name: type_name.to_owned(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: Some(Secret::new(CLIENT_SECRET)),
        public_client: false,
        other_client_ids: Vec::new(),
        redirect_uris: vec![PAGE.to_owned(), "club://signed-in".to_owned()],
        domain_restrictions: Vec::new(),
        metadata: vec![metadata_field("email", false), metadata_field("first_name", false)],
        open_id: false,
        issuer: issuer.map(str::to_owned),
    }
}

/// A field that is called there as here.
pub fn metadata_field(name: &str, required: bool) -> MetadataField {
    MetadataField { path: vec![name.to_owned()], field_name: name.to_owned(), required }
}

/// The reply is this refusal, and none that makes clients refresh and repeat.
#[track_caller]
pub fn assert_refused(reply: &Reply, code: &str) {
    let body = reply.json();
    assert_eq!(body["error_code"], code, "{body}");
    assert!(body["error"] != "unauthorized" && body["error_code"] != "InvalidSession", "{body}");
}

fn with(mut claims: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}
