//! A cursor: a way to the documents of one state, walked as far as it is asked.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use backstitch::filter::key::sort_key;
use backstitch::filter::{Filter, SortKey, matches};
use backstitch::rules::ScopedQuery;
use backstitch::store::{Cursor, Result};
use bson::RawDocumentBuf;

use crate::access::choose;
use crate::collection::Collection;
use crate::index::{Entry, Span};
use crate::sorted::Position;

/// A cursor over one state of a collection.
pub(crate) struct MemoryCursor {
    collection: Arc<Collection>,
    source: Source,
    residual: Vec<Filter>,
    left: u64,
}

enum Source {
    /// All documents, in the order of insertion.
    Scan(Position),
    /// An index in its order; a document that has several keys counts at its first.
    Span { index: usize, span: Span, at: Position, seen: Option<HashSet<u64>> },
    /// These documents.
    Listed(std::vec::IntoIter<Entry>),
    /// These documents, which match.
    Sorted(std::vec::IntoIter<Arc<RawDocumentBuf>>),
}

impl MemoryCursor {
    /// Finds what the query matches, in its order.
    pub(crate) fn open(collection: Arc<Collection>, query: &ScopedQuery) -> Self {
        Self::over(collection, query, query.sort())
    }

    /// How many documents match.
    pub(crate) fn count(collection: Arc<Collection>, query: &ScopedQuery) -> u64 {
        let mut cursor = Self::over(collection, query, &[]);
        let mut count = 0;
        while cursor.advance(|_| ()).is_some() {
            count += 1;
        }
        count
    }

    fn over(collection: Arc<Collection>, query: &ScopedQuery, sort: &[SortKey]) -> Self {
        let path = choose(&collection, query.filter(), sort);
        let residual = path.residual.into_iter().cloned().collect();
        let limit = query.limit().unwrap_or(u64::MAX);
        let source = match path.spans {
            None => Source::Scan(collection.start()),
            Some((index, spans)) => from_index(&collection, index, spans, path.ordered),
        };
        let mut cursor = Self { collection, source, residual, left: limit };
        if !sort.is_empty() && !path.ordered {
            cursor.left = u64::MAX;
            cursor.sort(sort);
            cursor.left = limit;
        }
        cursor
    }

    /// Reads everything and puts it in order; equal keys keep the order of insertion.
    fn sort(&mut self, sort: &[SortKey]) {
        let mut keyed = Vec::new();
        while let Some(entry) = self.advance(|document| (sort_key(document, sort), Arc::clone(document))) {
            keyed.push(entry);
        }
        keyed.sort_by(|(left, _), (right, _)| left.cmp(right));
        let sorted: Vec<_> = keyed.into_iter().map(|(_, document)| document).collect();
        self.residual.clear();
        self.source = Source::Sorted(sorted.into_iter());
    }

    /// What `take` makes of the next document that matches.
    fn advance<T>(&mut self, take: impl FnOnce(&Arc<RawDocumentBuf>) -> T) -> Option<T> {
        if self.left == 0 {
            return None;
        }
        let Self { collection, source, residual, left } = self;
        let accepts = |document: &RawDocumentBuf| residual.iter().all(|part| matches(part, document));
        loop {
            let (listed, sorted);
            let document = match source {
                Source::Scan(at) => {
                    let (document, after) = collection.step(*at)?;
                    *at = after;
                    document
                }
                Source::Span { index, span, at, seen } => {
                    let (entry, after) = collection.index(*index)?.step(*at, span)?;
                    *at = after;
                    if seen.as_mut().is_some_and(|seen| !seen.insert(entry.number)) {
                        continue;
                    }
                    &entry.document
                }
                Source::Listed(entries) => {
                    listed = entries.next()?;
                    &listed.document
                }
                Source::Sorted(documents) => {
                    sorted = documents.next()?;
                    &sorted
                }
            };
            if accepts(document) {
                *left -= 1;
                return Some(take(document));
            }
        }
    }
}

#[async_trait]
impl Cursor for MemoryCursor {
    async fn next(&mut self, batch: usize) -> Result<Vec<RawDocumentBuf>> {
        let mut documents = Vec::with_capacity(batch.min(128));
        while documents.len() < batch
            && let Some(document) = self.advance(|document| document.as_ref().clone())
        {
            documents.push(document);
        }
        Ok(documents)
    }
}

fn from_index(collection: &Collection, place: usize, mut spans: Vec<Span>, ordered: bool) -> Source {
    let Some(index) = collection.index(place) else { return Source::Scan(collection.start()) };
    if ordered && let Some(span) = spans.pop() {
        let seen = index.is_multikey().then(HashSet::new);
        return Source::Span { index: place, at: index.seek(&span), span, seen };
    }
    let mut entries: Vec<Entry> = spans.iter().flat_map(|span| index.within(span)).cloned().collect();
    entries.sort_unstable_by_key(|entry| entry.number);
    entries.dedup_by_key(|entry| entry.number);
    Source::Listed(entries.into_iter())
}
