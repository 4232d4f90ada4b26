//! Which way to the documents: an index, or all of them.
//!
//! 1. Equality and membership on the leading keys of an index narrow it to spans, and are not tested
//!    again; then a range on the next key narrows them further, and is.
//! 2. An array as a literal is never looked up: indexes hold the elements of arrays.
//! 3. Two bounds are combined only where no document has several keys: the bounds may hold for two
//!    different elements.
//! 4. The index gives the order when its keys are equalities and then exactly the sort; without a sort, one whole key
//!    lists its documents in the order of insertion.

use backstitch::filter::key::{encode, encode_after};
use backstitch::filter::{Comparison, Filter, SortKey, Test};
use backstitch::store::IndexKey;
use bson::Bson;

use crate::collection::Collection;
use crate::index::{End, Index, Span};

/// More spans than this are slower than a scan.
const MOST_SPANS: usize = 5000;

/// A way to the documents.
pub(crate) struct Path<'a> {
    /// The index, as a place in the collection's list, with its spans; `None` for a scan.
    pub(crate) spans: Option<(usize, Vec<Span>)>,
    /// What is left to be tested.
    pub(crate) residual: Vec<&'a Filter>,
    /// Whether the documents come in the order of the sort.
    pub(crate) ordered: bool,
    /// The better way has more.
    score: usize,
}

/// The best way for a filter and a sort.
pub(crate) fn choose<'a>(collection: &Collection, filter: &'a Filter, sort: &[SortKey]) -> Path<'a> {
    let mut conjuncts = Vec::new();
    flatten(filter, &mut conjuncts);
    let scan = Path { spans: None, residual: conjuncts.clone(), ordered: sort.is_empty(), score: 0 };
    collection
        .indexes()
        .enumerate()
        .filter_map(|(place, index)| through(place, index, &conjuncts, sort))
        .fold(scan, |best, path| if path.score > best.score { path } else { best })
}

fn flatten<'a>(filter: &'a Filter, conjuncts: &mut Vec<&'a Filter>) {
    match filter {
        Filter::Always => {}
        Filter::And(parts) => parts.iter().for_each(|part| flatten(part, conjuncts)),
        other => conjuncts.push(other),
    }
}

fn through<'a>(place: usize, index: &Index, conjuncts: &[&'a Filter], sort: &[SortKey]) -> Option<Path<'a>> {
    let keys = &index.spec().keys;
    let mut residual = conjuncts.to_vec();
    let mut prefixes = vec![Vec::new()];
    let mut equalities = 0;
    for key in keys {
        let found = residual.iter().enumerate().find_map(|(at, part)| Some((at, literals(part, key)?)));
        let Some((at, values)) = found else { break };
        if prefixes.len().saturating_mul(values.len()) > MOST_SPANS {
            break;
        }
        residual.remove(at);
        prefixes = extend(&prefixes, values, key);
        equalities += 1;
    }
    let rest = keys.get(equalities..).unwrap_or_default();
    let single = prefixes.len() == 1;
    let range = rest.first().and_then(|key| bounds(&residual, key, index.is_multikey()));
    let same = |key: &IndexKey, sort: &SortKey| key.path == sort.path && key.direction == sort.direction;
    let by_index = single
        && rest.len() == sort.len()
        && rest.iter().zip(sort).all(|(key, sort)| same(key, sort))
        // A document whose least key lies outside of the range would come at a wrong place.
        && (range.is_none() || !index.is_multikey());
    let score = equalities * 4 + usize::from(range.is_some()) * 2 + usize::from(by_index);
    let spans = prefixes.into_iter().map(|prefix| narrow(prefix, range.as_ref())).collect();
    (score > 0).then_some(Path { spans: Some((place, spans)), residual, ordered: by_index, score })
}

/// The values that the key must have one of, where an index can find them all.
fn literals<'a>(filter: &'a Filter, key: &IndexKey) -> Option<&'a [Bson]> {
    let values = match filter {
        Filter::Field(path, Test::Compare(Comparison::Eq, value)) if *path == key.path => {
            std::slice::from_ref(value)
        }
        Filter::Field(path, Test::In(values)) if *path == key.path => values,
        _ => return None,
    };
    (!values.iter().any(|value| matches!(value, Bson::Array(_)))).then_some(values)
}

fn extend(prefixes: &[Vec<u8>], values: &[Bson], key: &IndexKey) -> Vec<Vec<u8>> {
    let with = |prefix: &Vec<u8>, value: &Bson| {
        let mut longer = Vec::with_capacity(prefix.len() + 16);
        longer.extend_from_slice(prefix);
        encode_after(value, key.direction, &mut longer);
        longer
    };
    let mut extended: Vec<_> =
        prefixes.iter().flat_map(|prefix| values.iter().map(move |value| with(prefix, value))).collect();
    if values.len() > 1 {
        extended.sort_unstable();
        extended.dedup();
    }
    extended
}

/// The bounds on a key, as bytes that follow the prefix.
fn bounds(residual: &[&Filter], key: &IndexKey, multikey: bool) -> Option<Span> {
    let mut ranges = residual.iter().filter_map(|part| range(part, key));
    let mut span = ranges.next()?;
    if !multikey {
        for other in ranges {
            span.low = span.low.max(other.low);
            span.end = match (span.end, other.end) {
                (End::Below(a), End::Below(b)) => End::Below(a.min(b)),
                (End::Below(end), _) | (_, End::Below(end)) => End::Below(end),
                (end, _) => end,
            };
        }
    }
    Some(span)
}

/// A range within the literal's type bracket, which is the first byte of its key.
fn range(filter: &Filter, key: &IndexKey) -> Option<Span> {
    let Filter::Field(path, Test::Compare(comparison, value)) = filter else { return None };
    if *path != key.path || matches!(value, Bson::Array(_)) {
        return None;
    }
    let literal = encode(value, key.direction);
    let bracket = literal.get(..1)?.to_vec();
    let ascending = encode(value, backstitch::filter::Direction::Ascending) == literal;
    let upward = matches!(comparison, Comparison::Gt | Comparison::Gte);
    match comparison {
        Comparison::Eq => None,
        _ if upward == ascending => Some(Span { end: End::after(&bracket), low: literal }),
        _ => Some(Span { end: End::after(&literal), low: bracket }),
    }
}

fn narrow(prefix: Vec<u8>, range: Option<&Span>) -> Span {
    let Some(range) = range else { return Span::beginning_with(prefix) };
    let end = match &range.end {
        End::Below(high) => End::Below([prefix.as_slice(), high].concat()),
        End::Prefix | End::Open => End::after(&prefix),
    };
    Span { low: [prefix.as_slice(), &range.low].concat(), end }
}
