//! Writes under a collection's rules and schema, whoever asks for them.
//!
//! A write is first checked against the rules, then against the schema, and only then sent to the store: a taken key is
//! not told to those who may not insert.

use bson::{Bson, Document, RawDocument, RawDocumentBuf};

use super::session::{Failure, Session, denied, internal};
use crate::filter::matches;
use crate::graphql::error::{GraphqlError, code};
use crate::id::{CollectionId, fresh_object_id};
use crate::rules::{Access, Query, ScopedWrite};

impl Session<'_> {
    /// Inserts documents; those without an `_id` get a fresh one.
    pub(crate) async fn insert_all(
        &mut self,
        access: &Access,
        documents: Vec<Document>,
    ) -> Failure<Vec<RawDocumentBuf>> {
        let mut writes = Vec::with_capacity(documents.len());
        let mut inserted = Vec::with_capacity(documents.len());
        for document in documents {
            let document = encode(&self.with_id(document)?)?;
            let allowed = self.judge.insert(access, &document).await?;
            self.tally_insert(access, &document);
            writes.push(allowed.map_err(|refusal| denied(access, refusal))?);
            inserted.push(document);
        }
        for document in &inserted {
            self.validate(access.collection(), (None, document)).await?;
        }
        self.write(&writes).await?;
        Ok(inserted)
    }

    /// The new images, and how many of them differ from the old ones.
    pub(crate) async fn replace_all(
        &mut self,
        access: &Access,
        pairs: Vec<(RawDocumentBuf, RawDocumentBuf)>,
    ) -> Failure<(Vec<RawDocumentBuf>, usize)> {
        let mut writes = Vec::new();
        for (before, after) in &pairs {
            let allowed = self.judge.replace(access, before, after).await?;
            let write = allowed.map_err(|refusal| denied(access, refusal))?;
            if before.as_bytes() != after.as_bytes() {
                writes.push(write);
            }
        }
        for (before, after) in &pairs {
            self.validate(access.collection(), (Some(before), after)).await?;
        }
        self.write(&writes).await?;
        Ok((pairs.into_iter().map(|(_, after)| after).collect(), writes.len()))
    }

    /// Deletes documents that were found.
    pub(crate) async fn delete_all(&mut self, access: &Access, documents: &[RawDocumentBuf]) -> Failure<()> {
        let mut writes: Vec<ScopedWrite> = Vec::with_capacity(documents.len());
        for document in documents {
            let allowed = self.judge.delete(access, document).await?;
            writes.push(allowed.map_err(|refusal| denied(access, refusal))?);
        }
        self.write(&writes).await
    }

    /// Those of the documents that the caller may see: the new images are put to the read rules as the store would put
    /// them, so that no further request is needed.
    pub(crate) async fn visible(
        &mut self,
        access: &Access,
        mut documents: Vec<RawDocumentBuf>,
    ) -> Failure<Vec<RawDocumentBuf>> {
        let Ok(readable) = access.find(Query::default()) else { return Ok(Vec::new()) };
        documents.retain(|document| matches(readable.filter(), document));
        self.judge.judged(&readable, documents).await
    }

    async fn validate(
        &mut self,
        collection: &CollectionId,
        (before, after): (Option<&RawDocument>, &RawDocument),
    ) -> Failure<()> {
        (self.context.validate)(collection, after)
            .map_err(|message| GraphqlError::new(code::SCHEMA_WRITE, message))?;
        self.judge.validate(collection, (before, after)).await
    }

    fn with_id(&self, mut document: Document) -> Failure<Document> {
        let id = match document.remove("_id") {
            Some(id) if id != Bson::Null => id,
            _ => {
                let env = self.context.env;
                let id = fresh_object_id(env.clock.now(), &*env.random);
                Bson::ObjectId(id.map_err(|_| internal())?)
            }
        };
        let mut with_id = Document::new();
        with_id.insert("_id", id);
        with_id.extend(document);
        Ok(with_id)
    }
}

/// The `_id` of a stored document.
pub(crate) fn id_of(document: &RawDocument) -> Bson {
    document.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok()).unwrap_or(Bson::Null)
}

/// A stored document, to be changed.
pub(crate) fn decode(document: &RawDocument) -> Failure<Document> {
    Document::try_from(document).map_err(|_| internal())
}

/// A document as it is stored.
pub(crate) fn encode(document: &Document) -> Failure<RawDocumentBuf> {
    RawDocumentBuf::try_from(document)
        .map_err(|_| GraphqlError::new(code::BAD_INPUT, "the document cannot be stored"))
}
