//! The state of the store that a request reads and writes, and that the functions it calls share with it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::lock::{Mutex, MutexGuard};
use tracing::trace_span;

use crate::observe::asked;
use crate::rules::{ScopedQuery, ScopedWrite};
use crate::store::{
    Cursor, DocumentStore, Snapshot, StoreError, StoreErrorKind, Transaction, TransactionOptions,
};

type Outcome<T> = Result<T, StoreError>;

/// What a request has opened. A clone is the same view: functions that a mutation calls write into its transaction and
/// read what it has written (decision 46).
#[derive(Clone, Default)]
pub(crate) struct View(Arc<Shared>);

#[derive(Default)]
struct Shared {
    opened: Mutex<Opened>,
    /// Another transaction came in between, whoever was told of it: a script may have caught the error.
    contended: AtomicBool,
}

#[derive(Default)]
enum Opened {
    #[default]
    Nothing,
    Snapshot(Box<dyn Snapshot>),
    Transaction(Box<dyn Transaction>),
}

impl View {
    /// Opens the snapshot that all reads see, if nothing is open yet.
    pub(crate) async fn open_snapshot(&self, store: &dyn DocumentStore) -> Outcome<()> {
        let mut opened = self.0.opened.lock().await;
        if matches!(*opened, Opened::Nothing) {
            let snapshot = asked("snapshot", trace_span!("snapshot"), store.snapshot()).await;
            *opened = Opened::Snapshot(snapshot?);
        }
        Ok(())
    }

    /// Opens the transaction of all that is written, if nothing is open yet.
    pub(crate) async fn open_transaction(
        &self,
        store: &dyn DocumentStore,
        options: TransactionOptions,
    ) -> Outcome<()> {
        let mut opened = self.0.opened.lock().await;
        if matches!(*opened, Opened::Nothing) {
            let begun = asked("begin", trace_span!("begin"), store.begin(options)).await;
            *opened = Opened::Transaction(self.noted(begun)?);
        }
        Ok(())
    }

    /// Whether there is a transaction whose writes a reader should see.
    pub(crate) async fn has_transaction(&self) -> bool {
        matches!(*self.0.opened.lock().await, Opened::Transaction(_))
    }

    /// A cursor over what the query finds, whose documents have still to be accepted by the query; `None` when nothing
    /// is open.
    pub(crate) async fn find(&self, query: &ScopedQuery) -> Outcome<Option<Box<dyn Cursor>>> {
        let mut opened: MutexGuard<'_, Opened> = self.0.opened.lock().await;
        match &mut *opened {
            Opened::Snapshot(snapshot) => snapshot.find(query).await.map(Some),
            Opened::Transaction(transaction) => self.noted(transaction.find(query).await).map(Some),
            Opened::Nothing => Ok(None),
        }
    }

    /// How many documents the query finds, where the store can tell without reading them.
    pub(crate) async fn count(&self, query: &ScopedQuery) -> Outcome<Option<u64>> {
        match &*self.0.opened.lock().await {
            Opened::Snapshot(snapshot) if query.is_exact() => snapshot.count(query).await.map(Some),
            Opened::Snapshot(_) | Opened::Transaction(_) | Opened::Nothing => Ok(None),
        }
    }

    /// Carries out writes; `None` when no transaction is open.
    pub(crate) async fn write(&self, writes: &[ScopedWrite]) -> Outcome<Option<()>> {
        match &mut *self.0.opened.lock().await {
            Opened::Transaction(transaction) => self.noted(transaction.write(writes).await).map(Some),
            Opened::Snapshot(_) | Opened::Nothing => Ok(None),
        }
    }

    /// Makes what was written visible, and closes the view.
    pub(crate) async fn commit(&self) -> Outcome<()> {
        match self.close().await {
            Opened::Transaction(transaction) => {
                self.noted(asked("commit", trace_span!("commit"), transaction.commit()).await)
            }
            Opened::Snapshot(_) | Opened::Nothing => Ok(()),
        }
    }

    /// Undoes what was written, and closes the view.
    pub(crate) async fn rollback(&self) {
        if let Opened::Transaction(transaction) = self.close().await
            && let Err(error) = asked("rollback", trace_span!("rollback"), transaction.rollback()).await
        {
            // The transaction is gone either way; a dropped one is rolled back too.
            tracing::warn!(error = %error, "rolling back failed");
        }
    }

    /// Whether the transaction failed because another one came in between: begun again, it may succeed.
    pub(crate) fn is_contended(&self) -> bool {
        self.0.contended.load(Ordering::Relaxed)
    }

    fn noted<T>(&self, outcome: Outcome<T>) -> Outcome<T> {
        if outcome.as_ref().is_err_and(|error| error.kind() == StoreErrorKind::Contended) {
            self.0.contended.store(true, Ordering::Relaxed);
        }
        outcome
    }

    async fn close(&self) -> Opened {
        std::mem::take(&mut *self.0.opened.lock().await)
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("View")
    }
}
