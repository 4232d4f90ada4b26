//! Registering an e-mail address and confirming it, in the three modes of the original.

use bson::{Bson, doc};

use super::hiding::quietly;
use super::mails::need_page;
use crate::actor::Actor;
use crate::auth::config::Confirmation;
use crate::auth::login::fresh_identity_id;
use crate::auth::one_time::{Issued, Meant, OneTime};
use crate::auth::provider::ProviderContext;
use crate::auth::providers::EmailPassword;
use crate::env::MailKind;
use crate::error::{Error, ErrorKind, Result};
use crate::functions::FunctionCall;
use crate::secret::Secret;
use crate::store::{Registration, StoreErrorKind};

/// Well over what RFC 5321 allows; the original does not look inside the address.
pub(in crate::auth) const MAX_EMAIL_BYTES: usize = 1024;
const ATTEMPTS: usize = 8;

/// What a confirmation or reset function decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Success,
    Pending,
    Fail,
}

/// What became of an address that was to be registered.
enum Free {
    Registered,
    Taken,
}

impl EmailPassword {
    /// Registers an address. Whether it can log in at once is for the configured confirmation to say.
    pub(in crate::auth) async fn register(
        &self,
        cx: &ProviderContext<'_>,
        email: &str,
        password: &Secret,
    ) -> Result<()> {
        let email = &*self.address(cx, email).await?;
        self.check_email(email)?;
        self.rules.check(password, email)?;
        if !self.hides_accounts {
            return match self.register_free(cx, email, password).await? {
                Free::Taken => Err(name_in_use()),
                Free::Registered => Ok(()),
            };
        }
        // What fails for every address is told before anything depends on this one.
        self.need_confirmation(cx)?;
        let registering = async {
            match self.register_free(cx, email, password).await? {
                Free::Taken => self.tell_owner(cx, email).await,
                Free::Registered => Ok(()),
            }
        };
        self.unhurried(cx, registering).await
    }

    /// Registers an address unless it is taken; both cost a hash.
    async fn register_free(&self, cx: &ProviderContext<'_>, email: &str, password: &Secret) -> Result<Free> {
        let taken = cx.store.registration(cx.app, email).await?.is_some();
        if taken && !self.hides_accounts {
            return Ok(Free::Taken);
        }
        let registration = Registration {
            email: email.to_owned(),
            identity_id: fresh_identity_id(cx.env)?,
            password_hash: self.hasher.hash(password).await?,
            confirmed: self.config.confirmation == Confirmation::Automatic,
            created_at: cx.env.clock.now(),
        };
        if taken {
            return Ok(Free::Taken);
        }
        match insert(cx, &registration).await {
            // Another registration of the address was first.
            Err(error) if error.kind() == ErrorKind::AccountNameInUse => return Ok(Free::Taken),
            inserted => inserted?,
        }
        let begun = self.begin_confirmation(cx, email).await;
        if begun.is_err() {
            // Nobody could confirm it: the address is free for another try.
            cx.store.delete_registration(cx.app, email).await?;
        }
        match &self.config.confirmation {
            // Of a taken address the function is not asked, so its refusal would tell.
            Confirmation::Function { .. } if self.hides_accounts => quietly(cx, begun)?,
            _ => begun?,
        }
        Ok(Free::Registered)
    }

    /// Confirms the address that a token was made for.
    pub(in crate::auth) async fn confirm(
        &self,
        cx: &ProviderContext<'_>,
        token: &Secret,
        token_id: &str,
    ) -> Result<()> {
        let meant = OneTime::Confirm.redeem(cx, token, token_id).await?;
        set_confirmed(cx, &meant.account, Some(&meant.detail)).await
    }

    /// Sends the confirmation mail again; the earlier token is void.
    pub(in crate::auth) async fn resend_confirmation(
        &self,
        cx: &ProviderContext<'_>,
        email: &str,
    ) -> Result<()> {
        match &self.config.confirmation {
            Confirmation::Automatic => Err(automatic(email)),
            Confirmation::Function { .. } => {
                Err(Error::new(ErrorKind::BadRequest, "please run the confirmation via function"))
            }
            Confirmation::Email { .. } => self.begin_again(cx, email).await,
        }
    }

    /// Runs the confirmation function again.
    pub(in crate::auth) async fn rerun_confirmation(
        &self,
        cx: &ProviderContext<'_>,
        email: &str,
    ) -> Result<()> {
        match &self.config.confirmation {
            Confirmation::Automatic => Err(automatic(email)),
            Confirmation::Email { .. } => {
                let text = format!("cannot run confirmation for {email}: no confirmation function is set");
                Err(Error::new(ErrorKind::BadRequest, text))
            }
            Confirmation::Function { .. } => self.begin_again(cx, email).await,
        }
    }

    /// Begins the confirmation of a pending address once more.
    async fn begin_again(&self, cx: &ProviderContext<'_>, email: &str) -> Result<()> {
        let email = &*self.address(cx, email).await?;
        if !self.hides_accounts {
            pending(cx, email).await?;
            return self.begin_confirmation(cx, email).await;
        }
        self.need_confirmation(cx)?;
        let again = async {
            match pending(cx, email).await {
                Ok(()) => self.begin_confirmation(cx, email).await,
                Err(error)
                    if matches!(error.kind(), ErrorKind::UserNotFound | ErrorKind::UserAlreadyConfirmed) =>
                {
                    cx.store.registration(cx.app, email).await?;
                    self.pretend(cx, email).await
                }
                Err(error) => Err(error),
            }
        };
        self.unhurried(cx, async { quietly(cx, again.await) }).await
    }

    /// Sends the mail that confirms an address, or asks the function.
    async fn begin_confirmation(&self, cx: &ProviderContext<'_>, email: &str) -> Result<()> {
        match &self.config.confirmation {
            Confirmation::Automatic => Ok(()),
            Confirmation::Email { url, subject } => {
                let issued = issue(cx, email).await?;
                self.mail(cx, (MailKind::Confirm, email), (url, subject.as_deref()), issued).await
            }
            Confirmation::Function { name } => self.call_confirmation(cx, email, name).await,
        }
    }

    /// What a confirmation cannot do without, whoever registers.
    fn need_confirmation(&self, cx: &ProviderContext<'_>) -> Result<()> {
        match &self.config.confirmation {
            Confirmation::Automatic => Ok(()),
            Confirmation::Email { url, .. } => need_page(url),
            Confirmation::Function { name } => cx.functions.need(name),
        }
    }

    pub(in crate::auth) fn check_email(&self, email: &str) -> Result<()> {
        if email.is_empty() || email.len() > MAX_EMAIL_BYTES {
            let text = format!("`email` must be between 1 and {MAX_EMAIL_BYTES} bytes");
            return Err(Error::new(ErrorKind::InvalidParameter, text));
        }
        if self.confirms_by_mail() && !is_deliverable(email) {
            return Err(Error::new(ErrorKind::InvalidParameter, "`email` is not an e-mail address"));
        }
        Ok(())
    }

    pub(super) fn confirms_by_mail(&self) -> bool {
        matches!(self.config.confirmation, Confirmation::Email { .. })
    }

    async fn call_confirmation(&self, cx: &ProviderContext<'_>, email: &str, name: &str) -> Result<()> {
        let issued = issue(cx, email).await?;
        let arguments = vec![Bson::from(doc! {
            "token": issued.token.expose(), "tokenId": &issued.token_id, "username": email,
        })];
        match decide(cx, name, arguments).await? {
            Decision::Success => {
                OneTime::Confirm.void(cx, email).await?;
                set_confirmed(cx, email, None).await
            }
            Decision::Pending => Ok(()),
            Decision::Fail => {
                let text = format!("failed to confirm user \"{email}\"");
                Err(Error::new(ErrorKind::BadRequest, text))
            }
        }
    }
}

/// Asks a function that gives back `{status: "success" | "pending" | "fail"}`; anything else is a fail.
pub(super) async fn decide(cx: &ProviderContext<'_>, name: &str, arguments: Vec<Bson>) -> Result<Decision> {
    let call = FunctionCall::new(Actor::system(cx.app.clone()), arguments).from_peer(cx.peer);
    let answer = cx.functions.call(name, call).await?;
    Ok(match answer.as_document().and_then(|answer| answer.get_str("status").ok()) {
        Some("success") => Decision::Success,
        Some("pending") => Decision::Pending,
        _ => Decision::Fail,
    })
}

pub(in crate::auth) async fn insert(cx: &ProviderContext<'_>, registration: &Registration) -> Result<()> {
    cx.store.insert_registration(cx.app, registration).await.map_err(|error| match error.kind() {
        StoreErrorKind::DuplicateKey => name_in_use(),
        _ => error.into(),
    })
}

/// Confirms an address; with `identity`, only the registration that has it.
pub(in crate::auth) async fn set_confirmed(
    cx: &ProviderContext<'_>,
    email: &str,
    identity: Option<&str>,
) -> Result<()> {
    for _ in 0..ATTEMPTS {
        let found = cx.store.registration(cx.app, email).await?.ok_or_else(unknown)?;
        if identity.is_some_and(|identity| identity != found.identity_id) {
            return Err(unknown());
        }
        let confirmed = Registration { confirmed: true, ..found.clone() };
        match cx.store.replace_registration(cx.app, &confirmed, &found.password_hash).await {
            Err(error) if error.kind() == StoreErrorKind::Conflict => {}
            done => return Ok(done?),
        }
    }
    Err(Error::new(ErrorKind::Unavailable, "the account is being changed, try again").with_retry_after(1))
}

async fn issue(cx: &ProviderContext<'_>, email: &str) -> Result<Issued> {
    let registration = cx.store.registration(cx.app, email).await?.ok_or_else(unknown)?;
    let meant = Meant { account: email.to_owned(), detail: registration.identity_id };
    OneTime::Confirm.issue(cx, &meant).await
}

async fn pending(cx: &ProviderContext<'_>, email: &str) -> Result<()> {
    let found = cx.store.registration(cx.app, email).await?.ok_or_else(unknown)?;
    if found.confirmed {
        return Err(Error::new(ErrorKind::UserAlreadyConfirmed, "already confirmed"));
    }
    Ok(())
}

/// One `@` with something before it, and a domain without spaces behind it: a mail server knows the rest.
fn is_deliverable(email: &str) -> bool {
    let plain = !email.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c));
    plain && email.rsplit_once('@').is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty())
}

fn automatic(email: &str) -> Error {
    let text = format!("cannot run confirmation for {email}: automatic confirmation is enabled");
    Error::new(ErrorKind::BadRequest, text)
}

pub(in crate::auth) fn unknown() -> Error {
    Error::new(ErrorKind::UserNotFound, "user not found")
}

pub(in crate::auth) fn name_in_use() -> Error {
    Error::new(ErrorKind::AccountNameInUse, "name already in use")
}
