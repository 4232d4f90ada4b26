//! Single-use expiring tickets: confirm and reset tokens, OAuth state, lock-out counters.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Result;
use crate::id::AppId;

/// What a ticket is found by: its purpose and the hash of its secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TicketKey {
    /// The purpose: `confirm`, `reset`, `oauth-state`, `failures`, …
    pub kind: &'static str,
    /// SHA-256 of the secret, or of what is counted. Secrets themselves are never stored.
    pub hash: [u8; 32],
}

/// A ticket. `Debug` shows no payload, which may hold the secrets of a log-in that is under way.
#[derive(Clone, PartialEq)]
pub struct Ticket {
    /// What it is found by.
    pub key: TicketKey,
    /// What the purpose needs to know; stores do not look inside.
    pub payload: Vec<u8>,
    /// From this moment on it is worth nothing.
    pub expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ticket({} until {})", self.key.kind, self.expires_at)
    }
}

/// A ticket or a counter as a store lists it.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptTicket {
    /// The purpose.
    pub kind: String,
    /// The hash that it is found by.
    pub hash: [u8; 32],
    /// Empty for a counter.
    pub payload: Vec<u8>,
    /// Zero for a ticket.
    pub count: u64,
    /// From this moment on it is worth nothing.
    pub expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for KeptTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeptTicket({} until {})", self.kind, self.expires_at)
    }
}

/// Keeps tickets. Every method is atomic.
#[async_trait]
pub trait TicketStore: Send + Sync {
    /// Stores a ticket.
    ///
    /// **Behaviour**
    /// - a ticket of the same key is replaced.
    async fn put_ticket(&self, app: &AppId, ticket: &Ticket) -> Result<()>;

    /// Removes a ticket and returns it; durable against power loss.
    ///
    /// **Behaviour**
    /// - of 50 parallel takes exactly one gets it;
    /// - an expired, missing or foreign one, or one of another kind, is `None`.
    async fn take_ticket(&self, app: &AppId, key: &TicketKey, now: DateTime<Utc>) -> Result<Option<Ticket>>;

    /// Reads a ticket without using it up.
    ///
    /// **Behaviour**
    /// - an expired or missing one is `None`.
    async fn ticket(&self, app: &AppId, key: &TicketKey, now: DateTime<Utc>) -> Result<Option<Ticket>>;

    /// Counts one more under a key and returns the count.
    ///
    /// **Behaviour**
    /// - starts at 1 when there is no counter or it has expired, and then lives until `expires_at`;
    /// - a living counter keeps the expiry that it has;
    /// - 50 parallel bumps return 50 different counts.
    async fn bump_ticket(
        &self,
        app: &AppId,
        key: &TicketKey,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<u64>;

    /// All tickets and counters, expired ones included, in the byte order of their kinds and hashes, after one of them, at
    /// most `limit`.
    async fn list_tickets(
        &self,
        app: &AppId,
        after: Option<&(String, [u8; 32])>,
        limit: usize,
    ) -> Result<Vec<KeptTicket>>;

    /// Stores a ticket or counter as another store has listed it.
    ///
    /// **Behaviour**
    /// - one of the same key is replaced.
    async fn keep_ticket(&self, app: &AppId, ticket: &KeptTicket) -> Result<()>;

    /// Removes tickets and counters that expired before `now`, in all apps. Returns how many.
    async fn purge_tickets(&self, now: DateTime<Utc>) -> Result<u64>;
}
