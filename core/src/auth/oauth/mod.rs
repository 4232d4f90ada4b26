//! OAuth 2.0 (RFC 6749) and OpenID Connect, as a client of somebody else's service.
//!
//! 1. What differs between services is data ([`presets`]); what a service says of itself is read from its
//!    discovery document, whose issuer has to be the configured one ([`discovery`]).
//! 2. A code is exchanged with PKCE and our own redirect URI ([`exchange`]).
//! 3. An ID token counts only when its signature, issuer, audience and nonce do ([`id_token`]); an access
//!    token of Facebook only when Facebook says that it was made for us ([`facebook`]).
//! 4. An e-mail address never finds a user: an identity is the service's own id of somebody ([`facts`]).
//! 5. Refusals are `AuthError`: a client never takes one for the end of its session.

mod discovery;
mod exchange;
mod facebook;
mod facts;
mod fetch;
mod id_token;
mod presets;
mod service;

pub(crate) use fetch::form_encode;
pub(super) use service::{Identified, Service};
