//! The doors that tokens are shown at, each with a token that opens it and the key to forge others.

use std::sync::Arc;

use backstitch::app::AppConfig;
use backstitch::auth::config::{
    Audience, CustomTokenConfig, OAuthConfig, ProviderKind, TokenAlgorithm, TokenKeySource,
};
use backstitch::engine::Engine;
use backstitch::id::AppId;
use backstitch::secret::Secret;
use backstitch::store::{KeyAlgorithm, SigningKeyRecord, Store};
use backstitch_tests::{CLIENT_ID, CLIENT_SECRET, Client, Reply, Signer};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderValue, Request};
use ring::{hkdf, hmac};
use serde_json::{Value, json};

use crate::world::{APP, START, Scene, TOKEN_SECRET, World, club};

/// The issuer of ID tokens.
pub const CORP: &str = "https://login.corp.example";
/// Where the keys of custom tokens are, for apps that fetch them.
pub const KEYS: &str = "https://keys.corp.example/jwks";
/// Where the issuer says what it is.
pub const DISCOVERY: &str = "https://login.corp.example/.well-known/openid-configuration";
/// Where its keys are.
pub const CORP_KEYS: &str = "https://login.corp.example/jwks";

/// What a door is the entrance to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// An access token on `GET /auth/profile`.
    Access,
    /// A refresh token on `POST /auth/session`.
    Refresh,
    /// Somebody else's token, logging in through `custom-token`.
    CustomToken,
    /// An ID token, logging in through `oidc-corp`.
    IdToken,
}

/// A place where tokens are shown.
#[derive(Clone)]
pub struct Door {
    pub entrance: Entrance,
    /// Who signs for it.
    pub signer: Signer,
    /// The header of a token that opens it.
    pub header: Value,
    /// The claims of such a token.
    pub claims: Value,
    engine: Engine,
    store: Arc<dyn Store>,
}

impl World {
    /// Every door: access and refresh tokens, custom tokens by a shared secret and by a fetched key, ID tokens.
    pub async fn doors(&self) -> Vec<Door> {
        let federated = self.federated().await;
        let mut doors = self.own_doors(&self.engine).await;
        doors.push(self.custom_door(&self.engine, Signer::Hs256(TOKEN_SECRET.into())));
        doors.push(self.custom_door(&federated, Signer::EdDsa));
        doors.push(self.id_door(&federated));
        doors
    }
}

impl Scene {
    /// The same app with an OpenID Connect provider, and with custom tokens whose keys are fetched.
    pub async fn federated(&self) -> Engine {
        self.engine_with(federated(), |builder| builder).await
    }

    /// The same app, its custom tokens signed by whoever has this key.
    pub async fn trusting(&self, signer: &Signer) -> Engine {
        self.engine_with(trusting(signer.alg(), &[&signer.configured()]), |builder| builder).await
    }

    /// The same app, with this signing key of the host's.
    pub async fn signing(&self, signer: &Signer) -> Engine {
        self.engine_with(club(), |builder| builder.signing_keys(AppId::new(APP), vec![record(signer)])).await
    }

    /// A guest's access and refresh token at an engine whose key is the store's.
    pub async fn own_doors(&self, engine: &Engine) -> Vec<Door> {
        let guest = Client::new(engine, APP).guest().await;
        let keys = self.store.signing_keys(&AppId::new(APP)).await.unwrap();
        let secret = &keys.last().unwrap().secret;
        [(Entrance::Access, &guest.access), (Entrance::Refresh, &guest.refresh)]
            .map(|(entrance, token)| {
                let signer = Signer::Hs256(derived(secret, entrance, APP));
                self.door(engine, entrance, signer, parts(token.as_deref().unwrap()))
            })
            .to_vec()
    }

    /// A guest's access token at an engine that signs with a key pair.
    pub async fn access_door(&self, engine: &Engine, signer: Signer) -> Door {
        let guest = Client::new(engine, APP).guest().await;
        self.door(engine, Entrance::Access, signer, parts(guest.access.as_deref().unwrap()))
    }

    /// The door of custom tokens.
    pub fn custom_door(&self, engine: &Engine, signer: Signer) -> Door {
        let header = json!({ "alg": signer.alg(), "kid": "k", "typ": "JWT" });
        let claims = json!({ "sub": "u1", "aud": APP, "iat": START, "exp": START + 3600 });
        self.door(engine, Entrance::CustomToken, signer, (header, claims))
    }

    /// The door of ID tokens.
    pub fn id_door(&self, engine: &Engine) -> Door {
        let header = json!({ "alg": "EdDSA", "kid": "k", "typ": "JWT" });
        let claims = json!({ "iss": CORP, "sub": "u1", "aud": CLIENT_ID, "iat": START, "exp": START + 3600 });
        self.door(engine, Entrance::IdToken, Signer::EdDsa, (header, claims))
    }

    fn door(
        &self,
        engine: &Engine,
        entrance: Entrance,
        signer: Signer,
        (header, claims): (Value, Value),
    ) -> Door {
        let (engine, store) = (engine.clone(), Arc::clone(&self.store));
        Door { entrance, signer, header, claims, engine, store }
    }
}

impl Door {
    /// Whether tokens of our own are shown here, which have exactly the header and claims that we write.
    pub fn is_own(&self) -> bool {
        matches!(self.entrance, Entrance::Access | Entrance::Refresh)
    }

    /// Whose door it is.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The same door of another engine.
    pub fn at(&self, engine: &Engine) -> Self {
        Self { engine: engine.clone(), ..self.clone() }
    }

    /// A token that opens it.
    pub fn token(&self) -> String {
        self.with(&json!({}), &json!({}))
    }

    /// A token whose header is changed; `"-"` takes a member away. The key is the right one.
    pub fn with_header(&self, changes: &Value) -> String {
        self.with(changes, &json!({}))
    }

    /// A token whose claims are changed; `"-"` takes a claim away. The key is the right one.
    pub fn with_claims(&self, changes: &Value) -> String {
        self.with(&json!({}), changes)
    }

    /// Both.
    pub fn with(&self, header: &Value, claims: &Value) -> String {
        let (header, claims) = (changed(&self.header, header), changed(&self.claims, claims));
        self.signer.token(header.to_string(), claims.to_string())
    }

    /// The segments of header and claims of a token that opens it.
    pub fn segments(&self) -> (String, String) {
        (encode(self.header.to_string()), encode(self.claims.to_string()))
    }

    /// Shows a token; `None` when HTTP cannot carry it.
    pub async fn show(&self, token: &str) -> Option<Reply> {
        let (method, path, body) = match self.entrance {
            Entrance::Access => ("GET", "/auth/profile".to_owned(), None),
            Entrance::Refresh => ("POST", "/auth/session".to_owned(), None),
            Entrance::CustomToken => ("POST", login("custom-token"), Some(json!({ "token": token }))),
            Entrance::IdToken => ("POST", login("oidc-corp"), Some(json!({ "id_token": token }))),
        };
        let mut request = Request::builder().method(method).uri(format!("/api/client/v2.0{path}"));
        if self.is_own() {
            let value = HeaderValue::from_bytes(format!("Bearer {token}").as_bytes()).ok()?;
            request = request.header("authorization", value);
        }
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let (head, body) = self.engine.handle(request.body(body).unwrap()).await.into_parts();
        let body = body.as_bytes().unwrap().clone();
        Some(Reply { status: head.status.as_u16(), headers: head.headers, body })
    }

    /// The door opens: what makes a refusal mean something.
    pub async fn admits(&self, token: &str, why: &str) -> Reply {
        let reply = self.show(token).await.unwrap();
        assert!(reply.status == 200 || reply.status == 201, "{why} at {:?}: {reply:?}", self.entrance);
        reply
    }

    /// The door stays shut, with the one answer that it has for every bad token, and nobody comes of it.
    pub async fn refuses(&self, token: &str, why: &str) {
        self.refuses_as(token, self.refusal(), why).await;
    }

    /// As [`Self::refuses`], for what has run out: clients are told that, and only of tokens that were good.
    pub async fn refuses_expired(&self, token: &str, why: &str) {
        let text = match self.entrance {
            Entrance::Access => "invalid session: access token expired",
            Entrance::Refresh => "invalid session: failed to find refresh token",
            Entrance::CustomToken | Entrance::IdToken => return self.refuses(token, why).await,
        };
        self.refuses_as(token, (text, "InvalidSession"), why).await;
    }

    /// As [`Self::refuses`], with another text and code.
    pub async fn refuses_as(&self, token: &str, (text, code): (&str, &str), why: &str) {
        let before = self.users().await;
        let Some(reply) = self.show(token).await else { return };
        let place = format!("{why} at {:?} ({})", self.entrance, self.signer.alg());
        assert_eq!(reply.status, 401, "{place}: {reply:?}");
        assert_eq!(reply.json(), json!({ "error": text, "error_code": code }), "{place}");
        assert_eq!(self.users().await, before, "{place}: somebody came in");
    }

    fn refusal(&self) -> (&'static str, &'static str) {
        match self.entrance {
            Entrance::Access | Entrance::Refresh => ("invalid session", "InvalidSession"),
            Entrance::CustomToken => ("invalid custom auth token", "AuthError"),
            Entrance::IdToken => ("the ID token is not valid", "AuthError"),
        }
    }

    async fn users(&self) -> usize {
        self.store.list_users(&AppId::new(APP), None, 10_000).await.unwrap().len()
    }
}

/// The app with keys behind URLs.
pub fn federated() -> AppConfig {
    let corp = OAuthConfig {
        type_name: "oidc-corp".to_owned(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: Some(Secret::new(CLIENT_SECRET)),
        public_client: false,
        other_client_ids: Vec::new(),
        redirect_uris: Vec::new(),
        domain_restrictions: Vec::new(),
        metadata: Vec::new(),
        open_id: false,
        issuer: Some(CORP.to_owned()),
    };
    bare(custom_tokens(TokenKeySource::Jwks { url: KEYS.to_owned() }))
        .provider(ProviderKind::OAuth(Box::new(corp)))
}

/// The app with custom tokens of these keys.
pub fn trusting(alg: &str, keys: &[&str]) -> AppConfig {
    let algorithm = match alg {
        "HS256" => TokenAlgorithm::Hs256,
        "RS256" => TokenAlgorithm::Rs256,
        "ES256" => TokenAlgorithm::Es256,
        _ => TokenAlgorithm::EdDsa,
    };
    let keys = keys.iter().map(|key| Secret::new(*key)).collect();
    bare(custom_tokens(TokenKeySource::Keys { algorithm, keys }))
}

pub fn custom_tokens(keys: TokenKeySource) -> CustomTokenConfig {
    CustomTokenConfig { keys, audience: Audience::default(), metadata: Vec::new() }
}

pub fn bare(tokens: CustomTokenConfig) -> AppConfig {
    AppConfig::new("club")
        .with_id(AppId::new(APP))
        .provider(ProviderKind::Anonymous)
        .provider(ProviderKind::CustomToken(tokens))
}

/// A signing key of the host's.
pub fn record(signer: &Signer) -> SigningKeyRecord {
    let algorithm = match signer {
        Signer::Es256 => KeyAlgorithm::Es256,
        Signer::EdDsa => KeyAlgorithm::EdDsa,
        Signer::Hs256(_) | Signer::Rs256 => KeyAlgorithm::Hs256,
    };
    let created_at = chrono::DateTime::from_timestamp(START, 0).unwrap();
    SigningKeyRecord { id: "host-1".to_owned(), algorithm, secret: signer.private(), created_at }
}

/// The key of a class of an app's tokens, as the engine derives it.
pub fn derived(secret: &[u8], entrance: Entrance, app: &str) -> Vec<u8> {
    let label: &[u8] = if entrance == Entrance::Refresh { b"refresh:" } else { b"access:" };
    let master = hkdf::Salt::new(hkdf::HKDF_SHA256, b"backstitch tokens 1").extract(secret);
    let info = [label, app.as_bytes()];
    let mut key = vec![0; 32];
    master.expand(&info, hmac::HMAC_SHA256).unwrap().fill(&mut key).unwrap();
    key
}

/// Header and claims of a token.
pub fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    });
    (parts.next().unwrap(), parts.next().unwrap())
}

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn login(provider: &str) -> String {
    format!("/app/{APP}/auth/providers/{provider}/login")
}

fn changed(base: &Value, changes: &Value) -> Value {
    let mut whole = base.clone();
    for (name, value) in changes.as_object().unwrap() {
        if value == "-" {
            whole.as_object_mut().unwrap().remove(name);
        } else {
            whole[name] = value.clone();
        }
    }
    whole
}
