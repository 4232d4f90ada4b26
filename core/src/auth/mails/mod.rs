//! The mails of an app: templates with placeholders, built in or configured
//! ([`MailTemplate`](crate::auth::config::MailTemplate)).

mod compose;
mod template;

pub(super) use compose::Composed;
pub(crate) use compose::{MailPart, Mails};
pub(super) use template::Values;
