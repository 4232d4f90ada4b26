//! Opening, checking, refreshing and ending sessions.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bson::Document;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::claims::{self, Claims};
use super::keys::{KeySource, TokenClass, TokenKeys};
use super::tokens::Tokens;
use crate::actor::{ActingUser, Actor};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AppId, DeviceId, DomainId, SessionId, UserId};
use crate::limits::Limits;
use crate::store::{Identity, LiveSession, Session, Store, StoreErrorKind, User};

const ACCESS_LIFETIME: TimeDelta = TimeDelta::minutes(30);
/// Five years.
const LONGEST_LIFETIME: TimeDelta = TimeDelta::days(5 * 365);
/// How far another machine's clock may be ahead.
const ISSUED_AHEAD: i64 = 5;
const TOUCH_EVERY: TimeDelta = TimeDelta::minutes(1);
const REVOKE_ATTEMPTS: usize = 8;

/// The text of every refusal that says nothing more.
const INVALID: &str = "invalid session";
/// The original's text; clients look for it.
const EXPIRED: &str = "invalid session: access token expired";
/// realm-web takes a log-out that fails with this phrase for one that succeeded.
const DEAD_REFRESH: &str = "invalid session: failed to find refresh token";

/// Reads the custom user data of a user; asked at every log-in and every refresh.
#[async_trait]
pub trait CustomData: Send + Sync {
    /// The data as they are now.
    ///
    /// **Behaviour**
    /// - a user without data is `On(None)`; a store that fails is an error, never absence.
    async fn custom_data(&self, user: &User) -> Result<CustomUserData>;
}

/// What a token says about custom user data.
#[derive(Clone, Debug, PartialEq)]
pub enum CustomUserData {
    /// The app has none: no claim.
    Off,
    /// The user's document; without one the claim is `{}`.
    On(Option<Document>),
}

/// For apps without custom user data.
#[derive(Clone, Copy, Debug)]
pub struct NoCustomData;

#[async_trait]
impl CustomData for NoCustomData {
    async fn custom_data(&self, _user: &User) -> Result<CustomUserData> {
        Ok(CustomUserData::Off)
    }
}

/// How long a session lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionLifetime {
    /// As the app is configured.
    Configured,
    /// Five years: for users who have no way to log in again.
    Longest,
}

/// What a session is opened with.
#[derive(Clone, Debug)]
pub struct Opening<'a> {
    /// The identity that was proved.
    pub identity: &'a Identity,
    /// The device that the client names; without one it gets a fresh id.
    pub device: Option<DeviceId>,
    /// What else it says of its device; kept to be shown with the session.
    pub client: &'a Document,
    /// How long it lives.
    pub lifetime: SessionLifetime,
    /// The user's epoch when the proof was read: what ended all sessions since, ends this one.
    pub epoch: u32,
}

/// What [`Sessions`] are made of.
#[derive(Clone)]
pub struct SessionSettings {
    /// The app.
    pub app: AppId,
    /// Its identity inside tokens.
    pub domain: DomainId,
    /// Where sessions, users and keys are kept.
    pub store: Arc<dyn Store>,
    /// Time and randomness.
    pub env: Env,
    /// Token and custom data sizes.
    pub limits: Limits,
    /// How long a session lives.
    pub refresh_lifetime: Duration,
    /// Custom user data.
    pub custom_data: Arc<dyn CustomData>,
}

/// The sessions of one app.
pub struct Sessions {
    pub(super) settings: SessionSettings,
    pub(super) keys: TokenKeys,
}

impl Sessions {
    /// Loads the app's keys, or makes the first one.
    ///
    /// # Errors
    /// A weak or badly named key; a store that fails.
    pub async fn start(settings: SessionSettings, source: KeySource) -> Result<Self> {
        let (app, store) = (settings.app.clone(), Arc::clone(&settings.store));
        let keys = TokenKeys::load(app, store, settings.env.clone(), source).await?;
        Ok(Self { settings, keys })
    }

    /// The app's identity inside tokens.
    pub fn domain(&self) -> DomainId {
        self.settings.domain
    }

    /// Opens a session for a user who has proved an identity.
    pub async fn open(&self, user: &User, opening: Opening<'_>) -> Result<Tokens> {
        let settings = &self.settings;
        let now = settings.env.clock.now();
        let random = settings.env.random.as_ref();
        let device = match opening.device.filter(|device| *device != DeviceId::NONE) {
            Some(device) => device,
            None => DeviceId::generate(now, random)?,
        };
        let user_data = self.user_data(user).await?;
        let session = Session {
            id: SessionId::generate(now, random)?,
            user: user.id,
            provider: opening.identity.provider.clone(),
            identity: opening.identity.id.clone(),
            device,
            created_at: now,
            expires_at: later(now, self.lifetime(opening.lifetime)),
            last_seen_at: now,
            epoch: opening.epoch,
            generation: 0,
        };
        let access_token = self.access_token(&session, now, user_data.as_deref()).await?;
        let claims = self.claims(&session, now, session.expires_at);
        let payload = claims.refresh_payload(opening.identity).map_err(Error::internal)?;
        let refresh_token = self.keys.sign(TokenClass::Refresh, &payload).await?;
        let inserted = settings.store.insert_session(&settings.app, &session, opening.client).await;
        inserted.map_err(|error| match error.kind() {
            StoreErrorKind::Conflict => Error::new(ErrorKind::AuthError, "the user no longer exists"),
            _ => error.into(),
        })?;
        Ok(Tokens { access_token, refresh_token, user_id: user.id.to_hex(), device_id: device.to_hex() })
    }

    /// Who an access token stands for.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSession`] whatever is wrong with it or its session;
    /// [`ErrorKind::Unavailable`] when the store is busy.
    pub async fn authenticate(&self, access_token: &str) -> Result<Actor> {
        let settings = &self.settings;
        let payload = self.payload(TokenClass::Access, access_token).await?;
        let (claims, user_data) = Claims::read_access(&payload).ok_or_else(|| refused(INVALID))?;
        self.check_claims(&claims)?;
        if self.now_in_seconds() >= claims.expires_at {
            return Err(refused(EXPIRED));
        }
        let live = self.live(&claims).await?.ok_or_else(|| refused(INVALID))?;
        let custom_data = match user_data {
            Some(raw) => Some(claims::read_user_data(raw).ok_or_else(|| refused(INVALID))?),
            None => None,
        };
        let LiveSession { session, user } = live;
        let acting = ActingUser { user, session: Some(session.id), provider: session.provider, custom_data };
        Ok(Actor::user(settings.app.clone(), acting))
    }

    /// A new access token, with the custom user data as they are now.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate).
    pub async fn refresh(&self, refresh_token: &str) -> Result<String> {
        self.refreshed(refresh_token).await.map(|(access_token, _)| access_token)
    }

    /// As [`refresh`](Self::refresh), with the session.
    pub(crate) async fn refreshed(&self, refresh_token: &str) -> Result<(String, Session)> {
        let settings = &self.settings;
        let claims = self.refresh_claims(refresh_token).await?;
        let live = self.live(&claims).await?.ok_or_else(|| refused(DEAD_REFRESH))?;
        let user_data = self.user_data(&live.user).await?;
        let now = settings.env.clock.now();
        if now - live.session.last_seen_at >= TOUCH_EVERY {
            settings.store.touch_session(&settings.app, live.session.id, now).await?;
        }
        let access_token = self.access_token(&live.session, now, user_data.as_deref()).await?;
        Ok((access_token, live.session))
    }

    /// Ends the session of a refresh token, access tokens included.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate); a session that is dead already is one that
    /// cannot be found.
    pub async fn logout(&self, refresh_token: &str) -> Result<()> {
        self.end(refresh_token).await.map(drop)
    }

    /// As [`logout`](Self::logout), with the session that there was.
    pub(crate) async fn end(&self, refresh_token: &str) -> Result<Session> {
        let settings = &self.settings;
        let claims = self.refresh_claims(refresh_token).await?;
        let live = self.live(&claims).await?;
        let ended = settings.store.delete_session(&settings.app, claims.session).await?;
        live.filter(|_| ended).map(|live| live.session).ok_or_else(|| refused(DEAD_REFRESH))
    }

    /// Ends every session of a user, also those that a log-in under way is about to open.
    ///
    /// # Errors
    /// [`ErrorKind::UserNotFound`]; a store that fails.
    pub async fn revoke_all(&self, user: UserId) -> Result<()> {
        let settings = &self.settings;
        for _ in 0..REVOKE_ATTEMPTS {
            let found = settings.store.user(&settings.app, user).await?;
            let found = found.ok_or_else(|| Error::new(ErrorKind::UserNotFound, "user not found"))?;
            let revoked = User { epoch: found.epoch.saturating_add(1), ..found.clone() };
            match settings.store.replace_user(&settings.app, &revoked, &found).await {
                Ok(()) => {
                    settings.store.delete_sessions_of(&settings.app, user, None).await?;
                    return Ok(());
                }
                Err(error) if error.kind() == StoreErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "the user is being changed, try again").with_retry_after(1))
    }

    /// The custom user data as an access token made now would carry them.
    pub(crate) async fn custom_data(&self, user: &User) -> Result<Option<Document>> {
        Ok(self.user_data(user).await?.as_deref().and_then(claims::read_user_data))
    }

    async fn payload(&self, class: TokenClass, token: &str) -> Result<Vec<u8>> {
        let verified = self.keys.verify(class, token, self.settings.limits.own_token).await?;
        verified.ok_or_else(|| refused(INVALID))
    }

    pub(super) async fn refresh_claims(&self, token: &str) -> Result<Claims> {
        let payload = self.payload(TokenClass::Refresh, token).await?;
        let claims = Claims::read_refresh(&payload).ok_or_else(|| refused(INVALID))?;
        self.check_claims(&claims)?;
        if self.now_in_seconds() >= claims.expires_at {
            return Err(refused(DEAD_REFRESH));
        }
        Ok(claims)
    }

    fn check_claims(&self, claims: &Claims) -> Result<()> {
        let from_the_future = claims.issued_at > self.now_in_seconds().saturating_add(ISSUED_AHEAD);
        if claims.domain != self.settings.domain || from_the_future || claims.expires_at <= claims.issued_at {
            return Err(refused(INVALID));
        }
        Ok(())
    }

    /// The session, if it and its user still stand behind the token.
    pub(super) async fn live(&self, claims: &Claims) -> Result<Option<LiveSession>> {
        let settings = &self.settings;
        let found = settings.store.live_session(&settings.app, claims.session).await?;
        Ok(found.filter(|LiveSession { session, user }| {
            session.user == claims.user
                && user.id == claims.user
                && session.device == claims.device
                && session.epoch == user.epoch
                && !user.disabled
                && settings.env.clock.now() < session.expires_at
        }))
    }

    pub(super) async fn user_data(&self, user: &User) -> Result<Option<Box<RawValue>>> {
        let data = match self.settings.custom_data.custom_data(user).await? {
            CustomUserData::Off => return Ok(None),
            CustomUserData::On(data) => data.unwrap_or_default(),
        };
        let raw = claims::write_user_data(data).map_err(Error::internal)?;
        let most = self.settings.limits.custom_data;
        if raw.get().len() > most {
            return Err(Error::new(ErrorKind::AuthError, format!("custom user data exceed {most} bytes")));
        }
        // A token that we could not read again would send its client round in circles.
        if claims::read_user_data(&raw).is_none() {
            return Err(Error::new(
                ErrorKind::AuthError,
                "custom user data cannot be written as extended JSON",
            ));
        }
        Ok(Some(raw))
    }

    pub(super) async fn access_token(
        &self,
        session: &Session,
        now: DateTime<Utc>,
        user_data: Option<&RawValue>,
    ) -> Result<String> {
        let claims = self.claims(session, now, later(now, ACCESS_LIFETIME));
        let payload = claims.access_payload(user_data).map_err(Error::internal)?;
        let token = self.keys.sign(TokenClass::Access, &payload).await?;
        let most = self.settings.limits.own_token;
        if token.len() > most {
            let text = format!("custom user data make the access token exceed {most} bytes");
            return Err(Error::new(ErrorKind::AuthError, text));
        }
        Ok(token)
    }

    fn claims(&self, session: &Session, now: DateTime<Utc>, expires_at: DateTime<Utc>) -> Claims {
        Claims {
            user: session.user,
            session: session.id,
            device: session.device,
            domain: self.settings.domain,
            issued_at: now.timestamp(),
            expires_at: expires_at.timestamp(),
        }
    }

    fn lifetime(&self, lifetime: SessionLifetime) -> TimeDelta {
        match lifetime {
            SessionLifetime::Longest => LONGEST_LIFETIME,
            SessionLifetime::Configured => {
                TimeDelta::from_std(self.settings.refresh_lifetime).unwrap_or(LONGEST_LIFETIME)
            }
        }
    }

    fn now_in_seconds(&self) -> i64 {
        self.settings.env.clock.now().timestamp()
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sessions({})", self.settings.app)
    }
}

fn refused(text: &'static str) -> Error {
    Error::new(ErrorKind::InvalidSession, text)
}

pub(super) fn invalid() -> Error {
    refused(INVALID)
}

pub(super) fn dead_refresh() -> Error {
    refused(DEAD_REFRESH)
}

pub(super) fn no_user() -> Error {
    Error::new(ErrorKind::UserNotFound, "user not found")
}

fn later(now: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    now.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
