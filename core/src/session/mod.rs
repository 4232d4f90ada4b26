//! Sessions and their tokens: opened by a log-in, checked on every request, ended at once.
//!
//! 1. A token is read by one strict codec (`jose`) and means exactly one thing ([`claims`]).
//! 2. Access and refresh tokens are signed with different keys, derived per app ([`keys`]).
//! 3. Every request reads the session's row: what is revoked is revoked for both tokens at once.
//! 4. Whatever is wrong with a token is 401 `InvalidSession`; a busy store is 503, never 401.

mod claims;
mod keys;
mod service;
mod tokens;

pub use claims::peek_domain;
pub use keys::KeySource;
pub use service::{
    CustomData, CustomUserData, NoCustomData, Opening, SessionLifetime, SessionSettings, Sessions,
};
pub use tokens::Tokens;
