//! What a host lets people do with their own accounts, where it has pages of its own for that.

use bson::{Bson, Document};

use super::App;
use crate::actor::{ActingUser, Actor};
use crate::auth::{Credential, DeviceInfo};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

impl App {
    /// Registers an e-mail address with a password.
    ///
    /// # Errors
    /// `AccountNameInUse` when the address is taken; `InvalidParameter` for an address or a password that is
    /// refused; `TooManyRequests`; what the confirmation fails with.
    pub async fn register(&self, email: &str, password: &Secret) -> Result<()> {
        self.parts().auth.register(email, password, None).await
    }

    /// Confirms the address that a mailed token was made for.
    ///
    /// # Errors
    /// `BadRequest` or `UserpassTokenInvalid` for a token that is none (any more).
    pub async fn confirm(&self, token: &Secret, token_id: &str) -> Result<()> {
        self.parts().auth.confirm(token, token_id).await
    }

    /// Mails another token to confirm an address with; the one before is void.
    ///
    /// # Errors
    /// `UserNotFound`; `UserAlreadyConfirmed`; `BadRequest` when the app confirms otherwise; `TooManyRequests`.
    pub async fn resend_confirmation(&self, email: &str) -> Result<()> {
        self.parts().auth.resend_confirmation(email, None).await
    }

    /// Runs the app's confirmation function once more.
    ///
    /// # Errors
    /// As [`resend_confirmation`](Self::resend_confirmation), and what the function fails with.
    pub async fn rerun_confirmation(&self, email: &str) -> Result<()> {
        self.parts().auth.rerun_confirmation(email, None).await
    }

    /// Mails a token to set a new password with; the one before is void.
    ///
    /// # Errors
    /// `UserNotFound`; `BadRequest` when the app resets otherwise; `TooManyRequests`.
    pub async fn send_password_reset(&self, email: &str) -> Result<()> {
        self.parts().auth.send_reset(email, None).await
    }

    /// Sets a new password with a token that was mailed; every session of the user ends.
    ///
    /// # Errors
    /// `BadRequest` or `UserpassTokenInvalid` for a token that is none (any more); `InvalidParameter` for a
    /// password that is refused, which leaves the token as it is.
    pub async fn reset_password(&self, token: &Secret, token_id: &str, password: &Secret) -> Result<()> {
        self.parts().auth.reset((token, token_id), password).await
    }

    /// Has the app's reset function decide about a new password, with arguments of the caller's.
    ///
    /// # Errors
    /// `UserNotFound`; `BadRequest` when the app resets otherwise, or the function refuses; `TooManyRequests`.
    pub async fn call_reset_function(
        &self,
        email: &str,
        password: &Secret,
        arguments: Vec<Bson>,
    ) -> Result<()> {
        self.parts().auth.call_reset((email, password), arguments, None).await
    }

    /// A new password for an actor who knows the present one; every session of the user ends.
    ///
    /// # Errors
    /// `InvalidPassword`; `InvalidParameter` for a new password that is refused.
    pub async fn change_password(&self, actor: &Actor, present: &Secret, new: &Secret) -> Result<()> {
        self.parts().auth.change_password(&owner_of(actor)?.user, present, new).await
    }

    /// Mails a token to a new address of the actor; its link leads to `page`, where the host calls
    /// [`confirm_email_change`](Self::confirm_email_change).
    ///
    /// # Errors
    /// `AccountNameInUse`; `UserNotFound` for an actor without an e-mail identity; a mailer that fails.
    pub async fn request_email_change(&self, actor: &Actor, email: &str, page: &str) -> Result<()> {
        self.parts().auth.request_email_change(&owner_of(actor)?.user, email, page).await
    }

    /// Moves an account to the address that the token was mailed to; every session of the user ends.
    ///
    /// # Errors
    /// `BadRequest` or `UserpassTokenInvalid` for a token that is none (any more); `AccountNameInUse`.
    pub async fn confirm_email_change(&self, token: &Secret, token_id: &str) -> Result<()> {
        self.parts().auth.confirm_email_change(token, token_id).await
    }

    /// Adds the identity that a credential proves to the actor's user.
    ///
    /// # Errors
    /// `LinkingNotSupported`; `AuthError` when another user has the identity; what the provider refuses with.
    pub async fn link(&self, actor: &Actor, provider: &str, credential: Document) -> Result<()> {
        let user = owner_of(actor)?.user.id;
        let (credential, device) = (Credential::new(credential), DeviceInfo::default());
        self.parts().auth.link(user, provider, &credential, &device).await.map(drop)
    }

    /// Takes an identity away from the actor's user, and ends the sessions that it opened.
    ///
    /// # Errors
    /// `InvalidParameter` for the last identity, and for one that the user has not.
    pub async fn unlink(&self, actor: &Actor, provider: &str, identity: &str) -> Result<()> {
        self.parts().auth.unlink(owner_of(actor)?.user.id, provider, identity).await.map(drop)
    }
}

/// Who may change credentials: a user, but not by an API key (decision 61).
pub(super) fn owner_of(actor: &Actor) -> Result<&ActingUser> {
    let missing = || Error::new(ErrorKind::MissingAuthReq, "must authenticate first");
    let acting = actor.acting_user().ok_or_else(missing)?;
    if acting.provider == "api-key" {
        let text = "a session from an API key cannot change credentials";
        return Err(Error::new(ErrorKind::NotPermitted, text));
    }
    Ok(acting)
}
