//! Single-use tickets and counters. Every method is one conditional statement.

use async_trait::async_trait;
use backstitch::id::AppId;
use backstitch::store::{Durability, KeptTicket, Result, Ticket, TicketKey, TicketStore};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use crate::SqliteStore;
use crate::error::{corrupt, from_sqlite};
use crate::time::{from_column, to_column};
use crate::users::execute;

#[async_trait]
impl TicketStore for SqliteStore {
    async fn put_ticket(&self, app: &AppId, ticket: &Ticket) -> Result<()> {
        let (app, ticket) = (app.clone(), ticket.clone());
        self.writer
            .once(Durability::Process, move |backend| {
                let sql = "INSERT OR REPLACE INTO tickets (app, kind, hash, payload, count, expires_at)
                           VALUES (?1, ?2, ?3, ?4, 0, ?5)";
                let (key, expires) = (&ticket.key, to_column(ticket.expires_at));
                let parameters = params![app.as_str(), key.kind, key.hash, ticket.payload, expires];
                execute(&backend.connection, sql, parameters).map(drop)
            })
            .await
    }

    async fn take_ticket(&self, app: &AppId, key: &TicketKey, now: DateTime<Utc>) -> Result<Option<Ticket>> {
        let (app, key) = (app.clone(), key.clone());
        self.writer
            .once(Durability::Power, move |backend| {
                let sql = "DELETE FROM tickets WHERE app = ?1 AND kind = ?2 AND hash = ?3 AND expires_at > ?4
                           RETURNING payload, expires_at";
                one_ticket(&backend.connection, sql, &app, (&key, now))
            })
            .await
    }

    async fn ticket(&self, app: &AppId, key: &TicketKey, now: DateTime<Utc>) -> Result<Option<Ticket>> {
        self.readers.read(|connection| {
            let sql = "SELECT payload, expires_at FROM tickets
                       WHERE app = ?1 AND kind = ?2 AND hash = ?3 AND expires_at > ?4";
            one_ticket(connection, sql, app, (key, now))
        })
    }

    async fn bump_ticket(
        &self,
        app: &AppId,
        key: &TicketKey,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<u64> {
        let (app, key) = (app.clone(), key.clone());
        self.writer
            .once(Durability::Process, move |backend| {
                let sql = "INSERT INTO tickets (app, kind, hash, payload, count, expires_at)
                           VALUES (?1, ?2, ?3, x'', 1, ?5)
                           ON CONFLICT (app, kind, hash) DO UPDATE SET
                               count = iif(expires_at > ?4, count + 1, 1),
                               expires_at = iif(expires_at > ?4, expires_at, ?5)
                           RETURNING count";
                let (now, expires) = (to_column(now), to_column(expires_at));
                let mut statement = backend.connection.prepare_cached(sql).map_err(from_sqlite)?;
                let count: i64 = statement
                    .query_row(params![app.as_str(), key.kind, key.hash, now, expires], |row| row.get(0))
                    .map_err(from_sqlite)?;
                u64::try_from(count).map_err(|_| corrupt("a counter is negative"))
            })
            .await
    }

    async fn list_tickets(
        &self,
        app: &AppId,
        after: Option<&(String, [u8; 32])>,
        limit: usize,
    ) -> Result<Vec<KeptTicket>> {
        // A place before all: no kind is empty.
        let (kind, hash) = after.map_or(("", [0; 32]), |(kind, hash)| (kind.as_str(), *hash));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers.read(|connection| {
            let sql = "SELECT kind, hash, payload, count, expires_at FROM tickets
                       WHERE app = ?1 AND (kind, hash) > (?2, ?3) ORDER BY kind, hash LIMIT ?4";
            let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
            let mut rows = statement.query(params![app.as_str(), kind, hash, limit]).map_err(from_sqlite)?;
            let mut tickets = Vec::new();
            while let Some(row) = rows.next().map_err(from_sqlite)? {
                let count: i64 = row.get(3).map_err(from_sqlite)?;
                tickets.push(KeptTicket {
                    kind: row.get(0).map_err(from_sqlite)?,
                    hash: row.get(1).map_err(from_sqlite)?,
                    payload: row.get(2).map_err(from_sqlite)?,
                    count: u64::try_from(count).map_err(|_| corrupt("a counter is negative"))?,
                    expires_at: from_column(row.get(4).map_err(from_sqlite)?)?,
                });
            }
            Ok(tickets)
        })
    }

    async fn keep_ticket(&self, app: &AppId, ticket: &KeptTicket) -> Result<()> {
        let (app, ticket) = (app.clone(), ticket.clone());
        let count = i64::try_from(ticket.count).unwrap_or(i64::MAX);
        self.writer
            .once(Durability::Process, move |backend| {
                let sql = "INSERT OR REPLACE INTO tickets (app, kind, hash, payload, count, expires_at)
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                let (kind, hash, expires) = (&ticket.kind, ticket.hash, to_column(ticket.expires_at));
                let parameters = params![app.as_str(), kind, hash, ticket.payload, count, expires];
                execute(&backend.connection, sql, parameters).map(drop)
            })
            .await
    }

    async fn purge_tickets(&self, now: DateTime<Utc>) -> Result<u64> {
        self.writer
            .once(Durability::Process, move |backend| {
                let sql = "DELETE FROM tickets WHERE expires_at < ?1";
                execute(&backend.connection, sql, params![to_column(now)]).map(|rows| rows as u64)
            })
            .await
    }
}

fn one_ticket(
    connection: &Connection,
    sql: &str,
    app: &AppId,
    (key, now): (&TicketKey, DateTime<Utc>),
) -> Result<Option<Ticket>> {
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    let mut rows =
        statement.query(params![app.as_str(), key.kind, key.hash, to_column(now)]).map_err(from_sqlite)?;
    let Some(row) = rows.next().map_err(from_sqlite)? else { return Ok(None) };
    Ok(Some(Ticket {
        key: key.clone(),
        payload: row.get(0).map_err(from_sqlite)?,
        expires_at: from_column(row.get(1).map_err(from_sqlite)?)?,
    }))
}
