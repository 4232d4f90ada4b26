//! Accounts that come from elsewhere, or go there, whole: with their ids, identities and password hashes.

use bson::Document;
use chrono::{DateTime, Utc};

use super::users::Users;
use crate::app::provider_id;
use crate::auth::one_time::{Meant, OneTime};
use crate::auth::provider::Purpose;
use crate::error::{Error, ErrorKind, Result};
use crate::id::UserId;
use crate::secret::Secret;
use crate::store::{Identity, Registration, Registrations, StoreError, StoreErrorKind, User, UserKind};

/// A user of another system, or of another store.
#[derive(Clone, Debug)]
pub struct TransferredUser {
    /// The id, which rules and documents know; none yet of somebody who registered and never logged in: they have
    /// one `local-userpass` identity.
    pub id: Option<UserId>,
    /// No log-in.
    pub disabled: bool,
    /// The ways in: provider, id there, and what it knows of the user. Those of `local-userpass` have an `email`.
    pub identities: Vec<(String, String, Document)>,
    /// The hash of the password; without one the user needs a new password before they log in by it.
    pub password_hash: Option<Secret>,
    /// Whether the address is confirmed.
    pub confirmed: bool,
    /// When the user was made.
    pub created_at: DateTime<Utc>,
    /// The last log-in.
    pub last_login_at: DateTime<Utc>,
}

/// What became of a user that was brought in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transferred {
    /// They are added.
    Added,
    /// They were there before, and stay as they were.
    Known,
}

/// A token by which a password may be set once: what a mail's link would carry.
#[derive(Clone, Debug)]
pub struct ResetToken {
    /// The token.
    pub token: Secret,
    /// Its id.
    pub token_id: String,
}

/// Nobody knows a password that has this hash: none has.
const NO_PASSWORD: &str = "$none$";

impl Users<'_> {
    /// Adds a user as they are. Nobody is told of it, and no user document is made. What an interrupted call has left
    /// is completed by the next.
    ///
    /// # Errors
    /// [`ErrorKind::AccountNameInUse`] when an identity or the address is another user's, and nothing is written;
    /// [`ErrorKind::InvalidParameter`] for what cannot be a user.
    pub async fn transfer_in(self, user: TransferredUser) -> Result<Transferred> {
        let parts = &self.auth.parts;
        if let Some(id) = user.id
            && parts.store.user(&parts.app, id).await?.is_some()
        {
            return Ok(Transferred::Known);
        }
        let registration = self.registration_of(&user)?;
        let Some(id) = user.id else {
            return match registration {
                Some(registration) if user.identities.len() == 1 => self.claim(&registration).await,
                _ => Err(invalid("without an id there may be one `local-userpass` identity and no other")),
            };
        };
        let identity = |(provider, id, data): (String, String, Document)| Identity {
            provider_id: provider_id(&parts.app, &provider),
            provider,
            id,
            data,
        };
        let made = User {
            id,
            kind: UserKind::Normal,
            disabled: user.disabled,
            epoch: 0,
            identities: user.identities.into_iter().map(identity).collect(),
            created_at: user.created_at,
            last_login_at: user.last_login_at,
        };
        let Some(registration) = registration else {
            parts.store.insert_user(&parts.app, &made).await.map_err(if_taken)?;
            return Ok(Transferred::Added);
        };
        let claimed = self.claim(&registration).await?;
        let inserted = parts.store.insert_registered_user(&parts.app, &made, &registration.email).await;
        if inserted.is_err() && claimed == Transferred::Added {
            parts.store.delete_registration(&parts.app, &registration.email).await?;
        }
        inserted.map_err(if_taken)?;
        Ok(Transferred::Added)
    }

    /// What belongs to the user's `local-userpass` identity, if they have one.
    fn registration_of(self, user: &TransferredUser) -> Result<Option<Registration>> {
        if user.identities.is_empty() {
            return Err(invalid("a user without identities cannot log in"));
        }
        let hash = user.password_hash.clone().unwrap_or_else(|| Secret::new(NO_PASSWORD));
        if hash.expose() != NO_PASSWORD && !self.auth.parts.hasher.is_supported(&hash) {
            return Err(invalid("the password hash is of no supported make, or asks for too much work"));
        }
        let mut own = user.identities.iter().filter(|(provider, ..)| provider == Registration::PROVIDER);
        let Some((_, id, data)) = own.next() else { return Ok(None) };
        if own.next().is_some() {
            return Err(invalid("a user has at most one `local-userpass` identity"));
        }
        let email = data.get_str("email");
        let email = email.map_err(|_| invalid("a `local-userpass` identity needs an `email`"))?;
        Ok(Some(Registration {
            email: email.to_owned(),
            identity_id: id.clone(),
            password_hash: hash,
            confirmed: user.confirmed,
            created_at: user.created_at,
        }))
    }

    /// Takes the address; it is known when this very identity has it already.
    async fn claim(self, registration: &Registration) -> Result<Transferred> {
        let parts = &self.auth.parts;
        match parts.store.insert_registration(&parts.app, registration).await {
            Ok(()) => return Ok(Transferred::Added),
            Err(error) if error.kind() == StoreErrorKind::DuplicateKey => {}
            Err(error) => return Err(error.into()),
        }
        let there = parts.store.registration(&parts.app, &registration.email).await?;
        match there {
            Some(there) if there.identity_id == registration.identity_id => Ok(Transferred::Known),
            _ => Err(taken()),
        }
    }

    /// People who registered and have never logged in, in the order of their addresses, after one of them, at most
    /// `limit`. The others are users.
    pub async fn unclaimed(self, after: Option<&str>, limit: usize) -> Result<Vec<Registration>> {
        let parts = &self.auth.parts;
        Ok(parts.store.list_registrations(&parts.app, Registrations::Unclaimed, after, limit).await?)
    }

    /// What a user's `local-userpass` identity came from; `None` where they have none.
    pub async fn registration_of_user(self, user: &User) -> Result<Option<Registration>> {
        let parts = &self.auth.parts;
        for identity in user.identities.iter().filter(|identity| identity.provider == Registration::PROVIDER)
        {
            let Ok(email) = identity.data.get_str("email") else { continue };
            if let Some(found) = parts.store.registration(&parts.app, email).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Makes a token to set a new password with, which no mail is sent with; an earlier one is void.
    ///
    /// # Errors
    /// [`ErrorKind::UserNotFound`].
    pub async fn reset_token(self, email: &str) -> Result<ResetToken> {
        let context = self.auth.context(Purpose::LogIn);
        let email = self.auth.address(email).await?;
        let found = context.store.registration(context.app, &email).await?;
        let found = found.ok_or_else(super::registering::unknown)?;
        let meant = Meant { account: found.email, detail: found.identity_id };
        let issued = OneTime::Reset.issue(&context, &meant).await?;
        Ok(ResetToken { token: issued.token, token_id: issued.token_id })
    }
}

fn invalid(text: &str) -> Error {
    Error::new(ErrorKind::InvalidParameter, text.to_owned())
}

fn taken() -> Error {
    Error::new(ErrorKind::AccountNameInUse, "another account has the address, or a way in")
}

fn if_taken(error: StoreError) -> Error {
    match error.kind() {
        StoreErrorKind::DuplicateKey => taken(),
        _ => error.into(),
    }
}
