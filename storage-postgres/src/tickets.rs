//! Single-use tickets and counters. Every method is one conditional statement.

use async_trait::async_trait;
use backstitch::id::AppId;
use backstitch::store::{KeptTicket, Result, Ticket, TicketKey, TicketStore};
use chrono::{DateTime, Utc};
use tokio_postgres::Row;

use crate::PostgresStore;
use crate::connection::{Parameters, query};
use crate::error::corrupt;
use crate::users::column;

#[async_trait]
impl TicketStore for PostgresStore {
    async fn put_ticket(&self, app: &AppId, ticket: &Ticket) -> Result<()> {
        let sql =
            "INSERT INTO tickets (app, kind, hash, payload, count, expires_at) VALUES ($1, $2, $3, $4, 0, $5)
                   ON CONFLICT (app, kind, hash)
                   DO UPDATE SET payload = excluded.payload, count = 0, expires_at = excluded.expires_at";
        let (kind, hash) = columns(&ticket.key);
        let (payload, expires) = (&ticket.payload, &ticket.expires_at);
        self.connections.change(sql, &[&app.as_str(), &kind, &hash, payload, expires]).await.map(drop)
    }

    async fn take_ticket(&self, app: &AppId, key: &TicketKey, now: DateTime<Utc>) -> Result<Option<Ticket>> {
        let sql = "DELETE FROM tickets WHERE app = $1 AND kind = $2 AND hash = $3 AND expires_at > $4
                   RETURNING payload, expires_at";
        let (kind, hash) = columns(key);
        let client = self.connections.get().await?;
        one_ticket(key, &query(&client, sql, &[&app.as_str(), &kind, &hash, &now]).await?)
    }

    async fn ticket(&self, app: &AppId, key: &TicketKey, now: DateTime<Utc>) -> Result<Option<Ticket>> {
        let sql = "SELECT payload, expires_at FROM tickets
                   WHERE app = $1 AND kind = $2 AND hash = $3 AND expires_at > $4";
        let (kind, hash) = columns(key);
        one_ticket(key, &self.connections.read(sql, &[&app.as_str(), &kind, &hash, &now]).await?)
    }

    async fn bump_ticket(
        &self,
        app: &AppId,
        key: &TicketKey,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<u64> {
        let sql = "INSERT INTO tickets AS t (app, kind, hash, payload, count, expires_at)
                   VALUES ($1, $2, $3, '', 1, $5)
                   ON CONFLICT (app, kind, hash) DO UPDATE SET
                       count = CASE WHEN t.expires_at > $4 THEN t.count + 1 ELSE 1 END,
                       expires_at = CASE WHEN t.expires_at > $4 THEN t.expires_at ELSE $5 END
                   RETURNING count";
        let (kind, hash) = columns(key);
        let client = self.connections.get().await?;
        let rows = query(&client, sql, &[&app.as_str(), &kind, &hash, &now, &expires_at]).await?;
        let count: i64 = rows.first().map_or(Ok(0), |row| column(row, 0))?;
        u64::try_from(count).map_err(|_| corrupt("a counter is negative"))
    }

    async fn list_tickets(
        &self,
        app: &AppId,
        after: Option<&(String, [u8; 32])>,
        limit: usize,
    ) -> Result<Vec<KeptTicket>> {
        let sql = "SELECT kind, hash, payload, count, expires_at FROM tickets
                   WHERE app = $1 AND (kind, hash) > ($2, $3) ORDER BY kind, hash LIMIT $4";
        // A place before all: no kind is empty.
        let (kind, hash) = after.map_or(("", [].as_slice()), |(kind, hash)| (kind.as_str(), hash.as_slice()));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.connections.read(sql, &[&app.as_str(), &kind, &hash, &limit]).await?;
        rows.iter().map(kept_of).collect()
    }

    async fn keep_ticket(&self, app: &AppId, ticket: &KeptTicket) -> Result<()> {
        let sql = "INSERT INTO tickets (app, kind, hash, payload, count, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
                   ON CONFLICT (app, kind, hash) DO UPDATE
                   SET payload = excluded.payload, count = excluded.count, expires_at = excluded.expires_at";
        let KeptTicket { kind, hash, payload, count, expires_at } = ticket;
        let count = i64::try_from(*count).unwrap_or(i64::MAX);
        let parameters: Parameters<'_> =
            &[&app.as_str(), kind, &hash.as_slice(), payload, &count, expires_at];
        self.connections.change(sql, parameters).await.map(drop)
    }

    async fn purge_tickets(&self, now: DateTime<Utc>) -> Result<u64> {
        self.connections.change("DELETE FROM tickets WHERE expires_at < $1", &[&now]).await
    }
}

fn columns(key: &TicketKey) -> (&'static str, &[u8]) {
    (key.kind, &key.hash)
}

fn kept_of(row: &Row) -> Result<KeptTicket> {
    let hash = column::<&[u8]>(row, 1)?.try_into();
    Ok(KeptTicket {
        kind: column(row, 0)?,
        hash: hash.map_err(|_| corrupt("a stored hash has not 32 bytes"))?,
        payload: column(row, 2)?,
        count: u64::try_from(column::<i64>(row, 3)?).map_err(|_| corrupt("a counter is negative"))?,
        expires_at: column(row, 4)?,
    })
}

fn one_ticket(key: &TicketKey, rows: &[Row]) -> Result<Option<Ticket>> {
    let ticket = |row| Ok(Ticket { key: key.clone(), payload: column(row, 0)?, expires_at: column(row, 1)? });
    rows.first().map(ticket).transpose()
}
