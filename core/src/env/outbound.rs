//! Outbound HTTP and mail.

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::{Error, Result};
use crate::id::AppId;
use crate::secret::Secret;

/// Sends HTTP requests to other servers (JWKS, OAuth, functions).
#[async_trait]
pub trait HttpClient: Send + Sync {
    /// Sends one request; a response of any status is `Ok`.
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>>;
}

/// Sends mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands one mail over; `Ok` means accepted for delivery, not delivered.
    async fn send(&self, mail: Mail) -> Result<()>;
}

/// A mail to one address.
///
/// `Debug` shows neither token nor body.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The app that sends it.
    pub app: AppId,
    /// What it is for.
    pub kind: MailKind,
    /// The address.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The body, plain text.
    pub body: String,
    /// The same as HTML, if the app has a template for it.
    pub html: Option<String>,
    /// The one-time token that the mail carries, with its id and the link made of both.
    pub token: Option<MailToken>,
}

/// The one-time token of a mail.
#[derive(Clone, PartialEq, Eq)]
pub struct MailToken {
    /// The token: whoever has it can do what the mail is for, once.
    pub token: Secret,
    /// Its id, which goes with it.
    pub token_id: String,
    /// The link that leads to the app's page.
    pub link: String,
}

/// What a mail is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MailKind {
    /// To confirm an address that was registered.
    Confirm,
    /// To set a new password.
    Reset,
    /// To confirm an address that an account is to move to.
    EmailChange,
    /// To tell the owner of an address that somebody tried to register it again.
    AlreadyRegistered,
}

impl MailKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Confirm, Self::Reset, Self::EmailChange, Self::AlreadyRegistered];

    /// The word for it: `confirm`, `reset`, `email-change`, `already-registered`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Reset => "reset",
            Self::EmailChange => "email-change",
            Self::AlreadyRegistered => "already-registered",
        }
    }
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mail({} to {})", self.kind.as_str(), self.to)
    }
}

impl std::fmt::Debug for MailToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MailToken({})", self.token_id)
    }
}

/// Refuses every request: the host has given no HTTP client.
#[derive(Clone, Copy, Debug)]
pub struct NoHttpClient;

#[async_trait]
impl HttpClient for NoHttpClient {
    async fn send(&self, _request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        Err(Error::internal("no HTTP client is configured"))
    }
}

/// Refuses every mail: the host has given no mailer.
#[derive(Clone, Copy, Debug)]
pub struct NoMailer;

#[async_trait]
impl Mailer for NoMailer {
    async fn send(&self, _mail: Mail) -> Result<()> {
        Err(Error::internal("no mailer is configured"))
    }
}
