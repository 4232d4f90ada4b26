//! The four mails of an app, each with its subject and its bodies.

use std::fmt;

use super::template::{Placeholder, Template, Values, Writing};
use crate::auth::config::{AuthConfig, MailTemplate, PasswordReset, ProviderKind};
use crate::env::MailKind;

/// The mails of an app.
#[derive(Clone, Debug)]
pub(crate) struct Mails {
    app: String,
    confirm: OneMail,
    reset: OneMail,
    email_change: OneMail,
    already_registered: OneMail,
}

/// A mail, ready to be sent.
pub(in crate::auth) struct Composed {
    pub(in crate::auth) subject: String,
    pub(in crate::auth) text: String,
    pub(in crate::auth) html: Option<String>,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MailFault {
    pub(crate) kind: MailKind,
    pub(crate) part: MailPart,
    /// Counted from one; zero for the part as a whole.
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// A part of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MailPart {
    Subject,
    Text,
    Html,
}

#[derive(Clone, Debug)]
struct OneMail {
    subject: Option<Template>,
    text: Option<Template>,
    html: Option<Template>,
}

impl Mails {
    /// Reads the templates of a configuration. A part that is at fault is told, and stays built in.
    pub(crate) fn read(config: &AuthConfig, app: &str) -> (Self, Vec<MailFault>) {
        let resets_by_mail = config.providers.iter().any(|provider| match &provider.kind {
            ProviderKind::EmailPassword(passwords) => matches!(passwords.reset, PasswordReset::Email { .. }),
            _ => false,
        });
        let mut faults = Vec::new();
        let built_in = MailTemplate::default();
        let mut read = |kind: MailKind| {
            let template = config.mails.get(&kind).unwrap_or(&built_in);
            OneMail::read(kind, template, kind != MailKind::AlreadyRegistered || resets_by_mail, &mut faults)
        };
        let mails = Self {
            app: app.to_owned(),
            confirm: read(MailKind::Confirm),
            reset: read(MailKind::Reset),
            email_change: read(MailKind::EmailChange),
            already_registered: read(MailKind::AlreadyRegistered),
        };
        (mails, faults)
    }

    /// A mail with its values; `subject` is what the provider's settings say.
    pub(in crate::auth) fn compose(
        &self,
        kind: MailKind,
        subject: Option<&str>,
        values: &Values<'_>,
    ) -> Composed {
        let mail = match kind {
            MailKind::Confirm => &self.confirm,
            MailKind::Reset => &self.reset,
            MailKind::EmailChange => &self.email_change,
            MailKind::AlreadyRegistered => &self.already_registered,
        };
        let render = |template: &Template, writing| template.render(&self.app, values, writing);
        Composed {
            subject: match (&mail.subject, subject) {
                (Some(template), _) => render(template, Writing::Line),
                (None, Some(configured)) => configured.to_owned(),
                (None, None) => built_in_subject(kind).to_owned(),
            },
            text: match &mail.text {
                Some(template) => render(template, Writing::Plain),
                None => built_in_text(kind, values.link),
            },
            html: mail.html.as_ref().map(|template| render(template, Writing::Html)),
        }
    }
}

impl OneMail {
    fn read(kind: MailKind, template: &MailTemplate, has_token: bool, faults: &mut Vec<MailFault>) -> Self {
        let mut part = |part: MailPart, text: Option<&String>| {
            let told = faults.len();
            let read = read_part(kind, part, text?, has_token, faults);
            read.filter(|_| faults.len() == told)
        };
        Self {
            subject: part(MailPart::Subject, template.subject.as_ref()),
            text: part(MailPart::Text, template.text.as_ref()),
            html: part(MailPart::Html, template.html.as_ref()),
        }
    }
}

fn read_part(
    kind: MailKind,
    part: MailPart,
    text: &str,
    has_token: bool,
    faults: &mut Vec<MailFault>,
) -> Option<Template> {
    let mut fault = |line, message: String| faults.push(MailFault { kind, part, line, message });
    if part == MailPart::Subject && (text.contains(char::is_control) || text.trim().is_empty()) {
        fault(0, "a subject must be one line of text".to_owned());
        return None;
    }
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(unknown) => {
            let known = Placeholder::ALL.into_iter().filter(|known| has_token || !known.needs_token());
            let known: Vec<_> = known.map(|known| format!("`{{{}}}`", known.word())).collect();
            for unknown in unknown {
                let (name, known) = (unknown.name, known.join(", "));
                fault(unknown.line, format!("unknown placeholder `{{{name}}}`; there are {known}"));
            }
            return None;
        }
    };
    let forbidden = template.placeholders().find(|used| used.needs_token() && !has_token);
    if let Some(forbidden) = forbidden {
        let word = forbidden.word();
        let why = "passwords are not reset by mail, so this mail carries no link";
        fault(0, format!("`{{{word}}}` stands for nothing: {why}"));
    }
    let leads_on = template.placeholders().any(|used| matches!(used, Placeholder::Link | Placeholder::Token));
    if part != MailPart::Subject && kind != MailKind::AlreadyRegistered && !leads_on {
        fault(0, "the mail is of no use without `{link}` or `{token}`".to_owned());
    }
    Some(template)
}

fn built_in_subject(kind: MailKind) -> &'static str {
    match kind {
        MailKind::Confirm => "Confirm your e-mail address",
        MailKind::Reset => "Set a new password",
        MailKind::EmailChange => "Confirm your new e-mail address",
        MailKind::AlreadyRegistered => "You have an account",
    }
}

fn built_in_text(kind: MailKind, link: &str) -> String {
    let sentence = match kind {
        MailKind::Confirm => "To confirm your e-mail address, open this link:",
        MailKind::Reset => "To set a new password, open this link:",
        MailKind::EmailChange => "To use this address from now on, open this link:",
        MailKind::AlreadyRegistered => {
            let again = "Somebody tried to register this address again. If it was you, log in instead";
            if link.is_empty() {
                return format!("{again}.\n\nIf it was not you, ignore this mail: nothing has changed.\n");
            }
            return format!(
                "{again}, or open this link to set a new password:\n\n{link}\n\nIt can be used once, within \
                 thirty minutes. If it was not you, ignore this mail: nothing has changed.\n"
            );
        }
    };
    let end = "It can be used once, within thirty minutes. If you did not ask for it, ignore it.";
    format!("{sentence}\n\n{link}\n\n{end}\n")
}

impl fmt::Display for MailPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Subject => "subject",
            Self::Text => "text",
            Self::Html => "html",
        })
    }
}

impl fmt::Display for MailFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, part, line, message } = self;
        write!(f, "the mail `{}`, {part}", kind.as_str())?;
        if *line > 0 {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {message}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::AppConfig;
    use crate::auth::config::EmailPasswordConfig;

    fn read(kind: MailKind, template: MailTemplate) -> (Mails, Vec<String>) {
        let config = AppConfig::new("Shop").mail(kind, template);
        let (mails, faults) = Mails::read(&config.auth, &config.name);
        (mails, faults.iter().map(ToString::to_string).collect())
    }

    const VALUES: Values<'_> =
        Values { link: "https://x.test/?a&b", token: "t", token_id: "i", minutes: 30, email: "a@x.test" };

    #[test]
    fn what_is_given_takes_the_place_of_what_is_built_in() {
        let html = MailTemplate::new().html("<a href=\"{link}\">{app}</a>");
        let (mails, faults) = read(MailKind::Reset, html);
        assert_eq!(faults, [] as [&str; 0]);
        let mail = mails.compose(MailKind::Reset, Some("From {app}"), &VALUES);
        assert_eq!(mail.subject, "From {app}", "a provider's subject is no template");
        assert!(mail.text.starts_with("To set a new password, open this link:\n\nhttps://x.test/?a&b\n"));
        assert_eq!(mail.html.as_deref(), Some("<a href=\"https://x.test/?a&amp;b\">Shop</a>"));

        let own = MailTemplate::new().subject("{app}: {email}").text("{token} {tokenId}");
        let (mails, faults) = read(MailKind::Confirm, own);
        assert_eq!(faults, [] as [&str; 0]);
        let mail = mails.compose(MailKind::Confirm, Some("configured"), &VALUES);
        assert_eq!((mail.subject.as_str(), mail.text.as_str(), mail.html), ("Shop: a@x.test", "t i", None));
    }

    #[test]
    fn a_fault_names_the_mail_the_part_and_the_line_and_the_part_stays_built_in() {
        let faulty = MailTemplate::new().subject("two\nlines").text("Hello\n{name}\n{link}").html("<p>");
        let (mails, faults) = read(MailKind::Confirm, faulty);
        let known = "`{link}`, `{token}`, `{tokenId}`, `{minutes}`, `{email}`, `{app}`";
        assert_eq!(
            faults,
            [
                "the mail `confirm`, subject: a subject must be one line of text".to_owned(),
                format!(
                    "the mail `confirm`, text, line 2: unknown placeholder `{{name}}`; there are {known}"
                ),
                "the mail `confirm`, html: the mail is of no use without `{link}` or `{token}`".to_owned(),
            ]
        );
        let mail = mails.compose(MailKind::Confirm, None, &VALUES);
        assert_eq!(mail.subject, "Confirm your e-mail address");
        assert!(mail.text.contains(VALUES.link) && mail.html.is_none());
    }

    #[test]
    fn a_mail_to_the_owner_has_a_link_if_passwords_are_reset_by_mail() {
        let template = || MailTemplate::new().text("{link}");
        let (_, faults) = read(MailKind::AlreadyRegistered, template());
        assert_eq!(faults.len(), 1, "{faults:?}");
        let reset = PasswordReset::Email { url: "https://x.test".to_owned(), subject: None };
        let passwords = EmailPasswordConfig { reset, ..EmailPasswordConfig::automatic() };
        let config = AppConfig::new("Shop").provider(ProviderKind::EmailPassword(passwords));
        let config = config.mail(MailKind::AlreadyRegistered, template());
        assert_eq!(Mails::read(&config.auth, "Shop").1, []);
        let (mails, _) = read(MailKind::AlreadyRegistered, MailTemplate::new().text("{email}: no news"));
        let mail = mails.compose(MailKind::AlreadyRegistered, None, &Values { link: "", ..VALUES });
        assert_eq!(mail.text, "a@x.test: no news");
    }
}
