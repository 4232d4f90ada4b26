//! Bodies, and what a mount tells about the peer.

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;

use bytes::Bytes;
use futures_core::Stream;

/// A response's body: bytes, or a stream of them (server-sent events).
pub enum Body {
    /// All of it.
    Bytes(Bytes),
    /// Piece by piece; it ends when the stream does.
    Stream(BodyStream),
}

/// Pieces of a body. A stream that cannot go on ends.
pub type BodyStream = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// The peer's address, which a mount puts into the request's extensions.
///
/// Without it, throttling is per account only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

impl Body {
    /// No bytes at all.
    pub const fn empty() -> Self {
        Self::Bytes(Bytes::new())
    }

    /// The bytes, when this is no stream.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Stream(_) => None,
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Body(stream)"),
        }
    }
}
