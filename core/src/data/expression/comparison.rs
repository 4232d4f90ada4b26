//! Comparisons, in MongoDB's order of all values; nothing comes before null.

use std::cmp::Ordering;

use bson::Bson;

use super::arithmetic::flat;
use super::{Arguments, Operator, Outcome, Value, is_absent, is_true};
use crate::filter;

pub(super) const OPERATORS: &[Operator] = &[
    Operator {
        name: "$eq",
        arguments: Arguments::Listed(2, 2),
        apply: |given| holds(given, Ordering::is_eq),
    },
    Operator {
        name: "$ne",
        arguments: Arguments::Listed(2, 2),
        apply: |given| holds(given, Ordering::is_ne),
    },
    Operator {
        name: "$gt",
        arguments: Arguments::Listed(2, 2),
        apply: |given| holds(given, Ordering::is_gt),
    },
    Operator {
        name: "$gte",
        arguments: Arguments::Listed(2, 2),
        apply: |given| holds(given, Ordering::is_ge),
    },
    Operator {
        name: "$lt",
        arguments: Arguments::Listed(2, 2),
        apply: |given| holds(given, Ordering::is_lt),
    },
    Operator {
        name: "$lte",
        arguments: Arguments::Listed(2, 2),
        apply: |given| holds(given, Ordering::is_le),
    },
    Operator { name: "$cmp", arguments: Arguments::Listed(2, 2), apply: cmp },
    Operator { name: "$not", arguments: Arguments::Listed(1, 1), apply: not },
    Operator {
        name: "$min",
        arguments: Arguments::Listed(1, usize::MAX),
        apply: |given| Ok(extreme(flat(given), Ordering::is_lt)),
    },
    Operator {
        name: "$max",
        arguments: Arguments::Listed(1, usize::MAX),
        apply: |given| Ok(extreme(flat(given), Ordering::is_gt)),
    },
];

/// The order of two values, of which either may be nothing.
pub(super) fn order(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => filter::compare(one, other),
        (one, other) => one.is_some().cmp(&other.is_some()),
    }
}

/// The smallest or largest of the values that are there and not null; else null.
pub(in crate::data) fn extreme(values: Vec<Bson>, better: fn(Ordering) -> bool) -> Value {
    let mut best: Value = None;
    for value in values {
        let is_better = best.as_ref().is_none_or(|best| better(filter::compare(&value, best)));
        if is_better && value != Bson::Null {
            best = Some(value);
        }
    }
    Some(best.unwrap_or(Bson::Null))
}

fn holds(given: &[Value], wanted: fn(Ordering) -> bool) -> Outcome {
    let [one, other] = given else { return Ok(None) };
    Ok(Some(Bson::Boolean(wanted(order(one, other)))))
}

fn cmp(given: &[Value]) -> Outcome {
    let [one, other] = given else { return Ok(None) };
    Ok(Some(Bson::Int32(order(one, other) as i32)))
}

fn not(given: &[Value]) -> Outcome {
    Ok(Some(Bson::Boolean(given.first().is_none_or(|value| is_absent(value) || !is_true(value)))))
}
