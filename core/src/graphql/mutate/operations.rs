//! Inserts, updates, replacements and deletions.

use bson::{Document, RawDocumentBuf};

use super::changes::apply;
use super::outcome::Outcome;
use crate::filter::equal;
use crate::graphql::catalog::CollectionIndex;
use crate::graphql::coerce::Input;
use crate::graphql::error::{GraphqlError, code};
use crate::graphql::filter_input::demanded_id;
use crate::graphql::run::{Bound, Failure, Session, decode, encode, id_of};
use crate::rules::Query;

impl Session<'_> {
    pub(super) async fn insert_one(&mut self, at: CollectionIndex, bound: Bound) -> Failure<Outcome> {
        let document = self.document(&given(bound.data)?).await?;
        let inserted = self.insert_into(at, vec![document]).await?;
        Ok(Outcome { documents: inserted, ..Outcome::default() })
    }

    pub(super) async fn insert_many(&mut self, at: CollectionIndex, bound: Bound) -> Failure<Outcome> {
        let Input::List(inputs) = given(bound.data)? else { return Err(required("data")) };
        let mut documents = Vec::with_capacity(inputs.len());
        for input in &inputs {
            documents.push(self.document(input).await?);
        }
        let inserted = self.insert_into(at, documents).await?;
        let ids = inserted.iter().map(|document| id_of(document)).collect();
        Ok(Outcome { inserted: ids, ..Outcome::default() })
    }

    pub(super) async fn update(
        &mut self,
        at: CollectionIndex,
        bound: Bound,
        limit: Option<u64>,
    ) -> Failure<Outcome> {
        let set = bound.set.ok_or_else(|| required("set"))?;
        let before = self.matching(at, bound.query.as_ref(), limit).await?;
        if before.is_empty() {
            return Ok(Outcome::default());
        }
        let changes = self.changes(&set).await?;
        let mut pairs = Vec::with_capacity(before.len());
        for before in before {
            let mut document = decode(&before)?;
            let id = document.get("_id").cloned();
            apply(&mut document, &changes).map_err(|message| GraphqlError::new(code::BAD_INPUT, message))?;
            let same_id = match (&id, document.get("_id")) {
                (Some(before), Some(after)) => equal(before, after),
                (before, after) => before.is_none() && after.is_none(),
            };
            if !same_id {
                return Err(id_is_fixed());
            }
            pairs.push((before, encode(&document)?));
        }
        let matched = pairs.len();
        let access = self.access(at).await?;
        let (documents, modified) = self.replace_all(&access, pairs).await?;
        Ok(Outcome { documents, matched, modified, ..Outcome::default() })
    }

    pub(super) async fn replace_one(&mut self, at: CollectionIndex, bound: Bound) -> Failure<Outcome> {
        let found = self.matching(at, bound.query.as_ref(), Some(1)).await?;
        let Some(before) = found.into_iter().next() else { return Ok(Outcome::default()) };
        let document = self.document(&given(bound.data)?).await?;
        self.replace_by(at, before, document).await
    }

    pub(super) async fn upsert_one(&mut self, at: CollectionIndex, bound: Bound) -> Failure<Outcome> {
        let found = self.matching(at, bound.query.as_ref(), Some(1)).await?;
        let mut document = self.document(&given(bound.data)?).await?;
        if let Some(before) = found.into_iter().next() {
            return self.replace_by(at, before, document).await;
        }
        if !document.contains_key("_id")
            && let Some(id) = bound.query.as_ref().and_then(|query| demanded_id(self.catalog, query))
        {
            document.insert("_id", id);
        }
        let inserted = self.insert_into(at, vec![document]).await?;
        Ok(Outcome { documents: inserted, ..Outcome::default() })
    }

    pub(super) async fn delete(
        &mut self,
        at: CollectionIndex,
        bound: Bound,
        limit: Option<u64>,
    ) -> Failure<Outcome> {
        let documents = self.matching(at, bound.query.as_ref(), limit).await?;
        let access = self.access(at).await?;
        self.delete_all(&access, &documents).await?;
        Ok(Outcome { deleted: documents.len(), documents, ..Outcome::default() })
    }

    /// Inserts documents under the collection's rules.
    pub(super) async fn insert_into(
        &mut self,
        at: CollectionIndex,
        documents: Vec<Document>,
    ) -> Failure<Vec<RawDocumentBuf>> {
        let access = self.access(at).await?;
        self.insert_all(&access, documents).await
    }

    async fn replace_by(
        &mut self,
        at: CollectionIndex,
        before: RawDocumentBuf,
        mut document: Document,
    ) -> Failure<Outcome> {
        let id = id_of(&before);
        if document.remove("_id").is_some_and(|given| !equal(&given, &id)) {
            return Err(id_is_fixed());
        }
        let mut after = Document::new();
        after.insert("_id", id);
        after.extend(document);
        let after = encode(&after)?;
        let access = self.access(at).await?;
        let (documents, _) = self.replace_all(&access, vec![(before, after)]).await?;
        Ok(documents.into_iter().next().map(Outcome::of).unwrap_or_default())
    }

    async fn matching(
        &mut self,
        at: CollectionIndex,
        query: Option<&Input>,
        limit: Option<u64>,
    ) -> Failure<Vec<RawDocumentBuf>> {
        let filter = self.filter(query).await?;
        self.find(at, Query { filter, sort: Vec::new(), limit }).await
    }
}

fn given(data: Option<Input>) -> Failure<Input> {
    data.ok_or_else(|| required("data"))
}

fn required(argument: &str) -> GraphqlError {
    GraphqlError::new(code::BAD_INPUT, format!("argument `{argument}` is required"))
}

fn id_is_fixed() -> GraphqlError {
    GraphqlError::new(code::BAD_INPUT, "`_id` may not change")
}
