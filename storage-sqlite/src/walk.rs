//! Walking a plan on a connection.
//!
//! 1. An ordered walk keeps its place as a key, not as an open statement: it seeks there again.
//! 2. A walk with a budget stops when it has examined that many rows, so that the caller can
//!    go on elsewhere. What has to be put in order first starts again there.
//! 3. Many ranges are one statement, their number rounded up so that its text is found in the cache.

use std::collections::{BinaryHeap, HashSet};
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::vec;

use backstitch::bson::{RawDocument, RawDocumentBuf};
use backstitch::filter::key::sort_key;
use backstitch::filter::{Filter, SortKey, matches};
use backstitch::rules::ScopedQuery;
use backstitch::store::Result;
use backstitch::store::keyed::{Plan, Range, Source, lower};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Statement};

use crate::catalog::Collections;
use crate::error::{corrupt, from_sqlite};
use crate::merge::merge;

/// How many ranges go into one statement.
const RANGES: usize = 512;

/// What is looked for, and how.
pub(crate) struct Search {
    collection: i64,
    plan: Plan,
    filter: Filter,
    sort: Vec<SortKey>,
    limit: usize,
}

/// A search on its way.
pub(crate) struct Walk {
    search: Search,
    state: State,
    left: usize,
}

/// Whether a walk needs to go on without a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The batch is full, or there is no more.
    Served,
    /// The budget is used up.
    Paused,
}

enum State {
    Start,
    /// After this key and place.
    Stream(Vec<u8>, i64),
    /// Found and in order.
    Ready(vec::IntoIter<RawDocumentBuf>),
    /// Where what was found lies, in order.
    Places(vec::IntoIter<i64>),
    Done,
}

pub(crate) type Visit<'a> = dyn FnMut(i64, &RawDocument) -> ControlFlow<()> + 'a;

impl Search {
    /// Plans a query; a collection that nothing was ever written to has nothing.
    pub(crate) fn new(collections: &Collections, query: &ScopedQuery, sort: &[SortKey]) -> Self {
        let filter = query.filter().clone().simplify();
        let limit = query.limit().map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let (collection, plan) = match collections.get(query.collection()) {
            Some(collection) => (collection.number, lower(collection, &filter, sort).for_page_of(limit)),
            None => (0, Plan::Nothing),
        };
        Self { collection, plan, filter, sort: sort.to_vec(), limit }
    }

    /// How many documents match; `None` when the budget is used up.
    pub(crate) fn count(&self, connection: &Connection, budget: Option<usize>) -> Result<Option<u64>> {
        let mut count = 0_usize;
        if self.limit == 0 {
            return Ok(Some(0));
        }
        let progress = self.matching(connection, budget, &mut |_, _| {
            count += 1;
            if count < self.limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok((progress == Progress::Served).then_some(count as u64))
    }

    /// Visits every match once, in no particular order.
    fn matching(
        &self,
        connection: &Connection,
        budget: Option<usize>,
        visit: &mut Visit<'_>,
    ) -> Result<Progress> {
        let mut examined = 0;
        let mut seen = HashSet::new();
        let repeats = matches!(self.plan, Plan::Gather { repeats: true, .. });
        let mut progress = Progress::Served;
        let mut examine = |place: i64, document: &RawDocument| {
            if budget.is_some_and(|budget| examined >= budget) {
                progress = Progress::Paused;
                return ControlFlow::Break(());
            }
            examined += 1;
            if matches(&self.filter, document) && (!repeats || seen.insert(place)) {
                visit(place, document)
            } else {
                ControlFlow::Continue(())
            }
        };
        match &self.plan {
            Plan::Nothing => {}
            Plan::Scan => {
                let sql = format!("SELECT seq, body FROM docs_{}", self.collection);
                let mut statement = connection.prepare_cached(&sql).map_err(from_sqlite)?;
                // Whether the visitor had enough or the rows ended, this walk is over.
                let _ = visit_rows(&mut statement, &mut examine)?;
            }
            Plan::Ordered { source, range, .. } => {
                let _ = self.visit_ranges(connection, *source, std::slice::from_ref(range), &mut examine)?;
            }
            Plan::Merged { keys } => {
                merge(connection, (self.collection, keys), i64::MIN, &mut examine)?;
            }
            Plan::Gather { branches, .. } => {
                for branch in branches {
                    if self.visit_ranges(connection, branch.source, &branch.ranges, &mut examine)?.is_break()
                    {
                        break;
                    }
                }
            }
        }
        Ok(progress)
    }

    fn visit_ranges(
        &self,
        connection: &Connection,
        source: Source,
        ranges: &[Range],
        visit: &mut Visit<'_>,
    ) -> Result<ControlFlow<()>> {
        for chunk in ranges.chunks(RANGES) {
            let slots = chunk.len().next_power_of_two();
            let sql = ranges_sql(self.collection, source, slots);
            let mut statement = connection.prepare_cached(&sql).map_err(from_sqlite)?;
            // An empty range fills up: nothing is both at least and less than the same key.
            let filled = chunk.iter().map(|range| (range.from.as_slice(), range.to.as_slice()));
            let empty: (&[u8], &[u8]) = (&[], &[]);
            for (slot, (from, to)) in filled.chain(std::iter::repeat(empty)).take(slots).enumerate() {
                statement.raw_bind_parameter(slot * 2 + 1, from).map_err(from_sqlite)?;
                statement.raw_bind_parameter(slot * 2 + 2, to).map_err(from_sqlite)?;
            }
            if visit_rows(&mut statement, visit)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Whether the plan yields the order that is wanted.
    fn streams(&self) -> bool {
        match self.plan {
            Plan::Nothing | Plan::Ordered { .. } | Plan::Merged { .. } => true,
            Plan::Scan => self.sort.is_empty(),
            Plan::Gather { .. } => false,
        }
    }
}

impl Walk {
    pub(crate) fn new(search: Search) -> Self {
        let left = search.limit;
        Self { search, state: State::Start, left }
    }

    /// Adds documents to `found` until there are `wanted`.
    pub(crate) fn step(
        &mut self,
        connection: &Connection,
        wanted: usize,
        budget: Option<usize>,
        found: &mut Vec<RawDocumentBuf>,
    ) -> Result<Progress> {
        let before = found.len();
        let wanted = wanted.min(before.saturating_add(self.left));
        let progress = self.fill(connection, wanted, budget, found);
        self.left = self.left.saturating_sub(found.len() - before);
        progress
    }

    fn fill(
        &mut self,
        connection: &Connection,
        wanted: usize,
        budget: Option<usize>,
        found: &mut Vec<RawDocumentBuf>,
    ) -> Result<Progress> {
        if found.len() >= wanted {
            return Ok(Progress::Served);
        }
        if matches!(self.state, State::Start) && !self.start(connection, budget)? {
            return Ok(Progress::Paused);
        }
        let missing = wanted - found.len();
        match &mut self.state {
            State::Start | State::Done => Ok(Progress::Served),
            State::Ready(documents) => {
                found.extend(documents.take(missing));
                Ok(Progress::Served)
            }
            State::Places(places) => {
                let sql = format!("SELECT body FROM docs_{} WHERE seq = ?1", self.search.collection);
                let mut statement = connection.prepare_cached(&sql).map_err(from_sqlite)?;
                for place in places.take(missing) {
                    let bytes = statement.query_row([place], |row| row.get(0)).map_err(from_sqlite)?;
                    found.push(RawDocumentBuf::from_bytes(bytes).map_err(|_| unreadable())?);
                }
                Ok(Progress::Served)
            }
            State::Stream(..) => self.stream(connection, wanted, budget, found),
        }
    }

    /// Leaves `Start`; says no when the budget does not suffice for that.
    fn start(&mut self, connection: &Connection, budget: Option<usize>) -> Result<bool> {
        self.state = if self.search.streams() {
            match &self.search.plan {
                Plan::Nothing => State::Done,
                Plan::Ordered { range, backward: true, .. } => State::Stream(range.to.clone(), i64::MAX),
                Plan::Ordered { range, .. } => State::Stream(range.from.clone(), i64::MIN),
                Plan::Scan | Plan::Merged { .. } | Plan::Gather { .. } => State::Stream(Vec::new(), i64::MIN),
            }
        } else if budget.is_some() {
            match self.collect(connection, budget)? {
                Some(documents) => State::Ready(documents),
                None => return Ok(false),
            }
        } else {
            State::Places(self.places(connection)?)
        };
        Ok(true)
    }

    /// All matches in order, if the budget suffices.
    fn collect(
        &self,
        connection: &Connection,
        budget: Option<usize>,
    ) -> Result<Option<vec::IntoIter<RawDocumentBuf>>> {
        let mut all = Vec::new();
        let progress = self.search.matching(connection, budget, &mut |place, document| {
            all.push((sort_key(document, &self.search.sort), place, document.to_owned()));
            ControlFlow::Continue(())
        })?;
        if progress == Progress::Paused {
            return Ok(None);
        }
        all.sort_unstable_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        let documents: Vec<_> = all.into_iter().take(self.left).map(|(_, _, document)| document).collect();
        Ok(Some(documents.into_iter()))
    }

    /// The places of all matches in order; at most as many are held as the limit asks for.
    fn places(&self, connection: &Connection) -> Result<vec::IntoIter<i64>> {
        let mut first = BinaryHeap::new();
        self.search.matching(connection, None, &mut |place, document| {
            first.push((sort_key(document, &self.search.sort), place));
            if first.len() > self.left {
                first.pop();
            }
            ControlFlow::Continue(())
        })?;
        let places: Vec<i64> = first.into_sorted_vec().into_iter().map(|(_, place)| place).collect();
        Ok(places.into_iter())
    }

    fn stream(
        &mut self,
        connection: &Connection,
        wanted: usize,
        budget: Option<usize>,
        found: &mut Vec<RawDocumentBuf>,
    ) -> Result<Progress> {
        let State::Stream(key, place) = &mut self.state else { return Ok(Progress::Served) };
        if let Plan::Merged { keys } = &self.search.plan {
            let (mut examined, mut ended) = (0, None);
            let keys = (self.search.collection, keys.as_slice());
            merge(connection, keys, *place, &mut |at, document| {
                examined += 1;
                if matches(&self.search.filter, document) {
                    found.push(document.to_owned());
                }
                let full = found.len() >= wanted;
                if !full && budget.is_none_or(|budget| examined < budget) {
                    return ControlFlow::Continue(());
                }
                ended = Some((at, if full { Progress::Served } else { Progress::Paused }));
                ControlFlow::Break(())
            })?;
            if let Some((at, progress)) = ended {
                *place = at;
                return Ok(progress);
            }
            self.state = State::Done;
            return Ok(Progress::Served);
        }
        let sql = stream_sql(self.search.collection, &self.search.plan);
        let mut statement = connection.prepare_cached(&sql).map_err(from_sqlite)?;
        bind_stream(&mut statement, &self.search.plan, key, *place).map_err(from_sqlite)?;
        let mut rows = statement.raw_query();
        let mut examined = 0;
        while let Some(row) = rows.next().map_err(from_sqlite)? {
            examined += 1;
            let document = body_at(row, 1)?;
            if matches(&self.search.filter, document) {
                found.push(document.to_owned());
            }
            let full = found.len() >= wanted;
            if full || budget.is_some_and(|budget| examined >= budget) {
                *place = row.get(0).map_err(from_sqlite)?;
                key.clear();
                key.extend_from_slice(blob_at(row, 2)?);
                return Ok(if full { Progress::Served } else { Progress::Paused });
            }
        }
        self.state = State::Done;
        Ok(Progress::Served)
    }
}

/// Place and body of everything in `slots` ranges.
pub(crate) fn ranges_sql(collection: i64, source: Source, slots: usize) -> String {
    let mut sql = String::with_capacity(160 + slots * 12);
    let (from, to, outer) = if slots == 1 {
        ("?1", "?2", "")
    } else {
        sql.push_str("WITH r (low, high) AS (VALUES ");
        for slot in 0..slots {
            let comma = if slot == 0 { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = write!(sql, "{comma}(?{},?{})", slot * 2 + 1, slot * 2 + 2);
        }
        sql.push_str(") ");
        ("r.low", "r.high", "r CROSS JOIN ")
    };
    // CROSS JOIN keeps the order of the tables: ranges, index, documents.
    let _ = match source {
        Source::Id => write!(
            sql,
            "SELECT d.seq, d.body FROM {outer}docs_{collection} d WHERE d.id >= {from} AND d.id < {to}"
        ),
        Source::Index(number) => write!(
            sql,
            "SELECT d.seq, d.body FROM {outer}idx_{number} i CROSS JOIN docs_{collection} d \
             WHERE i.key >= {from} AND i.key < {to} AND d.seq = i.seq"
        ),
    };
    sql
}

/// Place, body and key of what follows a place, in order.
pub(crate) fn stream_sql(collection: i64, plan: &Plan) -> String {
    match plan {
        Plan::Ordered { source: Source::Id, backward, .. } => {
            let (side, order) = if *backward {
                ("d.id >= ?3 AND d.id < ?1", "DESC")
            } else {
                // The first place is smaller than all: the range's own beginning is within.
                ("d.id >= ?1 AND (d.id > ?1 OR d.seq > ?2) AND d.id < ?3", "ASC")
            };
            format!("SELECT d.seq, d.body, d.id FROM docs_{collection} d WHERE {side} ORDER BY d.id {order}")
        }
        Plan::Ordered { source: Source::Index(number), backward, .. } => {
            let (side, order) = if *backward {
                // Ties come in the order of insertion backwards as well.
                (
                    "i.key >= ?3 AND i.key <= ?1 AND (i.key < ?1 OR (i.key < ?4 AND i.seq > ?2))",
                    "i.key DESC, i.seq",
                )
            } else {
                ("(i.key, i.seq) > (?1, ?2) AND i.key < ?3", "i.key, i.seq")
            };
            format!(
                "SELECT i.seq, d.body, i.key FROM idx_{number} i CROSS JOIN docs_{collection} d \
                 WHERE {side} AND d.seq = i.seq ORDER BY {order}"
            )
        }
        _ => format!("SELECT seq, body, x'' FROM docs_{collection} WHERE seq > ?1 ORDER BY seq"),
    }
}

fn bind_stream(statement: &mut Statement<'_>, plan: &Plan, key: &[u8], place: i64) -> rusqlite::Result<()> {
    let Plan::Ordered { source, range, backward } = plan else {
        return statement.raw_bind_parameter(1, place);
    };
    statement.raw_bind_parameter(1, key)?;
    let end = if *backward { &range.from } else { &range.to };
    statement.raw_bind_parameter(3, end.as_slice())?;
    match (source, backward) {
        // Ids are unique: the key alone is the place.
        (Source::Id, true) => Ok(()),
        (Source::Index(_), true) => {
            statement.raw_bind_parameter(2, place)?;
            statement.raw_bind_parameter(4, range.to.as_slice())
        }
        _ => statement.raw_bind_parameter(2, place),
    }
}

fn visit_rows(statement: &mut Statement<'_>, visit: &mut Visit<'_>) -> Result<ControlFlow<()>> {
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(from_sqlite)? {
        let place = row.get(0).map_err(from_sqlite)?;
        if visit(place, body_at(row, 1)?).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

pub(crate) fn body_at<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a RawDocument> {
    RawDocument::from_bytes(blob_at(row, column)?).map_err(|_| unreadable())
}

fn blob_at<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a [u8]> {
    match row.get_ref(column).map_err(from_sqlite)? {
        ValueRef::Blob(bytes) => Ok(bytes),
        _ => Err(unreadable()),
    }
}

fn unreadable() -> backstitch::store::StoreError {
    corrupt("a document cannot be read")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The steps in which SQLite carries out a statement over `docs_1` and `idx_2`.
    pub(crate) fn steps(sql: &str) -> Vec<String> {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE docs_1 (seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, body BLOB NOT NULL) STRICT;
                 CREATE TABLE idx_2 (key BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (key, seq))
                     STRICT, WITHOUT ROWID;",
            )
            .unwrap();
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = statement.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            steps.push(row.get::<_, String>(3).unwrap());
        }
        steps
    }

    #[test]
    fn an_indexed_filter_never_scans_the_documents() {
        for source in [Source::Id, Source::Index(2)] {
            for slots in [1, 2, 64] {
                let steps = steps(&ranges_sql(1, source, slots));
                assert!(steps.iter().any(|step| step.starts_with("SEARCH d")), "{steps:?}");
                assert!(
                    !steps.iter().any(|step| step.starts_with("SCAN d") || step.starts_with("SCAN i")),
                    "{steps:?}"
                );
            }
        }
    }
}
