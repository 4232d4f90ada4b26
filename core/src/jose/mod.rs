//! JSON Object Signing and Encryption, as little of it as an engine of log-ins needs: compact JWS
//! (RFC 7515), JWK sets (RFC 7517) and JWT claims (RFC 7519), on ring, as strict as RFC 8725 asks.
//!
//! 1. One way to read a compact token ([`compact`]) and one kind of key that knows its one algorithm ([`key`]).
//! 2. Tokens of our own have exactly the header that we write ([`own`]).
//! 3. Third parties' tokens may say more, but nothing that would change how they are checked ([`foreign`]).
//! 4. JSON with a member twice, or nested deeply, is refused in headers, claims and key sets ([`json`]).
//! 5. What is wrong is a [`Fault`], which is for the log: clients are told one text for all.

mod claims;
mod compact;
mod fault;
mod foreign;
mod json;
mod key;
mod own;
mod pem;
mod set;

pub(crate) use claims::{Claims, Expected};
pub(crate) use fault::Fault;
pub(crate) use foreign::ForeignToken;
pub(crate) use key::{MIN_SECRET, VerifyingKey};
pub(crate) use own::{Refused, SigningKey, is_plain_kid, unverified_payload, verify};
pub(crate) use set::KeySet;

#[cfg(test)]
pub(crate) mod kit;
#[cfg(test)]
mod wycheproof;
