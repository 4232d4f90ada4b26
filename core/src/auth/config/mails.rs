//! What the mails of an app say.

/// A mail's subject and bodies, in the place of the built-in ones; what is not given stays built in.
///
/// A name in braces stands for a value:
///
/// | placeholder | value |
/// |---|---|
/// | `{link}` | the page that the configuration names, with the token behind it |
/// | `{token}`, `{tokenId}` | the token and its id, for a link of one's own |
/// | `{minutes}` | how long the token is good for |
/// | `{email}` | the address that the mail goes to |
/// | `{app}` | the app's name |
///
/// 1. An unknown name is a problem of the wiring, told with the mail, the part and the line. Anything else in
///    braces (`{ color: red }`, `{}`) stands for itself, so that style sheets need no escapes.
/// 2. Both bodies need `{link}` or `{token}`, without which the mail would be of no use. The mail
///    `already-registered` needs neither; it has a link, to set a new password, if passwords are reset by mail.
/// 3. Values are escaped in the HTML body, also for attributes; in the subject line breaks become spaces.
/// 4. A subject given here comes before the provider's (`confirmEmailSubject`, `resetPasswordSubject`), in which
///    braces stand for themselves.
///
/// ```
/// use backstitch::app::AppConfig;
/// use backstitch::auth::config::MailTemplate;
/// use backstitch::env::MailKind;
///
/// let reset = MailTemplate::new()
///     .subject("{app}: a new password")
///     .text("Open {link} within {minutes} minutes.\n")
///     .html("<p><a href=\"{link}\">Set a new password</a></p>");
/// let app = AppConfig::new("shop").mail(MailKind::Reset, reset);
/// ```
///
/// In an app directory the same stands in `mails/<kind>.txt` and `mails/<kind>.html`, the kind being `confirm`,
/// `reset`, `email-change` or `already-registered`. A text file may begin with a line `Subject: …`. What is
/// wrong with a part there is an error of the import's report, and that part stays built in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailTemplate {
    /// The subject: one line.
    pub subject: Option<String>,
    /// The plain text.
    pub text: Option<String>,
    /// The same as HTML; without it the mail has plain text alone.
    pub html: Option<String>,
}

impl MailTemplate {
    /// Everything as built in.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives it a subject.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Gives it a plain text.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// Gives it an HTML body.
    #[must_use]
    pub fn html(mut self, html: impl Into<String>) -> Self {
        self.html = Some(html.into());
        self
    }
}
