//! `local-userpass`: an e-mail address and a password.
//!
//! 1. Length is checked before anything is hashed; at log-in a password that is too long is just wrong.
//! 2. An unknown address costs one hash with the current parameters, as a known one does.
//! 3. Pending is told only to the right password.
//! 4. Tries are counted before they are judged; a blocked account is refused before and after the wait for a hash.
//! 5. A hash of other parameters is replaced after a right log-in, if it is still the one that was read.
//! 6. A password that is set during a log-in wins: the old one opens no session that lasts.

use std::sync::Arc;

use async_trait::async_trait;
use bson::doc;
use bson::oid::ObjectId;

use crate::auth::accounts::MAX_EMAIL_BYTES;
use crate::auth::config::EmailPasswordConfig;
use crate::auth::credential::Credential;
use crate::auth::password::{PasswordHasher, PasswordRules, Verified};
use crate::auth::provider::{Evidence, Proven, Provider, ProviderContext, Purpose, Subject};
use crate::auth::throttle::{Account, Throttle};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;
use crate::session::SessionLifetime;
use crate::store::{Identity, Registration, StoreErrorKind, UserKind};

const TYPE_NAME: &str = "local-userpass";
const READ_ATTEMPTS: usize = 3;

pub(in crate::auth) struct EmailPassword {
    id: ObjectId,
    pub(in crate::auth) config: EmailPasswordConfig,
    pub(in crate::auth) hasher: Arc<PasswordHasher>,
    pub(in crate::auth) rules: PasswordRules,
}

impl EmailPassword {
    pub(super) fn new(
        id: ObjectId,
        config: EmailPasswordConfig,
        hasher: Arc<PasswordHasher>,
        rules: PasswordRules,
    ) -> Self {
        Self { id, config, hasher, rules }
    }

    /// The registration with the epoch of its user, the epoch surely not newer than the hash.
    async fn evidence(
        &self,
        cx: &ProviderContext<'_>,
        email: &str,
    ) -> Result<Option<(Registration, Option<u32>)>> {
        let mut seen = cx.store.registration(cx.app, email).await?;
        for _ in 0..READ_ATTEMPTS {
            let Some(registration) = seen else { return Ok(None) };
            let user = cx.store.user_by_identity(cx.app, TYPE_NAME, &registration.identity_id).await?;
            let again = cx.store.registration(cx.app, email).await?;
            if again.as_ref() == Some(&registration) {
                return Ok(Some((registration, user.map(|user| user.epoch))));
            }
            seen = again;
        }
        Err(Error::new(ErrorKind::Unavailable, "the account is being changed, try again").with_retry_after(1))
    }

    /// Makes the hash one of ours; gives the one that is kept, or none if the password was changed meanwhile.
    async fn upgrade(
        &self,
        cx: &ProviderContext<'_>,
        old: &Registration,
        password: &Secret,
    ) -> Result<Option<Secret>> {
        let upgraded = Registration { password_hash: self.hasher.hash(password).await?, ..old.clone() };
        match cx.store.replace_registration(cx.app, &upgraded, &old.password_hash).await {
            Ok(()) => return Ok(Some(upgraded.password_hash)),
            Err(error) if error.kind() == StoreErrorKind::Conflict => {}
            Err(error) => return Err(error.into()),
        }
        // Another log-in may have been first, with the same password.
        let Some(kept) = cx.store.registration(cx.app, &old.email).await? else { return Ok(None) };
        let turn = self.hasher.turn().await?;
        let verified = self.hasher.verify(turn, password, &kept.password_hash).await?;
        Ok((verified != Verified::Wrong).then_some(kept.password_hash))
    }
}

#[async_trait]
impl Provider for EmailPassword {
    fn type_name(&self) -> &str {
        TYPE_NAME
    }

    fn id(&self) -> ObjectId {
        self.id
    }

    async fn authenticate(&self, cx: &ProviderContext<'_>, credential: &Credential) -> Result<Proven> {
        let email = credential.text("username")?;
        let password = Secret::new(credential.text("password")?);
        if self.rules.is_too_long(&password) || email.len() > MAX_EMAIL_BYTES {
            return Err(wrong_password(cx.purpose));
        }
        let (throttle, account) = (Throttle::of(cx), Account::new(TYPE_NAME, email));
        throttle.admit(account, cx.device).await?;
        let evidence = self.evidence(cx, email).await?;
        let turn = self.hasher.turn().await?;
        // Counted once it is its turn and before it is judged: those who wait with it may fail meanwhile.
        let attempt = throttle.begin(account, cx.device).await?;
        let verified = match &evidence {
            Some((registration, _)) => {
                self.hasher.verify(turn, &password, &registration.password_hash).await?
            }
            None => {
                self.hasher.spend(turn, &password).await?;
                Verified::Wrong
            }
        };
        let Some((registration, epoch)) = evidence.filter(|_| verified != Verified::Wrong) else {
            throttle.failed(attempt).await?;
            return Err(wrong_password(cx.purpose));
        };
        throttle.succeeded(attempt).await?;
        if !registration.confirmed {
            return Err(Error::new(ErrorKind::AuthError, "confirmation required"));
        }
        let hash = match verified {
            Verified::RightButOutdated => self.upgrade(cx, &registration, &password).await?,
            _ => Some(registration.password_hash),
        };
        let hash = hash.ok_or_else(|| wrong_password(cx.purpose))?;
        let identity = Identity {
            provider: TYPE_NAME.to_owned(),
            provider_id: self.id,
            id: registration.identity_id,
            data: doc! { "email": &registration.email },
        };
        let subject = Subject::Holder(UserKind::Normal);
        let evidence = match epoch {
            Some(epoch) => Evidence::User { epoch },
            None => Evidence::Registration { email: registration.email, password_hash: hash },
        };
        Ok(Proven { subject, identity, lifetime: SessionLifetime::Configured, evidence })
    }

    async fn still_stands(&self, cx: &ProviderContext<'_>, proven: &Proven) -> Result<bool> {
        let Evidence::Registration { email, password_hash } = &proven.evidence else { return Ok(true) };
        let kept = cx.store.registration(cx.app, email).await?;
        Ok(kept.is_some_and(|kept| {
            kept.identity_id == proven.identity.id && kept.password_hash == *password_hash
        }))
    }
}

fn wrong_password(purpose: Purpose) -> Error {
    let text = match purpose {
        Purpose::LogIn => "unauthorized",
        Purpose::Link => "invalid username/password",
    };
    Error::new(ErrorKind::InvalidPassword, text)
}
