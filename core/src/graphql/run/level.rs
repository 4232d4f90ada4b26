//! The documents of one level of a plan, and which of the next level belong to each.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

use bson::{Bson, RawBsonRef, RawDocument, RawDocumentBuf};

use super::session::{Failure, Session};
use crate::filter::key::encode_raw;
use crate::filter::{FieldPath, Filter, raw};
use crate::graphql::plan::{DocumentPlan, RelationPlan};
use crate::rules::{Access, Query, Visibility};

/// Documents that the actor may see, with their relations.
#[derive(Debug)]
pub(crate) struct Level {
    pub(crate) documents: Vec<RawDocumentBuf>,
    /// One for each of the plan's relations.
    pub(crate) relations: Vec<Related>,
    access: Access,
    reads_everything: bool,
}

/// The documents that one relation leads to from all documents of a level.
#[derive(Debug)]
pub(crate) struct Related {
    pub(crate) level: Level,
    /// Places in `level.documents`, source document by source document.
    targets: Vec<u32>,
    /// Where the targets of each source document end.
    ends: Vec<u32>,
}

impl Level {
    /// What may be seen of one of the documents.
    pub(crate) fn visibility<'v>(&'v self, document: &'v RawDocument) -> Visibility<'v> {
        if self.reads_everything { Visibility::Whole } else { self.access.visibility(document) }
    }
}

impl Related {
    /// The places of the documents that belong to the source document of this index.
    pub(crate) fn of(&self, index: usize) -> Option<&[u32]> {
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.targets.get(start as usize..*self.ends.get(index)? as usize)
    }
}

impl Session<'_> {
    /// Fetches what the plan follows from these documents.
    pub(crate) async fn level(
        &mut self,
        plan: &DocumentPlan,
        documents: Vec<RawDocumentBuf>,
    ) -> Failure<Level> {
        let access = self.access(plan.collection)?;
        let mut relations = Vec::with_capacity(plan.relations.len());
        for relation in &plan.relations {
            relations.push(self.related(relation, &documents).await?);
        }
        Ok(Level { documents, relations, reads_everything: access.reads_everything(), access })
    }

    /// One request for the distinct keys of all the documents.
    fn related<'f>(
        &'f mut self,
        plan: &'f RelationPlan,
        documents: &'f [RawDocumentBuf],
    ) -> Pin<Box<dyn Future<Output = Failure<Related>> + Send + 'f>> {
        Box::pin(async move {
            let relation = &*plan.relation;
            let keys = Keys::of(documents, &relation.source, relation.is_list);
            let found = self.by_keys(plan, keys.values).await?;
            let places = places(&found, &relation.foreign, &keys.numbers);
            let mut targets = Vec::new();
            let mut ends = Vec::with_capacity(documents.len());
            let mut wanted = keys.wanted.as_slice();
            for count in keys.counts {
                let (these, rest) = wanted.split_at_checked(count).unwrap_or((wanted, &[]));
                wanted = rest;
                for number in these {
                    let start = places.partition_point(|(other, _)| other < number);
                    let matching = places.iter().skip(start).take_while(|(other, _)| other == number);
                    targets.extend(matching.map(|(_, place)| *place));
                }
                ends.push(u32::try_from(targets.len()).unwrap_or(u32::MAX));
            }
            Ok(Related { level: self.level(&plan.document, found).await?, targets, ends })
        })
    }

    async fn by_keys(&mut self, plan: &RelationPlan, keys: Vec<Bson>) -> Failure<Vec<RawDocumentBuf>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let limit = self.limits.page_size.max(u64::try_from(keys.len()).unwrap_or(u64::MAX));
        let filter = Filter::is_in(plan.relation.foreign.clone(), keys);
        let query = Query { filter, sort: Vec::new(), limit: Some(limit) };
        // Where the foreign key itself may never be read, nothing tells which documents are related.
        match self.access(plan.relation.target)?.find(query) {
            Ok(query) => self.fetch(&query).await,
            Err(_) => Ok(Vec::new()),
        }
    }
}

/// The keys that documents hold, each numbered once.
#[derive(Default)]
struct Keys {
    numbers: HashMap<Vec<u8>, u32>,
    values: Vec<Bson>,
    /// Key numbers, document by document.
    wanted: Vec<u32>,
    /// How many of them each document has.
    counts: Vec<usize>,
}

impl Keys {
    fn of(documents: &[RawDocumentBuf], source: &FieldPath, is_list: bool) -> Self {
        let mut keys = Self::default();
        for document in documents {
            let before = keys.wanted.len();
            match at(document, source) {
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
        let next = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(encode_raw(key)).or_insert(next);
        if number == next {
            match Bson::try_from(key) {
                Ok(value) => self.values.push(value),
                Err(_) => return,
            }
        }
        self.wanted.push(number);
    }
}

/// Key number and place of each document that holds a key, in this order.
fn places(
    documents: &[RawDocumentBuf],
    foreign: &FieldPath,
    numbers: &HashMap<Vec<u8>, u32>,
) -> Vec<(u32, u32)> {
    let mut places = Vec::with_capacity(documents.len());
    for (place, document) in (0_u32..).zip(documents) {
        let mut note =
            |key: RawBsonRef<'_>| places.extend(numbers.get(&encode_raw(key)).map(|n| (*n, place)));
        match at(document, foreign) {
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
    let mut segments = path.segments();
    let mut value = raw::get(document, segments.next()?)?;
    for segment in segments {
        match value {
            RawBsonRef::Document(inner) => value = raw::get(inner, segment)?,
            _ => return None,
        }
    }
    Some(value)
}
