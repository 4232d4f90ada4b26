//! A collection: documents in the order of insertion, and their indexes.

use std::sync::Arc;

use backstitch::filter::Direction;
use backstitch::filter::key::encode;
use backstitch::id::CollectionId;
use backstitch::rules::WriteOperation;
use backstitch::store::{CollectionSpec, IndexKey, IndexSpec, Result, StoreError, StoreErrorKind};
use bson::{Bson, RawBsonRef, RawDocument, RawDocumentBuf};

use crate::accounts::conflict;
use crate::index::{Index, Span};
use crate::sorted::{Position, SortedMap};

/// One state of a collection; clones share everything until they change.
#[derive(Clone)]
pub(crate) struct Collection {
    documents: SortedMap<u64, Arc<RawDocumentBuf>>,
    next: u64,
    ids: Index,
    others: Vec<Index>,
}

impl Default for Collection {
    fn default() -> Self {
        let key = IndexKey { path: "_id".into(), direction: Direction::Ascending };
        let ids = Index::new(IndexSpec { keys: vec![key], unique: true });
        Self { documents: SortedMap::default(), next: 0, ids, others: Vec::new() }
    }
}

impl Collection {
    /// Carries out one write. After a failure the state is of no use.
    pub(crate) fn apply(&mut self, operation: &WriteOperation) -> Result<()> {
        match operation {
            WriteOperation::Insert(document) => {
                check_id(document)?;
                let number = self.next;
                self.next += 1;
                self.put(number, document)
            }
            WriteOperation::Replace { id, document } => {
                let (number, before) = self.by_id(id)?;
                if encode(&check_id(document)?, Direction::Ascending) != encode(id, Direction::Ascending) {
                    return Err(StoreError::new(StoreErrorKind::Unsupported, "`_id` may not change"));
                }
                self.forget(number, &before);
                self.put(number, document)
            }
            WriteOperation::Delete { id } => {
                let (number, before) = self.by_id(id)?;
                self.forget(number, &before);
                self.documents.remove(&number);
                Ok(())
            }
        }
    }

    /// Has exactly these indexes beside the one on `_id`.
    pub(crate) fn prepare(&mut self, specs: &[IndexSpec]) -> Result<()> {
        let mut indexes = Vec::with_capacity(specs.len());
        for spec in specs {
            if let Some(there) = self.others.iter().find(|index| index.spec() == spec) {
                indexes.push(there.clone());
                continue;
            }
            let mut index = Index::new(spec.clone());
            for (number, document) in self.documents.from(self.documents.seek(|_| false)) {
                index.add(*number, document)?;
            }
            indexes.push(index);
        }
        self.others = indexes;
        Ok(())
    }

    /// The index on `_id` and then the others.
    pub(crate) fn indexes(&self) -> impl Iterator<Item = &Index> {
        std::iter::once(&self.ids).chain(&self.others)
    }

    /// What it was prepared as.
    pub(crate) fn spec(&self, id: &CollectionId) -> CollectionSpec {
        let indexes = self.others.iter().map(|index| index.spec().clone()).collect();
        CollectionSpec { id: id.clone(), indexes }
    }

    /// The index at a place of [`indexes`](Self::indexes).
    pub(crate) fn index(&self, place: usize) -> Option<&Index> {
        match place.checked_sub(1) {
            None => Some(&self.ids),
            Some(other) => self.others.get(other),
        }
    }

    /// Where a scan begins.
    pub(crate) fn start(&self) -> Position {
        self.documents.seek(|_| false)
    }

    /// The document at a place of a scan, and the place after it.
    pub(crate) fn step(&self, at: Position) -> Option<(&Arc<RawDocumentBuf>, Position)> {
        self.documents.entry(at).map(|(_, document, after)| (document, after))
    }

    fn put(&mut self, number: u64, document: &RawDocumentBuf) -> Result<()> {
        let document = Arc::new(document.clone());
        self.ids.add(number, &document)?;
        for index in &mut self.others {
            index.add(number, &document)?;
        }
        self.documents.insert(number, document);
        Ok(())
    }

    fn forget(&mut self, number: u64, document: &RawDocument) {
        self.ids.remove(number, document);
        for index in &mut self.others {
            index.remove(number, document);
        }
    }

    fn by_id(&self, id: &Bson) -> Result<(u64, Arc<RawDocumentBuf>)> {
        let span = Span::beginning_with(encode(id, Direction::Ascending));
        let found = self.ids.within(&span).next();
        found
            .map(|entry| (entry.number, Arc::clone(&entry.document)))
            .ok_or_else(|| conflict("there is no document of that `_id`"))
    }
}

fn check_id(document: &RawDocument) -> Result<Bson> {
    let refused = |message| StoreError::new(StoreErrorKind::Unsupported, message);
    match document.get("_id") {
        Ok(None) => Err(refused("a document needs an `_id`")),
        Ok(Some(RawBsonRef::Array(_))) => Err(refused("an `_id` may not be an array")),
        Ok(Some(id)) => Bson::try_from(id).map_err(|cause| refused("unreadable `_id`").with_cause(cause)),
        Err(cause) => Err(refused("unreadable document").with_cause(cause)),
    }
}
