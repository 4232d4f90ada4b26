//! What one request holds while it runs: its view of the store and its bound rules.

use bson::{Bson, RawDocumentBuf};
use tracing::field::Empty;
use tracing::{Instrument as _, trace_span};

use super::judge::Judge;
use crate::data::view::View;
use crate::graphql::catalog::{Catalog, CollectionIndex, Resolver};
use crate::graphql::coerce::Variables;
use crate::graphql::error::{GraphqlError, code};
use crate::graphql::executor::ExecuteContext;
use crate::id::CollectionId;
use crate::limits::Limits;
use crate::observe::asked;
use crate::rules::{Access, Denied, ScopedQuery, ScopedWrite};
use crate::store::{Durability, ReadExt, StoreError, StoreErrorKind, TransactionOptions};

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
    /// The plan's calls of functions, by place.
    pub(super) calls: Vec<BoundCall<'a>>,
    /// How often its transaction was begun before.
    attempt: u32,
    view: View,
    access: Vec<Option<Access>>,
    /// What the rules are asked through.
    pub(crate) judge: Judge<'a>,
}

/// A call of a function with its argument.
#[derive(Clone, Debug)]
pub(super) struct BoundCall<'a> {
    pub(super) resolver: &'a Resolver,
    /// `None` where the field takes no argument.
    pub(super) input: Option<Bson>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(
        context: &'a ExecuteContext<'a>,
        catalog: &'a Catalog,
        limits: &'a Limits,
        variables: &'a Variables,
    ) -> Self {
        let access = vec![None; catalog.collections.len()];
        Self {
            catalog,
            limits,
            variables,
            context,
            related_filters_left: limits.relation_filters,
            related_keys_left: limits.relation_filter_keys,
            calls: Vec::new(),
            attempt: 0,
            view: View::default(),
            access,
            judge: Judge::new(context, limits),
        }
    }

    /// The same, after so many attempts at which another transaction came in between.
    #[must_use]
    pub(crate) fn attempt(self, attempt: u32) -> Self {
        Self { attempt, ..self }
    }

    /// What it has opened.
    pub(crate) fn view(&self) -> View {
        self.view.clone()
    }

    /// The same, reading and writing what another request has opened.
    #[must_use]
    pub(crate) fn within(self, view: View) -> Self {
        Self { view, ..self }
    }

    /// The same, with the functions that it calls reading and writing what it has opened: what they write is made
    /// visible with its own writes, or not at all.
    #[must_use]
    pub(crate) fn sharing(mut self) -> Self {
        self.judge.shared = Some(self.view.clone());
        self
    }

    /// Opens the snapshot that all reads of a query see.
    pub(crate) async fn open_snapshot(&mut self) -> Failure<()> {
        self.view.open_snapshot(self.context.store).await.map_err(store_error)
    }

    /// Opens the transaction of a mutation.
    pub(crate) async fn open_transaction(&mut self) -> Failure<()> {
        let options = TransactionOptions {
            deadline: self.limits.transaction,
            durability: Durability::Process,
            attempt: self.attempt,
        };
        self.view.open_transaction(self.context.store, options).await.map_err(store_error)
    }

    /// Makes a mutation's writes visible.
    pub(crate) async fn commit(self) -> Failure<()> {
        self.view.commit().await.map_err(store_error)
    }

    /// Undoes a mutation's writes.
    pub(crate) async fn rollback(self) {
        self.view.rollback().await;
    }

    /// The documents that the query matches and the rules let through.
    pub(crate) async fn fetch(&mut self, query: &ScopedQuery) -> Failure<Vec<RawDocumentBuf>> {
        self.judge.check_time()?;
        let span = find_span(query);
        let opening = async {
            let Some(mut cursor) = self.view.find(query).await? else { return Ok(None) };
            let found = if query.calls() { Vec::new() } else { cursor.collect_scoped(query).await? };
            Ok(Some((cursor, found)))
        };
        let opened = asked("find", span.clone(), opening).await.map_err(store_error)?;
        let (mut cursor, mut found) = opened.ok_or_else(internal)?;
        if query.calls() {
            found = self.judge.judged_page(cursor.as_mut(), query).instrument(span.clone()).await?;
        }
        span.record("documents", found.len());
        self.tally_found(query.collection(), &found);
        self.judge.explain_found(self.bound_access(query.collection()), &found);
        Ok(found)
    }

    /// Visits the documents that the query matches and the rules let through, so many at a time.
    pub(super) async fn each_batch(
        &mut self,
        query: &ScopedQuery,
        batch: usize,
        visit: &mut (dyn FnMut(&[RawDocumentBuf]) -> Failure<()> + Send),
    ) -> Failure<()> {
        let span = find_span(query);
        let mut count = 0;
        let mut cursor = asked("find", span.clone(), self.view.find(query)).await.map_err(store_error)?;
        let cursor = cursor.as_mut().ok_or_else(internal)?;
        loop {
            self.judge.check_time()?;
            let documents = cursor.next(batch).instrument(span.clone()).await.map_err(store_error)?;
            if documents.is_empty() {
                span.record("documents", count);
                return Ok(());
            }
            let documents = self.judge.judged(query, documents).await?;
            count += documents.len();
            self.tally_found(query.collection(), &documents);
            visit(&documents)?;
        }
    }

    /// Carries out writes that the rules have allowed.
    pub(crate) async fn write(&mut self, writes: &[ScopedWrite]) -> Failure<()> {
        if writes.is_empty() {
            return Ok(());
        }
        let span = trace_span!(
            "write",
            collection = writes.first().map(|write| display(write.collection().namespace())),
            writes = writes.len(),
        );
        let written = asked("write", span, self.view.write(writes)).await.map_err(store_error)?;
        written.ok_or_else(internal)
    }

    /// How many documents the query finds and the rules let through.
    pub(crate) async fn count(&mut self, query: &ScopedQuery) -> Failure<u64> {
        self.judge.check_time()?;
        match asked("count", find_span(query), self.view.count(query)).await.map_err(store_error)? {
            Some(count) => Ok(count),
            None => Ok(u64::try_from(self.fetch(query).await?.len()).unwrap_or(u64::MAX)),
        }
    }

    /// What was bound for a collection, if anything was.
    pub(super) fn bound_access(&self, collection: &CollectionId) -> Option<&Access> {
        self.access.iter().flatten().find(|access| access.collection() == collection)
    }

    /// What the actor may do in a collection; bound once.
    pub(crate) async fn access(&mut self, collection: CollectionIndex) -> Failure<Access> {
        if let Some(Some(access)) = self.access.get(collection.0) {
            return Ok(access.clone());
        }
        let api = self.catalog.collections.get(collection.0).ok_or_else(internal)?;
        let access = self.judge.access(&api.id).await?;
        if let Some(slot) = self.access.get_mut(collection.0) {
            *slot = Some(access.clone());
        }
        Ok(access)
    }
}

fn find_span(query: &ScopedQuery) -> tracing::Span {
    trace_span!("find", collection = %query.collection().namespace(), documents = Empty)
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
        Denied::MixedProjections => {
            let message = "filters of the collection include and exclude fields at once";
            GraphqlError::new(code::NOT_PERMITTED, message)
        }
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
        StoreErrorKind::Conflict | StoreErrorKind::Contended => {
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
