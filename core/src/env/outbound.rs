//! Outbound HTTP and mail.

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::{Error, Result};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The address.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The body, plain text.
    pub body: String,
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
