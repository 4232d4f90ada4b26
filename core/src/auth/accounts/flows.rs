//! The account flows of one app: each finds its provider, and ends the sessions that it has to.

use std::net::IpAddr;

use bson::Bson;

use super::registering::unknown;
use crate::auth::credential::{Credential, DeviceInfo};
use crate::auth::login::Auth;
use crate::auth::provider::{ProviderContext, Purpose};
use crate::auth::throttle::{Account, Throttle};
use crate::error::{Error, ErrorKind, Result};
use crate::id::UserId;
use crate::secret::Secret;
use crate::store::{Registration, StoreErrorKind, User};

const ATTEMPTS: usize = 8;
/// What guesses at the present password of a session are counted under.
const PRESENT_PASSWORD: &str = "present-password";

impl Auth {
    /// Registers an e-mail address with a password.
    ///
    /// # Errors
    /// [`ErrorKind::AccountNameInUse`]; [`ErrorKind::InvalidParameter`] for a password of the wrong
    /// length; what the confirmation fails with.
    pub async fn register(&self, email: &str, password: &Secret, peer: Option<IpAddr>) -> Result<()> {
        let (provider, context) = (self.email_password()?, self.context_of(peer));
        // Where accounts are hidden, the owner of a taken address is mailed however others are confirmed.
        if provider.confirms_by_mail() || provider.hides_accounts {
            let address = provider.address(&context, email).await?;
            Throttle::of(&context).admit_mail(&address, peer).await?;
        }
        provider.register(&context, email, password).await
    }

    pub(crate) async fn confirm(&self, token: &Secret, token_id: &str) -> Result<()> {
        self.email_password()?.confirm(&self.context(Purpose::LogIn), token, token_id).await
    }

    pub(crate) async fn resend_confirmation(&self, email: &str, peer: Option<IpAddr>) -> Result<()> {
        let (provider, context) = (self.email_password()?, self.context_of(peer));
        let address = provider.address(&context, email).await?;
        Throttle::of(&context).admit_mail(&address, peer).await?;
        provider.resend_confirmation(&context, email).await
    }

    /// Functions send mails as well, so asking for one counts like asking for a mail.
    pub(crate) async fn rerun_confirmation(&self, email: &str, peer: Option<IpAddr>) -> Result<()> {
        let (provider, context) = (self.email_password()?, self.context_of(peer));
        let address = provider.address(&context, email).await?;
        Throttle::of(&context).admit_mail(&address, peer).await?;
        provider.rerun_confirmation(&context, email).await
    }

    pub(crate) async fn send_reset(&self, email: &str, peer: Option<IpAddr>) -> Result<()> {
        let (provider, context) = (self.email_password()?, self.context_of(peer));
        let address = provider.address(&context, email).await?;
        Throttle::of(&context).admit_mail(&address, peer).await?;
        provider.send_reset(&context, email).await
    }

    pub(crate) async fn reset(&self, token: (&Secret, &str), password: &Secret) -> Result<()> {
        let context = self.context(Purpose::LogIn);
        let identity = self.email_password()?.reset(&context, token, password).await?;
        self.end_sessions_of_identity(&identity).await
    }

    pub(crate) async fn call_reset(
        &self,
        (email, password): (&str, &Secret),
        arguments: Vec<Bson>,
        peer: Option<IpAddr>,
    ) -> Result<()> {
        let (provider, context) = (self.email_password()?, self.context_of(peer));
        let address = provider.address(&context, email).await?;
        Throttle::of(&context).admit_mail(&address, peer).await?;
        match provider.call_reset(&context, email, password, arguments).await? {
            Some(identity) => self.end_sessions_of_identity(&identity).await,
            None => Ok(()),
        }
    }

    /// A new password for a user who knows the present one; every session ends.
    pub(crate) async fn change_password(&self, user: &User, present: &Secret, new: &Secret) -> Result<()> {
        let (email, identity) = local_identity(user).ok_or_else(unknown)?;
        let context = self.context(Purpose::LogIn);
        // Counted apart from log-ins: what strangers try does not keep the owner from changing it.
        let (throttle, account) = (Throttle::of(&context), Account::new(PRESENT_PASSWORD, email));
        let attempt = throttle.begin(account, None).await?;
        let changed =
            self.email_password()?.change_password(&context, (email, identity), (present, new)).await;
        match changed.as_ref().map_err(Error::kind) {
            Ok(_) => throttle.succeeded(attempt).await?,
            Err(ErrorKind::InvalidPassword) => throttle.failed(attempt).await?,
            // Whether the present one was right is not known; the try stays counted.
            Err(_) => {}
        }
        changed?;
        self.parts.sessions.revoke_all(user.id).await
    }

    /// Adds the identity that a credential proves to a user.
    pub(crate) async fn link(
        &self,
        user: UserId,
        provider: &str,
        credential: &Credential,
        device: &DeviceInfo,
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
                    if provider == Registration::PROVIDER {
                        self.delete_registration_of(&found).await?;
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

    async fn delete_registration_of(&self, user: &User) -> Result<()> {
        let (app, store) = (&self.parts.app, &self.parts.store);
        let Some((email, identity)) = local_identity(user) else { return Ok(()) };
        if store.registration(app, email).await?.is_some_and(|found| found.identity_id == identity) {
            store.delete_registration(app, email).await?;
        }
        Ok(())
    }

    fn context_of(&self, peer: Option<IpAddr>) -> ProviderContext<'_> {
        ProviderContext { peer, ..self.context(Purpose::LogIn) }
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

/// The address and the id of the user's e-mail identity. The address may be somebody else's by now: whoever goes
/// by it compares the id.
fn local_identity(user: &User) -> Option<(&str, &str)> {
    let identity = user.identities.iter().find(|identity| identity.provider == Registration::PROVIDER)?;
    Some((identity.data.get_str("email").ok()?, &identity.id))
}
