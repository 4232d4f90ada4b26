//! MongoDB's order and equality of values.

use std::cmp::Ordering;

use bson::Bson;

use super::view::{Number, View};

/// MongoDB's order: first by type bracket, then by value; numbers of all widths are one bracket.
///
/// A decimal counts as its nearest double.
pub fn compare(left: &Bson, right: &Bson) -> Ordering {
    compare_views(left.into(), right.into())
}

/// Equality under [`compare`]: `1` equals `1.0`, documents are equal in the order of their fields.
pub fn equal(left: &Bson, right: &Bson) -> bool {
    compare(left, right).is_eq()
}

pub(crate) fn compare_views(left: View<'_>, right: View<'_>) -> Ordering {
    match (left, right) {
        (View::Number(a), View::Number(b)) => compare_numbers(a, b),
        (View::String(a), View::String(b)) | (View::Code(a), View::Code(b)) => a.cmp(b),
        (View::Object(a), View::Object(b)) => {
            compare_lists(a.members(), b.members(), |(ka, va), (kb, vb)| {
                va.bracket().cmp(&vb.bracket()).then_with(|| ka.cmp(kb)).then_with(|| compare_views(va, vb))
            })
        }
        (View::Array(a), View::Array(b)) => compare_lists(a.elements(), b.elements(), compare_views),
        (View::Binary(ta, a), View::Binary(tb, b)) => (a.len(), ta, a).cmp(&(b.len(), tb, b)),
        (View::ObjectId(a), View::ObjectId(b)) => a.cmp(&b),
        (View::Bool(a), View::Bool(b)) => a.cmp(&b),
        (View::Date(a), View::Date(b)) => a.cmp(&b),
        (View::Timestamp(ta, ia), View::Timestamp(tb, ib)) => (ta, ia).cmp(&(tb, ib)),
        (View::Regex(pa, oa), View::Regex(pb, ob)) => (pa, oa).cmp(&(pb, ob)),
        _ => left.bracket().cmp(&right.bracket()),
    }
}

/// NaN is less than every other number and equal to itself.
pub(crate) fn compare_numbers(left: Number, right: Number) -> Ordering {
    match left.nearest.partial_cmp(&right.nearest) {
        Some(order) => order.then(left.remainder.cmp(&right.remainder)),
        None => right.nearest.is_nan().cmp(&left.nearest.is_nan()),
    }
}

fn compare_lists<T>(
    mut left: impl Iterator<Item = T>,
    mut right: impl Iterator<Item = T>,
    order: impl Fn(T, T) -> Ordering,
) -> Ordering {
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match order(a, b) {
                Ordering::Equal => {}
                other => return other,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::{bson, doc};

    #[test]
    fn values_sort_by_type_bracket_and_then_by_value() {
        let sorted = [
            Bson::MinKey,
            Bson::Null,
            Bson::Double(f64::NAN),
            Bson::Double(f64::NEG_INFINITY),
            Bson::Int64(-5),
            Bson::Double(-0.5),
            Bson::Int32(0),
            Bson::Double(0.5),
            Bson::Int64(9_007_199_254_740_992),
            Bson::Int64(9_007_199_254_740_993),
            Bson::Int64(i64::MAX),
            Bson::Double(f64::INFINITY),
            bson!(""),
            bson!("a"),
            bson!("b"),
            Bson::Document(doc! {}),
            Bson::Document(doc! {"a": 1}),
            Bson::Document(doc! {"a": 1, "b": 1}),
            Bson::Document(doc! {"b": 0}),
            bson!([]),
            bson!([1]),
            bson!([1, 2]),
            Bson::ObjectId(bson::oid::ObjectId::from_bytes([1; 12])),
            Bson::Boolean(false),
            Bson::Boolean(true),
            Bson::DateTime(bson::DateTime::from_millis(-1)),
            Bson::DateTime(bson::DateTime::from_millis(1)),
            Bson::MaxKey,
        ];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(compare(a, b), i.cmp(&j), "{a:?} against {b:?}");
            }
        }
    }

    #[test]
    fn numbers_compare_across_widths() {
        assert!(equal(&Bson::Int32(1), &Bson::Double(1.0)));
        assert!(equal(&Bson::Double(-0.0), &Bson::Int64(0)));
        assert!(equal(&Bson::Decimal128("1.5".parse().unwrap()), &Bson::Double(1.5)));
        assert_eq!(
            compare(&Bson::Int64(9_007_199_254_740_993), &Bson::Double(9_007_199_254_740_992.0)),
            Ordering::Greater
        );
    }
}
