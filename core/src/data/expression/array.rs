//! Arrays.

use bson::{Bson, Document};

use super::{Arguments, Operator, Outcome, Value, is_absent};
use crate::data::number::{narrow, whole};
use crate::filter::equal;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$size", arguments: Arguments::Listed(1, 1), apply: size },
    Operator { name: "$arrayElemAt", arguments: Arguments::Listed(2, 2), apply: element_at },
    Operator { name: "$first", arguments: Arguments::Listed(1, 1), apply: |given| end(given, true) },
    Operator { name: "$last", arguments: Arguments::Listed(1, 1), apply: |given| end(given, false) },
    Operator { name: "$slice", arguments: Arguments::Listed(2, 3), apply: slice },
    Operator { name: "$in", arguments: Arguments::Listed(2, 2), apply: contains },
    Operator { name: "$indexOfArray", arguments: Arguments::Listed(2, 2), apply: index_of },
    Operator { name: "$concatArrays", arguments: Arguments::Listed(0, usize::MAX), apply: concat },
    Operator { name: "$isArray", arguments: Arguments::Listed(1, 1), apply: is_array },
    Operator { name: "$range", arguments: Arguments::Listed(2, 3), apply: range },
    Operator { name: "$reverseArray", arguments: Arguments::Listed(1, 1), apply: reverse },
    Operator { name: "$arrayToObject", arguments: Arguments::Listed(1, 1), apply: to_object },
];

/// The most elements that an expression makes.
const MOST: usize = 1_000_000;

const NULL: Outcome = Ok(Some(Bson::Null));

fn elements(value: &Value) -> Result<Option<&[Bson]>, String> {
    match value {
        Some(Bson::Array(elements)) => Ok(Some(elements)),
        value if is_absent(value) => Ok(None),
        Some(other) => Err(format!("an array is needed, not {other}")),
        None => Ok(None),
    }
}

fn number(value: Option<&Value>, what: &str) -> Result<i64, String> {
    let found = value.and_then(Option::as_ref).and_then(whole);
    found.ok_or_else(|| format!("{what} must be a whole number"))
}

fn size(given: &[Value]) -> Outcome {
    match given {
        [Some(Bson::Array(elements))] => Ok(Some(narrow(i64::try_from(elements.len()).unwrap_or(i64::MAX)))),
        _ => Err("the argument must be an array".to_owned()),
    }
}

/// The place that a number means: negative ones count from the end.
fn place(index: i64, length: usize) -> Option<usize> {
    let from_end = usize::try_from(index.unsigned_abs()).ok()?;
    if index < 0 { length.checked_sub(from_end) } else { Some(from_end) }
}

fn element_at(given: &[Value]) -> Outcome {
    let [array, index] = given else { return NULL };
    if is_absent(index) {
        return NULL;
    }
    let Some(elements) = elements(array)? else { return NULL };
    let index = number(Some(index), "the index")?;
    Ok(place(index, elements.len()).and_then(|place| elements.get(place)).cloned())
}

fn end(given: &[Value], first: bool) -> Outcome {
    let [array] = given else { return NULL };
    let Some(elements) = elements(array)? else { return NULL };
    Ok(if first { elements.first() } else { elements.last() }.cloned())
}

fn slice(given: &[Value]) -> Outcome {
    let Some(elements) = given.first().map(elements).transpose()?.flatten() else { return NULL };
    let length = elements.len();
    let (start, count) = match given {
        [_, count] => {
            let count = number(Some(count), "the number of elements")?;
            let kept = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX).min(length);
            (if count < 0 { length - kept } else { 0 }, kept)
        }
        _ => {
            let position = number(given.get(1), "the position")?;
            let count = number(given.get(2), "the number of elements")?;
            let count = usize::try_from(count).ok().filter(|count| *count > 0);
            let count = count.ok_or("the number of elements must be positive")?;
            (place(position, length).unwrap_or(0).min(length), count)
        }
    };
    Ok(Some(Bson::Array(elements.iter().skip(start).take(count).cloned().collect())))
}

fn contains(given: &[Value]) -> Outcome {
    let [wanted, Some(Bson::Array(elements))] = given else {
        return Err("the second argument must be an array".to_owned());
    };
    let found = wanted.as_ref().is_some_and(|wanted| elements.iter().any(|element| equal(element, wanted)));
    Ok(Some(Bson::Boolean(found)))
}

fn index_of(given: &[Value]) -> Outcome {
    let [array, wanted] = given else { return NULL };
    let Some(elements) = elements(array)? else { return NULL };
    let found =
        elements.iter().position(|element| wanted.as_ref().is_some_and(|wanted| equal(element, wanted)));
    Ok(Some(found.map_or(Bson::Int32(-1), |place| narrow(i64::try_from(place).unwrap_or(i64::MAX)))))
}

fn concat(given: &[Value]) -> Outcome {
    let mut all = Vec::new();
    for array in given {
        let Some(elements) = elements(array)? else { return NULL };
        if all.len() + elements.len() > MOST {
            return Err(format!("more than {MOST} elements"));
        }
        all.extend_from_slice(elements);
    }
    Ok(Some(Bson::Array(all)))
}

fn is_array(given: &[Value]) -> Outcome {
    Ok(Some(Bson::Boolean(matches!(given, [Some(Bson::Array(_))]))))
}

fn range(given: &[Value]) -> Outcome {
    let start = number(given.first(), "the start")?;
    let end = number(given.get(1), "the end")?;
    let step = match given.get(2) {
        None => 1,
        step => number(step, "the step")?,
    };
    if step == 0 {
        return Err("the step must not be zero".to_owned());
    }
    let mut numbers = Vec::new();
    let mut next = start;
    while if step > 0 { next < end } else { next > end } {
        if numbers.len() >= MOST {
            return Err(format!("more than {MOST} elements"));
        }
        numbers.push(narrow(next));
        let Some(following) = next.checked_add(step) else { break };
        next = following;
    }
    Ok(Some(Bson::Array(numbers)))
}

fn reverse(given: &[Value]) -> Outcome {
    let [array] = given else { return NULL };
    let Some(elements) = elements(array)? else { return NULL };
    Ok(Some(Bson::Array(elements.iter().rev().cloned().collect())))
}

/// `[[key, value]]` or `[{k, v}]`.
fn to_object(given: &[Value]) -> Outcome {
    let [array] = given else { return NULL };
    let Some(elements) = elements(array)? else { return NULL };
    let mut object = Document::new();
    for element in elements {
        let pair = match element {
            Bson::Array(pair) => match pair.as_slice() {
                [Bson::String(key), value] => Some((key.clone(), value.clone())),
                _ => None,
            },
            Bson::Document(pair) => match (pair.get("k"), pair.get("v")) {
                (Some(Bson::String(key)), Some(value)) => Some((key.clone(), value.clone())),
                _ => None,
            },
            _ => None,
        };
        let (key, value) = pair.ok_or("the elements must be [key, value] or {k, v}")?;
        object.insert(key, value);
    }
    Ok(Some(Bson::Document(object)))
}
