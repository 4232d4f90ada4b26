//! What the rules did in a request, for who may know it: see [`Explanation`].
//!
//! The explanations are made beside the answer, by asking the rules once more, so that those who do not want to know
//! pay nothing.

use std::sync::PoisonError;

use bson::{Bson, RawDocument, RawDocumentBuf};

use super::judge::Judge;
use super::session::Failure;
use crate::id::CollectionId;
use crate::rules::{Access, Action, Denied, Query, Question, ScopedQuery, ScopedWrite};

impl Judge<'_> {
    /// What is asked of a collection, narrowed to what may be read.
    pub(crate) async fn find(&self, access: &Access, query: Query) -> Failure<Result<ScopedQuery, Denied>> {
        if self.explains() {
            let question = Question { query: query.clone(), ..Question::new(Action::Read) };
            self.explain(access.collection(), &question).await?;
        }
        Ok(access.find(query))
    }

    /// An insert, if the rules allow it.
    pub(crate) async fn insert(
        &self,
        access: &Access,
        new: &RawDocumentBuf,
    ) -> Failure<Result<ScopedWrite, Denied>> {
        self.explain_write(access, &Question::new(Action::Insert).about(new)).await?;
        self.ask(access, |access| access.insert(new.clone())).await
    }

    /// A replacement, if the rules allow it.
    pub(crate) async fn replace(
        &self,
        access: &Access,
        before: &RawDocument,
        after: &RawDocumentBuf,
    ) -> Failure<Result<ScopedWrite, Denied>> {
        self.explain_write(access, &Question::new(Action::Update).about(after).from(before)).await?;
        self.ask(access, |access| access.replace(before, after.clone())).await
    }

    /// A deletion, if the rules allow it.
    pub(crate) async fn delete(
        &self,
        access: &Access,
        before: &RawDocument,
    ) -> Failure<Result<ScopedWrite, Denied>> {
        self.explain_write(access, &Question::new(Action::Delete).about(before)).await?;
        self.ask(access, |access| access.delete(before)).await
    }

    async fn explain_write(&self, access: &Access, question: &Question<'_>) -> Failure<()> {
        if self.explains() { self.explain(access.collection(), question).await } else { Ok(()) }
    }

    async fn explain(&self, collection: &CollectionId, question: &Question<'_>) -> Failure<()> {
        let rules = self.context.rules;
        let told = self.settled(|| rules.explain(self.circumstances(), collection, question)).await?;
        if let Some(explanations) = self.context.explanations {
            explanations.lock().unwrap_or_else(PoisonError::into_inner).push(told);
        }
        Ok(())
    }

    /// Adds what became of the documents that were found to the explanation of the find.
    pub(super) fn explain_found(&self, access: Option<&Access>, documents: &[RawDocumentBuf]) {
        let (Some(explanations), Some(access)) = (self.context.explanations, access) else { return };
        let mut explanations = explanations.lock().unwrap_or_else(PoisonError::into_inner);
        let collection = access.collection().to_string();
        let finds = |action| matches!(action, Action::Read | Action::Search);
        let asked =
            explanations.iter_mut().rev().find(|told| told.collection == collection && finds(told.action));
        let Some(told) = asked else { return };
        let room = self.limits.explanations.saturating_sub(told.documents.len());
        for document in documents.iter().take(room) {
            let id = document.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok());
            told.documents.push(access.explain_document(id.unwrap_or(Bson::Null), document));
        }
    }

    /// Whether there is room for one more.
    fn explains(&self) -> bool {
        self.context.explanations.is_some_and(|explanations| {
            explanations.lock().unwrap_or_else(PoisonError::into_inner).len() < self.limits.explanations
        })
    }
}
