//! Order-preserving keys: bytes that sort as MongoDB sorts the values.
//!
//! 1. `encode(a) < encode(b)` (as bytes) exactly when `compare(a, b)` is less, and they are equal
//!    exactly when the values are equal.
//! 2. No key is the beginning of another, so keys can be concatenated, and inverted for descending.
//! 3. A document has one sort key ([`sort_key`]) and, arrays being indexed by their elements, one or
//!    more index keys ([`index_keys`]).

use bson::{Bson, RawBsonRef, RawDocument};

use super::eval::any_value;
use super::view::{Number, View};
use super::{Direction, FieldPath, SortKey};
use crate::store::IndexKey;

/// The key of an array without elements (or a path that leads nowhere through one): before null.
const NOTHING: u8 = 0x18;

/// The key of one value, in the given direction.
pub fn encode(value: &Bson, direction: Direction) -> Vec<u8> {
    directed(value.into(), direction)
}

/// Appends the key of one value to keys that stand before it in an index.
pub fn encode_after(value: &Bson, direction: Direction, key: &mut Vec<u8>) {
    let start = key.len();
    write(value.into(), key);
    turn(key.get_mut(start..).unwrap_or_default(), direction);
}

/// The ascending key of one stored value.
pub fn encode_raw(value: RawBsonRef<'_>) -> Vec<u8> {
    directed(value.into(), Direction::Ascending)
}

/// [`encode_raw`] into a buffer, in the place of what it holds.
pub(crate) fn encode_raw_into(value: RawBsonRef<'_>, key: &mut Vec<u8>) {
    key.clear();
    write(value.into(), key);
}

/// The bytes that a document sorts by: missing counts as null, an array as its smallest element
/// (ascending) or its largest (descending).
pub fn sort_key(document: &RawDocument, keys: &[SortKey]) -> Vec<u8> {
    let mut all = Vec::new();
    for key in keys {
        // Inverted keys sort the other way round, so the least is the right one in both directions.
        let least = values_of(document, &key.path, key.direction).into_iter().min();
        all.extend(least.unwrap_or_default());
    }
    all
}

/// Every key under which an index holds the document, without repetition, in order.
pub fn index_keys(document: &RawDocument, keys: &[IndexKey]) -> Vec<Vec<u8>> {
    let mut combined = vec![Vec::new()];
    for key in keys {
        let values = values_of(document, &key.path, key.direction);
        combined = combined
            .iter()
            .flat_map(|prefix: &Vec<u8>| values.iter().map(move |value| [prefix.as_slice(), value].concat()))
            .collect();
    }
    combined.sort_unstable();
    combined.dedup();
    combined
}

fn values_of(document: &RawDocument, path: &FieldPath, direction: Direction) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    any_value(document, path, &mut |value| {
        match value {
            Some(RawBsonRef::Array(array)) => {
                let before = values.len();
                for element in array.into_iter().map_while(Result::ok) {
                    values.push(directed(element.into(), direction));
                }
                if values.len() == before {
                    values.push(nothing(direction));
                }
            }
            Some(value) => values.push(directed(value.into(), direction)),
            None => values.push(directed(View::Null, direction)),
        }
        false
    });
    if values.is_empty() {
        values.push(nothing(direction));
    }
    values
}

fn nothing(direction: Direction) -> Vec<u8> {
    match direction {
        Direction::Ascending => vec![NOTHING],
        Direction::Descending => vec![!NOTHING],
    }
}

fn directed(view: View<'_>, direction: Direction) -> Vec<u8> {
    let mut key = Vec::with_capacity(16);
    write(view, &mut key);
    turn(&mut key, direction);
    key
}

/// Inverted keys sort the other way round.
fn turn(key: &mut [u8], direction: Direction) {
    if direction == Direction::Descending {
        for byte in key {
            *byte = !*byte;
        }
    }
}

fn write(view: View<'_>, key: &mut Vec<u8>) {
    key.push(view.bracket());
    match view {
        View::MinKey | View::Null | View::MaxKey => {}
        View::Number(number) => write_number(number, key),
        View::String(text) | View::Code(text) => write_text(text, key),
        View::Object(object) => {
            for (name, value) in object.members() {
                key.push(value.bracket());
                write_text(name, key);
                write(value, key);
            }
            key.push(0);
        }
        View::Array(array) => {
            for value in array.elements() {
                write(value, key);
            }
            key.push(0);
        }
        View::Binary(subtype, bytes) => {
            key.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
            key.push(subtype);
            key.extend(bytes);
        }
        View::ObjectId(bytes) => key.extend(bytes),
        View::Bool(value) => key.push(u8::from(value)),
        View::Date(millis) => key.extend((millis.cast_unsigned() ^ (1 << 63)).to_be_bytes()),
        View::Timestamp(time, increment) => {
            key.extend(time.to_be_bytes());
            key.extend(increment.to_be_bytes());
        }
        View::Regex(pattern, options) => {
            write_text(pattern, key);
            write_text(options, key);
        }
    }
}

fn write_number(number: Number, key: &mut Vec<u8>) {
    let bits = if number.nearest.is_nan() {
        0
    } else {
        let bits = number.nearest.to_bits();
        // Positive numbers get the sign bit, negative ones are turned over: unsigned order is theirs.
        if bits >> 63 == 0 { bits | (1 << 63) } else { !bits }
    };
    key.extend(bits.to_be_bytes());
    key.extend((number.remainder.cast_unsigned() ^ (1 << 15)).to_be_bytes());
}

/// Zero bytes are escaped, two of them end the text: a prefix sorts first.
fn write_text(text: &str, key: &mut Vec<u8>) {
    for (place, part) in text.as_bytes().split(|byte| *byte == 0).enumerate() {
        if place > 0 {
            key.extend_from_slice(&[0, 0xFF]);
        }
        key.extend_from_slice(part);
    }
    key.extend_from_slice(&[0, 0]);
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::filter::compare;
    use bson::{RawDocumentBuf, doc};
    use proptest::prelude::*;

    fn scalar() -> impl Strategy<Value = Bson> {
        prop_oneof![
            Just(Bson::Null),
            any::<i32>().prop_map(Bson::Int32),
            any::<i64>().prop_map(Bson::Int64),
            (-3_i64..3).prop_map(|n| Bson::Int64((1 << 60) + n)),
            any::<f64>().prop_map(Bson::Double),
            "[a-b\\x00]{0,3}".prop_map(Bson::String),
            any::<bool>().prop_map(Bson::Boolean),
            any::<i64>().prop_map(|ms| Bson::DateTime(bson::DateTime::from_millis(ms))),
            any::<[u8; 12]>().prop_map(|b| Bson::ObjectId(bson::oid::ObjectId::from_bytes(b))),
        ]
    }

    pub(crate) fn value() -> impl Strategy<Value = Bson> {
        scalar().prop_recursive(2, 8, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Bson::Array),
                proptest::collection::vec(("[a-b]{1,2}", inner), 0..3)
                    .prop_map(|members| Bson::Document(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn keys_sort_as_the_values_do(a in value(), b in value()) {
            let order = compare(&a, &b);
            prop_assert_eq!(encode(&a, Direction::Ascending).cmp(&encode(&b, Direction::Ascending)), order);
            prop_assert_eq!(encode(&a, Direction::Descending).cmp(&encode(&b, Direction::Descending)), order.reverse());
        }
    }

    #[test]
    fn an_array_is_indexed_by_its_elements_and_sorts_by_the_extreme_one() {
        let raw = RawDocumentBuf::try_from(&doc! {"a": [3, 1, 3]}).unwrap();
        let up = Direction::Ascending;
        let index = [IndexKey { path: "a".into(), direction: up }];
        assert_eq!(index_keys(&raw, &index), [encode(&1.into(), up), encode(&3.into(), up)]);
        let sort = |direction| sort_key(&raw, &[SortKey { path: "a".into(), direction }]);
        assert_eq!(sort(up), encode(&1.into(), up));
        assert_eq!(sort(Direction::Descending), encode(&3.into(), Direction::Descending));
    }

    #[test]
    fn every_document_has_at_least_one_index_key() {
        let index = [IndexKey { path: "a.b".into(), direction: Direction::Ascending }];
        for document in [doc! {}, doc! {"a": []}, doc! {"a": [1]}, doc! {"a": {"b": []}}] {
            let raw = RawDocumentBuf::try_from(&document).unwrap();
            assert_eq!(index_keys(&raw, &index).len(), 1, "{document}");
        }
    }
}
