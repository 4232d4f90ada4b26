//! The keys by which documents are related.

use std::collections::HashMap;

use ahash::RandomState;
use bson::{Bson, RawArray, RawBsonRef, RawDocument, RawDocumentBuf};

use crate::filter::FieldPath;
use crate::filter::key::encode_raw_into;
use crate::filter::raw::{self, Key};

/// Distinct keys, each with a number: equal values of different types are one.
#[derive(Default)]
pub(super) struct Distinct {
    /// By the encoded key. Clients choose what is stored, so the hash is a keyed one; SipHash took a sixth of a level's
    /// time.
    numbers: HashMap<Box<[u8]>, u32, RandomState>,
    /// The keys by their numbers.
    pub(super) values: Vec<Bson>,
    /// The key that is being looked up.
    buffer: Vec<u8>,
}

impl Distinct {
    /// The number of a key; `None` where it relates nothing: null, an array, bytes that cannot be read.
    pub(super) fn number(&mut self, key: RawBsonRef<'_>) -> Option<u32> {
        if matches!(key, RawBsonRef::Null | RawBsonRef::Undefined | RawBsonRef::Array(_)) {
            return None;
        }
        encode_raw_into(key, &mut self.buffer);
        if let Some(number) = self.numbers.get(self.buffer.as_slice()) {
            return Some(*number);
        }
        let number = u32::try_from(self.values.len()).ok()?;
        self.values.push(Bson::try_from(key).ok()?);
        self.numbers.insert(self.buffer.as_slice().into(), number);
        Some(number)
    }
}

/// The keys that documents hold.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) distinct: Distinct,
    /// Key numbers, document by document.
    pub(super) wanted: Vec<u32>,
    /// How many of them each document has.
    pub(super) counts: Vec<usize>,
}

impl Keys {
    pub(super) fn of(documents: &[RawDocumentBuf], source: &FieldPath, is_list: bool) -> Self {
        let route = Route::of(source);
        let mut keys = Self::default();
        keys.distinct.numbers.reserve(documents.len());
        keys.wanted.reserve(documents.len());
        keys.counts.reserve(documents.len());
        for document in documents {
            let before = keys.wanted.len();
            let Keys { distinct, wanted, .. } = &mut keys;
            let want = |key| wanted.extend(distinct.number(key));
            match route.value(document) {
                Some(RawBsonRef::Array(array)) if is_list => each(array, want),
                value => value.into_iter().for_each(want),
            }
            keys.counts.push(keys.wanted.len() - before);
        }
        keys
    }
}

/// The elements of an array; bytes that cannot be read end it.
fn each<'a>(array: &'a RawArray, visit: impl FnMut(RawBsonRef<'a>)) {
    array.into_iter().map_while(Result::ok).for_each(visit);
}

/// Key number and place of each document that holds a key, in this order.
pub(super) fn places(
    documents: &[RawDocumentBuf],
    foreign: &FieldPath,
    Distinct { numbers, .. }: &Distinct,
) -> Vec<(u32, u32)> {
    let route = Route::of(foreign);
    let mut places = Vec::with_capacity(documents.len());
    let mut buffer = Vec::new();
    for (place, document) in (0_u32..).zip(documents) {
        route.each_key(document, |key| {
            encode_raw_into(key, &mut buffer);
            places.extend(numbers.get(buffer.as_slice()).map(|number| (*number, place)));
        });
    }
    places.sort_unstable();
    places.dedup();
    places
}

/// The value at a path through embedded documents.
pub(crate) fn at<'d>(document: &'d RawDocument, path: &FieldPath) -> Option<RawBsonRef<'d>> {
    Route::of(path).value(document)
}

/// A path through embedded documents, taken apart once for many documents.
pub(super) struct Route<'p>(Vec<Key<'p>>);

impl<'p> Route<'p> {
    pub(super) fn of(path: &'p FieldPath) -> Self {
        Self(path.segments().map(Key::of).collect())
    }

    /// The value at the path.
    fn value<'d>(&self, document: &'d RawDocument) -> Option<RawBsonRef<'d>> {
        let (first, rest) = self.0.split_first()?;
        let mut value = raw::get_key(document, *first)?;
        for segment in rest {
            match value {
                RawBsonRef::Document(inner) => value = raw::get_key(inner, *segment)?,
                _ => return None,
            }
        }
        Some(value)
    }

    /// The keys under which a document is found at the path: of an array each element.
    pub(super) fn each_key<'d>(&self, document: &'d RawDocument, mut visit: impl FnMut(RawBsonRef<'d>)) {
        match self.value(document) {
            Some(RawBsonRef::Array(array)) => each(array, visit),
            Some(key) => visit(key),
            None => {}
        }
    }
}
