//! A log-in service that a test steers: OpenID Connect and Facebook's Graph API, without a socket.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use backstitch::env::HttpClient;
use backstitch::error::Result;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

/// The secret that the service knows its client by.
pub const CLIENT_SECRET: &str = "a client's secret & more";
/// A client without a secret.
pub const PUBLIC_CLIENT_ID: &str = "public-1";
/// What the service knows its client by.
pub const CLIENT_ID: &str = "client-1";

/// The service; it answers on every host, and each is an issuer of its own.
#[derive(Clone, Default)]
pub struct IdentityService(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    codes: HashMap<String, Grant>,
    overrides: HashMap<String, (u16, Value)>,
    asked: Vec<String>,
}

/// What a code is worth.
#[derive(Clone)]
pub struct Grant {
    /// The claims of the ID token.
    pub claims: Value,
    /// The redirect URI that the authorization request named.
    pub redirect_uri: String,
    /// The PKCE challenge that it carried.
    pub challenge: String,
}

impl IdentityService {
    /// Makes a code that can be exchanged once.
    pub fn grant(&self, code: &str, grant: Grant) {
        self.0.lock().unwrap().codes.insert(code.to_owned(), grant);
    }

    /// Answers a URL without its query so, whatever is asked.
    pub fn answer(&self, url: &str, status: u16, body: Value) {
        self.0.lock().unwrap().overrides.insert(url.to_owned(), (status, body));
    }

    /// The URLs that were asked since the last call, without their queries.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }

    /// A token of these claims, signed with the service's key.
    pub fn sign(claims: &Value) -> String {
        let header = json!({ "alg": "EdDSA", "kid": "k", "typ": "JWT" });
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = key().sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn respond(&self, request: &Request<Bytes>) -> (u16, Value) {
        let uri = request.uri();
        let issuer = format!("https://{}", uri.host().unwrap());
        let url = format!("{issuer}{}", uri.path());
        let mut state = self.0.lock().unwrap();
        state.asked.push(url.clone());
        if let Some(answer) = state.overrides.get(&url) {
            return answer.clone();
        }
        match uri.path() {
            "/.well-known/openid-configuration" => (200, metadata(&issuer)),
            "/jwks" => {
                let x = URL_SAFE_NO_PAD.encode(key().public_key());
                let jwk =
                    json!({"kty": "OKP", "crv": "Ed25519", "kid": "k", "use": "sig", "alg": "EdDSA", "x": x});
                (200, json!({ "keys": [jwk] }))
            }
            "/token" => {
                let form = pairs(std::str::from_utf8(request.body()).unwrap());
                let authorization =
                    request.headers().get("authorization").map(|value| value.to_str().unwrap());
                match redeem(&mut state, &form, authorization) {
                    Some(claims) => (
                        200,
                        json!({ "id_token": Self::sign(&claims), "access_token": "at", "token_type": "Bearer" }),
                    ),
                    None => (400, json!({ "error": "invalid_grant" })),
                }
            }
            _ => (404, json!({})),
        }
    }
}

/// What the service says of itself.
pub fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "code_challenge_methods_supported": ["plain", "S256"],
    })
}

/// The pairs of a query or a form, decoded.
pub fn pairs(text: &str) -> HashMap<String, String> {
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

#[async_trait]
impl HttpClient for IdentityService {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let (status, body) = self.respond(&request);
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        Ok(response)
    }
}

fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

/// The claims behind a code, for whoever shows secret, redirect URI and verifier.
fn redeem(state: &mut State, form: &HashMap<String, String>, authorization: Option<&str>) -> Option<Value> {
    let escaped = "a%20client%27s%20secret%20%26%20more";
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{escaped}")));
    let grant = state.codes.remove(form.get("code")?)?;
    let challenge = form
        .get("code_verifier")
        .map(|verifier| URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())));
    let public = authorization.is_none() && form.get("client_id")? == PUBLIC_CLIENT_ID;
    let right = (public || authorization == Some(&basic))
        && form.get("grant_type")? == "authorization_code"
        && form.get("redirect_uri")? == &grant.redirect_uri
        && challenge.unwrap_or_default() == grant.challenge;
    right.then_some(grant.claims)
}
