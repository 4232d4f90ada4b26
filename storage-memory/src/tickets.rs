//! Tickets and counters. A counter is a ticket with a count and no payload.

use std::borrow::Cow;
use std::ops::Bound;

use async_trait::async_trait;
use backstitch::id::AppId;
use backstitch::store::{KeptTicket, Result, Ticket, TicketKey, TicketStore};
use chrono::{DateTime, Utc};

use crate::MemoryStore;

/// Kind and hash.
pub(crate) type Key = (Cow<'static, str>, [u8; 32]);

/// A ticket or counter as it is kept.
pub(crate) struct StoredTicket {
    payload: Vec<u8>,
    count: u64,
    expires_at: DateTime<Utc>,
}

impl StoredTicket {
    fn lives(&self, now: DateTime<Utc>) -> bool {
        now < self.expires_at
    }

    fn ticket(&self, key: &TicketKey) -> Ticket {
        Ticket { key: key.clone(), payload: self.payload.clone(), expires_at: self.expires_at }
    }
}

#[async_trait]
impl TicketStore for MemoryStore {
    async fn put_ticket(&self, app: &AppId, ticket: &Ticket) -> Result<()> {
        let stored =
            StoredTicket { payload: ticket.payload.clone(), count: 0, expires_at: ticket.expires_at };
        self.accounts().of_mut(app).tickets.insert(key_of(&ticket.key), stored);
        Ok(())
    }

    async fn take_ticket(&self, app: &AppId, key: &TicketKey, now: DateTime<Utc>) -> Result<Option<Ticket>> {
        let taken = self.accounts().of_mut(app).tickets.remove(&key_of(key));
        Ok(taken.filter(|stored| stored.lives(now)).map(|stored| stored.ticket(key)))
    }

    async fn ticket(&self, app: &AppId, key: &TicketKey, now: DateTime<Utc>) -> Result<Option<Ticket>> {
        let accounts = self.accounts();
        let stored = accounts.of(app).and_then(|tables| tables.tickets.get(&key_of(key)));
        Ok(stored.filter(|stored| stored.lives(now)).map(|stored| stored.ticket(key)))
    }

    async fn bump_ticket(
        &self,
        app: &AppId,
        key: &TicketKey,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<u64> {
        let mut accounts = self.accounts();
        let fresh = || StoredTicket { payload: Vec::new(), count: 0, expires_at };
        let counter = accounts.of_mut(app).tickets.entry(key_of(key)).or_insert_with(fresh);
        if !counter.lives(now) {
            *counter = fresh();
        }
        counter.count += 1;
        Ok(counter.count)
    }

    async fn list_tickets(
        &self,
        app: &AppId,
        after: Option<&(String, [u8; 32])>,
        limit: usize,
    ) -> Result<Vec<KeptTicket>> {
        let accounts = self.accounts();
        let Some(tables) = accounts.of(app) else { return Ok(Vec::new()) };
        let after = after.map(|(kind, hash)| (Cow::Owned(kind.clone()), *hash));
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let listed = |((kind, hash), stored): (&Key, &StoredTicket)| KeptTicket {
            kind: kind.to_string(),
            hash: *hash,
            payload: stored.payload.clone(),
            count: stored.count,
            expires_at: stored.expires_at,
        };
        Ok(tables.tickets.range((start, Bound::Unbounded)).take(limit).map(listed).collect())
    }

    async fn keep_ticket(&self, app: &AppId, ticket: &KeptTicket) -> Result<()> {
        let KeptTicket { kind, hash, payload, count, expires_at } = ticket.clone();
        let stored = StoredTicket { payload, count, expires_at };
        self.accounts().of_mut(app).tickets.insert((Cow::Owned(kind), hash), stored);
        Ok(())
    }

    async fn purge_tickets(&self, now: DateTime<Utc>) -> Result<u64> {
        let mut purged = 0;
        for tables in self.accounts().all_mut() {
            let before = tables.tickets.len();
            tables.tickets.retain(|_, stored| stored.expires_at >= now);
            purged += before - tables.tickets.len();
        }
        Ok(purged as u64)
    }
}

fn key_of(key: &TicketKey) -> Key {
    (Cow::Borrowed(key.kind), key.hash)
}
