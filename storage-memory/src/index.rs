//! An index: the keys of documents, in order, each with the document's place in the collection.

use std::sync::Arc;

use backstitch::filter::key::index_keys;
use backstitch::store::{IndexSpec, Result};
use bson::{RawDocument, RawDocumentBuf};

use crate::accounts::duplicate;
use crate::sorted::{Position, SortedMap};

/// An index over a collection.
#[derive(Clone)]
pub(crate) struct Index {
    spec: IndexSpec,
    /// The key and, to tell equal keys apart, the document's number.
    entries: SortedMap<Arc<[u8]>, Entry>,
    /// Whether a document ever had more than one key.
    multikey: bool,
}

/// What an index leads to.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The document's place in the order of insertion.
    pub(crate) number: u64,
    pub(crate) document: Arc<RawDocumentBuf>,
}

/// Keys from `low` on to an end.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) low: Vec<u8>,
    pub(crate) end: End,
}

/// Where a span ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// After all keys that begin with its `low`.
    Prefix,
    /// Before this key.
    Below(Vec<u8>),
    /// At the end of the index.
    Open,
}

impl Span {
    /// All keys that begin so.
    pub(crate) fn beginning_with(prefix: Vec<u8>) -> Self {
        Self { low: prefix, end: End::Prefix }
    }

    /// Whether a key that is not below `low` lies within.
    fn holds(&self, key: &[u8]) -> bool {
        match &self.end {
            End::Prefix => key.starts_with(&self.low),
            End::Below(high) => key < high.as_slice(),
            End::Open => true,
        }
    }
}

impl End {
    /// Before the least key after everything that begins with `prefix`.
    pub(crate) fn after(prefix: &[u8]) -> Self {
        successor(prefix).map_or(Self::Open, Self::Below)
    }
}

impl Index {
    pub(crate) fn new(spec: IndexSpec) -> Self {
        Self { spec, entries: SortedMap::default(), multikey: false }
    }

    pub(crate) fn spec(&self) -> &IndexSpec {
        &self.spec
    }

    pub(crate) fn is_multikey(&self) -> bool {
        self.multikey
    }

    /// Adds a document, or fails when the index is unique and another has one of its keys.
    pub(crate) fn add(&mut self, number: u64, document: &Arc<RawDocumentBuf>) -> Result<()> {
        let keys = index_keys(document, &self.spec.keys);
        if self.spec.unique
            && let Some(key) = keys.iter().find(|key| self.holds(key))
        {
            return Err(duplicate(format!("the unique index on {} has the key {key:02x?}", self.name())));
        }
        self.multikey |= keys.len() > 1;
        for key in keys {
            let entry = Entry { number, document: Arc::clone(document) };
            self.entries.insert(with_number(key, number), entry);
        }
        Ok(())
    }

    /// Takes a document out.
    pub(crate) fn remove(&mut self, number: u64, document: &RawDocument) {
        for key in index_keys(document, &self.spec.keys) {
            self.entries.remove(&with_number(key, number));
        }
    }

    /// Where a span begins.
    pub(crate) fn seek(&self, span: &Span) -> Position {
        self.entries.seek(|key| key.as_ref() < span.low.as_slice())
    }

    /// The document at a place of a span, and the place after it.
    pub(crate) fn step(&self, at: Position, span: &Span) -> Option<(&Entry, Position)> {
        let (key, entry, after) = self.entries.entry(at)?;
        span.holds(key).then_some((entry, after))
    }

    /// All documents of a span, by key; one that has several keys comes several times.
    pub(crate) fn within(&self, span: &Span) -> impl Iterator<Item = &Entry> {
        self.entries.from(self.seek(span)).take_while(|(key, _)| span.holds(key)).map(|(_, entry)| entry)
    }

    fn holds(&self, key: &[u8]) -> bool {
        let at = self.entries.seek(|stored| stored.as_ref() < key);
        self.entries.entry(at).is_some_and(|(stored, ..)| stored.starts_with(key))
    }

    fn name(&self) -> String {
        let paths: Vec<_> = self.spec.keys.iter().map(|key| format!("`{}`", key.path)).collect();
        paths.join(", ")
    }
}

fn with_number(mut key: Vec<u8>, number: u64) -> Arc<[u8]> {
    key.extend(number.to_be_bytes());
    key.into()
}

/// The least bytes after everything that begins with `prefix`; `None` when nothing is.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let kept = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut next = prefix.get(..=kept)?.to_vec();
    *next.last_mut()? += 1;
    Some(next)
}
