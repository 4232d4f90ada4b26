//! The keys by which documents are related.

use std::collections::HashMap;

use ahash::RandomState;
use bson::{Bson, RawBsonRef, RawDocument, RawDocumentBuf};

use crate::filter::FieldPath;
use crate::filter::key::encode_raw_into;
use crate::filter::raw::{self, Key};

/// A number for each distinct key, which is encoded so that equal values of different types are one.
///
/// Clients choose what is stored, so the hash is a keyed one; SipHash took a sixth of a level's time.
type Numbers = HashMap<Box<[u8]>, u32, RandomState>;

/// The keys that documents hold, each numbered once.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) numbers: Numbers,
    pub(super) values: Vec<Bson>,
    /// Key numbers, document by document.
    pub(super) wanted: Vec<u32>,
    /// How many of them each document has.
    pub(super) counts: Vec<usize>,
    /// The key that is being looked up.
    buffer: Vec<u8>,
}

impl Keys {
    pub(super) fn of(documents: &[RawDocumentBuf], source: &FieldPath, is_list: bool) -> Self {
        let route = Route::of(source);
        let mut keys = Self::default();
        keys.numbers.reserve(documents.len());
        keys.wanted.reserve(documents.len());
        keys.counts.reserve(documents.len());
        for document in documents {
            let before = keys.wanted.len();
            match route.value(document) {
                Some(RawBsonRef::Array(array)) if is_list => {
                    array.into_iter().map_while(Result::ok).for_each(|key| keys.want(key));
                }
                Some(key) => keys.want(key),
                None => {}
            }
            keys.counts.push(keys.wanted.len() - before);
        }
        keys
    }

    fn want(&mut self, key: RawBsonRef<'_>) {
        if matches!(key, RawBsonRef::Null | RawBsonRef::Undefined | RawBsonRef::Array(_)) {
            return;
        }
        encode_raw_into(key, &mut self.buffer);
        if let Some(number) = self.numbers.get(self.buffer.as_slice()) {
            self.wanted.push(*number);
            return;
        }
        let Ok(value) = Bson::try_from(key) else { return };
        let number = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.values.push(value);
        self.numbers.insert(self.buffer.as_slice().into(), number);
        self.wanted.push(number);
    }
}

/// Key number and place of each document that holds a key, in this order.
pub(super) fn places(
    documents: &[RawDocumentBuf],
    foreign: &FieldPath,
    numbers: &Numbers,
) -> Vec<(u32, u32)> {
    let route = Route::of(foreign);
    let mut places = Vec::with_capacity(documents.len());
    let mut buffer = Vec::new();
    for (place, document) in (0_u32..).zip(documents) {
        let mut note = |key: RawBsonRef<'_>| {
            encode_raw_into(key, &mut buffer);
            places.extend(numbers.get(buffer.as_slice()).map(|number| (*number, place)));
        };
        match route.value(document) {
            Some(RawBsonRef::Array(array)) => array.into_iter().map_while(Result::ok).for_each(note),
            Some(key) => note(key),
            None => {}
        }
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
struct Route<'p>(Vec<Key<'p>>);

impl<'p> Route<'p> {
    fn of(path: &'p FieldPath) -> Self {
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
}
