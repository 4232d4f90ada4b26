//! The sum of the storage traits.

use super::{DocumentStore, KeyStore, MetaStore, SessionStore, TicketStore, UserStore};

/// Everything that an engine keeps: accounts, sessions, tickets, keys, metadata and documents.
pub trait Store: UserStore + SessionStore + TicketStore + KeyStore + MetaStore + DocumentStore {}

impl<T> Store for T where T: UserStore + SessionStore + TicketStore + KeyStore + MetaStore + DocumentStore {}
