//! What one request holds while it runs: its view of the store and its bound rules.

use bson::{Bson, RawDocumentBuf};
use chrono::{DateTime, TimeDelta, Utc};

use crate::graphql::catalog::{Catalog, CollectionIndex, Resolver};
use crate::graphql::coerce::Variables;
use crate::graphql::error::{GraphqlError, code};
use crate::graphql::executor::ExecuteContext;
use crate::limits::Limits;
use crate::rules::{Access, Denied, ScopedQuery, ScopedWrite};
use crate::store::{
    Cursor, Durability, ReadExt, Snapshot, StoreError, StoreErrorKind, Transaction, TransactionOptions,
};

/// A result of running.
pub(crate) type Failure<T> = Result<T, GraphqlError>;

/// A request while it runs.
pub(crate) struct Session<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) limits: &'a Limits,
    pub(crate) variables: &'a Variables,
    pub(crate) context: &'a ExecuteContext<'a>,
    /// Conditions on related documents that may still be resolved.
    pub(super) related_filters_left: usize,
    /// Keys of related documents that may still be gathered.
    pub(super) related_keys_left: usize,
    /// When it may read no more.
    ends: DateTime<Utc>,
    /// The plan's calls of functions, by place.
    pub(super) calls: Vec<BoundCall<'a>>,
    view: View,
    access: Vec<Option<Access>>,
}

/// A call of a function with its argument.
#[derive(Clone, Debug)]
pub(super) struct BoundCall<'a> {
    pub(super) resolver: &'a Resolver,
    /// `None` where the field takes no argument.
    pub(super) input: Option<Bson>,
}

/// The state that a request reads.
enum View {
    Unopened,
    Snapshot(Box<dyn Snapshot>),
    Transaction(Box<dyn Transaction>),
}

impl<'a> Session<'a> {
    pub(crate) fn new(
        context: &'a ExecuteContext<'a>,
        catalog: &'a Catalog,
        limits: &'a Limits,
        variables: &'a Variables,
    ) -> Self {
        let access = vec![None; catalog.collections.len()];
        let time = TimeDelta::from_std(limits.graphql_time).unwrap_or(TimeDelta::MAX);
        let ends = context.env.clock.now().checked_add_signed(time).unwrap_or(DateTime::<Utc>::MAX_UTC);
        Self {
            catalog,
            limits,
            variables,
            context,
            related_filters_left: limits.relation_filters,
            related_keys_left: limits.relation_filter_keys,
            ends,
            calls: Vec::new(),
            view: View::Unopened,
            access,
        }
    }

    /// Opens the snapshot that all reads of a query see.
    pub(super) async fn open_snapshot(&mut self) -> Failure<()> {
        if matches!(self.view, View::Unopened) {
            self.view = View::Snapshot(self.context.store.snapshot().await.map_err(store_error)?);
        }
        Ok(())
    }

    /// Opens the transaction of a mutation.
    pub(crate) async fn open_transaction(&mut self) -> Failure<()> {
        if matches!(self.view, View::Unopened) {
            let options =
                TransactionOptions { deadline: self.limits.transaction, durability: Durability::Process };
            self.view = View::Transaction(self.context.store.begin(options).await.map_err(store_error)?);
        }
        Ok(())
    }

    /// Makes a mutation's writes visible.
    pub(crate) async fn commit(self) -> Failure<()> {
        match self.view {
            View::Transaction(transaction) => transaction.commit().await.map_err(store_error),
            View::Unopened | View::Snapshot(_) => Ok(()),
        }
    }

    /// Undoes a mutation's writes.
    pub(crate) async fn rollback(self) {
        if let View::Transaction(transaction) = self.view
            && let Err(error) = transaction.rollback().await
        {
            // The transaction is gone either way; a dropped one is rolled back too.
            tracing::warn!(error = %error, "rolling back a mutation failed");
        }
    }

    /// The documents that the query matches and the rules let through.
    pub(crate) async fn fetch(&mut self, query: &ScopedQuery) -> Failure<Vec<RawDocumentBuf>> {
        let mut cursor = self.open(query).await?;
        cursor.collect_scoped(query).await.map_err(store_error)
    }

    /// A cursor over what the query finds; its documents have still to be accepted by the query.
    pub(super) async fn open(&mut self, query: &ScopedQuery) -> Failure<Box<dyn Cursor>> {
        self.check_time()?;
        let cursor = match &mut self.view {
            View::Snapshot(snapshot) => snapshot.find(query).await,
            View::Transaction(transaction) => transaction.find(query).await,
            View::Unopened => return Err(internal()),
        };
        cursor.map_err(store_error)
    }

    /// Whether the request may go on reading.
    pub(super) fn check_time(&self) -> Failure<()> {
        if self.context.env.clock.now() <= self.ends {
            return Ok(());
        }
        let text = format!("the request went on for more than {} s", self.limits.graphql_time.as_secs());
        Err(GraphqlError::new(code::TIMEOUT, text))
    }

    /// Carries out writes that the rules have allowed.
    pub(crate) async fn write(&mut self, writes: &[ScopedWrite]) -> Failure<()> {
        match &mut self.view {
            _ if writes.is_empty() => Ok(()),
            View::Transaction(transaction) => transaction.write(writes).await.map_err(store_error),
            View::Unopened | View::Snapshot(_) => Err(internal()),
        }
    }

    /// What the actor may do in a collection; bound once.
    pub(crate) fn access(&mut self, collection: CollectionIndex) -> Failure<Access> {
        if let Some(Some(access)) = self.access.get(collection.0) {
            return Ok(access.clone());
        }
        let api = self.catalog.collections.get(collection.0).ok_or_else(internal)?;
        let access = self.context.rules.access(self.context.actor, &api.id);
        if let Some(slot) = self.access.get_mut(collection.0) {
            *slot = Some(access.clone());
        }
        Ok(access)
    }
}

/// What the client learns of a denial.
pub(crate) fn denied(access: &Access, denied: Denied) -> GraphqlError {
    if access.is_uncovered() {
        let message = format!("no rule exists for namespace `{}`", access.collection().namespace());
        return GraphqlError::new(code::NO_RULE, message);
    }
    match denied {
        Denied::Insert => GraphqlError::new(code::NOT_PERMITTED, "insert not permitted"),
        Denied::Update => GraphqlError::new(code::NOT_PERMITTED, "update not permitted"),
        Denied::Delete => GraphqlError::new(code::NOT_PERMITTED, "delete not permitted"),
        Denied::FieldNotReadable(field) => {
            let message = format!("field `{field}` may not be read, so it cannot be asked for");
            GraphqlError::new(code::FIELD_NOT_READABLE, message)
        }
    }
}

/// A defect of ours.
pub(super) fn internal() -> GraphqlError {
    GraphqlError::new(code::INTERNAL, "internal server error")
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
pub(super) fn store_error(error: StoreError) -> GraphqlError {
    match error.kind() {
        StoreErrorKind::Busy => GraphqlError::new(code::UNAVAILABLE, "the store is busy, try again"),
        StoreErrorKind::Conflict => {
            GraphqlError::new(code::UNAVAILABLE, "another change came in between, try again")
        }
        StoreErrorKind::DeadlineExceeded => {
            GraphqlError::new(code::TIMEOUT, "the transaction ran past its deadline")
        }
        StoreErrorKind::DuplicateKey => GraphqlError::new(code::DUPLICATE_KEY, "duplicate key"),
        StoreErrorKind::Unsupported => {
            GraphqlError::new(code::INTERNAL, "the store does not support this request")
        }
        StoreErrorKind::Corrupt | StoreErrorKind::NewerSchema | StoreErrorKind::Io => {
            tracing::error!(error = %error, "the store failed");
            internal()
        }
    }
}
