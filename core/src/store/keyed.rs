//! For stores that keep order-preserving keys beside their documents: from a query to the way through the tables that
//! answers it.
//!
//! A store of this make has a table of documents, each with its place (the order of insertion) and the key of its `_id`,
//! and a table of keys for each index, each key with the place that it points at.
//!
//! 1. A path yields a superset of what matches; the whole filter is then evaluated on each document.
//! 2. An index serves when its leading keys are bound by equality or `in`, then perhaps a range on the
//!    next key. `_id` is an index like the others. Array literals bind nothing: arrays are indexed
//!    by their elements.
//! 3. In a multikey index a range has one bound only: two elements may satisfy one bound each.
//! 4. The order comes from an index when the sort is all that follows the equality keys and no
//!    document has two keys in it. Without a sort, one exact key gives the order of insertion.
//! 5. `or` is the union of its parts when each of them has an index. Without a sort, whole keys are merged in the order
//!    of insertion as far as the walk goes: who asks for a page does not wait for all that a rule lets through.
//! 6. Without any of these all documents are read, in the order of insertion.

use bson::{Bson, RawDocument};

use super::{CollectionSpec, IndexKey, IndexSpec, Result, StoreError, StoreErrorKind};
use crate::filter::key::encode;
use crate::filter::{Comparison, Direction, FieldPath, Filter, SortKey, Test};
use crate::id::CollectionId;

/// More ranges than this are not made from the `in`s of one filter over several keys.
const MOST_RANGES: usize = 4096;

/// Who wants more than this gets everything gathered first.
const MERGED_PAGE: usize = 1000;

/// More whole keys than this are not merged but gathered: each of them is a part of the statement.
const MOST_MERGED: usize = 32;

/// A collection as it is stored, with its indexes.
#[derive(Clone, Debug)]
pub struct Collection {
    /// What its table is called by.
    pub number: i64,
    /// Its indexes beside the one on `_id`.
    pub indexes: Vec<Index>,
    /// The keys of all its `_id`s are kept whole, so that their order is that of the values.
    pub whole_ids: bool,
}

/// An index as it is stored.
#[derive(Clone, Debug)]
pub struct Index {
    /// What its table is called by.
    pub number: i64,
    /// What it is over.
    pub spec: IndexSpec,
    /// Some document had several keys in it, or a key that was not kept whole: it gives no order, and two bounds may hold
    /// for two keys.
    pub multikey: bool,
}

/// The way through the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing can match.
    Nothing,
    /// All documents, in the order of insertion.
    Scan,
    /// One range of an index, in the order that is wanted.
    Ordered {
        /// What holds the keys.
        source: Source,
        /// The keys.
        range: Range,
        /// From the last to the first; those of one key in the order of insertion all the same.
        backward: bool,
    },
    /// What has one of these keys, in the order of insertion.
    Merged {
        /// The keys, each whole.
        keys: Vec<(Source, Vec<u8>)>,
    },
    /// Everything in these ranges, to be put in order.
    Gather {
        /// The ranges.
        branches: Vec<Branch>,
        /// A document can come twice.
        repeats: bool,
    },
}

/// Ranges of one index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// What holds the keys.
    pub source: Source,
    /// The ranges.
    pub ranges: Vec<Range>,
}

/// What holds the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The `id` column of the documents.
    Id,
    /// The index of that number.
    Index(i64),
}

/// From a key (inclusive) to a key (exclusive).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first key.
    pub from: Vec<u8>,
    /// The key after the last.
    pub to: Vec<u8>,
}

/// Lowers a filter with its sort.
pub fn lower(collection: &Collection, filter: &Filter, sort: &[SortKey]) -> Plan {
    if *filter == Filter::Never {
        return Plan::Nothing;
    }
    let id_key = [id_index_key()];
    let best = candidates(collection, &id_key)
        .map(|candidate| candidate.bind(filter, sort))
        .max_by_key(Bound::score)
        .filter(|bound| bound.score() > 0);
    if let Some(bound) = best.as_ref().filter(|bound| bound.constrained()) {
        return bound.plan();
    }
    if let Some(parts) = union_of(collection, filter) {
        return together(parts, sort.is_empty());
    }
    best.map_or(Plan::Scan, |bound| bound.plan())
}

impl Collection {
    /// What it was prepared as.
    pub fn spec(&self, id: &CollectionId) -> CollectionSpec {
        let indexes = self.indexes.iter().map(|index| index.spec.clone()).collect();
        CollectionSpec { id: id.clone(), indexes }
    }
}

impl Index {
    /// As MongoDB names it: `owner_1_year_-1`.
    pub fn name(&self) -> String {
        let parts = self.spec.keys.iter().map(|key| match key.direction {
            Direction::Ascending => format!("{}_1", key.path),
            Direction::Descending => format!("{}_-1", key.path),
        });
        parts.collect::<Vec<_>>().join("_")
    }
}

impl Plan {
    /// The plan of somebody who wants so many: merging pays where most of what has the keys is never looked at.
    pub fn for_page_of(self, limit: usize) -> Self {
        match self {
            Self::Merged { .. } if limit > MERGED_PAGE => {
                Self::Gather { branches: branches(self), repeats: true }
            }
            other => other,
        }
    }
}

impl Range {
    fn with_prefix(prefix: Vec<u8>) -> Self {
        Self { to: after(&prefix), from: prefix }
    }
}

/// An index that could serve.
struct Candidate<'a> {
    source: Source,
    keys: &'a [IndexKey],
    multikey: bool,
}

/// What a filter and a sort make of an index.
struct Bound {
    source: Source,
    ranges: Vec<Range>,
    equal_keys: usize,
    ranged: bool,
    /// The index gives the order, perhaps backwards.
    order: Option<bool>,
    multikey: bool,
    /// Each range is one whole key.
    exact: bool,
    /// They are merged in the order of insertion.
    merges: bool,
}

fn id_index_key() -> IndexKey {
    IndexKey { path: "_id".into(), direction: Direction::Ascending }
}

fn candidates<'a>(collection: &'a Collection, id: &'a [IndexKey]) -> impl Iterator<Item = Candidate<'a>> {
    let secondary = collection.indexes.iter().map(|index| Candidate {
        source: Source::Index(index.number),
        keys: &index.spec.keys,
        multikey: index.multikey,
    });
    // Of equals the last wins: `_id` is the cheapest to follow.
    secondary.chain([Candidate { source: Source::Id, keys: id, multikey: !collection.whole_ids }])
}

impl Candidate<'_> {
    fn bind(&self, filter: &Filter, sort: &[SortKey]) -> Bound {
        let mut prefixes = vec![Vec::new()];
        let mut equal_keys = 0;
        for key in self.keys {
            let Some(values) = equalities(filter, key) else { break };
            if prefixes.len().saturating_mul(values.len()) > MOST_RANGES && equal_keys > 0 {
                break;
            }
            prefixes = prefixes
                .iter()
                .flat_map(|prefix: &Vec<u8>| {
                    values.iter().map(move |value| [prefix.as_slice(), value].concat())
                })
                .collect();
            equal_keys += 1;
        }
        let single = prefixes.len() == 1;
        let next = self.keys.get(equal_keys).and_then(|key| range(filter, key, self.multikey));
        let ranged = next.is_some();
        let ranges: Vec<Range> = match next {
            Some(next) => prefixes.iter().map(|prefix| below(prefix, &next)).collect(),
            None => prefixes.into_iter().map(Range::with_prefix).collect(),
        };
        let exact = equal_keys == self.keys.len();
        let order = if !single {
            None
        } else if sort.is_empty() {
            exact.then_some(false)
        } else {
            self.order(equal_keys, sort)
        };
        let merges = exact && sort.is_empty() && ranges.len() <= MOST_MERGED;
        Bound {
            source: self.source,
            ranges,
            equal_keys,
            ranged,
            order,
            multikey: self.multikey,
            exact,
            merges,
        }
    }

    /// Whether the keys after the bound ones are the sort, or its reverse.
    fn order(&self, equal_keys: usize, sort: &[SortKey]) -> Option<bool> {
        if self.multikey {
            return None;
        }
        let (bound, free) = self.keys.split_at_checked(equal_keys)?;
        // A key with one value for all orders nothing.
        let wanted: Vec<&SortKey> =
            sort.iter().filter(|key| bound.iter().all(|bound| bound.path != key.path)).collect();
        if wanted.len() != free.len() || wanted.iter().zip(free).any(|(a, b)| a.path != b.path) {
            return None;
        }
        let same = wanted.iter().zip(free).filter(|(a, b)| a.direction == b.direction).count();
        match same {
            same if same == free.len() => Some(false),
            0 => Some(true),
            _ => None,
        }
    }
}

impl Bound {
    fn constrained(&self) -> bool {
        self.equal_keys > 0 || self.ranged
    }

    fn score(&self) -> usize {
        let order = usize::from(self.order.is_some());
        let exact = usize::from(self.exact && self.equal_keys > 0);
        self.equal_keys * 8 + usize::from(self.ranged) * 4 + order * 2 + exact
    }

    fn plan(&self) -> Plan {
        if let (Some(backward), [range]) = (self.order, self.ranges.as_slice()) {
            return Plan::Ordered { source: self.source, range: range.clone(), backward };
        }
        if self.merges {
            let keys = self.ranges.iter().map(|range| (self.source, range.from.clone()));
            return Plan::Merged { keys: keys.collect() };
        }
        Plan::Gather { branches: vec![self.branch()], repeats: self.multikey }
    }

    fn branch(&self) -> Branch {
        Branch { source: self.source, ranges: self.ranges.clone() }
    }
}

/// The plans of the parts of an `or` of which each has an index.
fn union_of(collection: &Collection, filter: &Filter) -> Option<Vec<Plan>> {
    match filter {
        Filter::And(parts) => parts.iter().find_map(|part| union_of(collection, part)),
        Filter::Or(parts) => parts
            .iter()
            .map(|part| Some(lower(collection, part, &[])).filter(|plan| *plan != Plan::Scan))
            .collect(),
        _ => None,
    }
}

/// One plan of several that have no sort.
fn together(parts: Vec<Plan>, merges: bool) -> Plan {
    let keys = parts.iter().map(|part| match part {
        Plan::Nothing => Some(Vec::new()),
        // Without a sort it is one whole key.
        Plan::Ordered { source, range, .. } => Some(vec![(*source, range.from.clone())]),
        Plan::Merged { keys } => Some(keys.clone()),
        Plan::Scan | Plan::Gather { .. } => None,
    });
    let keys: Option<Vec<_>> = keys.collect();
    let keys: Option<Vec<_>> = keys.map(|keys| keys.into_iter().flatten().collect());
    match keys.filter(|keys| merges && (1..=MOST_MERGED).contains(&keys.len())) {
        Some(keys) => Plan::Merged { keys },
        None => Plan::Gather { branches: parts.into_iter().flat_map(branches).collect(), repeats: true },
    }
}

fn branches(plan: Plan) -> Vec<Branch> {
    match plan {
        Plan::Nothing | Plan::Scan => Vec::new(),
        Plan::Ordered { source, range, .. } => vec![Branch { source, ranges: vec![range] }],
        Plan::Merged { keys } => {
            let branch = |(source, key)| Branch { source, ranges: vec![Range::with_prefix(key)] };
            keys.into_iter().map(branch).collect()
        }
        Plan::Gather { branches, .. } => branches,
    }
}

/// The tests that every match passes at this path.
fn tests<'a>(filter: &'a Filter, path: &'a FieldPath) -> Vec<&'a Test> {
    match filter {
        Filter::Field(at, test) if at == path => vec![test],
        Filter::And(parts) => parts.iter().flat_map(|part| tests(part, path)).collect(),
        _ => Vec::new(),
    }
}

/// The keys that a match has one of, if the filter names them; the shortest such list.
fn equalities(filter: &Filter, key: &IndexKey) -> Option<Vec<Vec<u8>>> {
    let lists = tests(filter, &key.path).into_iter().filter_map(|test| match test {
        Test::Compare(Comparison::Eq, value) => keys_of(std::slice::from_ref(value), key.direction),
        Test::In(values) => keys_of(values, key.direction),
        _ => None,
    });
    lists.min_by_key(Vec::len)
}

fn keys_of(values: &[Bson], direction: Direction) -> Option<Vec<Vec<u8>>> {
    if values.iter().any(|value| matches!(value, Bson::Array(_))) {
        return None;
    }
    let mut keys: Vec<Vec<u8>> = values.iter().map(|value| encode(value, direction)).collect();
    keys.sort_unstable();
    keys.dedup();
    Some(keys)
}

/// The range that the filter sets to one key.
fn range(filter: &Filter, key: &IndexKey, multikey: bool) -> Option<Range> {
    let mut whole: Option<Range> = None;
    for test in tests(filter, &key.path) {
        let Test::Compare(comparison, value) = test else { continue };
        let Some(part) = half_range(*comparison, value, key.direction) else { continue };
        whole = Some(match whole {
            None => part,
            Some(first) if multikey => first,
            Some(first) => Range { from: first.from.max(part.from), to: first.to.min(part.to) },
        });
    }
    whole
}

/// From the value to the end of its type bracket, or from the bracket's beginning to the value.
fn half_range(comparison: Comparison, value: &Bson, direction: Direction) -> Option<Range> {
    if matches!(value, Bson::Array(_)) {
        return None;
    }
    let key = encode(value, direction);
    let bracket: Vec<u8> = key.iter().copied().take(1).collect();
    let greater = match comparison {
        Comparison::Gt | Comparison::Gte => direction == Direction::Ascending,
        Comparison::Lt | Comparison::Lte => direction == Direction::Descending,
        Comparison::Eq => return None,
    };
    let inclusive = matches!(comparison, Comparison::Gte | Comparison::Lte);
    Some(if greater {
        Range { to: after(&bracket), from: if inclusive { key } else { after(&key) } }
    } else {
        Range { to: if inclusive { after(&key) } else { key }, from: bracket }
    })
}

fn below(prefix: &[u8], range: &Range) -> Range {
    Range { from: [prefix, &range.from].concat(), to: [prefix, &range.to].concat() }
}

/// The first key after all that begin with `prefix`.
pub fn after(prefix: &[u8]) -> Vec<u8> {
    let mut next = prefix.to_vec();
    while let Some(last) = next.pop() {
        if last < u8::MAX {
            next.push(last + 1);
            return next;
        }
    }
    // After everything: no key begins with this byte.
    vec![u8::MAX]
}

/// The `_id` of a document that is to be written; missing counts as null.
///
/// # Errors
/// `Unsupported` for an array, and for what cannot be read.
pub fn document_id(document: &RawDocument) -> Result<Bson> {
    let unreadable = || StoreError::new(StoreErrorKind::Unsupported, "the document cannot be read");
    let id = match document.get("_id").map_err(|_| unreadable())? {
        Some(id) => Bson::try_from(id).map_err(|_| unreadable())?,
        None => Bson::Null,
    };
    match id {
        Bson::Array(_) => Err(StoreError::new(StoreErrorKind::Unsupported, "an `_id` may not be an array")),
        other => Ok(other),
    }
}
