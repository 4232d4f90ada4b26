//! What an operator does with a store: `api-keys`, `users` and `keys`.

use std::future::Future;
use std::sync::Arc;

use backstitch::app::AppConfig;
use backstitch::auth::ResetToken;
use backstitch::auth::config::{EmailPasswordConfig, ProviderKind};
use backstitch::engine::{App, Engine};
use backstitch::env::Env;
use backstitch::error::{Error, ErrorKind};
use backstitch::id::{AppId, SessionId, UserId};
use backstitch::secret::Secret;
use backstitch::store::{DOMAIN_ID, KeyAlgorithm, Registration, Session, Store, User};
use serde_json::{Value, json};

use crate::Failure;
use crate::args::{ApiKeyVerb, ApiKeys, KeyVerb, Keys, Place as Target, UserVerb, Users};
use crate::store::Place;
use crate::transfer::{export_users, import_users};

/// Users that one page of a listing has.
const PAGE: usize = 100;

pub(crate) fn api_keys(args: &ApiKeys) -> Result<(), Failure> {
    with_app(&args.place, async |app| {
        let keys = app.api_keys();
        match &args.verb {
            ApiKeyVerb::Create { name } => keys.create(name).await.map(|key| json!(key)),
            ApiKeyVerb::List => keys.list().await.map(|keys| json!(keys)),
            ApiKeyVerb::Enable { id } => keys.set_disabled(id, false).await.map(|()| Value::Null),
            ApiKeyVerb::Disable { id } => keys.set_disabled(id, true).await.map(|()| Value::Null),
            ApiKeyVerb::Delete { id } => keys.delete(id).await.map(|()| Value::Null),
        }
    })
}

pub(crate) fn users(args: &Users) -> Result<(), Failure> {
    match &args.verb {
        UserVerb::Import { file, strict } => {
            return with_app(&args.place, async |app| import_users(&app, file, *strict).await);
        }
        UserVerb::Export { file, with_hashes } => {
            return with_app(&args.place, async |app| export_users(&app, file, *with_hashes).await);
        }
        _ => {}
    }
    let secret = secret_for(&args.verb)?;
    with_app(&args.place, async |app| {
        let users = app.users();
        match &args.verb {
            UserVerb::List { after } => {
                let after = after.as_deref().map(user_id).transpose()?;
                let listed = users.list(after, PAGE).await?;
                return Ok(listed.iter().map(shown).collect());
            }
            UserVerb::Show { user } => return Ok(shown(&users.get(user_id(user)?).await?)),
            UserVerb::Pending { after } => {
                let waiting = users.pending(after.as_deref(), PAGE).await?;
                let shown = |one: &Registration| json!({ "email": one.email, "created": one.created_at });
                return Ok(waiting.iter().map(shown).collect());
            }
            UserVerb::Sessions { user } => {
                let user = users.get(user_id(user)?).await?;
                let sessions = users.sessions(user.id).await?;
                return Ok(sessions.iter().map(|listed| shown_session(&listed.session)).collect());
            }
            UserVerb::Create { email } => users.create(email, &secret).await,
            UserVerb::ImportHash { email } => users.import(email, &secret).await,
            UserVerb::ResetLink { email, page } => {
                return users.reset_token(email).await.map(|reset| reset_link(&reset, page.as_deref()));
            }
            UserVerb::Import { .. } | UserVerb::Export { .. } => Ok(()),
            UserVerb::SetPassword { email } => users.set_password(email, &secret).await,
            UserVerb::Confirm { email } => users.confirm(email).await,
            UserVerb::DeletePending { email } => users.delete_pending(email).await,
            UserVerb::Disable { user } => users.disable(user_id(user)?).await,
            UserVerb::Enable { user } => users.enable(user_id(user)?).await,
            UserVerb::EndSession { user, session } => {
                let ended = match SessionId::parse(session) {
                    Some(session) => users.end_session(user_id(user)?, session).await?,
                    None => false,
                };
                let no_session = || Error::new(ErrorKind::UserNotFound, "the user has no such session");
                ended.then_some(()).ok_or_else(no_session)
            }
            UserVerb::LogOut { user } => users.log_out(user_id(user)?).await,
            UserVerb::Delete { user } => users.delete(user_id(user)?).await,
        }
        .map(|()| Value::Null)
    })
}

/// The password, or its hash, for the verbs that need one.
fn secret_for(verb: &UserVerb) -> Result<Secret, Failure> {
    let variable = match verb {
        UserVerb::Create { .. } | UserVerb::SetPassword { .. } => "BACKSTITCH_PASSWORD",
        UserVerb::ImportHash { .. } => "BACKSTITCH_PASSWORD_HASH",
        _ => return Ok(Secret::new("")),
    };
    let missing = |_| Failure::usage(format!("put it into the environment variable {variable}"));
    std::env::var(variable).map(Secret::new).map_err(missing)
}

pub(crate) fn keys(args: &Keys) -> Result<(), Failure> {
    with_app(&args.place, async |app| match &args.verb {
        KeyVerb::Rotate { algorithm } => {
            let algorithm = match algorithm.as_str() {
                "ES256" => KeyAlgorithm::Es256,
                "EdDSA" => KeyAlgorithm::EdDsa,
                _ => KeyAlgorithm::Hs256,
            };
            app.rotate_signing_keys(algorithm).await.map(|()| Value::Null)
        }
    })
}

fn user_id(text: &str) -> Result<UserId, Error> {
    let no_id = || Error::new(ErrorKind::UserNotFound, format!("`{text}` is no user id"));
    UserId::parse(text).ok_or_else(no_id)
}

fn shown(user: &User) -> Value {
    let providers: Vec<&str> = user.identities.iter().map(|identity| identity.provider.as_str()).collect();
    json!({
        "_id": user.id.to_hex(), "type": user.kind.as_str(), "disabled": user.disabled,
        "providers": providers, "data": user.data(), "created": user.created_at, "lastLogin": user.last_login_at,
    })
}

fn shown_session(session: &Session) -> Value {
    json!({
        "_id": session.id.to_hex(), "provider": session.provider, "device": session.device.to_hex(),
        "created": session.created_at, "lastSeen": session.last_seen_at, "expires": session.expires_at,
    })
}

/// What a mail would say, for a page that takes `token` and `tokenId`.
fn reset_link(reset: &ResetToken, page: Option<&str>) -> Value {
    let (token, id) = (reset.token.expose(), &reset.token_id);
    match page {
        Some(page) => {
            let joint = if page.contains('?') { '&' } else { '?' };
            json!({ "link": format!("{page}{joint}token={token}&tokenId={id}") })
        }
        None => json!({ "token": token, "tokenId": id }),
    }
}

/// Opens the store as that app, without a directory: accounts need no collections.
fn with_app<F, E>(target: &Target, work: impl FnOnce(App) -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<Value, E>>,
    Failure: Told<E>,
{
    let config = AppConfig::new("operator")
        .with_id(AppId::new(target.app.as_str()))
        .provider(ProviderKind::ApiKey)
        .provider(ProviderKind::EmailPassword(EmailPasswordConfig::automatic()));
    with_store(target, async |store, env: &Env| {
        let builder = Engine::builder().store(store).env(env.clone()).public_url("http://localhost");
        let engine = builder.app(config).build().await.map_err(Failure::negative)?;
        let app = engine.app(&target.app).cloned();
        let app = app.ok_or_else(|| Failure::negative("the app is not there"))?;
        match work(app).await.map_err(Failure::told)? {
            Value::Null => {}
            Value::Array(lines) => lines.iter().for_each(|line| println!("{line}")),
            one => println!("{one}"),
        }
        Ok(())
    })
}

/// What a command failed with, said to whoever typed it.
trait Told<E> {
    fn told(error: E) -> Self;
}

impl Told<Error> for Failure {
    fn told(error: Error) -> Self {
        Self::negative(error)
    }
}

impl Told<Self> for Failure {
    fn told(error: Self) -> Self {
        error
    }
}

/// Opens a store in which the app is; a mistyped name is not to make one.
pub(crate) fn with_store(
    target: &Target,
    work: impl AsyncFnOnce(Arc<dyn Store>, &Env) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if target.app.is_empty() {
        return Err(Failure::usage("name the app with --app ID"));
    }
    let place = Place::parse(&target.store)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::negative(format!("cannot start the runtime: {error}")))?;
    runtime.block_on(async {
        let env = Env::system();
        let store = place.open_existing(&env).await?;
        let id = AppId::new(target.app.as_str());
        // Building an engine would make the app, whatever its name.
        if store.meta(&id, DOMAIN_ID).await.map_err(Failure::negative)?.is_none() {
            let text = format!("{place} has no app `{id}`: it is there once it was served");
            return Err(Failure::negative(text));
        }
        work(store, &env).await
    })
}
