//! A client of an engine, without a socket between them.

use backstitch::engine::Engine;
use bytes::Bytes;
use http::{HeaderMap, Request};
use serde_json::{Value, json};

/// A client of one app; with a token once it has logged in.
#[derive(Clone, Debug)]
pub struct Client {
    engine: Engine,
    app: String,
    /// The access token.
    pub access: Option<String>,
    /// The refresh token.
    pub refresh: Option<String>,
    /// The user's id.
    pub user: Option<String>,
}

/// A response.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Client {
    /// Nobody yet.
    pub fn new(engine: &Engine, app: &str) -> Self {
        Self { engine: engine.clone(), app: app.to_owned(), access: None, refresh: None, user: None }
    }

    /// Sends a request below `/api/client/v2.0`, `{app}` standing for the app's id.
    pub async fn send(&self, method: &str, path: &str, token: Option<&str>, body: Option<Value>) -> Reply {
        let uri = format!("/api/client/v2.0{}", path.replace("{app}", &self.app));
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let response = self.engine.handle(request.body(body).expect("a request")).await;
        let (head, body) = response.into_parts();
        let body = body.as_bytes().expect("no stream").clone();
        Reply { status: head.status.as_u16(), headers: head.headers, body }
    }

    /// Logs in anonymously.
    pub async fn guest(self) -> Self {
        self.log_in("anon-user", json!({})).await
    }

    /// Registers and logs in.
    pub async fn person(self, email: &str) -> Self {
        let body = json!({ "email": email, "password": "correct horse" });
        let reply =
            self.send("POST", "/app/{app}/auth/providers/local-userpass/register", None, Some(body)).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        self.log_in("local-userpass", json!({ "username": email, "password": "correct horse" })).await
    }

    /// Logs in with a credential.
    pub async fn log_in(mut self, provider: &str, credential: Value) -> Self {
        let path = format!("/app/{{app}}/auth/providers/{provider}/login");
        let reply = self.send("POST", &path, None, Some(credential)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let tokens = reply.json();
        let text = |name: &str| tokens[name].as_str().map(str::to_owned);
        self.access = text("access_token");
        self.refresh = text("refresh_token");
        self.user = text("user_id");
        self
    }

    /// The same client with another access token.
    pub fn with_access(self, token: &str) -> Self {
        Self { access: Some(token.to_owned()), ..self }
    }

    /// Runs a GraphQL document and returns the whole answer.
    pub async fn graphql(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables });
        let reply = self.send("POST", "/app/{app}/graphql", self.access.as_deref(), Some(body)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }

    /// Runs a GraphQL document that has to succeed, and returns its data.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let answer = self.graphql(query, variables).await;
        assert!(answer.get("errors").is_none(), "{query}: {answer}");
        answer["data"].clone()
    }

    /// Runs a GraphQL document that has to be refused as a whole, and returns the first error's message.
    pub async fn refused(&self, query: &str, variables: Value) -> String {
        let answer = self.graphql(query, variables).await;
        assert!(answer["data"].is_null(), "{query}: {answer}");
        answer["errors"][0]["message"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}
