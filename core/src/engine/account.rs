//! The account endpoints: confirming, new passwords, API keys, linking, the end of an account.

use bson::Bson;
use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode};
use serde_json::json;

use super::App;
use super::self_service::owner_of;
use crate::auth::{ApiKeys, DeviceInfo, LoginRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{self as wire, Body, EmailFlow, KeyCall, bearer_token, json_object, required_string};
use crate::observe::Notes;
use crate::secret::Secret;

/// `POST …/login?link=true`.
pub(super) async fn link(app: &App, provider: &str, head: &Parts, body: &Bytes) -> Result<Response<Body>> {
    let actor = app.authenticate(head).await?;
    let acting = owner_of(&actor)?;
    let request = LoginRequest::parse(body)?;
    let device = DeviceInfo { peer: wire::peer_address(head), ..request.device };
    Notes::note(head, |notes| notes.client(&device.client));
    let user = app.parts().auth.link(acting.user.id, provider, &request.credential, &device).await?;
    let session = acting.session.ok_or_else(must_authenticate)?;
    let (access_token, device_id) = app.parts().sessions.renew(session).await?;
    let answer = json!({
        "access_token": access_token, "user_id": user.id.to_hex(), "device_id": device_id.to_hex(),
    });
    Ok(wire::json(StatusCode::OK, &answer))
}

/// `DELETE /auth/delete`.
pub(super) async fn delete(app: &App, head: &Parts) -> Result<Response<Body>> {
    let actor = app.authenticate(head).await?;
    let acting = owner_of(&actor)?;
    app.users().delete(acting.user.id).await?;
    Ok(wire::empty(StatusCode::NO_CONTENT))
}

/// The account flows of `local-userpass`, by the last part of their path.
pub(super) async fn email_password(
    app: &App,
    flow: EmailFlow,
    head: &Parts,
    body: &Bytes,
) -> Result<Response<Body>> {
    let peer = wire::peer_address(head);
    let members = json_object(body)?;
    let text = |name: &str| required_string(&members, name);
    let secret = |name: &str| text(name).map(Secret::new);
    let auth = &app.parts().auth;
    match flow {
        EmailFlow::Confirm => auth.confirm(&secret("token")?, text("tokenId")?).await?,
        EmailFlow::ResendConfirmation => auth.resend_confirmation(text("email")?, peer).await?,
        EmailFlow::RerunConfirmation => auth.rerun_confirmation(text("email")?, peer).await?,
        EmailFlow::SendReset => auth.send_reset(text("email")?, peer).await?,
        EmailFlow::Reset => {
            auth.reset((&secret("token")?, text("tokenId")?), &secret("password")?).await?;
        }
        EmailFlow::CallReset => {
            let arguments = match members.get("arguments").cloned().map(Bson::try_from) {
                None => Vec::new(),
                Some(Ok(Bson::Array(arguments))) => arguments,
                Some(_) => {
                    return Err(Error::new(ErrorKind::InvalidParameter, "`arguments` must be a list"));
                }
            };
            auth.call_reset((text("email")?, &secret("password")?), arguments, peer).await?;
        }
    }
    Ok(wire::empty(StatusCode::OK))
}

/// `/auth/api_keys…`, which take the refresh token.
pub(super) async fn api_keys(
    app: &App,
    (call, id): (KeyCall, &str),
    head: &Parts,
    body: &Bytes,
) -> Result<Response<Body>> {
    let actor = app.parts().sessions.actor_of_refresh(bearer_token(&head.headers)?).await?;
    Notes::note(head, |notes| notes.actor(&actor));
    let acting = owner_of(&actor)?;
    if acting.user.identities.iter().all(|identity| identity.provider == "anon-user") {
        return Err(Error::new(ErrorKind::NotPermitted, "anonymous users cannot have API keys"));
    }
    if !app.parts().auth.has_provider("api-key") {
        return Err(Error::new(
            ErrorKind::AuthProviderNotFound,
            "authentication provider not found: `api-key`",
        ));
    }
    let keys: ApiKeys<'_> = app.api_keys().of(acting.user.id);
    Ok(match call {
        KeyCall::Create => {
            let members = json_object(body)?;
            wire::json(StatusCode::CREATED, &keys.create(required_string(&members, "name")?).await?)
        }
        KeyCall::List => wire::json(StatusCode::OK, &keys.list().await?),
        KeyCall::Get => wire::json(StatusCode::OK, &keys.get(id).await?),
        KeyCall::Delete => {
            keys.delete(id).await?;
            wire::empty(StatusCode::NO_CONTENT)
        }
        KeyCall::Enable | KeyCall::Disable => {
            keys.set_disabled(id, call == KeyCall::Disable).await?;
            wire::empty(StatusCode::NO_CONTENT)
        }
    })
}

fn must_authenticate() -> Error {
    Error::new(ErrorKind::MissingAuthReq, "must authenticate first")
}
