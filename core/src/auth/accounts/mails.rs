//! The mails that log-in sends: plain text, with one link to a page that the app's configuration names.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::auth::one_time::Issued;
use crate::auth::provider::ProviderContext;
use crate::env::{Mail, MailKind, MailToken};
use crate::error::{Error, ErrorKind, Result};

/// Sends a token to an address; the link is the configured page with the token behind it.
pub(super) async fn send(
    cx: &ProviderContext<'_>,
    kind: MailKind,
    to: &str,
    (page, subject): (&str, Option<&str>),
    issued: Issued,
) -> Result<()> {
    if page.is_empty() {
        return Err(Error::new(ErrorKind::BadRequest, "no page is configured that the mail could lead to"));
    }
    let link = link(page, &issued);
    let (own_subject, sentence) = match kind {
        MailKind::Confirm => {
            ("Confirm your e-mail address", "To confirm your e-mail address, open this link:")
        }
        MailKind::Reset => ("Set a new password", "To set a new password, open this link:"),
        MailKind::EmailChange => {
            ("Confirm your new e-mail address", "To use this address from now on, open this link:")
        }
        MailKind::AlreadyRegistered => {
            ("You have an account", "Somebody tried to register this address again:")
        }
    };
    let mail = Mail {
        app: cx.app.clone(),
        kind,
        to: to.to_owned(),
        subject: subject.unwrap_or(own_subject).to_owned(),
        body: format!(
            "{sentence}\n\n{link}\n\nIt can be used once, within thirty minutes. If you did not ask for it, ignore it.\n"
        ),
        token: Some(MailToken { token: issued.token, token_id: issued.token_id, link }),
    };
    let failed =
        |cause| Error::new(ErrorKind::Unavailable, "the mail could not be sent, try again").with_cause(cause);
    cx.env.mailer.send(mail).await.map_err(|cause| failed(cause).with_retry_after(5))
}

fn link(page: &str, issued: &Issued) -> String {
    let (address, fragment) = page.split_once('#').map_or((page, None), |(a, f)| (a, Some(f)));
    let separator = if address.contains('?') { '&' } else { '?' };
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let query = format!("token={}&tokenId={}", encoded(issued.token.expose()), encoded(&issued.token_id));
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{address}{separator}{query}{fragment}")
}
