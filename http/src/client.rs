//! The client that asks other servers, on hyper and rustls.
//!
//! 1. `https` only, with the roots of webpki; plain `http` needs [`PrivateAllowed`].
//! 2. It resolves names itself and connects to public addresses only, unless the request carries
//!    [`PrivateAllowed`]: a name that resolves to a private address (DNS rebinding) gets nowhere.
//! 3. Redirects are not followed: the caller sees them.
//! 4. A request takes at most [`HttpsClient::TIMEOUT`] in all, and its answer [`HttpsClient::MAX_BODY`] bytes.
//! 5. The cryptography provider is handed to rustls; nothing global is installed.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use backstitch::env::{HttpClient, PrivateAllowed, is_public};
use backstitch::error::{Error, ErrorKind, Result};
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use tower_service::Service;

type Connections = Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>;

/// An [`HttpClient`] for `Env::http`. It has to be used within a tokio runtime with I/O and time.
///
/// Requests with and without [`PrivateAllowed`] share no connection, so that none is ever reused for
/// a request that may not have opened it.
#[derive(Clone, Debug)]
pub struct HttpsClient {
    public: Connections,
    private: Connections,
    timeout: Duration,
    max_body: usize,
}

impl HttpsClient {
    /// How long a request may take in all: name, connection, headers and body.
    pub const TIMEOUT: Duration = Duration::from_secs(10);
    /// The bytes that an answer's body may have; callers have their own, smaller limits.
    pub const MAX_BODY: usize = 8 * 1024 * 1024;

    /// A client with its own connections.
    ///
    /// # Errors
    /// When the cryptography provider lacks the protocol versions that rustls wants.
    pub fn new() -> Result<Self> {
        Ok(Self {
            public: connections(Reach::Public)?,
            private: connections(Reach::Anywhere)?,
            timeout: Self::TIMEOUT,
            max_body: Self::MAX_BODY,
        })
    }

    /// The same with another time limit.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The same with another limit on answers.
    #[must_use]
    pub fn with_max_body(self, max_body: usize) -> Self {
        Self { max_body, ..self }
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let connections = if request.extensions().get::<PrivateAllowed>().is_some() {
            &self.private
        } else {
            check_number(request.uri())?;
            &self.public
        };
        let response = connections.request(request.map(Full::new)).await.map_err(failed)?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, self.max_body).collect().await.map_err(failed)?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }
}

#[async_trait]
impl HttpClient for HttpsClient {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        match tokio::time::timeout(self.timeout, self.exchange(request)).await {
            Ok(outcome) => outcome,
            Err(elapsed) => Err(failed(elapsed)),
        }
    }
}

/// Where a connection may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Public,
    Anywhere,
}

fn connections(reach: Reach) -> Result<Connections> {
    let mut connector = HttpConnector::new_with_resolver(Resolver(reach));
    // The scheme is checked by the layer above, which handles both.
    connector.enforce_http(false);
    let builder = HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(ring::default_provider())
        .map_err(Error::internal)?;
    let builder = match reach {
        Reach::Public => builder.https_only(),
        Reach::Anywhere => builder.https_or_http(),
    };
    let connector = builder.enable_http1().wrap_connector(connector);
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

/// Addresses that are written as numbers are never resolved, so they are checked before.
fn check_number(url: &Uri) -> Result<()> {
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(address) if !is_public(address) => Err(failed(not_public())),
        _ => Ok(()),
    }
}

/// Resolves names; for [`Reach::Public`] it gives public addresses only.
#[derive(Clone, Debug)]
struct Resolver(Reach);

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let reach = self.0;
        Box::pin(async move {
            // The connector puts the URL's port in place of this one.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let admitted: Vec<SocketAddr> =
                found.filter(|found| reach == Reach::Anywhere || is_public(found.ip())).collect();
            if admitted.is_empty() { Err(not_public()) } else { Ok(admitted.into_iter()) }
        })
    }
}

fn not_public() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "the name has no public address")
}

fn failed(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::HttpError, "the server could not be asked").with_cause(cause)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Serves one canned answer per connection, and gives the port.
    async fn serve(answer: &'static str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut buffer = [0_u8; 4096];
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                if answer.is_empty() {
                    std::future::pending::<()>().await;
                }
            }
        });
        port
    }

    fn get(url: &str, private: bool) -> Request<Bytes> {
        let mut request = Request::get(url).body(Bytes::new()).unwrap();
        if private {
            request.extensions_mut().insert(PrivateAllowed);
        }
        request
    }

    fn causes(error: &Error) -> String {
        let causes = std::iter::successors(error.source(), |cause| (*cause).source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";

    #[tokio::test]
    async fn a_private_address_is_asked_only_with_permission_as_name_and_as_number() {
        let port = serve(OK).await;
        let client = HttpsClient::new().unwrap();
        for host in ["127.0.0.1", "localhost"] {
            let answer = client.send(get(&format!("http://{host}:{port}/"), true)).await.unwrap();
            assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (200, &b"hello"[..]));
            let refused = client.send(get(&format!("https://{host}:{port}/"), false)).await.unwrap_err();
            assert!(causes(&refused).contains("no public address"), "{host}: {}", causes(&refused));
        }
        let refused = client.send(get(&format!("https://[::ffff:127.0.0.1]:{port}/"), false)).await;
        assert!(causes(&refused.unwrap_err()).contains("no public address"));
    }

    #[tokio::test]
    async fn plain_http_is_refused_without_permission() {
        let refused = HttpsClient::new().unwrap().send(get("http://1.1.1.1/", false)).await.unwrap_err();
        assert_eq!((refused.kind(), refused.hint()), (ErrorKind::HttpError, "the server could not be asked"));
    }

    #[tokio::test]
    async fn a_redirect_is_handed_on_and_not_followed() {
        let port =
            serve("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n").await;
        let client = HttpsClient::new().unwrap();
        let answer = client.send(get(&format!("http://127.0.0.1:{port}/"), true)).await.unwrap();
        assert_eq!(answer.status(), 302);
    }

    #[tokio::test]
    async fn a_long_answer_and_a_silent_server_are_given_up() {
        let client = HttpsClient::new().unwrap().with_max_body(4);
        let port = serve(OK).await;
        let refused = client.send(get(&format!("http://127.0.0.1:{port}/"), true)).await.unwrap_err();
        assert!(causes(&refused).contains("limit"), "{}", causes(&refused));
        let port = serve("").await;
        let client = client.with_timeout(Duration::from_millis(50));
        assert!(client.send(get(&format!("http://127.0.0.1:{port}/"), true)).await.is_err());
    }
}
