//! Transactions: an open connection with a deadline.

use std::sync::Arc;

use async_trait::async_trait;
use backstitch::env::Clock;
use backstitch::rules::{ScopedQuery, ScopedWrite};
use backstitch::store::{Cursor, Result, StoreError, StoreErrorKind, Transaction, TransactionOptions};
use chrono::{DateTime, Utc};

use crate::PostgresStore;
use crate::catalog::{Catalog, VERSION, opened};
use crate::connection::Open;
use crate::cursor::Found;
use crate::index::Target;
use crate::walk::Walk;

pub(crate) struct PostgresTransaction {
    open: Open,
    catalog: Arc<Catalog>,
    clock: Arc<dyn Clock>,
    deadline: DateTime<Utc>,
    /// PostgreSQL answers the commit of a transaction that has failed as if nothing were wrong.
    has_failed: bool,
}

impl PostgresTransaction {
    pub(crate) async fn begin(store: &PostgresStore, options: TransactionOptions) -> Result<Self> {
        let open = Open::new(store.connections.get().await?);
        // Locks of tables come before the first statement that reads: what was committed while they were waited for is seen.
        // Those that were contended stand in a row; they are in nobody's way but that of first attempts.
        let turn = if options.attempt > 0 { "LOCK TABLE turns IN EXCLUSIVE MODE;" } else { "" };
        let time = options.deadline.as_millis().max(1);
        let begin = format!(
            "BEGIN ISOLATION LEVEL SERIALIZABLE;
             SET LOCAL statement_timeout TO {time}; SET LOCAL idle_in_transaction_session_timeout TO {time};
             {turn} LOCK TABLE catalog_version IN ROW SHARE MODE; {VERSION}"
        );
        let deadline = store.clock.now() + options.deadline;
        let version = opened(open.client()?, &begin).await?;
        let catalog = store.catalog.of(open.client()?, version).await?;
        Ok(Self { open, catalog, clock: Arc::clone(&store.clock), deadline, has_failed: false })
    }

    fn in_time(&self) -> Result<()> {
        if self.has_failed {
            return Err(StoreError::new(StoreErrorKind::Io, "the transaction has failed before"));
        }
        if self.clock.now() < self.deadline {
            return Ok(());
        }
        Err(StoreError::new(StoreErrorKind::DeadlineExceeded, "the transaction outlived its deadline"))
    }

    fn noted<T>(&mut self, outcome: Result<T>) -> Result<T> {
        self.has_failed |= outcome.is_err();
        outcome
    }
}

#[async_trait]
impl Transaction for PostgresTransaction {
    async fn find(&mut self, query: &ScopedQuery) -> Result<Box<dyn Cursor>> {
        self.in_time()?;
        let mut walk = Walk::new(&self.catalog, query, query.sort());
        let found = walk.next(self.open.client()?, usize::MAX).await;
        Ok(Box::new(Found(self.noted(found)?.into_iter())))
    }

    async fn write(&mut self, writes: &[ScopedWrite]) -> Result<()> {
        self.in_time()?;
        let mut target = Target { client: self.open.client()?, catalog: &mut self.catalog };
        let written = target.apply(writes).await;
        self.noted(written)
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.in_time()?;
        self.open.commit().await
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.open.rollback().await
    }
}
