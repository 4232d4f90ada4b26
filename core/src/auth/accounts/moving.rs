//! An account moves to another e-mail address, once its owner has confirmed the new one.

use super::registering::{name_in_use, unknown};
use crate::auth::login::Auth;
use crate::auth::one_time::{Meant, OneTime};
use crate::auth::provider::Purpose;
use crate::env::MailKind;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;
use crate::store::{Registration, StoreErrorKind, User};

impl Auth {
    /// Mails a token to the new address; the link leads to `page`.
    pub(crate) async fn request_email_change(&self, user: &User, email: &str, page: &str) -> Result<()> {
        let context = self.context(Purpose::LogIn);
        let provider = self.email_password()?;
        let email = &*provider.address(&context, email).await?;
        provider.check_email(email)?;
        let identity = user.identities.iter().find(|known| known.provider == Registration::PROVIDER);
        let identity = identity.ok_or_else(unknown)?;
        if context.store.registration(context.app, email).await?.is_some() {
            let hides = provider.hides_accounts;
            return if hides { provider.tell_owner(&context, email).await } else { Err(name_in_use()) };
        }
        let meant = Meant { account: identity.id.clone(), detail: email.to_owned() };
        let issued = OneTime::EmailChange.issue(&context, &meant).await?;
        provider.mail(&context, (MailKind::EmailChange, email), (page, None), issued).await
    }

    /// Moves the account to the address that the token was mailed to. Tokens mailed to the old address are
    /// void, and every session ends.
    pub(crate) async fn confirm_email_change(&self, token: &Secret, token_id: &str) -> Result<()> {
        let context = self.context(Purpose::LogIn);
        let Meant { account: identity, detail: email } =
            OneTime::EmailChange.redeem(&context, token, token_id).await?;
        let (app, store) = (context.app, context.store);
        let user =
            store.user_by_identity(app, Registration::PROVIDER, &identity).await?.ok_or_else(unknown)?;
        let known = user.identities.iter().find(|known| known.id == identity);
        let old = known.and_then(|known| known.data.get_str("email").ok()).ok_or_else(unknown)?.to_owned();
        let registration = store.registration(app, &old).await?.ok_or_else(unknown)?;
        let moved = Registration { email: email.clone(), confirmed: true, ..registration.clone() };
        store.move_registration(app, &old, &moved, &registration.password_hash).await.map_err(|error| {
            match error.kind() {
                StoreErrorKind::DuplicateKey => name_in_use(),
                StoreErrorKind::Conflict => {
                    Error::new(ErrorKind::Unavailable, "the account is being changed, try again")
                        .with_retry_after(1)
                }
                _ => error.into(),
            }
        })?;
        OneTime::Reset.void(&context, &old).await?;
        OneTime::Confirm.void(&context, &old).await?;
        // The user's data learn the new address at the next log-in, which has to come now.
        self.parts.sessions.revoke_all(user.id).await
    }
}
