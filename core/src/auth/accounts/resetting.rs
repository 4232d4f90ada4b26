//! A forgotten password, by mail and by function; and a new one for whoever knows the old.

use bson::{Bson, doc};

use super::mails;
use super::registering::{Decision, decide, unknown};
use crate::auth::config::PasswordReset;
use crate::auth::one_time::{Meant, OneTime};
use crate::auth::password::Verified;
use crate::auth::provider::ProviderContext;
use crate::auth::providers::EmailPassword;
use crate::env::MailKind;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;
use crate::store::{Registration, StoreErrorKind};

const ATTEMPTS: usize = 8;

impl EmailPassword {
    /// Mails a token to set a new password with; an earlier one is void.
    pub(in crate::auth) async fn send_reset(&self, cx: &ProviderContext<'_>, email: &str) -> Result<()> {
        let (url, subject) = match &self.config.reset {
            PasswordReset::Email { url, subject } => (url, subject.as_deref()),
            PasswordReset::Function { .. } => {
                return Err(Error::new(ErrorKind::BadRequest, "please use reset password via function"));
            }
            PasswordReset::Unavailable => {
                return Err(Error::new(ErrorKind::BadRequest, "password reset is not configured"));
            }
        };
        let registration = cx.store.registration(cx.app, email).await?.ok_or_else(unknown)?;
        let meant = Meant { account: email.to_owned(), detail: registration.identity_id };
        let issued = OneTime::Reset.issue(cx, &meant).await?;
        mails::send(cx, MailKind::Reset, email, (url, subject), issued).await
    }

    /// Sets a new password with a token. Returns the identity, whose sessions have to end.
    pub(in crate::auth) async fn reset(
        &self,
        cx: &ProviderContext<'_>,
        (token, token_id): (&Secret, &str),
        password: &Secret,
    ) -> Result<String> {
        // A password that is refused does not use the token up.
        let meant = OneTime::Reset.look(cx, token, token_id).await?;
        self.rules.check(password, &meant.account)?;
        let meant = OneTime::Reset.redeem(cx, token, token_id).await?;
        self.set_password(cx, &meant.account, Some(&meant.detail), password).await
    }

    /// Lets the app's function decide about a new password. Returns the identity if it was set.
    pub(in crate::auth) async fn call_reset(
        &self,
        cx: &ProviderContext<'_>,
        email: &str,
        password: &Secret,
        arguments: Vec<Bson>,
    ) -> Result<Option<String>> {
        let PasswordReset::Function { name } = &self.config.reset else {
            return Err(Error::new(ErrorKind::BadRequest, "no password reset function is configured"));
        };
        self.rules.check(password, email)?;
        let registration = cx.store.registration(cx.app, email).await?.ok_or_else(unknown)?;
        let turn = self.hasher.turn().await?;
        let same = self.hasher.verify(turn, password, &registration.password_hash).await? != Verified::Wrong;
        let meant = Meant { account: email.to_owned(), detail: registration.identity_id };
        let issued = OneTime::Reset.issue(cx, &meant).await?;
        let mut all = vec![Bson::from(doc! {
            "username": email, "password": password.expose(), "token": issued.token.expose(),
            "tokenId": &issued.token_id, "currentPasswordValid": same,
        })];
        all.extend(arguments);
        match decide(cx, name, all).await? {
            Decision::Success => self.set_password(cx, email, Some(&meant.detail), password).await.map(Some),
            Decision::Pending => Ok(None),
            Decision::Fail => {
                OneTime::Reset.void(cx, email).await?;
                let text = format!("failed to reset password for user \"{email}\"");
                Err(Error::new(ErrorKind::BadRequest, text))
            }
        }
    }

    /// Sets a new password for whoever knows the present one. Returns the identity.
    pub(in crate::auth) async fn change_password(
        &self,
        cx: &ProviderContext<'_>,
        (email, identity): (&str, &str),
        (present, new): (&Secret, &Secret),
    ) -> Result<String> {
        self.rules.check(new, email)?;
        let registration = cx.store.registration(cx.app, email).await?;
        let registration = registration.filter(|found| found.identity_id == identity).ok_or_else(unknown)?;
        let turn = self.hasher.turn().await?;
        if self.hasher.verify(turn, present, &registration.password_hash).await? == Verified::Wrong {
            return Err(Error::new(ErrorKind::InvalidPassword, "invalid username/password"));
        }
        let changed = Registration { password_hash: self.hasher.hash(new).await?, ..registration.clone() };
        cx.store.replace_registration(cx.app, &changed, &registration.password_hash).await.map_err(
            |error| match error.kind() {
                StoreErrorKind::Conflict => being_changed(),
                _ => error.into(),
            },
        )?;
        OneTime::Reset.void(cx, email).await?;
        Ok(changed.identity_id)
    }

    /// Sets a password whatever the present one is; tokens to set another are void. Returns the identity.
    pub(in crate::auth) async fn set_password(
        &self,
        cx: &ProviderContext<'_>,
        email: &str,
        identity: Option<&str>,
        password: &Secret,
    ) -> Result<String> {
        self.rules.check(password, email)?;
        let hash = self.hasher.hash(password).await?;
        for _ in 0..ATTEMPTS {
            let found = cx.store.registration(cx.app, email).await?.ok_or_else(unknown)?;
            if identity.is_some_and(|identity| identity != found.identity_id) {
                return Err(unknown());
            }
            let changed = Registration { password_hash: hash.clone(), ..found.clone() };
            match cx.store.replace_registration(cx.app, &changed, &found.password_hash).await {
                Ok(()) => {
                    OneTime::Reset.void(cx, email).await?;
                    return Ok(changed.identity_id);
                }
                Err(error) if error.kind() == StoreErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(being_changed())
    }
}

fn being_changed() -> Error {
    Error::new(ErrorKind::Unavailable, "the account is being changed, try again").with_retry_after(1)
}
