//! The documents of one level of a plan, and which of the next level belong to each.

use std::future::Future;
use std::pin::Pin;

use bson::{Bson, RawDocument, RawDocumentBuf};
use tracing::{Instrument as _, trace_span};

use super::keys::{Keys, places};
use super::resolve::Computed;
use super::session::{Failure, Session, internal};
use crate::filter::Filter;
use crate::graphql::catalog::CollectionIndex;
use crate::graphql::error::{GraphqlError, code};
use crate::graphql::plan::{DocumentPlan, RelationPlan};
use crate::rules::{Access, Query, Visibility};

/// Documents that the actor may see, with their relations.
#[derive(Debug)]
pub(crate) struct Level {
    pub(crate) documents: Vec<RawDocumentBuf>,
    /// One for each of the plan's relations.
    pub(crate) relations: Vec<Related>,
    /// One for each of the plan's computed fields.
    pub(crate) computed: Vec<Computed>,
    /// Whether a function gave these documents.
    pub(crate) is_given: bool,
    /// What hides a part of them; `None` when nothing is hidden.
    mask: Option<Access>,
    /// Documents that do not fit their schema, where reads are validated: place and what does not fit.
    misfits: Vec<(usize, String)>,
}

/// Where documents come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The actor's rules have let them through.
    Found(CollectionIndex),
    /// They were written: the actor may not be allowed to see them.
    Written(CollectionIndex),
    /// A function gave them to the actor.
    Given,
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
        self.mask.as_ref().map_or(Visibility::Whole, |access| access.visibility(document))
    }

    /// Why the document at this place may not be shown, as far as the actor may know.
    pub(crate) fn misfit(&self, index: usize) -> Option<&str> {
        let place = self.misfits.binary_search_by_key(&index, |(place, _)| *place).ok()?;
        let (_, why) = self.misfits.get(place)?;
        Some(if self.mask.is_none() { why } else { "a field does not fit" })
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
        origin: Origin,
    ) -> Failure<Level> {
        let mask = match origin {
            Origin::Found(at) => Some(self.access(at).await?).filter(|access| !access.reads_all_it_finds()),
            Origin::Written(at) => Some(self.access(at).await?).filter(|access| !access.reads_everything()),
            Origin::Given => None,
        };
        let misfits = match origin {
            Origin::Found(at) => self.misfits(at, &documents)?,
            // It was checked before it was written.
            Origin::Written(_) => Vec::new(),
            // It may be anything; what does not fit its GraphQL type is found while it is written down.
            Origin::Given => Vec::new(),
        };
        let mut relations = Vec::with_capacity(plan.relations.len());
        for relation in &plan.relations {
            let span = trace_span!("relation", parents = documents.len());
            relations.push(self.related(relation, &documents).instrument(span).await?);
        }
        if let Some(mask) = &mask {
            self.judge
                .ask(mask, |mask| documents.iter().for_each(|document| mask.judge_reading(document)))
                .await?;
            self.tally_fields(plan, &documents, mask);
        }
        let is_given = origin == Origin::Given;
        let mut level = Level { documents, relations, computed: Vec::new(), is_given, mask, misfits };
        for field in &plan.computed {
            let computed = self.compute(field, &level).await?;
            level.computed.push(computed);
        }
        Ok(level)
    }

    fn misfits(&self, at: CollectionIndex, documents: &[RawDocumentBuf]) -> Failure<Vec<(usize, String)>> {
        let Some(validate) = self.context.validate_read else { return Ok(Vec::new()) };
        let api = self.catalog.collections.get(at.0).ok_or_else(internal)?;
        let checked = documents.iter().map(|document| validate(&api.id, document)).enumerate();
        Ok(checked.filter_map(|(place, fits)| Some((place, fits.err()?))).collect())
    }

    /// One request for the distinct keys of all the documents.
    fn related<'f>(
        &'f mut self,
        plan: &'f RelationPlan,
        documents: &'f [RawDocumentBuf],
    ) -> Pin<Box<dyn Future<Output = Failure<Related>> + Send + 'f>> {
        Box::pin(async move {
            let relation = &*plan.relation;
            let mut keys = Keys::of(documents, &relation.source, relation.is_list);
            let found = self.by_keys(plan, std::mem::take(&mut keys.distinct.values)).await?;
            let places = places(&found, &relation.foreign, &keys.distinct);
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
            let origin = Origin::Found(relation.target);
            Ok(Related { level: self.level(&plan.document, found, origin).await?, targets, ends })
        })
    }

    async fn by_keys(&mut self, plan: &RelationPlan, keys: Vec<Bson>) -> Failure<Vec<RawDocumentBuf>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let most = self.limits.page_size.max(u64::try_from(keys.len()).unwrap_or(u64::MAX));
        let filter = Filter::is_in(plan.relation.foreign.clone(), keys);
        let query = Query { filter, sort: Vec::new(), limit: Some(most.saturating_add(1)) };
        // Where the foreign key itself may never be read, nothing tells which documents are related.
        let access = self.access(plan.relation.target).await?;
        let Ok(query) = self.judge.find(&access, query).await? else { return Ok(Vec::new()) };
        let found = self.fetch(&query).await?;
        // Keys need not be unique. A list that is cut would look whole.
        if u64::try_from(found.len()).unwrap_or(u64::MAX) > most {
            let message = format!("the relation leads to more than {most} documents at once");
            return Err(GraphqlError::new(code::LIMIT, message));
        }
        Ok(found)
    }
}
