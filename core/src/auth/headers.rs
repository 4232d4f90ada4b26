//! A credential in a request's own headers: a log-in for that one request, without a session.

use std::net::IpAddr;

use bson::{Document, doc};
use http::HeaderMap;

use super::credential::{Credential, DeviceInfo};
use super::login::Auth;
use super::provider::{Proven, Purpose, Subject};
use super::throttle::{Account, Throttle};
use super::verified::VerifiedUser;
use crate::actor::{ActingUser, Actor};
use crate::error::{Error, ErrorKind, Result};
use crate::id::UserId;
use crate::store::{Registration, User, UserKind};

/// What the headers offer.
enum Offered<'h> {
    Password { email: &'h str, password: &'h str },
    ApiKey(&'h str),
    Token(&'h str),
}

impl Auth {
    /// Who the credential headers stand for: `email` and `password`, `apiKey`, or `jwtTokenString`.
    ///
    /// No session is opened, and nobody becomes a user by it but a server.
    ///
    /// # Errors
    /// [`ErrorKind::MissingAuthReq`] without such headers; [`ErrorKind::InvalidAuthReq`] when they are not
    /// one credential; otherwise as [`login`](Self::login).
    pub(crate) async fn authenticate_headers(
        &self,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
    ) -> Result<Actor> {
        let user = match Offered::read(headers)? {
            Offered::Password { email, password } => self.user_by_password(email, password, peer).await?,
            Offered::ApiKey(key) => self.user_by("api-key", doc! { "key": key }, peer).await?.0,
            Offered::Token(token) => self.user_by("custom-token", doc! { "token": token }, peer).await?.0,
        };
        self.actor_of(user).await
    }

    /// A user, to act as without a session.
    ///
    /// # Errors
    /// [`ErrorKind::UserNotFound`]; [`ErrorKind::UserDisabled`].
    pub(crate) async fn act_as(&self, user: UserId) -> Result<Actor> {
        let found = self.parts.store.user(&self.parts.app, user).await?;
        let found = found.ok_or_else(|| Error::new(ErrorKind::UserNotFound, "user not found"))?;
        if found.disabled {
            return Err(Error::new(ErrorKind::UserDisabled, "user disabled"));
        }
        self.actor_of(found).await
    }

    async fn actor_of(&self, user: User) -> Result<Actor> {
        let custom_data = self.parts.sessions.custom_data(&user).await?;
        let acting = ActingUser { user, session: None, provider: String::new(), custom_data };
        Ok(Actor::user(self.parts.app.clone(), acting))
    }

    /// A password that was right a moment ago is not hashed again, but is throttled like any other.
    async fn user_by_password(&self, email: &str, password: &str, peer: Option<IpAddr>) -> Result<User> {
        let parts = &self.parts;
        let email = &*self.address(email).await?;
        let key = self.verified.key(parts.env.random.as_ref(), &parts.app, email, password)?;
        if let Some(known) = self.verified.get(key, parts.env.clock.now()) {
            let cx = self.context(Purpose::LogIn);
            let throttle = Throttle::of(&cx);
            throttle.admit_address(peer).await?;
            throttle.admit(Account::new(Registration::PROVIDER, email), None).await?;
            let user = parts.store.user(&parts.app, known.user).await?;
            if let Some(user) = user.filter(|user| known.is_still(user)) {
                return Ok(user);
            }
            self.verified.forget(key);
        }
        let fields = doc! { "username": email, "password": password };
        let (user, proven) = self.user_by(Registration::PROVIDER, fields, peer).await?;
        if let Some(epoch) = proven.evidence.epoch() {
            let verified = VerifiedUser { user: user.id, epoch, identity: proven.identity.id };
            self.verified.put(key, verified, parts.env.clock.now());
        }
        Ok(user)
    }

    async fn user_by(
        &self,
        provider: &str,
        fields: Document,
        peer: Option<IpAddr>,
    ) -> Result<(User, Proven)> {
        let device = DeviceInfo { peer, ..DeviceInfo::default() };
        let proven = self.prove(provider, Purpose::LogIn, &Credential::new(fields), &device).await?;
        let user = match proven.subject {
            Subject::User(id) => self.parts.store.user(&self.parts.app, id).await?,
            Subject::Holder(kind) => match self.holder(&proven).await? {
                Some(user) => Some(self.renew_data(user, &proven).await?),
                // A server's key is the app's own: nobody unknown comes in by it.
                None if kind == UserKind::Server => Some(self.first_login(&proven, kind).await?),
                None => None,
            },
        };
        let user =
            user.ok_or_else(|| Error::new(ErrorKind::AuthError, "no user has logged in with this yet"))?;
        if user.disabled {
            return Err(Error::new(ErrorKind::UserDisabled, "user disabled"));
        }
        if proven.evidence.epoch().is_some_and(|epoch| epoch != user.epoch) {
            return Err(Error::new(ErrorKind::AuthError, "the account has just been changed"));
        }
        Ok((user, proven))
    }
}

impl<'h> Offered<'h> {
    fn read(headers: &'h HeaderMap) -> Result<Self> {
        let [email, password, key, token] =
            ["email", "password", "apikey", "jwttokenstring"].map(|name| one(headers, name));
        match (email?, password?, key?, token?) {
            (Some(email), Some(password), None, None) => Ok(Self::Password { email, password }),
            (None, None, Some(key), None) => Ok(Self::ApiKey(key)),
            (None, None, None, Some(token)) => Ok(Self::Token(token)),
            (None, None, None, None) => Err(Error::new(ErrorKind::MissingAuthReq, "must authenticate first")),
            _ => Err(malformed()),
        }
    }
}

/// The header's text, which may be any UTF-8; one that comes twice means nothing.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (std::str::from_utf8(value.as_bytes()), values.next()) {
        (Ok(text), None) => Ok(Some(text)),
        _ => Err(malformed()),
    }
}

fn malformed() -> Error {
    let text = "the headers must be one credential: `email` and `password`, `apiKey`, or `jwtTokenString`";
    Error::new(ErrorKind::InvalidAuthReq, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &str)]) -> std::result::Result<&'static str, ErrorKind> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        match Offered::read(&map) {
            Ok(Offered::Password { .. }) => Ok("password"),
            Ok(Offered::ApiKey(_)) => Ok("key"),
            Ok(Offered::Token(_)) => Ok("token"),
            Err(error) => Err(error.kind()),
        }
    }

    #[test]
    fn exactly_one_credential_is_read() {
        for (headers, expected) in [
            (&[][..], Err(ErrorKind::MissingAuthReq)),
            (&[("email", "a"), ("password", "b")], Ok("password")),
            (&[("email", "a"), ("password", "p\u{e4}ss")], Ok("password")),
            (&[("apiKey", "k")], Ok("key")),
            (&[("jwtTokenString", "t")], Ok("token")),
            (&[("email", "a")], Err(ErrorKind::InvalidAuthReq)),
            (&[("password", "a")], Err(ErrorKind::InvalidAuthReq)),
            (&[("apiKey", "k"), ("apiKey", "k")], Err(ErrorKind::InvalidAuthReq)),
            (&[("apiKey", "k"), ("jwtTokenString", "t")], Err(ErrorKind::InvalidAuthReq)),
        ] {
            assert_eq!(read(headers), expected, "{headers:?}");
        }
    }
}
