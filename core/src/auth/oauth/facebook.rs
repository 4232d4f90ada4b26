//! Facebook's access tokens, verified with the Graph API.
//!
//! 1. `debug_token` has to say that the token is valid and was made for our app: otherwise any app that
//!    somebody ever logged in to could log in here as them (the confused deputy of RFC 6749 §10.16).
//! 2. `/me` then has to be the same person.

use ring::hmac;
use serde_json::{Map, Value, json};

use super::facts::Facts;
use super::fetch;
use super::presets::{FACEBOOK_DIALOG, FACEBOOK_GRAPH};
use crate::auth::config::OAuthConfig;
use crate::auth::provider::ProviderContext;
use crate::error::Result;
use crate::secret::Secret;

/// Where Facebook is.
pub(super) struct Facebook {
    pub(super) dialog: String,
    graph: String,
}

impl Facebook {
    /// The real one, or a stand-in at `issuer`.
    pub(super) fn new(issuer: Option<&str>) -> Self {
        match issuer.map(|issuer| issuer.trim_end_matches('/')) {
            None => Self { dialog: FACEBOOK_DIALOG.to_owned(), graph: FACEBOOK_GRAPH.to_owned() },
            Some(base) => Self { dialog: format!("{base}/dialog/oauth"), graph: base.to_owned() },
        }
    }

    pub(super) fn token_endpoint(&self) -> String {
        format!("{}/oauth/access_token", self.graph)
    }

    /// What to ask the person's consent for.
    pub(super) fn scopes(config: &OAuthConfig) -> String {
        let asks = |name: &str| config.metadata.iter().any(|field| field.path == [name]);
        let mut scopes = vec!["public_profile"];
        if asks("email") || !config.domain_restrictions.is_empty() {
            scopes.push("email");
        }
        if asks("gender") {
            scopes.push("user_gender");
        }
        if asks("birthday") {
            scopes.push("user_birthday");
        }
        if asks("min_age") || asks("max_age") {
            scopes.push("user_age_range");
        }
        scopes.join(",")
    }

    /// Who the bearer of this token is.
    pub(super) async fn identify(
        &self,
        cx: &ProviderContext<'_>,
        config: &OAuthConfig,
        secret: &Secret,
        token: &Secret,
    ) -> Result<Facts> {
        let app = Secret::new(format!("Bearer {}|{}", config.client_id, secret.expose()));
        let url = format!("{}/debug_token", self.graph);
        let url = fetch::with_query(&url, &[("input_token", token.expose())]);
        let (_, answer) = fetch::get(cx, &url, Some(&app)).await?;
        let user = self.user_of(config, &answer)?;

        let proof = app_secret_proof(secret, token);
        let query = [("fields", fields(config)), ("appsecret_proof", proof)];
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let url = fetch::with_query(&format!("{}/me", self.graph), &query);
        let bearer = Secret::new(format!("Bearer {}", token.expose()));
        let (status, me) = fetch::get(cx, &url, Some(&bearer)).await?;
        if !status.is_success() || me.get("id").and_then(Value::as_str) != Some(user.as_str()) {
            return Err(fetch::refused("the access token is not valid").with_cause("`/me` is somebody else"));
        }
        Facts::new(claims(me))
    }

    fn user_of(&self, config: &OAuthConfig, answer: &Map<String, Value>) -> Result<String> {
        let refused = |why: &'static str| fetch::refused("the access token is not valid").with_cause(why);
        let data = answer.get("data").and_then(Value::as_object).ok_or_else(|| refused("no data"))?;
        if data.get("is_valid") != Some(&Value::Bool(true)) {
            return Err(refused("Facebook says that it is not valid"));
        }
        if text(data, "app_id") != Some(config.client_id.as_str()) {
            return Err(refused("it was made for another app"));
        }
        if !matches!(text(data, "type"), None | Some("USER")) {
            return Err(refused("it is no person's"));
        }
        text(data, "user_id").map(str::to_owned).ok_or_else(|| refused("it is nobody's"))
    }
}

/// The fields that are asked for, by the Graph API's names.
fn fields(config: &OAuthConfig) -> String {
    let mut fields = vec!["id"];
    for field in &config.metadata {
        let name = match field.path.first().map(String::as_str) {
            Some("min_age" | "max_age") => "age_range",
            Some(name) => name,
            None => continue,
        };
        if !fields.contains(&name) {
            fields.push(name);
        }
    }
    if !config.domain_restrictions.is_empty() && !fields.contains(&"email") {
        fields.push("email");
    }
    fields.join(",")
}

/// The Graph API's answer by the names of our metadata.
fn claims(mut me: Map<String, Value>) -> Map<String, Value> {
    if let Some(id) = me.remove("id") {
        me.insert("sub".to_owned(), id);
    }
    if let Some(url) = me.get("picture").and_then(|picture| picture.pointer("/data/url")).cloned() {
        me.insert("picture".to_owned(), url);
    }
    for (name, pointer) in [("min_age", "/min"), ("max_age", "/max")] {
        if let Some(age) = me.get("age_range").and_then(|range| range.pointer(pointer)).cloned() {
            me.insert(name.to_owned(), age);
        }
    }
    // The Graph API gives an address only when it is confirmed.
    if me.contains_key("email") {
        me.insert("email_verified".to_owned(), json!(true));
    }
    me
}

/// Shows that whoever asks with the token also has the app's secret.
fn app_secret_proof(secret: &Secret, token: &Secret) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let tag = hmac::sign(&key, token.expose().as_bytes());
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text<'a>(data: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    data.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}
