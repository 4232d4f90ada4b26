//! Mail: over SMTP, or into a mailbox for development.

mod dev_mailbox;
mod smtp;

pub(crate) use dev_mailbox::DevMailbox;
pub(crate) use smtp::{PASSWORD, SmtpMailer};
