//! Sending a mail: with one link to a page that the app's configuration names.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::auth::mails::{Composed, Values};
use crate::auth::one_time::{Issued, LIFETIME};
use crate::auth::provider::ProviderContext;
use crate::auth::providers::EmailPassword;
use crate::env::{Mail, MailKind, MailToken};
use crate::error::{Error, ErrorKind, Result};

impl EmailPassword {
    /// Sends a token to an address; the link is the configured page with the token behind it.
    pub(super) async fn mail(
        &self,
        cx: &ProviderContext<'_>,
        (kind, to): (MailKind, &str),
        (page, subject): (&str, Option<&str>),
        issued: Issued,
    ) -> Result<()> {
        need_page(page)?;
        let link = link(page, &issued);
        let token = MailToken { token: issued.token, token_id: issued.token_id, link };
        self.hand_over(cx, (kind, to), subject, Some(token)).await
    }

    /// Tells an address something that leads nowhere.
    pub(super) async fn mail_without_token(
        &self,
        cx: &ProviderContext<'_>,
        mail: (MailKind, &str),
    ) -> Result<()> {
        self.hand_over(cx, mail, None, None).await
    }

    async fn hand_over(
        &self,
        cx: &ProviderContext<'_>,
        (kind, to): (MailKind, &str),
        subject: Option<&str>,
        token: Option<MailToken>,
    ) -> Result<()> {
        let values = Values { email: to, ..token.as_ref().map(values).unwrap_or_default() };
        let Composed { subject, text, html } = self.mails.compose(kind, subject, &values);
        let mail = Mail { app: cx.app.clone(), kind, to: to.to_owned(), subject, body: text, html, token };
        let failed = |cause| {
            Error::new(ErrorKind::Unavailable, "the mail could not be sent, try again").with_cause(cause)
        };
        cx.env.mailer.send(mail).await.map_err(|cause| failed(cause).with_retry_after(5))
    }
}

pub(super) fn need_page(page: &str) -> Result<()> {
    if page.is_empty() {
        let text = "no page is configured that the mail could lead to";
        return Err(Error::new(ErrorKind::BadRequest, text));
    }
    Ok(())
}

fn values(token: &MailToken) -> Values<'_> {
    Values {
        link: &token.link,
        token: token.token.expose(),
        token_id: &token.token_id,
        minutes: LIFETIME.num_minutes(),
        email: "",
    }
}

fn link(page: &str, issued: &Issued) -> String {
    let (address, fragment) = page.split_once('#').map_or((page, None), |(a, f)| (a, Some(f)));
    let separator = if address.contains('?') { '&' } else { '?' };
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let query = format!("token={}&tokenId={}", encoded(issued.token.expose()), encoded(&issued.token_id));
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{address}{separator}{query}{fragment}")
}
