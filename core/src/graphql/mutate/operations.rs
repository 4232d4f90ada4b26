//! Inserts, updates, replacements and deletions.

use bson::{Bson, Document, RawDocument, RawDocumentBuf};

use super::changes::apply;
use super::outcome::Outcome;
use crate::filter::equal;
use crate::graphql::catalog::CollectionIndex;
use crate::graphql::coerce::Input;
use crate::graphql::error::{GraphqlError, code};
use crate::graphql::filter_input::demanded_id;
use crate::graphql::run::{Bound, Failure, Session, denied};
use crate::id::fresh_object_id;
use crate::rules::{Query, ScopedWrite};

impl Session<'_> {
    pub(super) async fn insert_one(&mut self, at: CollectionIndex, bound: Bound) -> Failure<Outcome> {
        let document = self.document(&given(bound.data)?).await?;
        let inserted = self.insert_all(at, vec![document]).await?;
        Ok(Outcome { documents: inserted, ..Outcome::default() })
    }

    pub(super) async fn insert_many(&mut self, at: CollectionIndex, bound: Bound) -> Failure<Outcome> {
        let Input::List(inputs) = given(bound.data)? else { return Err(required("data")) };
        let mut documents = Vec::with_capacity(inputs.len());
        for input in &inputs {
            documents.push(self.document(input).await?);
        }
        let inserted = self.insert_all(at, documents).await?;
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
        let (documents, modified) = self.replace_all(at, pairs).await?;
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
        let inserted = self.insert_all(at, vec![document]).await?;
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
        let mut writes: Vec<ScopedWrite> = Vec::with_capacity(documents.len());
        for document in &documents {
            let allowed = self.judge.delete(&access, document).await?;
            writes.push(allowed.map_err(|refusal| denied(&access, refusal))?);
        }
        self.write(&writes).await?;
        Ok(Outcome { deleted: documents.len(), documents, ..Outcome::default() })
    }

    /// Inserts documents under the collection's rules; those without an `_id` get a fresh one.
    pub(super) async fn insert_all(
        &mut self,
        at: CollectionIndex,
        documents: Vec<Document>,
    ) -> Failure<Vec<RawDocumentBuf>> {
        let access = self.access(at).await?;
        let mut writes = Vec::with_capacity(documents.len());
        let mut inserted = Vec::with_capacity(documents.len());
        for document in documents {
            let document = encode(&self.with_id(document)?)?;
            let allowed = self.judge.insert(&access, &document).await?;
            self.tally_insert(&access, &document);
            writes.push(allowed.map_err(|refusal| denied(&access, refusal))?);
            inserted.push(document);
        }
        for document in &inserted {
            self.validate(at, (None, document)).await?;
        }
        self.write(&writes).await?;
        Ok(inserted)
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
        let (documents, _) = self.replace_all(at, vec![(before, after)]).await?;
        Ok(documents.into_iter().next().map(Outcome::of).unwrap_or_default())
    }

    /// The new images, and how many of them differ from the old ones.
    async fn replace_all(
        &mut self,
        at: CollectionIndex,
        pairs: Vec<(RawDocumentBuf, RawDocumentBuf)>,
    ) -> Failure<(Vec<RawDocumentBuf>, usize)> {
        let access = self.access(at).await?;
        let mut writes = Vec::new();
        for (before, after) in &pairs {
            let allowed = self.judge.replace(&access, before, after).await?;
            let write = allowed.map_err(|refusal| denied(&access, refusal))?;
            if before.as_bytes() != after.as_bytes() {
                writes.push(write);
            }
        }
        for (before, after) in &pairs {
            self.validate(at, (Some(before), after)).await?;
        }
        self.write(&writes).await?;
        Ok((pairs.into_iter().map(|(_, after)| after).collect(), writes.len()))
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

    async fn validate(
        &mut self,
        at: CollectionIndex,
        (before, after): (Option<&RawDocument>, &RawDocument),
    ) -> Failure<()> {
        let Some(api) = self.catalog.collections.get(at.0) else { return Ok(()) };
        (self.context.validate)(&api.id, after)
            .map_err(|message| GraphqlError::new(code::SCHEMA_WRITE, message))?;
        self.judge.validate(&api.id, (before, after)).await
    }

    fn with_id(&self, mut document: Document) -> Failure<Document> {
        let id = match document.remove("_id") {
            Some(id) if id != Bson::Null => id,
            _ => {
                let env = self.context.env;
                let id = fresh_object_id(env.clock.now(), &*env.random);
                Bson::ObjectId(id.map_err(|_| GraphqlError::new(code::INTERNAL, "internal server error"))?)
            }
        };
        let mut with_id = Document::new();
        with_id.insert("_id", id);
        with_id.extend(document);
        Ok(with_id)
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

fn id_of(document: &RawDocument) -> Bson {
    document.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok()).unwrap_or(Bson::Null)
}

fn decode(document: &RawDocument) -> Failure<Document> {
    Document::try_from(document).map_err(|_| GraphqlError::new(code::INTERNAL, "internal server error"))
}

fn encode(document: &Document) -> Failure<RawDocumentBuf> {
    RawDocumentBuf::try_from(document)
        .map_err(|_| GraphqlError::new(code::BAD_INPUT, "the document cannot be stored"))
}
