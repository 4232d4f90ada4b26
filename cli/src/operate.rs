//! What an operator does with a store: `api-keys`, `users` and `keys`.

use std::future::Future;

use backstitch::app::AppConfig;
use backstitch::auth::config::{EmailPasswordConfig, ProviderKind};
use backstitch::engine::{App, Engine};
use backstitch::env::Env;
use backstitch::error::Error;
use backstitch::id::{AppId, UserId};
use backstitch::secret::Secret;
use backstitch::store::{KeyAlgorithm, User};
use serde_json::{Value, json};

use crate::Failure;
use crate::args::{ApiKeyVerb, ApiKeys, KeyVerb, Keys, Place as Target, UserVerb, Users};
use crate::store::Place;

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
    let password = || std::env::var("BACKSTITCH_PASSWORD").map(Secret::new);
    let asked = || Failure::usage("put the password into BACKSTITCH_PASSWORD");
    let needs_one = matches!(args.verb, UserVerb::Create { .. } | UserVerb::SetPassword { .. });
    let password = if needs_one { password().map_err(|_| asked())? } else { Secret::new("") };
    with_app(&args.place, async |app| {
        let users = app.users();
        match &args.verb {
            UserVerb::List { after } => {
                let after = after.as_deref().map(user_id).transpose()?;
                let listed = users.list(after, PAGE).await?;
                return Ok(listed.iter().map(shown).collect());
            }
            UserVerb::Pending => {
                let waiting = users.pending(None, PAGE).await?;
                return Ok(waiting.iter().map(|one| json!({ "email": one.email })).collect());
            }
            UserVerb::Sessions { user } => {
                let sessions = users.sessions(user_id(user)?).await?;
                let shown = sessions.iter().map(|listed| {
                    let session = &listed.session;
                    json!({
                        "_id": session.id.to_hex(), "provider": session.provider,
                        "device": session.device.to_hex(), "created": session.created_at,
                        "expires": session.expires_at,
                    })
                });
                return Ok(shown.collect());
            }
            UserVerb::Create { email } => users.create(email, &password).await,
            UserVerb::SetPassword { email } => users.set_password(email, &password).await,
            UserVerb::Confirm { email } => users.confirm(email).await,
            UserVerb::Disable { user } => users.disable(user_id(user)?).await,
            UserVerb::Enable { user } => users.enable(user_id(user)?).await,
            UserVerb::LogOut { user } => users.log_out(user_id(user)?).await,
            UserVerb::Delete { user } => users.delete(user_id(user)?).await,
        }
        .map(|()| Value::Null)
    })
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
    let no_id = || Error::new(backstitch::error::ErrorKind::UserNotFound, format!("`{text}` is no user id"));
    UserId::parse(text).ok_or_else(no_id)
}

fn shown(user: &User) -> Value {
    let providers: Vec<&str> = user.identities.iter().map(|identity| identity.provider.as_str()).collect();
    json!({
        "_id": user.id.to_hex(), "type": user.kind.as_str(), "disabled": user.disabled,
        "providers": providers, "data": user.data(), "created": user.created_at, "lastLogin": user.last_login_at,
    })
}

/// Opens the store as that app, without a directory: accounts need no collections.
fn with_app<F>(target: &Target, work: impl FnOnce(App) -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<Value, Error>>,
{
    if target.app.is_empty() {
        return Err(Failure::usage("name the app with --app ID"));
    }
    let place = Place::parse(&target.store)?;
    let config = AppConfig::new("operator")
        .with_id(AppId::new(target.app.as_str()))
        .provider(ProviderKind::ApiKey)
        .provider(ProviderKind::EmailPassword(EmailPasswordConfig::automatic()));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::negative(format!("cannot start the runtime: {error}")))?;
    runtime.block_on(async {
        let env = Env::system();
        let builder = Engine::builder().store(place.open(&env)?).env(env).public_url("http://localhost");
        let engine = builder.app(config).build().await.map_err(Failure::negative)?;
        let app = engine.app(&target.app).cloned();
        let app = app.ok_or_else(|| Failure::negative("the app is not there"))?;
        let answer = work(app).await.map_err(Failure::negative)?;
        match answer {
            Value::Null => {}
            Value::Array(lines) => lines.iter().for_each(|line| println!("{line}")),
            one => println!("{one}"),
        }
        Ok(())
    })
}
