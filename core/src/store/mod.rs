//! The storage traits: what an engine asks of a backend.
//!
//! A [`Store`] is the sum of seven small traits. Implementations decide no permissions and interpret
//! no payloads; the documents half accepts only scoped requests, which nothing but `rules::scope`
//! can make. What each method promises stands in its **Behaviour** bullets, and each bullet is
//! a check of the `conformance` crate, which every backend runs whole.

mod accounts;
mod api_keys;
pub mod copy;
mod documents;
mod error;
mod identities;
mod index_spec;
pub mod keyed;
mod keys;
mod migration;
mod sessions;
mod tickets;
mod whole;

pub use accounts::{Identity, Registration, Registrations, User, UserKind, UserStore};
pub use api_keys::{ApiKey, ApiKeyOwner, ApiKeyStore};
pub use documents::{
    Capabilities, CollectionSpec, Cursor, DocumentStore, Durability, IndexKey, IndexSpec, ReadExt, Snapshot,
    Transaction, TransactionOptions,
};
pub use error::{StoreError, StoreErrorKind};
pub use identities::{read_identities, write_identities};
pub use keys::{DOMAIN_ID, KeyAlgorithm, KeyStore, MetaStore, SigningKeyRecord};
pub use migration::{Migration, pending};
pub use sessions::{ListedSession, LiveSession, Session, SessionStore};
pub use tickets::{KeptTicket, Ticket, TicketKey, TicketStore};
pub use whole::Store;

/// A storage result.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
