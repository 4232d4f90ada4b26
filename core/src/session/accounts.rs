//! What an account's own calls need of its sessions.

use super::service::Sessions;
use super::service::{dead_refresh, invalid, no_user};
use crate::actor::{ActingUser, Actor};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{DeviceId, SessionId, UserId};
use crate::store::{LiveSession, StoreErrorKind};

const ATTEMPTS: usize = 8;

impl Sessions {
    /// Who a refresh token stands for; it carries no custom user data.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSession`] as for a refresh.
    pub async fn actor_of_refresh(&self, refresh_token: &str) -> Result<Actor> {
        let claims = self.refresh_claims(refresh_token).await?;
        let LiveSession { session, user } = self.live(&claims).await?.ok_or_else(dead_refresh)?;
        let acting =
            ActingUser { user, session: Some(session.id), provider: session.provider, custom_data: None };
        Ok(Actor::user(self.settings.app.clone(), acting))
    }

    /// A new access token for a session that lives, with its device.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSession`] when it has ended meanwhile.
    pub async fn renew(&self, session: SessionId) -> Result<(String, DeviceId)> {
        let settings = &self.settings;
        let found = settings.store.live_session(&settings.app, session).await?.ok_or_else(invalid)?;
        if found.user.disabled || found.user.epoch != found.session.epoch {
            return Err(invalid());
        }
        let user_data = self.user_data(&found.user).await?;
        let now = settings.env.clock.now();
        let token = self.access_token(&found.session, now, user_data.as_deref()).await?;
        Ok((token, found.session.device))
    }

    /// Refuses a user's log-in (and ends every session), or allows it again.
    ///
    /// # Errors
    /// [`ErrorKind::UserNotFound`]; a store that fails.
    pub async fn set_disabled(&self, user: UserId, disabled: bool) -> Result<()> {
        let settings = &self.settings;
        for _ in 0..ATTEMPTS {
            let found = settings.store.user(&settings.app, user).await?.ok_or_else(no_user)?;
            let mut changed = found.clone();
            changed.disabled = disabled;
            changed.epoch = found.epoch.saturating_add(u32::from(disabled));
            match settings.store.replace_user(&settings.app, &changed, &found).await {
                Ok(()) if disabled => {
                    settings.store.delete_sessions_of(&settings.app, user, None).await?;
                    return Ok(());
                }
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == StoreErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "the user is being changed, try again").with_retry_after(1))
    }
}
