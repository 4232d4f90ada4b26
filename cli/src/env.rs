//! The outside world of the command: tokio's timer, HTTPS, and what the arguments say about mail.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use backstitch::env::{DevMailbox, Env, Timer};
use backstitch::secret::Secret;
use backstitch_http::client::HttpsClient;

use crate::Failure;
use crate::args::Mail;
use crate::mail::{PASSWORD, SmtpMailer};

/// Where `--dev-mailbox` shows mails.
pub(crate) const MAILBOX: &str = "/_dev/mailbox";

/// The outside effects, and the mailbox if there is one.
pub(crate) fn env(args: &Mail) -> Result<(Env, Option<DevMailbox>), Failure> {
    let http = Arc::new(HttpsClient::new().map_err(Failure::negative)?);
    let mut env = Env { timer: Arc::new(TokioTimer), http, ..Env::system() };
    let mailbox = args.dev_mailbox.then(DevMailbox::default);
    if let Some(mailbox) = &mailbox {
        tracing::warn!("mails are shown at {MAILBOX} to everyone: this is for development");
        env.mailer = Arc::new(mailbox.clone());
    }
    if let (Some(url), Some(from)) = (&args.smtp, &args.mail_from) {
        let password = std::env::var(PASSWORD).ok().map(Secret::new);
        env.mailer = Arc::new(SmtpMailer::new(url, from, password)?);
    }
    Ok((env, mailbox))
}

/// Waits on the runtime that serves anyway.
struct TokioTimer;

#[async_trait]
impl Timer for TokioTimer {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
