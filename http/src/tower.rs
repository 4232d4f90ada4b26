//! A tower service: axum, hyper, warp, poem.
//!
//! In axum, on every path that no route of the host takes:
//!
//! ```
//! # fn mount(engine: backstitch::engine::Engine) {
//! use std::net::SocketAddr;
//! use backstitch_http::tower::EngineService;
//!
//! let mount = EngineService::new(engine).with_peer(|extensions| {
//!     extensions.get::<axum::extract::ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
//! });
//! let app: axum::Router = axum::Router::new().fallback_service(mount);
//! # }
//! ```

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use backstitch::engine::Engine;
use backstitch::http::{Body, PeerAddress};
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Extensions, HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// Where a framework keeps the peer's address.
type Peer = fn(&Extensions) -> Option<IpAddr>;

/// The engine as a tower service. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct EngineService {
    engine: Engine,
    peer: Option<Peer>,
}

impl EngineService {
    /// Mounts the engine. Without [`with_peer`](Self::with_peer) it knows no peer address, unless the
    /// host has put a [`PeerAddress`] into the request.
    pub fn new(engine: Engine) -> Self {
        Self { engine, peer: None }
    }

    /// Says where the framework keeps the peer's address in a request's extensions.
    #[must_use]
    pub fn with_peer(mut self, peer: Peer) -> Self {
        self.peer = Some(peer);
        self
    }
}

impl<B> tower_service::Service<Request<B>> for EngineService
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Self { engine, peer } = self.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            if let Some(address) = peer.and_then(|peer| peer(&parts.extensions)) {
                parts.extensions.insert(PeerAddress(address));
            }
            let response = match read(body, &parts.headers, engine.limits().body).await {
                Ok(bytes) => engine.handle(Request::from_parts(parts, bytes)).await,
                Err(Unread::TooLarge) => engine.refuse_large_body(&parts),
                Err(Unread::Broken) => engine.refuse_broken_body(&parts),
            };
            Ok(response.map(ResponseBody))
        })
    }
}

/// The engine's body as an `http_body::Body`.
#[derive(Debug)]
pub struct ResponseBody(Body);

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.0 {
            Body::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Body::Bytes(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Body::Stream(stream) => {
                stream.as_mut().poll_next(context).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_bytes().is_some_and(Bytes::is_empty)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match &self.0 {
            Body::Bytes(bytes) => http_body::SizeHint::with_exact(bytes.len() as u64),
            Body::Stream(_) => http_body::SizeHint::default(),
        }
    }
}

enum Unread {
    TooLarge,
    Broken,
}

/// Reads the body; one that announces more than the limit is not even begun.
async fn read<B>(body: B, headers: &HeaderMap, limit: usize) -> Result<Bytes, Unread>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let announced =
        headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|announced| announced > limit) {
        return Err(Unread::TooLarge);
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Unread::TooLarge),
        Err(_) => Err(Unread::Broken),
    }
}
