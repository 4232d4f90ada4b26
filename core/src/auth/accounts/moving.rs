//! An account moves to another e-mail address, once its owner has confirmed the new one.

use bson::doc;

use super::registering::{name_in_use, unknown};
use crate::auth::login::Auth;
use crate::auth::one_time::{Meant, OneTime, worthless};
use crate::auth::provider::{Evidence, Proven, Purpose, Subject};
use crate::auth::throttle::Throttle;
use crate::env::MailKind;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;
use crate::session::SessionLifetime;
use crate::store::{Identity, Registration, StoreErrorKind, User};

impl Auth {
    /// Mails a token to the new address; the link leads to `page`. Whatever ends all sessions of the user voids it:
    /// it may have been one of somebody else's that asked.
    pub(crate) async fn request_email_change(&self, user: &User, email: &str, page: &str) -> Result<()> {
        let context = self.context(Purpose::LogIn);
        let provider = self.email_password()?;
        let email = &*provider.address(&context, email).await?;
        provider.check_email(email)?;
        let identity = user.identities.iter().find(|known| known.provider == Registration::PROVIDER);
        let identity = identity.ok_or_else(unknown)?;
        Throttle::of(&context).admit_mail(email, None).await?;
        if context.store.registration(context.app, email).await?.is_some() {
            let hides = provider.hides_accounts;
            return if hides { provider.tell_owner(&context, email).await } else { Err(name_in_use()) };
        }
        let meant = Meant { account: identity.id.clone(), detail: format!("{} {email}", user.epoch) };
        let issued = OneTime::EmailChange.issue(&context, &meant).await?;
        provider.mail(&context, (MailKind::EmailChange, email), (page, None), issued).await
    }

    /// Moves the account to the address that the token was mailed to. Tokens mailed to the old address are
    /// void, and every session ends. The address that is left may be somebody else's next.
    pub(crate) async fn confirm_email_change(&self, token: &Secret, token_id: &str) -> Result<()> {
        let context = self.context(Purpose::LogIn);
        let Meant { account: identity, detail } =
            OneTime::EmailChange.redeem(&context, token, token_id).await?;
        let (epoch, email) = detail.split_once(' ').ok_or_else(worthless)?;
        let (app, store) = (context.app, context.store);
        let user =
            store.user_by_identity(app, Registration::PROVIDER, &identity).await?.ok_or_else(unknown)?;
        if user.epoch.to_string() != epoch {
            return Err(worthless());
        }
        let known = user.identities.iter().find(|known| is_local(known, &identity)).ok_or_else(unknown)?;
        let old = known.data.get_str("email").map_err(Error::internal)?.to_owned();
        let registration = store.registration(app, &old).await?;
        let registration = registration.filter(|found| found.identity_id == identity).ok_or_else(unknown)?;
        let moved = Registration { email: email.to_owned(), confirmed: true, ..registration.clone() };
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
        let (id, data) = (user.id, doc! { "email": email });
        let identity = Identity { data, ..known.clone() };
        let subject = Subject::User(id);
        let lifetime = SessionLifetime::Configured;
        self.renew_data(user, &Proven { subject, identity, lifetime, evidence: Evidence::Foreign }).await?;
        self.parts.sessions.revoke_all(id).await
    }
}

fn is_local(known: &Identity, id: &str) -> bool {
    known.provider == Registration::PROVIDER && known.id == id
}
