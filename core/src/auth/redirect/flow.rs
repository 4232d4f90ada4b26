//! The two halves of a log-in by redirect: sending the browser away, and receiving it again.

use std::net::IpAddr;

use chrono::TimeDelta;
use http::StatusCode;

use super::callback_url;
use super::provider::{Challenge, CodeAnswer, RedirectProvider};
use super::state::{Linking, Pending, StateParameter, binding, fresh_secret};
use crate::auth::credential::DeviceInfo;
use crate::auth::login::Auth;
use crate::auth::provider::Purpose;
use crate::auth::throttle::Throttle;
use crate::error::{Error, ErrorKind, Result};
use crate::session::Tokens;
use crate::store::{LiveSession, Ticket, User};

/// How long somebody may take at the service.
const LIFETIME: TimeDelta = TimeDelta::minutes(30);
/// What a client wants to see again; the official ones send twelve letters.
const MAX_CLIENT_STATE: usize = 1024;

/// What a client begins with.
pub(crate) struct RedirectRequest {
    /// Where the log-in is to end.
    pub(crate) redirect: String,
    /// What the client wants to see again.
    pub(crate) state: String,
    /// The device.
    pub(crate) device: DeviceInfo,
    /// Who adds an identity; `None` to log in.
    pub(crate) linking: Option<Linking>,
}

/// Where the browser goes, and what it has to keep.
pub(crate) struct RedirectStart {
    /// The service's page.
    pub(crate) url: String,
    /// Names the cookie.
    pub(crate) state: StateParameter,
    /// The cookie's value.
    pub(crate) cookie: String,
    /// Whether the cookie has to come along when another site posts to us.
    pub(crate) cross_site: bool,
    /// How long the cookie is good for.
    pub(crate) lifetime: TimeDelta,
}

/// What the browser comes back with.
pub(crate) struct Callback {
    /// Our state.
    pub(crate) state: StateParameter,
    /// The code, on success.
    pub(crate) code: Option<String>,
    /// The service's error code, otherwise.
    pub(crate) error: Option<String>,
    /// The issuer (RFC 9207).
    pub(crate) issuer: Option<String>,
    /// The address that the browser came from.
    pub(crate) peer: Option<IpAddr>,
}

/// How a log-in by redirect has ended, to be told at a listed address.
pub(crate) struct RedirectResult {
    /// The provider.
    pub(crate) provider: String,
    /// The address.
    pub(crate) redirect: String,
    /// What the client wants to see again.
    pub(crate) client_state: String,
    /// Whether it was a link.
    pub(crate) linked: bool,
    /// The tokens, or why there are none.
    pub(crate) outcome: Result<Tokens>,
}

impl Auth {
    /// Begins: makes the ticket and says where the browser is to go.
    ///
    /// # Errors
    /// [`ErrorKind::AuthProviderNotFound`]; [`ErrorKind::InvalidRedirectUri`] for an address that is not
    /// listed; what the service's discovery fails with.
    pub(crate) async fn start_redirect(&self, name: &str, request: RedirectRequest) -> Result<RedirectStart> {
        let provider = self.redirecting(name)?;
        self.throttle().admit_address(request.device.peer).await?;
        check_listed(provider, &request.redirect)?;
        if request.state.len() > MAX_CLIENT_STATE {
            let text = format!("`state` is longer than {MAX_CLIENT_STATE} bytes");
            return Err(Error::new(ErrorKind::InvalidParameter, text));
        }
        let parts = &self.parts;
        let random = parts.env.random.as_ref();
        let state = StateParameter::generate(&parts.app, random)?;
        let cookie = fresh_secret(random)?;
        let pending = Pending {
            provider: name.to_owned(),
            verifier: fresh_secret(random)?,
            nonce: fresh_secret(random)?,
            client_state: request.state,
            redirect: request.redirect,
            device: request.device.id.map(|id| id.to_hex()),
            client: request.device.client,
            browser: binding(&cookie),
            linking: request.linking.map(Into::into),
        };
        let challenge = Challenge {
            callback: &callback_url(&parts.public_url),
            state: state.as_str(),
            nonce: &pending.nonce,
            verifier: &pending.verifier,
        };
        let purpose = if request.linking.is_some() { Purpose::Link } else { Purpose::LogIn };
        let url = provider.authorization_url(&self.context(purpose), challenge).await?;
        let expires_at = parts.env.clock.now() + LIFETIME;
        let ticket = Ticket { key: state.key(), payload: pending.write()?, expires_at };
        parts.store.put_ticket(&parts.app, &ticket).await?;
        Ok(RedirectStart { url, state, cookie, cross_site: provider.posts_its_answer(), lifetime: LIFETIME })
    }

    /// Ends: uses up the ticket and logs in, or links.
    ///
    /// # Errors
    /// [`ErrorKind::AuthError`] when it is not known where the browser may be sent: no such log-in is under
    /// way, or another browser began it, or the address is not listed any more. All else is in the result.
    pub(crate) async fn finish_redirect(
        &self,
        callback: &Callback,
        cookie: Option<&str>,
    ) -> Result<RedirectResult> {
        let parts = &self.parts;
        self.throttle().admit_address(callback.peer).await?;
        let (key, now) = (callback.state.key(), parts.env.clock.now());
        // Looked at before it is taken, so that another browser cannot use up this one's.
        let seen = parts.store.ticket(&parts.app, &key, now).await?.ok_or_else(not_under_way)?;
        if !Pending::read(&seen.payload)?.began_in(cookie) {
            return Err(not_under_way());
        }
        let taken = parts.store.take_ticket(&parts.app, &key, now).await?.ok_or_else(not_under_way)?;
        let pending = Pending::read(&taken.payload)?;
        let provider = self.redirecting(&pending.provider).map_err(|_| not_under_way())?;
        check_listed(provider, &pending.redirect).map_err(|_| not_under_way())?;
        let outcome = self.complete(provider, &pending, callback).await;
        if outcome.as_ref().is_err_and(|error| error.kind().status() == StatusCode::UNAUTHORIZED) {
            self.throttle().address_failed(callback.peer).await?;
        }
        let linked = pending.linking.is_some();
        self.count_log_in(&pending.provider, &outcome);
        let Pending { provider, redirect, client_state, .. } = pending;
        Ok(RedirectResult { provider, redirect, client_state, linked, outcome })
    }

    async fn complete(
        &self,
        provider: &dyn RedirectProvider,
        pending: &Pending,
        callback: &Callback,
    ) -> Result<Tokens> {
        let code = match (&callback.code, callback.error.as_deref()) {
            (Some(code), None) => code,
            (_, Some("access_denied" | "user_cancelled_authorize" | "user_cancelled_login")) => {
                return Err(Error::new(ErrorKind::AuthError, "the log-in was not allowed at the service"));
            }
            _ => return Err(Error::new(ErrorKind::AuthError, "the log-in failed at the service")),
        };
        let answer = CodeAnswer {
            code,
            issuer: callback.issuer.as_deref(),
            callback: &callback_url(&self.parts.public_url),
            nonce: &pending.nonce,
            verifier: &pending.verifier,
        };
        let linking = pending.linking()?;
        let purpose = if linking.is_some() { Purpose::Link } else { Purpose::LogIn };
        let proven = provider.redeem(&self.context(purpose), answer).await?;
        let device = DeviceInfo { id: pending.device(), peer: callback.peer, client: pending.client.clone() };
        if let Some(linking) = linking {
            let user = self.still_there(linking).await?;
            self.link_proven(user.id, &proven).await?;
        }
        let (user, tokens) = self.admit(&proven, &device).await?;
        self.hand_out(&proven, &user, tokens).await
    }

    fn throttle(&self) -> Throttle<'_> {
        Throttle::of(&self.context(Purpose::LogIn))
    }

    /// The user who began to link, if their session still lives.
    async fn still_there(&self, linking: Linking) -> Result<User> {
        let parts = &self.parts;
        let found = parts.store.live_session(&parts.app, linking.session).await?;
        let now = parts.env.clock.now();
        match found {
            Some(LiveSession { session, user })
                if user.id == linking.user
                    && session.user == user.id
                    && session.epoch == user.epoch
                    && !user.disabled
                    && now < session.expires_at =>
            {
                Ok(user)
            }
            _ => Err(Error::new(ErrorKind::AuthError, "the session that wanted to link has ended")),
        }
    }
}

/// Exact comparison (RFC 9700 §2.1), and no fragment, which ours takes the place of.
fn check_listed(provider: &dyn RedirectProvider, redirect: &str) -> Result<()> {
    let listed = provider.redirect_uris().iter().any(|known| known == redirect);
    if listed && !redirect.is_empty() && !redirect.contains('#') {
        Ok(())
    } else {
        Err(Error::new(ErrorKind::InvalidRedirectUri, "the redirect URI is not one of the provider's"))
    }
}

fn not_under_way() -> Error {
    Error::new(ErrorKind::AuthError, "this log-in is not under way in this browser: begin again")
}
