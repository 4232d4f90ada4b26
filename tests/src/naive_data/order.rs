//! MongoDB's order of the values that the properties are made of.

use std::cmp::Ordering;

use bson::Bson;

fn rank(value: &Bson) -> u8 {
    match value {
        Bson::Null | Bson::Undefined => 1,
        Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) => 2,
        Bson::String(_) => 3,
        Bson::Document(_) => 4,
        Bson::Array(_) => 5,
        Bson::Boolean(_) => 6,
        other => panic!("{other} is not among the values that are generated"),
    }
}

pub(super) fn number(value: &Bson) -> Option<f64> {
    match value {
        Bson::Int32(number) => Some(f64::from(*number)),
        Bson::Int64(number) => Some(*number as f64),
        Bson::Double(number) => Some(*number),
        _ => None,
    }
}

pub(super) fn compare(one: &Bson, other: &Bson) -> Ordering {
    match (one, other) {
        _ if rank(one) != rank(other) => rank(one).cmp(&rank(other)),
        (Bson::String(one), Bson::String(other)) => one.cmp(other),
        (Bson::Boolean(one), Bson::Boolean(other)) => one.cmp(other),
        (Bson::Array(one), Bson::Array(other)) => {
            for (one, other) in one.iter().zip(other) {
                let order = compare(one, other);
                if order.is_ne() {
                    return order;
                }
            }
            one.len().cmp(&other.len())
        }
        // Type, then name, then value, member by member.
        (Bson::Document(one), Bson::Document(other)) => {
            for ((name, value), (other_name, other_value)) in one.iter().zip(other) {
                let order = rank(value).cmp(&rank(other_value));
                let order =
                    order.then_with(|| name.cmp(other_name)).then_with(|| compare(value, other_value));
                if order.is_ne() {
                    return order;
                }
            }
            one.len().cmp(&other.len())
        }
        _ => match (number(one), number(other)) {
            (Some(one), Some(other)) => one.partial_cmp(&other).unwrap_or(Ordering::Equal),
            _ => Ordering::Equal,
        },
    }
}

pub(super) fn same(one: &Bson, other: &Bson) -> bool {
    compare(one, other).is_eq()
}

pub(super) fn same_type(one: &Bson, other: &Bson) -> bool {
    rank(one) == rank(other)
}
