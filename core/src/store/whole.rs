//! The sum of the storage traits.

use super::{ApiKeyStore, DocumentStore, KeyStore, MetaStore, SessionStore, TicketStore, UserStore};

/// Everything that an engine keeps: accounts, API keys, sessions, tickets, signing keys, metadata and documents.
pub trait Store:
    UserStore + ApiKeyStore + SessionStore + TicketStore + KeyStore + MetaStore + DocumentStore
{
}

impl<T> Store for T where
    T: UserStore + ApiKeyStore + SessionStore + TicketStore + KeyStore + MetaStore + DocumentStore
{
}
