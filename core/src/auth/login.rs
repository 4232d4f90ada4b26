//! From a credential to a session.

use std::sync::Arc;

use http::StatusCode;

use super::config::AuthConfig;
use super::credential::{Credential, DeviceInfo};
use super::events::{UserEventKind, UserEvents};
use super::password::PasswordHasher;
use super::profile::Profile;
use super::provider::{Evidence, Proven, Provider, ProviderContext, Purpose, Subject};
use super::providers::{EmailPassword, Providers};
use super::redirect::RedirectProvider;
use super::throttle::{Account, Throttle};
use super::verified::VerifiedCredentials;
use crate::actor::{ActingUser, Actor};
use crate::env::{Egress, Env};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::{FunctionCall, Functions};
use crate::id::{AppId, DeviceId, UserId, fresh_object_id};
use crate::limits::Limits;
use crate::observe::metrics;
use crate::session::{Opening, Sessions, Tokens};
use crate::store::{Registration, Store, User, UserKind};

/// What [`Auth`] is made of.
#[derive(Clone)]
pub struct AuthParts {
    /// The app.
    pub app: AppId,
    /// The app's name, as mails call it.
    pub name: String,
    /// Where accounts are kept.
    pub store: Arc<dyn Store>,
    /// Outside effects.
    pub env: Env,
    /// Password lengths.
    pub limits: Limits,
    /// Shared by all apps of an engine, so that its bound is the machine's.
    pub hasher: Arc<PasswordHasher>,
    /// The app's sessions.
    pub sessions: Arc<Sessions>,
    /// The functions that the app's configuration may name.
    pub functions: Functions,
    /// Who hears of log-ins and of users who come and go.
    pub events: UserEvents,
    /// The servers that may be asked.
    pub egress: Egress,
    /// The base URL that clients reach us by.
    pub public_url: String,
}

/// The log-in of one app.
pub struct Auth {
    pub(super) parts: AuthParts,
    pub(super) verified: VerifiedCredentials,
    providers: Providers,
    user_creation: Option<String>,
}

impl Auth {
    /// The providers as configured; a disabled one is as if it were not there.
    pub fn new(config: &AuthConfig, parts: AuthParts) -> Self {
        let providers = Providers::new(config, &parts);
        let verified = VerifiedCredentials::new(&parts.limits);
        Self { parts, verified, providers, user_creation: config.user_creation_function.clone() }
    }

    /// Logs in through a provider; the first log-in of an identity makes its user.
    ///
    /// # Errors
    /// [`ErrorKind::AuthProviderNotFound`] for a missing or disabled provider; what the provider
    /// says; [`ErrorKind::UserDisabled`] when the credential is right.
    pub async fn login(
        &self,
        provider: &str,
        credential: &Credential,
        device: &DeviceInfo,
    ) -> Result<Tokens> {
        let found = self.providers.named(provider).ok_or_else(|| no_provider(provider))?;
        let outcome = self.login_with(found, (provider, credential), device).await;
        self.count_log_in(provider, &outcome);
        outcome
    }

    async fn login_with(
        &self,
        found: &dyn Provider,
        (provider, credential): (&str, &Credential),
        device: &DeviceInfo,
    ) -> Result<Tokens> {
        let proven = self.prove(provider, Purpose::LogIn, credential, device).await?;
        let (user, tokens) = self.admit(&proven, device).await?;
        if !found.still_stands(&self.context(Purpose::LogIn), &proven).await? {
            self.parts.sessions.logout(&tokens.refresh_token).await?;
            return Err(Error::new(ErrorKind::AuthError, "the credential was withdrawn"));
        }
        let tokens = self.hand_out(&proven, &user, tokens).await?;
        self.remember_device(provider, credential, &tokens).await;
        Ok(tokens)
    }

    /// The provider has to be one that there is: its name becomes a label.
    pub(super) fn count_log_in(&self, provider: &str, outcome: &Result<Tokens>) {
        let outcome = outcome.as_ref().map_or_else(|error| error.kind().code().unwrap_or("none"), |_| "ok");
        metrics::log_in(self.parts.app.as_str(), provider, outcome);
    }

    pub(super) fn email_password(&self) -> Result<&EmailPassword> {
        self.providers.email_password().ok_or_else(|| no_provider("local-userpass"))
    }

    /// Whether there is an enabled provider of this name.
    pub(crate) fn has_provider(&self, name: &str) -> bool {
        self.providers.named(name).is_some()
    }

    pub(super) fn provider_id(&self, name: &str) -> Option<bson::oid::ObjectId> {
        self.providers.named(name).map(|provider| provider.id())
    }

    /// Has a provider prove an identity; what it refuses with 401 counts against the address.
    pub(super) async fn prove(
        &self,
        provider: &str,
        purpose: Purpose,
        credential: &Credential,
        device: &DeviceInfo,
    ) -> Result<Proven> {
        let found = self.providers.named(provider).ok_or_else(|| no_provider(provider))?;
        let cx = ProviderContext { peer: device.peer, device: device.id, ..self.context(purpose) };
        let throttle = Throttle::of(&cx);
        throttle.admit_address(device.peer).await?;
        let outcome = found.authenticate(&cx, credential).await;
        if outcome.as_ref().is_err_and(|error| error.kind().status() == StatusCode::UNAUTHORIZED) {
            throttle.address_failed(device.peer).await?;
        }
        outcome
    }

    /// The next log-in from there is let in while somebody else's failures block the account.
    async fn remember_device(&self, provider: &str, credential: &Credential, tokens: &Tokens) {
        let (Ok(name), Some(device)) = (credential.text("username"), DeviceId::parse(&tokens.device_id))
        else {
            return;
        };
        if provider != Registration::PROVIDER {
            return;
        }
        let remembered = async {
            let account = Account::new(provider, &self.address(name).await?);
            Throttle::of(&self.context(Purpose::LogIn)).remember(account, device).await
        };
        if let Err(error) = remembered.await {
            tracing::warn!(app = %self.parts.app, %error, "a device could not be remembered");
        }
    }

    /// Opens a session for whoever a provider has proved; the first log-in of an identity makes its user. Its
    /// tokens are for [`hand_out`](Self::hand_out).
    pub(super) async fn admit(&self, proven: &Proven, device: &DeviceInfo) -> Result<(User, Tokens)> {
        let user = self.user_of(proven).await?;
        if user.disabled {
            return Err(Error::new(ErrorKind::UserDisabled, "user disabled"));
        }
        let opening = Opening {
            identity: &proven.identity,
            device: device.id,
            client: &device.client,
            lifetime: proven.lifetime,
            epoch: proven.evidence.epoch().unwrap_or(user.epoch),
        };
        let tokens = self.parts.sessions.open(&user, opening).await?;
        Ok((user, tokens))
    }

    /// The tokens of a session that was just opened, unless a listener refuses the log-in: then it ends.
    pub(super) async fn hand_out(&self, proven: &Proven, user: &User, tokens: Tokens) -> Result<Tokens> {
        let event = self.event(UserEventKind::LogIn, user, vec![proven.identity.provider.clone()]);
        if let Err(refused) = self.ask(&event).await {
            match self.parts.sessions.logout(&tokens.refresh_token).await {
                Err(error) if error.kind() != ErrorKind::InvalidSession => {
                    // Nobody has its tokens: it is of no use to anybody until it expires.
                    tracing::warn!(app = %self.parts.app, %error, "a refused session could not be ended");
                }
                _ => {}
            }
            return Err(refused);
        }
        self.tell(&event).await;
        Ok(tokens)
    }

    /// What a client reads of its user.
    ///
    /// # Errors
    /// [`ErrorKind::MissingAuthReq`] for the system, which has no profile.
    pub fn profile(&self, actor: &Actor) -> Result<Profile> {
        let acting = actor
            .acting_user()
            .ok_or_else(|| Error::new(ErrorKind::MissingAuthReq, "must authenticate first"))?;
        Ok(Profile::of(&acting.user, self.parts.sessions.domain()))
    }

    /// The provider of that name, if browsers can be sent to it.
    pub(super) fn redirecting(&self, provider: &str) -> Result<&dyn RedirectProvider> {
        self.providers.redirecting(provider).ok_or_else(|| no_provider(provider))
    }

    pub(super) fn context(&self, purpose: Purpose) -> ProviderContext<'_> {
        let AuthParts { app, store, env, limits, functions, egress, public_url, .. } = &self.parts;
        let store = store.as_ref();
        ProviderContext {
            app,
            store,
            env,
            purpose,
            functions,
            egress,
            public_url,
            limits,
            peer: None,
            device: None,
        }
    }

    async fn user_of(&self, proven: &Proven) -> Result<User> {
        let AuthParts { app, store, env, .. } = &self.parts;
        let user = match proven.subject {
            Subject::User(id) => store.user(app, id).await?.ok_or_else(user_gone)?,
            Subject::Holder(kind) => match self.holder(proven).await? {
                Some(user) => self.renew_data(user, proven).await?,
                // A deleted user is not made again.
                None if matches!(proven.evidence, Evidence::User { .. }) => return Err(user_gone()),
                None => return self.first_login(proven, kind).await,
            },
        };
        if !user.disabled {
            store.touch_user(app, user.id, env.clock.now()).await?;
        }
        Ok(user)
    }

    pub(super) async fn holder(&self, proven: &Proven) -> Result<Option<User>> {
        let AuthParts { app, store, .. } = &self.parts;
        Ok(store.user_by_identity(app, &proven.identity.provider, &proven.identity.id).await?)
    }

    /// Shows a user to the app's function before it is stored (app-services §4.6).
    async fn call_user_creation(&self, user: &User) -> Result<()> {
        let Some(name) = &self.user_creation else { return Ok(()) };
        let (app, provider) = (self.parts.app.clone(), String::new());
        let acting = ActingUser { user: user.clone(), session: None, provider, custom_data: None };
        let argument = Actor::user(app.clone(), acting).as_document();
        let call = FunctionCall::new(Actor::system(app), vec![argument.into()]);
        self.parts.functions.call(name, call).await.map(drop).map_err(|error| match error.kind() {
            ErrorKind::FunctionExecutionError => Error::new(ErrorKind::AuthError, error.hint().to_owned()),
            _ => error,
        })
    }

    pub(super) async fn first_login(&self, proven: &Proven, kind: UserKind) -> Result<User> {
        let env = &self.parts.env;
        let now = env.clock.now();
        let user = User {
            id: UserId::generate(now, env.random.as_ref())?,
            kind,
            disabled: false,
            epoch: 0,
            identities: vec![proven.identity.clone()],
            created_at: now,
            last_login_at: now,
        };
        self.call_user_creation(&user).await?;
        self.create_user(proven, user).await
    }
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Auth({})", self.parts.app)
    }
}

/// `<ObjectId>-<24 random lower-case letters>`, as the original makes identity ids.
pub(super) fn fresh_identity_id(env: &Env) -> Result<String> {
    const LETTERS: usize = 24;
    let mut id = fresh_object_id(env.clock.now(), env.random.as_ref())?.to_hex();
    id.push('-');
    let wanted = id.len() + LETTERS;
    while id.len() < wanted {
        let mut bytes = [0_u8; 32];
        env.random.fill(&mut bytes)?;
        // 234 is the largest multiple of 26 below 256: every letter is equally likely.
        let letters = bytes.iter().filter(|byte| **byte < 234).map(|byte| char::from(b'a' + byte % 26));
        id.extend(letters.take(wanted - id.len()));
    }
    Ok(id)
}

pub(super) fn user_gone() -> Error {
    Error::new(ErrorKind::AuthError, "the user no longer exists")
}

fn no_provider(name: &str) -> Error {
    Error::new(ErrorKind::AuthProviderNotFound, format!("authentication provider not found: `{name}`"))
}
