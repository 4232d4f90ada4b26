//! Linking: a user gets one more way in. And what a way in says of the user, kept up to date.

use super::login::{Auth, user_gone};
use super::provider::{Proven, Subject};
use crate::error::{Error, ErrorKind, Result};
use crate::id::UserId;
use crate::store::{Identity, Registration, StoreErrorKind, User};

const ATTEMPTS: usize = 8;

impl Auth {
    /// Adds a proved identity to a user.
    ///
    /// # Errors
    /// [`ErrorKind::LinkingNotSupported`] for identities that are nobody's to add; [`ErrorKind::AuthError`] for
    /// one that another user has, who stays as they are. Never the text that makes clients refresh and repeat.
    pub(crate) async fn link_proven(&self, user: UserId, proven: &Proven) -> Result<User> {
        if matches!(proven.subject, Subject::User(_)) || proven.identity.provider == "anon-user" {
            let text = "an identity of this provider cannot be linked";
            return Err(Error::new(ErrorKind::LinkingNotSupported, text));
        }
        let (app, store) = (&self.parts.app, &self.parts.store);
        for _ in 0..ATTEMPTS {
            let found = store.user(app, user).await?;
            let found = found.ok_or_else(user_gone)?;
            if found.disabled {
                return Err(Error::new(ErrorKind::UserDisabled, "user disabled"));
            }
            let same = |known: &Identity| {
                known.provider == proven.identity.provider && known.id == proven.identity.id
            };
            if found.identities.iter().any(same) {
                return Ok(found);
            }
            let is_password = |provider: &str| provider == Registration::PROVIDER;
            if is_password(&proven.identity.provider)
                && found.identities.iter().any(|known| is_password(&known.provider))
            {
                let text = "the user has an e-mail address and a password already";
                return Err(Error::new(ErrorKind::LinkingNotSupported, text));
            }
            let mut linked = found.clone();
            linked.identities.push(proven.identity.clone());
            match store.replace_user(app, &linked, &found).await {
                Ok(()) => return Ok(linked),
                Err(error) if error.kind() == StoreErrorKind::Conflict => {}
                Err(error) if error.kind() == StoreErrorKind::DuplicateKey => {
                    let text = "a user already exists with the specified provider";
                    return Err(Error::new(ErrorKind::AuthError, text).with_cause(error));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "the user is being changed, try again").with_retry_after(1))
    }

    /// The user with the identity's data as the provider knows them now: a name or an address may have changed
    /// since the last log-in. Of a user who is being changed all the time they stay as they were.
    pub(super) async fn renew_data(&self, mut user: User, proven: &Proven) -> Result<User> {
        let proved = &proven.identity;
        for _ in 0..ATTEMPTS {
            let mut renewed = user.clone();
            let known = renewed
                .identities
                .iter_mut()
                .find(|known| known.provider == proved.provider && known.id == proved.id)
                .filter(|known| known.data != proved.data);
            let Some(known) = known else { return Ok(user) };
            known.data = proved.data.clone();
            match self.parts.store.replace_user(&self.parts.app, &renewed, &user).await {
                Ok(()) => return Ok(renewed),
                Err(error) if error.kind() == StoreErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
            let seen = user.epoch;
            user = self.holder(proven).await?.ok_or_else(user_gone)?;
            if user.epoch != seen {
                // What ended all sessions meanwhile ends also the one that is about to be opened.
                return Ok(User { epoch: seen, ..user });
            }
        }
        Ok(user)
    }
}
