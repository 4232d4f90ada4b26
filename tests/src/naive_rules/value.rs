//! Values: when two are alike, which is first, and what a path finds in a document.

use std::cmp::Ordering;

use bson::{Bson, Document};

/// The bracket of a value in MongoDB's order; a range compares within one bracket only.
pub fn rank(value: Option<&Bson>) -> u8 {
    match value {
        None | Some(Bson::Null | Bson::Undefined) => 1,
        Some(Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_)) => 2,
        Some(Bson::String(_)) => 3,
        Some(Bson::Document(_)) => 4,
        Some(Bson::Array(_)) => 5,
        Some(Bson::Binary(_)) => 6,
        Some(Bson::ObjectId(_)) => 7,
        Some(Bson::Boolean(_)) => 8,
        Some(Bson::DateTime(_)) => 9,
        Some(other) => panic!("the oracle knows no {other:?}"),
    }
}

/// MongoDB's order of two values, of whatever types.
pub fn order(left: Option<&Bson>, right: Option<&Bson>) -> Ordering {
    rank(left).cmp(&rank(right)).then_with(|| match (left, right) {
        (Some(left), Some(right)) => within_bracket(left, right),
        _ => Ordering::Equal,
    })
}

fn within_bracket(left: &Bson, right: &Bson) -> Ordering {
    match (left, right) {
        (Bson::String(left), Bson::String(right)) => left.as_bytes().cmp(right.as_bytes()),
        (Bson::Boolean(left), Bson::Boolean(right)) => left.cmp(right),
        (Bson::ObjectId(left), Bson::ObjectId(right)) => left.bytes().cmp(&right.bytes()),
        (Bson::DateTime(left), Bson::DateTime(right)) => left.cmp(right),
        (Bson::Binary(left), Bson::Binary(right)) => {
            let size = left.bytes.len().cmp(&right.bytes.len());
            size.then(u8::from(left.subtype).cmp(&u8::from(right.subtype))).then(left.bytes.cmp(&right.bytes))
        }
        (Bson::Array(left), Bson::Array(right)) => {
            let first = left.iter().zip(right).map(|(left, right)| order(Some(left), Some(right)));
            first.fold(Ordering::Equal, Ordering::then).then(left.len().cmp(&right.len()))
        }
        (Bson::Document(left), Bson::Document(right)) => {
            let pairs = left.iter().zip(right).map(|(left, right)| {
                let types = rank(Some(left.1)).cmp(&rank(Some(right.1)));
                types.then_with(|| left.0.cmp(right.0)).then_with(|| order(Some(left.1), Some(right.1)))
            });
            pairs.fold(Ordering::Equal, Ordering::then).then(left.len().cmp(&right.len()))
        }
        _ => numbers(left, right),
    }
}

fn numbers(left: &Bson, right: &Bson) -> Ordering {
    let whole = |value: &Bson| match value {
        Bson::Int32(value) => Some(i64::from(*value)),
        Bson::Int64(value) => Some(*value),
        _ => None,
    };
    match (whole(left), whole(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        // The numbers of the tests are small: a double holds each of them.
        _ => float(left).partial_cmp(&float(right)).unwrap_or(Ordering::Equal),
    }
}

#[expect(clippy::cast_precision_loss, reason = "the numbers of the tests are small")]
fn float(value: &Bson) -> f64 {
    match value {
        Bson::Int32(value) => f64::from(*value),
        Bson::Int64(value) => *value as f64,
        Bson::Double(value) => *value,
        _ => f64::NAN,
    }
}

/// Whether two values are one: numbers across widths; missing is as null.
pub fn alike(left: Option<&Bson>, right: Option<&Bson>) -> bool {
    order(left, right) == Ordering::Equal
}

/// Whether a stored value equals a given one as MongoDB queries: an array also by an element.
pub(super) fn equals(stored: Option<&Bson>, given: Option<&Bson>) -> bool {
    alike(stored, given) || elements(stored).iter().any(|element| alike(Some(element), given))
}

/// Whether a stored value, or an element of it, stands in the order to a given one of the same bracket.
pub(super) fn ranges(stored: Option<&Bson>, given: &Bson, wanted: impl Fn(Ordering) -> bool) -> bool {
    let one = |value: Option<&Bson>| rank(value) == rank(Some(given)) && wanted(order(value, Some(given)));
    one(stored) || elements(stored).iter().any(|element| one(Some(element)))
}

/// The elements of an array; none of anything else.
pub(super) fn elements(value: Option<&Bson>) -> &[Bson] {
    match value {
        Some(Bson::Array(items)) => items,
        _ => &[],
    }
}

/// What a path finds: one value, or one for each embedded document of the arrays that it crosses.
pub(super) fn lookup<'a>(document: &'a Document, path: &str) -> Vec<Option<&'a Bson>> {
    let mut found = Vec::new();
    let (name, rest) = split(path);
    walk(document.get(name), rest, &mut found);
    found
}

/// What a path finds below a value.
pub(super) fn lookup_below<'a>(value: Option<&'a Bson>, path: &str) -> Vec<Option<&'a Bson>> {
    let mut found = Vec::new();
    walk(value, Some(path).filter(|path| !path.is_empty()), &mut found);
    found
}

fn walk<'a>(at: Option<&'a Bson>, path: Option<&str>, found: &mut Vec<Option<&'a Bson>>) {
    let Some(path) = path else { return found.push(at) };
    let (name, rest) = split(path);
    match at {
        Some(Bson::Document(document)) => walk(document.get(name), rest, found),
        Some(Bson::Array(items)) => {
            for item in items {
                if let Bson::Document(document) = item {
                    walk(document.get(name), rest, found);
                }
            }
            if let Some(item) = name.parse::<usize>().ok().and_then(|index| items.get(index)) {
                walk(Some(item), rest, found);
            }
        }
        _ => found.push(None),
    }
}

fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)))
}

/// The order in which MongoDB sorts: an array by its least element, or its greatest when descending.
pub fn sort_order(left: Option<&Bson>, right: Option<&Bson>, descending: bool) -> Ordering {
    let (left, right) = (sort_key(left, descending), sort_key(right, descending));
    match (left, right) {
        (Key::Empty, Key::Empty) => Ordering::Equal,
        (Key::Empty, _) => Ordering::Less,
        (_, Key::Empty) => Ordering::Greater,
        (Key::Value(left), Key::Value(right)) => order(left, right),
    }
}

enum Key<'a> {
    /// An empty array, which is before everything.
    Empty,
    Value(Option<&'a Bson>),
}

fn sort_key(value: Option<&Bson>, descending: bool) -> Key<'_> {
    let Some(Bson::Array(items)) = value else { return Key::Value(value) };
    let compare = |left: &&Bson, right: &&Bson| order(Some(left), Some(right));
    let found = if descending { items.iter().max_by(compare) } else { items.iter().min_by(compare) };
    found.map_or(Key::Empty, |item| Key::Value(Some(item)))
}
