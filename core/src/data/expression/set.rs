//! Arrays as sets: without order and repetition.

use bson::Bson;

use super::{Arguments, Operator, Outcome, Value, is_absent, is_true};
use crate::filter::{compare, equal};

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$setUnion", arguments: Arguments::Listed(0, usize::MAX), apply: union },
    Operator { name: "$setIntersection", arguments: Arguments::Listed(0, usize::MAX), apply: intersection },
    Operator { name: "$setDifference", arguments: Arguments::Listed(2, 2), apply: difference },
    Operator { name: "$setEquals", arguments: Arguments::Listed(2, usize::MAX), apply: equals },
    Operator {
        name: "$allElementsTrue",
        arguments: Arguments::Listed(1, 1),
        apply: |given| every(given, true),
    },
    Operator {
        name: "$anyElementTrue",
        arguments: Arguments::Listed(1, 1),
        apply: |given| every(given, false),
    },
];

/// The arrays as sets; `None` where one of them is null.
fn sets(given: &[Value]) -> Result<Option<Vec<Vec<Bson>>>, String> {
    if given.iter().any(is_absent) {
        return Ok(None);
    }
    let one = |value: &Value| match value {
        Some(Bson::Array(elements)) => Ok(set(elements.clone())),
        _ => Err("all arguments must be arrays".to_owned()),
    };
    given.iter().map(one).collect::<Result<_, _>>().map(Some)
}

fn set(mut elements: Vec<Bson>) -> Vec<Bson> {
    elements.sort_by(compare);
    elements.dedup_by(|one, other| equal(one, other));
    elements
}

fn has(set: &[Bson], element: &Bson) -> bool {
    set.binary_search_by(|known| compare(known, element)).is_ok()
}

fn union(given: &[Value]) -> Outcome {
    Ok(Some(sets(given)?.map_or(Bson::Null, |sets| Bson::Array(set(sets.concat())))))
}

fn intersection(given: &[Value]) -> Outcome {
    let Some(mut sets) = sets(given)? else { return Ok(Some(Bson::Null)) };
    let mut common = if sets.is_empty() { Vec::new() } else { sets.remove(0) };
    common.retain(|element| sets.iter().all(|set| has(set, element)));
    Ok(Some(Bson::Array(common)))
}

fn difference(given: &[Value]) -> Outcome {
    let Some(sets) = sets(given)? else { return Ok(Some(Bson::Null)) };
    let [one, other] = sets.as_slice() else { return Ok(Some(Bson::Null)) };
    Ok(Some(Bson::Array(one.iter().filter(|element| !has(other, element)).cloned().collect())))
}

fn equals(given: &[Value]) -> Outcome {
    let sets = sets(given)?.ok_or("all arguments must be arrays")?;
    let same = |pair: &[Vec<Bson>]| match pair {
        [one, other] => one.len() == other.len() && one.iter().all(|element| has(other, element)),
        _ => true,
    };
    Ok(Some(Bson::Boolean(sets.windows(2).all(same))))
}

fn every(given: &[Value], all: bool) -> Outcome {
    let [Some(Bson::Array(elements))] = given else { return Err("the argument must be an array".to_owned()) };
    let mut truths = elements.iter().map(|element| is_true(&Some(element.clone())));
    Ok(Some(Bson::Boolean(if all { truths.all(|it| it) } else { truths.any(|it| it) })))
}
