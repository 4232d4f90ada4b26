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
use crate::store::{Identity, Registration, StoreErrorKind, User, UserKind};

/// A user of another system, or of another store.
#[derive(Clone, Debug)]
pub struct TransferredUser {
    /// The id, which rules and documents know.
    pub id: UserId,
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
    /// Adds a user as they are. Nobody is told of it, and no user document is made.
    ///
    /// # Errors
    /// [`ErrorKind::AccountNameInUse`] when the id, an identity or the address is there already, and nothing is
    /// written; [`ErrorKind::InvalidParameter`] for what cannot be a user.
    pub async fn transfer_in(self, user: TransferredUser) -> Result<()> {
        let parts = &self.auth.parts;
        let invalid = |text: &str| Error::new(ErrorKind::InvalidParameter, text.to_owned());
        let taken =
            || Error::new(ErrorKind::AccountNameInUse, "the user, or a way in of theirs, is there already");
        if user.identities.is_empty() {
            return Err(invalid("a user without identities cannot log in"));
        }
        let hash = user.password_hash.unwrap_or_else(|| Secret::new(NO_PASSWORD));
        if hash.expose() != NO_PASSWORD && !parts.hasher.is_supported(&hash) {
            return Err(invalid("the password hash is of no supported make, or asks for too much work"));
        }
        if parts.store.user(&parts.app, user.id).await?.is_some() {
            return Err(taken());
        }
        let mut registration = None;
        let mut identities = Vec::with_capacity(user.identities.len());
        for (provider, id, data) in user.identities {
            if provider == Registration::PROVIDER {
                let email = data
                    .get_str("email")
                    .map_err(|_| invalid("a `local-userpass` identity needs an `email`"))?;
                registration = Some(Registration {
                    email: email.to_owned(),
                    identity_id: id.clone(),
                    password_hash: hash.clone(),
                    confirmed: user.confirmed,
                    created_at: user.created_at,
                });
            }
            let provider_id = provider_id(&parts.app, &provider);
            identities.push(Identity { provider, provider_id, id, data });
        }
        let made = User {
            id: user.id,
            kind: UserKind::Normal,
            disabled: user.disabled,
            epoch: 0,
            identities,
            created_at: user.created_at,
            last_login_at: user.last_login_at,
        };
        let is_taken = |error: crate::store::StoreError| match error.kind() {
            StoreErrorKind::DuplicateKey => taken(),
            _ => error.into(),
        };
        let Some(registration) = registration else {
            return parts.store.insert_user(&parts.app, &made).await.map_err(is_taken);
        };
        parts.store.insert_registration(&parts.app, &registration).await.map_err(is_taken)?;
        let inserted = parts.store.insert_registered_user(&parts.app, &made, &registration.email).await;
        if let Err(error) = inserted {
            parts.store.delete_registration(&parts.app, &registration.email).await?;
            return Err(is_taken(error));
        }
        Ok(())
    }

    /// The address of a user and, with `hashes`, the hash of their password; `None` without a password.
    pub async fn password_of(self, user: &User) -> Result<Option<Registration>> {
        let parts = &self.auth.parts;
        for identity in user.identities.iter().filter(|identity| identity.provider == Registration::PROVIDER)
        {
            let Ok(email) = identity.data.get_str("email") else { continue };
            if let Some(found) = parts.store.registration(&parts.app, email).await? {
                let known = found.password_hash.expose() != NO_PASSWORD;
                return Ok(Some(found).filter(|_| known));
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
