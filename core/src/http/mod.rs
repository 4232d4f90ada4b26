//! HTTP without a framework: routes, request bodies, responses, cross-origin rules.

mod body;
mod cors;
mod decode;
mod facts;
mod peer;
mod respond;
mod route;

pub use body::{Body, BodyStream, PeerAddress};
pub(crate) use cors::{OriginList, allow};
pub(crate) use decode::{bearer_token, json_object, required_string};
pub(crate) use facts::request_facts;
pub use peer::Network;
pub(crate) use peer::{Proxies, peer_address};
pub(crate) use respond::{empty, error, health, json, json_bytes, method_not_allowed, preflight};
pub(crate) use route::{EmailFlow, Endpoint, Found, KeyCall, Lookup, find};
