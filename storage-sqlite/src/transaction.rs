//! A transaction: a handle to the writer's thread.

use async_trait::async_trait;
use backstitch::rules::{ScopedQuery, ScopedWrite};
use backstitch::store::{Cursor, Result, StoreError, StoreErrorKind, Transaction};

use crate::cursor::{Found, INLINE_ROWS};
use crate::index;
use crate::walk::{Progress, Search, Walk};
use crate::writer::Turn;

/// Reads and writes on the writer's thread; each call is one hop.
pub(crate) struct SqliteTransaction {
    turn: Turn,
    /// A write has failed, perhaps half-way, or was given up before its end was known.
    failed: bool,
}

impl SqliteTransaction {
    pub(crate) fn new(turn: Turn) -> Self {
        Self { turn, failed: false }
    }

    fn check(&self) -> Result<()> {
        if self.failed {
            return Err(StoreError::new(StoreErrorKind::Conflict, "a write of the transaction has failed"));
        }
        Ok(())
    }
}

#[async_trait]
impl Transaction for SqliteTransaction {
    async fn find(&mut self, query: &ScopedQuery) -> Result<Box<dyn Cursor>> {
        self.check()?;
        let query = query.clone();
        let found = self
            .turn
            .run(move |backend| {
                backend.catalog.refresh(&backend.connection)?;
                let search = Search::new(&backend.catalog.collections(), &query, query.sort());
                let mut walk = Walk::new(search);
                let mut found = Vec::new();
                // What needs an order is cheaper within the budget: documents are read once.
                let step = walk.step(&backend.connection, usize::MAX, Some(INLINE_ROWS), &mut found)?;
                if step == Progress::Paused {
                    walk.step(&backend.connection, usize::MAX, None, &mut found)?;
                }
                Ok(found)
            })
            .await?;
        Ok(Box::new(Found(found.into_iter())))
    }

    async fn write(&mut self, writes: &[ScopedWrite]) -> Result<()> {
        self.check()?;
        let writes = writes.to_vec();
        // Until the answer is there: a future that is dropped leaves the transaction unusable.
        self.failed = true;
        self.turn
            .run(move |backend| writes.iter().try_for_each(|write| index::apply(backend, write)))
            .await?;
        self.failed = false;
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.check()?;
        self.turn.commit().await
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.turn.rollback().await
    }
}
