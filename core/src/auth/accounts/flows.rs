//! The account flows of one app: each finds its provider, and ends the sessions that it has to.

use bson::{Bson, Document};

use super::registering::unknown;
use crate::auth::credential::{Credential, DeviceInfo};
use crate::auth::login::Auth;
use crate::auth::provider::Purpose;
use crate::error::{Error, ErrorKind, Result};
use crate::id::UserId;
use crate::secret::Secret;
use crate::store::{Registration, StoreErrorKind, User};

const ATTEMPTS: usize = 8;

impl Auth {
    /// Registers an e-mail address with a password.
    ///
    /// # Errors
    /// [`ErrorKind::AccountNameInUse`]; [`ErrorKind::InvalidParameter`] for a password of the wrong
    /// length; what the confirmation fails with.
    pub async fn register(&self, email: &str, password: &Secret) -> Result<()> {
        self.email_password()?.register(&self.context(Purpose::LogIn), email, password).await
    }

    pub(crate) async fn confirm(&self, token: &Secret, token_id: &str) -> Result<()> {
        self.email_password()?.confirm(&self.context(Purpose::LogIn), token, token_id).await
    }

    pub(crate) async fn resend_confirmation(&self, email: &str) -> Result<()> {
        self.email_password()?.resend_confirmation(&self.context(Purpose::LogIn), email).await
    }

    pub(crate) async fn rerun_confirmation(&self, email: &str) -> Result<()> {
        self.email_password()?.rerun_confirmation(&self.context(Purpose::LogIn), email).await
    }

    pub(crate) async fn send_reset(&self, email: &str) -> Result<()> {
        self.email_password()?.send_reset(&self.context(Purpose::LogIn), email).await
    }

    pub(crate) async fn reset(&self, token: (&Secret, &str), password: &Secret) -> Result<()> {
        let context = self.context(Purpose::LogIn);
        let identity = self.email_password()?.reset(&context, token, password).await?;
        self.end_sessions_of_identity(&identity).await
    }

    pub(crate) async fn call_reset(
        &self,
        email: &str,
        password: &Secret,
        arguments: Vec<Bson>,
    ) -> Result<()> {
        let context = self.context(Purpose::LogIn);
        match self.email_password()?.call_reset(&context, email, password, arguments).await? {
            Some(identity) => self.end_sessions_of_identity(&identity).await,
            None => Ok(()),
        }
    }

    /// A new password for a user who knows the present one; every session ends.
    pub(crate) async fn change_password(&self, user: &User, present: &Secret, new: &Secret) -> Result<()> {
        let email = email_of(user).ok_or_else(unknown)?;
        let context = self.context(Purpose::LogIn);
        self.email_password()?.change_password(&context, &email, (present, new)).await?;
        self.parts.sessions.revoke_all(user.id).await
    }

    /// Adds the identity that a credential proves to a user.
    pub(crate) async fn link(
        &self,
        user: UserId,
        provider: &str,
        credential: &Credential,
        device: DeviceInfo,
    ) -> Result<User> {
        let proven = self.prove(provider, Purpose::Link, credential, device).await?;
        self.link_proven(user, &proven).await
    }

    /// Takes an identity away from a user, with the sessions that it opened and, for an e-mail address, its
    /// registration.
    pub(crate) async fn unlink(&self, user: UserId, provider: &str, identity: &str) -> Result<User> {
        let (app, store) = (&self.parts.app, &self.parts.store);
        for _ in 0..ATTEMPTS {
            let found = store.user(app, user).await?.ok_or_else(unknown)?;
            let mut changed = found.clone();
            changed.identities.retain(|known| !(known.provider == provider && known.id == identity));
            if changed.identities.len() == found.identities.len() {
                return Err(Error::new(ErrorKind::InvalidParameter, "the user has no such identity"));
            }
            if changed.identities.is_empty() {
                let text = "the last identity of a user cannot be unlinked";
                return Err(Error::new(ErrorKind::InvalidParameter, text));
            }
            match store.replace_user(app, &changed, &found).await {
                Ok(()) => {
                    if let Some(email) = email_of(&found).filter(|_| provider == Registration::PROVIDER) {
                        store.delete_registration(app, &email).await?;
                    }
                    store.delete_sessions_by_identity(app, user, provider, identity).await?;
                    return Ok(changed);
                }
                Err(error) if error.kind() == StoreErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "the user is being changed, try again").with_retry_after(1))
    }

    /// Ends the sessions of whoever has this e-mail identity; before the first log-in that is nobody.
    pub(super) async fn end_sessions_of_identity(&self, identity: &str) -> Result<()> {
        let parts = &self.parts;
        let provider = Registration::PROVIDER;
        match parts.store.user_by_identity(&parts.app, provider, identity).await? {
            Some(user) => parts.sessions.revoke_all(user.id).await,
            None => Ok(()),
        }
    }
}

/// The address of the user's e-mail identity.
fn email_of(user: &User) -> Option<String> {
    let identity = user.identities.iter().find(|identity| identity.provider == Registration::PROVIDER)?;
    let data: &Document = &identity.data;
    data.get_str("email").ok().map(str::to_owned)
}
