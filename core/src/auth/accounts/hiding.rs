//! `hideAccounts`: whether an address has an account is told to nobody but its owner.
//!
//! 1. Registering a taken address, and a resend, a new confirmation or a reset for an unknown one, answer as for
//!    any other, byte for byte. Whoever owns a taken address is mailed; unknown addresses never are.
//! 2. Both ways ask the store as often and hash as much; what one way has no use for is thrown away.
//! 3. Mail servers and functions take as long as they do. So no answer comes before
//!    [`Limits::hidden_answer`](crate::limits::Limits::hidden_answer); what takes longer tells. A mailer that only
//!    queues a mail never does.
//! 4. What fails for one address alone (its mail, the app's function, which says no) is logged, not told. A
//!    registration tells when no mail can be sent, for both kinds of address.
//! 5. With automatic confirmation somebody who has registered an address can log in with it, or not: that tells,
//!    and building the engine says so.

use std::future::Future;

use futures_util::future::join;

use crate::auth::config::{Confirmation, PasswordReset};
use crate::auth::one_time::{LIFETIME, Meant, OneTime, sha256};
use crate::auth::provider::ProviderContext;
use crate::auth::providers::EmailPassword;
use crate::env::MailKind;
use crate::error::Result;
use crate::store::{Ticket, TicketKey};

impl EmailPassword {
    /// Does the work, and takes no less time than every other answer.
    pub(super) async fn unhurried<T>(
        &self,
        cx: &ProviderContext<'_>,
        work: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        if !self.hides_accounts {
            return work.await;
        }
        join(work, cx.env.timer.sleep(cx.limits.hidden_answer)).await.0
    }

    /// Instead of registering a taken address: its owner is told, and the client reads what it always does.
    pub(super) async fn tell_owner(&self, cx: &ProviderContext<'_>, email: &str) -> Result<()> {
        // In the place of the registration that is not written.
        let key = TicketKey { kind: "decoy", hash: sha256(&[email]) };
        let expires_at = cx.env.clock.now() + LIFETIME;
        cx.store.put_ticket(cx.app, &Ticket { key, payload: Vec::new(), expires_at }).await?;
        let registration = cx.store.registration(cx.app, email).await?;
        let page = match &self.config.reset {
            PasswordReset::Email { url, .. } if !url.is_empty() => Some(url.as_str()),
            _ => None,
        };
        let mailed = match (page, registration) {
            (Some(page), Some(registration)) => {
                let meant = Meant { account: email.to_owned(), detail: registration.identity_id };
                let issued = OneTime::Reset.issue(cx, &meant).await?;
                self.mail(cx, (MailKind::AlreadyRegistered, email), (page, None), issued).await
            }
            _ => {
                self.pretend(cx, email).await?;
                self.mail_without_token(cx, (MailKind::AlreadyRegistered, email)).await
            }
        };
        match &self.config.confirmation {
            // A mail that cannot be sent is told for a new address too.
            Confirmation::Email { .. } => mailed,
            Confirmation::Automatic | Confirmation::Function { .. } => quietly(cx, mailed),
        }
    }

    /// As much work as making a token; nobody gets this one, and it is good for nothing.
    pub(super) async fn pretend(&self, cx: &ProviderContext<'_>, email: &str) -> Result<()> {
        let meant = Meant { account: email.to_owned(), detail: String::new() };
        OneTime::Decoy.issue(cx, &meant).await.map(drop)
    }
}

/// What has failed for this address alone is for the log.
pub(super) fn quietly(cx: &ProviderContext<'_>, outcome: Result<()>) -> Result<()> {
    if let Err(error) = outcome {
        let causes = std::iter::successors(std::error::Error::source(&error), |cause| (*cause).source());
        let causes: Vec<String> = causes.map(ToString::to_string).collect();
        let (kind, causes) = (error.kind(), causes.join(": "));
        tracing::warn!(app = %cx.app, ?kind, causes, "not told to the client, who may not know of accounts: {error}");
    }
    Ok(())
}
