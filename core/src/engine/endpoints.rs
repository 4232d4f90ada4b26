//! The endpoints: each reads its request, asks its app, and says it on the wire.

use bytes::Bytes;
use http::header::CACHE_CONTROL;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;
use serde_json::json;

use super::App;
use crate::auth::LoginRequest;
use crate::error::Result;
use crate::http::{self as wire, Body, bearer_token, json_object, peer_address, required_string};
use crate::id::UserId;
use crate::observe::Notes;
use crate::secret::Secret;

pub(super) fn location(app: &App) -> Response<Body> {
    let host = app.public_url();
    // http → ws, https → wss.
    let socket = host.strip_prefix("http").map_or_else(|| host.to_owned(), |rest| format!("ws{rest}"));
    let answer = json!({
        "deployment_model": "GLOBAL",
        "location": "US-VA",
        "hostname": host,
        "ws_hostname": socket,
    });
    wire::json(StatusCode::OK, &answer)
}

/// The public halves of the signing keys. Caches keep them for a while: a fresh key signs at once, so who
/// verifies has to ask again on a `kid` that it does not know (RFC 7517 §4.5).
pub(super) fn key_set(app: &App) -> Response<Body> {
    let mut response = wire::json(StatusCode::OK, &app.jwks());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

pub(super) async fn login(app: &App, provider: &str, head: &Parts, body: &Bytes) -> Result<Response<Body>> {
    let mut request = LoginRequest::parse(body)?;
    request.device.peer = peer_address(head);
    Notes::note(head, |notes| notes.client(&request.device.client));
    let tokens = app.log_in_from(provider, &request).await?;
    Notes::note(head, |notes| notes.session(UserId::parse(&tokens.user_id), None));
    Ok(wire::json(StatusCode::OK, &tokens))
}

pub(super) async fn register(app: &App, head: &Parts, body: &Bytes) -> Result<Response<Body>> {
    let members = json_object(body)?;
    let email = required_string(&members, "email")?;
    let password = required_string(&members, "password")?;
    app.parts().auth.register(email, &Secret::new(password), peer_address(head)).await?;
    Ok(wire::empty(StatusCode::CREATED))
}

pub(super) async fn refresh_session(app: &App, head: &Parts) -> Result<Response<Body>> {
    #[derive(Serialize)]
    struct Refreshed {
        access_token: String,
    }
    let (access_token, session) = app.parts().sessions.refreshed(bearer_token(&head.headers)?).await?;
    Notes::note(head, |notes| notes.session(Some(session.user), Some(session.id)));
    Ok(wire::json(StatusCode::CREATED, &Refreshed { access_token }))
}

pub(super) async fn end_session(app: &App, head: &Parts) -> Result<Response<Body>> {
    let session = app.parts().sessions.end(bearer_token(&head.headers)?).await?;
    Notes::note(head, |notes| notes.session(Some(session.user), Some(session.id)));
    Ok(wire::empty(StatusCode::NO_CONTENT))
}

pub(super) async fn profile(app: &App, head: &Parts) -> Result<Response<Body>> {
    let actor = app.authenticate(head).await?;
    Ok(wire::json(StatusCode::OK, &app.profile(&actor)?))
}
