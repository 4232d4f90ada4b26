//! Rules that call functions.
//!
//! 1. Rules are judged without waiting; what they want to know of functions is asked in between, several calls at once,
//!    until they have been judged ([`Judge::settled`]).
//! 2. A call that fails fails the request: a rule that cannot be judged neither permits nor denies.
//! 3. Pages are filled up to their limit with what the functions let through.

use bson::{Bson, RawDocument, RawDocumentBuf};
use chrono::{DateTime, TimeDelta, Utc};

use super::session::{Failure, store_error};
use crate::data::view::View;
use crate::error::ErrorKind;
use crate::functions::CallContext;
use crate::graphql::error::{GraphqlError, code};
use crate::graphql::executor::ExecuteContext;
use crate::id::CollectionId;
use crate::limits::Limits;
use crate::rules::{Access, Answers, Circumstances, Permit, RuleCall, ScopedQuery};
use crate::store::Cursor;

/// The fewest documents that are put to a function at once, so that the last places of a page are not filled one by one.
const LEAST: usize = 16;
/// The most.
const MOST: usize = 1000;

/// What the rules are asked through, while a request runs.
pub(crate) struct Judge<'a> {
    pub(super) context: &'a ExecuteContext<'a>,
    pub(super) limits: &'a Limits,
    answers: Answers,
    /// What functions read and write together with the request; `None` where they open their own.
    pub(super) shared: Option<View>,
    /// When the request may go on no longer.
    ends: DateTime<Utc>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(context: &'a ExecuteContext<'a>, limits: &'a Limits) -> Self {
        let time = TimeDelta::from_std(limits.graphql_time).unwrap_or(TimeDelta::MAX);
        let ends = context.env.clock.now().checked_add_signed(time).unwrap_or(DateTime::<Utc>::MAX_UTC);
        Self { context, limits, answers: Answers::default(), shared: None, ends }
    }

    /// What the actor may do in a collection.
    pub(crate) async fn access(&self, collection: &CollectionId) -> Failure<Access> {
        let rules = self.context.rules;
        self.settled(|| rules.access_under(self.circumstances(), collection)).await
    }

    /// Whether a new image may be written, by the `validate` expressions of its schema.
    ///
    /// # Errors
    /// What does not fit, where that refuses the write.
    pub(crate) async fn validate(
        &self,
        collection: &CollectionId,
        (before, after): (Option<&RawDocument>, &RawDocument),
    ) -> Failure<()> {
        let ExecuteContext { rules, violated, .. } = *self.context;
        let Some(violated) = violated else { return Ok(()) };
        let violation = || rules.violation(self.circumstances(), collection, (before, after));
        match self.settled(violation).await? {
            None => Ok(()),
            Some(violation) => violated(collection, violation)
                .map_err(|message| GraphqlError::new(code::SCHEMA_WRITE, message)),
        }
    }

    /// Whether the actor may do what is about no document.
    pub(crate) async fn permits(&self, permit: &Permit) -> Failure<bool> {
        let rules = self.context.rules;
        self.settled(|| rules.permits(self.circumstances(), permit)).await
    }

    pub(super) fn circumstances(&self) -> Circumstances<'_> {
        let ExecuteContext { actor, request, .. } = *self.context;
        Circumstances { actor, request, answers: &self.answers }
    }

    /// What the functions that the request calls reach.
    pub(super) fn call_context(&self) -> CallContext {
        let request = std::sync::Arc::new(self.context.request.get().clone());
        CallContext::detached(self.context.actor.clone()).in_request(request).within(self.shared.clone())
    }

    /// Whether the request may go on.
    pub(super) fn check_time(&self) -> Failure<()> {
        if self.context.env.clock.now() <= self.ends {
            return Ok(());
        }
        let text = format!("the request went on for more than {} s", self.limits.graphql_time.as_secs());
        Err(GraphqlError::new(code::TIMEOUT, text))
    }

    /// Asks the rules something, and answers what they want to know of functions.
    pub(crate) async fn settled<T>(&self, ask: impl FnMut() -> T) -> Failure<T> {
        self.answers.settle(ask, |wanted| self.answered(wanted)).await
    }

    /// Asks an access something.
    pub(crate) async fn ask<T>(&self, access: &Access, mut ask: impl FnMut(&Access) -> T) -> Failure<T> {
        if access.calls() { self.settled(|| ask(access)).await } else { Ok(ask(access)) }
    }

    /// Those of the documents that the query's rules accept.
    pub(crate) async fn judged(
        &self,
        query: &ScopedQuery,
        mut documents: Vec<RawDocumentBuf>,
    ) -> Failure<Vec<RawDocumentBuf>> {
        if query.calls() {
            self.settled(|| documents.iter().filter(|document| query.accepts(document)).count()).await?;
        }
        documents.retain(|document| query.accepts(document));
        Ok(documents)
    }

    /// As many as the query wants of what the cursor leads to and its rules accept.
    pub(super) async fn judged_page(
        &self,
        cursor: &mut dyn Cursor,
        query: &ScopedQuery,
    ) -> Failure<Vec<RawDocumentBuf>> {
        let wanted =
            query.wanted().map_or(usize::MAX, |wanted| usize::try_from(wanted).unwrap_or(usize::MAX));
        let mut kept: Vec<RawDocumentBuf> = Vec::new();
        while kept.len() < wanted {
            self.check_time()?;
            let batch = cursor.next((wanted - kept.len()).clamp(LEAST, MOST)).await.map_err(store_error)?;
            if batch.is_empty() {
                break;
            }
            kept.extend(self.judged(query, batch).await?);
        }
        kept.truncate(wanted);
        Ok(kept)
    }

    /// Calls the functions, for the actor.
    async fn answered(&self, wanted: Vec<RuleCall>) -> Failure<Vec<Bson>> {
        self.check_time()?;
        let ExecuteContext { functions, actor, peer, notes, .. } = *self.context;
        if let Some(notes) = notes {
            wanted.iter().for_each(|call| notes.function(&call.function, 1));
        }
        let asked = (actor, &self.call_context());
        let answers = functions.answer_all(asked, peer, wanted, self.limits.function_calls).await;
        answers.map_err(|error| {
            // What a rule's function says is meant for those who write rules.
            tracing::warn!(%error, "a function that rules call failed");
            let code = match error.kind() {
                ErrorKind::ExecutionTimeLimitExceeded => code::TIMEOUT,
                _ => code::FUNCTION_FAILED,
            };
            GraphqlError::new(code, "a rule could not be judged: its function failed")
        })
    }
}
