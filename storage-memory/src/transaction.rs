//! A transaction: a private state that becomes the visible one, or is dropped.

use std::sync::Arc;

use async_trait::async_trait;
use backstitch::rules::{ScopedQuery, ScopedWrite};
use backstitch::store::{Cursor, Result, StoreError, StoreErrorKind, Transaction, TransactionOptions};
use chrono::{DateTime, Duration, Utc};

use crate::accounts::conflict;
use crate::cursor::MemoryCursor;
use crate::documents::{Documents, State};
use crate::turns::Turn;

/// An open transaction; it holds the turn until it is dropped.
pub(crate) struct MemoryTransaction {
    documents: Arc<Documents>,
    state: State,
    deadline: Option<DateTime<Utc>>,
    failed: bool,
    _turn: Turn,
}

impl MemoryTransaction {
    pub(crate) fn new(documents: Arc<Documents>, turn: Turn, options: TransactionOptions) -> Self {
        let state = State::clone(&documents.current());
        // A deadline beyond the calendar is none.
        let allowed = Duration::from_std(options.deadline).ok();
        let deadline = allowed.and_then(|allowed| documents.clock.now().checked_add_signed(allowed));
        Self { documents, state, deadline, failed: false, _turn: turn }
    }

    fn check(&self) -> Result<()> {
        if self.failed {
            return Err(conflict("a write of this transaction has failed"));
        }
        if self.deadline.is_some_and(|deadline| deadline < self.documents.clock.now()) {
            let message = "the transaction ran past its deadline";
            return Err(StoreError::new(StoreErrorKind::DeadlineExceeded, message));
        }
        Ok(())
    }
}

#[async_trait]
impl Transaction for MemoryTransaction {
    async fn find(&mut self, query: &ScopedQuery) -> Result<Box<dyn Cursor>> {
        self.check()?;
        Ok(Box::new(MemoryCursor::open(self.state.collection(query.collection()), query)))
    }

    async fn write(&mut self, writes: &[ScopedWrite]) -> Result<()> {
        self.check()?;
        for write in writes {
            let applied = self.state.collection_mut(write.collection()).apply(write.operation());
            self.failed = applied.is_err();
            applied?;
        }
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.check()?;
        let Self { documents, state, _turn, .. } = *self;
        documents.publish(state);
        Ok(())
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}
