//! What an operator does with accounts: `app.users()`.

use super::registering::{insert, name_in_use, set_confirmed, unknown};
use crate::auth::login::{Auth, fresh_identity_id};
use crate::auth::provider::Purpose;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{SessionId, UserId};
use crate::secret::Secret;
use crate::store::{ListedSession, Registration, Registrations, User};

/// The accounts of an app.
#[derive(Clone, Copy)]
pub struct Users<'a> {
    pub(super) auth: &'a Auth,
}

impl<'a> Users<'a> {
    pub(crate) fn new(auth: &'a Auth) -> Self {
        Self { auth }
    }

    /// One user.
    ///
    /// # Errors
    /// [`ErrorKind::UserNotFound`].
    pub async fn get(self, user: UserId) -> Result<User> {
        let parts = &self.auth.parts;
        parts.store.user(&parts.app, user).await?.ok_or_else(unknown)
    }

    /// Users in the order of their ids, after one of them, at most `limit`.
    pub async fn list(self, after: Option<UserId>, limit: usize) -> Result<Vec<User>> {
        let parts = &self.auth.parts;
        Ok(parts.store.list_users(&parts.app, after, limit).await?)
    }

    /// Registers an address that needs no confirmation.
    ///
    /// # Errors
    /// [`ErrorKind::AccountNameInUse`]; [`ErrorKind::InvalidParameter`] for an address or a password that is
    /// refused.
    pub async fn create(self, email: &str, password: &Secret) -> Result<()> {
        let provider = self.auth.email_password()?;
        let email = &*self.auth.address(email).await?;
        provider.check_email(email)?;
        provider.rules.check(password, email)?;
        let hash = self.auth.parts.hasher.hash(password).await?;
        self.insert(email, hash).await
    }

    /// Registers an address with a password hash of another system: Argon2, bcrypt, scrypt, Firebase's scrypt or
    /// PBKDF2. The first log-in replaces it by one of ours.
    ///
    /// # Errors
    /// [`ErrorKind::AccountNameInUse`]; [`ErrorKind::InvalidParameter`] for a hash that could not be verified.
    pub async fn import(self, email: &str, password_hash: &Secret) -> Result<()> {
        let email = &*self.auth.address(email).await?;
        self.auth.email_password()?.check_email(email)?;
        if !self.auth.parts.hasher.is_supported(password_hash) {
            let text = "the password hash is of no supported make, or asks for too much work";
            return Err(Error::new(ErrorKind::InvalidParameter, text));
        }
        self.insert(email, password_hash.clone()).await
    }

    /// Registrations that wait for their confirmation, after an address, at most `limit`.
    pub async fn pending(self, after: Option<&str>, limit: usize) -> Result<Vec<Registration>> {
        let parts = &self.auth.parts;
        Ok(parts.store.list_registrations(&parts.app, Registrations::Pending, after, limit).await?)
    }

    /// Confirms an address without its owner.
    ///
    /// # Errors
    /// [`ErrorKind::UserNotFound`].
    pub async fn confirm(self, email: &str) -> Result<()> {
        let email = &*self.auth.address(email).await?;
        set_confirmed(&self.auth.context(Purpose::LogIn), email, None).await
    }

    /// Removes a registration that was never confirmed; its address is free again.
    ///
    /// # Errors
    /// [`ErrorKind::UserNotFound`] when there is none, or it is confirmed.
    pub async fn delete_pending(self, email: &str) -> Result<()> {
        let parts = &self.auth.parts;
        let email = &*self.auth.address(email).await?;
        let found = parts.store.registration(&parts.app, email).await?;
        if found.is_none_or(|found| found.confirmed) {
            return Err(unknown());
        }
        parts.store.delete_registration(&parts.app, email).await?;
        Ok(())
    }

    /// Sets a password, whatever the present one is, and ends every session of the user.
    ///
    /// # Errors
    /// [`ErrorKind::UserNotFound`]; [`ErrorKind::InvalidParameter`] for a password that is refused.
    pub async fn set_password(self, email: &str, password: &Secret) -> Result<()> {
        let context = self.auth.context(Purpose::LogIn);
        let email = &*self.auth.address(email).await?;
        let identity = self.auth.email_password()?.set_password(&context, email, None, password).await?;
        self.auth.end_sessions_of_identity(&identity).await
    }

    /// Refuses log-in, and ends every session.
    ///
    /// # Errors
    /// [`ErrorKind::UserNotFound`].
    pub async fn disable(self, user: UserId) -> Result<()> {
        self.auth.parts.sessions.set_disabled(user, true).await
    }

    /// Lets a disabled user log in again.
    ///
    /// # Errors
    /// [`ErrorKind::UserNotFound`].
    pub async fn enable(self, user: UserId) -> Result<()> {
        self.auth.parts.sessions.set_disabled(user, false).await
    }

    /// Deletes a user with everything that log-in keeps of them; documents stay.
    ///
    /// # Errors
    /// [`ErrorKind::UserNotFound`]; what a listener refuses with.
    pub async fn delete(self, user: UserId) -> Result<()> {
        self.auth.delete_user(user).await
    }

    /// The user's sessions, oldest first, with their devices.
    pub async fn sessions(self, user: UserId) -> Result<Vec<ListedSession>> {
        let parts = &self.auth.parts;
        Ok(parts.store.sessions_of(&parts.app, user).await?)
    }

    /// Ends one session; says whether there was one of this user.
    pub async fn end_session(self, user: UserId, session: SessionId) -> Result<bool> {
        let parts = &self.auth.parts;
        let sessions = parts.store.sessions_of(&parts.app, user).await?;
        if !sessions.iter().any(|listed| listed.session.id == session) {
            return Ok(false);
        }
        Ok(parts.store.delete_session(&parts.app, session).await?)
    }

    /// Ends every session of the user but one; returns how many ended.
    pub async fn end_other_sessions(self, user: UserId, keep: SessionId) -> Result<u64> {
        let parts = &self.auth.parts;
        Ok(parts.store.delete_sessions_of(&parts.app, user, Some(keep)).await?)
    }

    /// Ends every session of the user, also those that a log-in under way is about to open.
    ///
    /// # Errors
    /// [`ErrorKind::UserNotFound`].
    pub async fn log_out(self, user: UserId) -> Result<()> {
        self.auth.parts.sessions.revoke_all(user).await
    }

    async fn insert(self, email: &str, password_hash: Secret) -> Result<()> {
        let context = self.auth.context(Purpose::LogIn);
        if context.store.registration(context.app, email).await?.is_some() {
            return Err(name_in_use());
        }
        let registration = Registration {
            email: email.to_owned(),
            identity_id: fresh_identity_id(context.env)?,
            password_hash,
            confirmed: true,
            created_at: context.env.clock.now(),
        };
        insert(&context, &registration).await
    }
}

impl std::fmt::Debug for Users<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Users")
    }
}
