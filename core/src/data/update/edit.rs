//! What happens at a place of a document.

use bson::{Bson, DateTime, Document, Timestamp};

use super::array::{Pull, Push};
use super::path::{ArrayFilter, Path};
use super::{Change, Occasion};
use crate::data::number;
use crate::filter::{compare, equal};

/// The most elements that are put between the end of an array and a new one.
const BACKFILL: usize = 1_500_000;

/// What is done with the value at a place.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Edit {
    Set(Bson),
    SetOnInsert(Bson),
    Unset,
    Add(Bson),
    Multiply(Bson),
    Min(Bson),
    Max(Bson),
    /// Moves the value to this path.
    Rename(Path),
    Push(Push),
    AddToSet(Vec<Bson>),
    Pull(Pull),
    Pop {
        first: bool,
    },
    CurrentDate {
        timestamp: bool,
    },
}

/// All changes, each at all of its places.
pub(super) fn all(
    before: &Document,
    changes: &[Change],
    filters: &[ArrayFilter],
    occasion: Occasion<'_>,
) -> Result<Document, String> {
    let mut places = Vec::new();
    for change in changes {
        // Nothing is looked for where nothing is to be done.
        if matches!(change.edit, Edit::SetOnInsert(_)) && !occasion.inserting {
            continue;
        }
        for place in change.path.places(before, filters, occasion)? {
            places.push((place, &change.edit));
        }
    }
    places.sort_by(|(one, _), (other, _)| in_order(one, other));
    let mut after = before.clone();
    for (place, edit) in places {
        one(&mut after, &place, edit, occasion.now)
            .map_err(|problem| format!("the field '{}' cannot be changed: {problem}", place.join(".")))?;
    }
    Ok(after)
}

/// The order in which places are changed: field by field, numbers as numbers.
fn in_order(one: &[String], other: &[String]) -> std::cmp::Ordering {
    let key = |part: &String| (part.parse::<u64>().ok(), part.clone());
    let (one, other): (Vec<_>, Vec<_>) = (one.iter().map(key).collect(), other.iter().map(key).collect());
    one.iter()
        .zip(&other)
        .map(|(one, other)| match (one.0, other.0) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => one.1.cmp(&other.1),
        })
        .find(|order| order.is_ne())
        .unwrap_or_else(|| one.len().cmp(&other.len()))
}

fn one(document: &mut Document, place: &[String], edit: &Edit, now: DateTime) -> Result<(), String> {
    let current = get(document, place);
    let value = match edit {
        Edit::Set(value) | Edit::SetOnInsert(value) => value.clone(),
        Edit::Unset => {
            remove(document, place);
            return Ok(());
        }
        // What is not there counts as zero.
        Edit::Add(by) => current.map_or(Ok(by.clone()), |current| number::add(current, by))?,
        Edit::Multiply(by) => number::multiply(current.unwrap_or(&Bson::Int32(0)), by)?,
        Edit::Min(value) => match current {
            Some(current) if compare(current, value).is_le() => return Ok(()),
            _ => value.clone(),
        },
        Edit::Max(value) => match current {
            Some(current) if compare(current, value).is_ge() => return Ok(()),
            _ => value.clone(),
        },
        Edit::Rename(target) => return rename(document, place, target),
        Edit::Push(push) => push.onto(array(current)?.unwrap_or_default()),
        Edit::AddToSet(values) => {
            let mut elements = array(current)?.unwrap_or_default();
            for value in values {
                if !elements.iter().any(|element| equal(element, value)) {
                    elements.push(value.clone());
                }
            }
            Bson::Array(elements)
        }
        Edit::Pull(pull) => match array(current)? {
            None => return Ok(()),
            Some(elements) => Bson::Array(pull.from(elements)?),
        },
        Edit::Pop { first } => match array(current)? {
            None => return Ok(()),
            Some(mut elements) => {
                if *first && !elements.is_empty() {
                    elements.remove(0);
                } else {
                    elements.pop();
                }
                Bson::Array(elements)
            }
        },
        Edit::CurrentDate { timestamp: false } => Bson::DateTime(now),
        Edit::CurrentDate { timestamp: true } => {
            let seconds = u32::try_from(now.timestamp_millis() / 1000).unwrap_or_default();
            Bson::Timestamp(Timestamp { time: seconds, increment: 1 })
        }
    };
    set(document, place, value)
}

/// The elements, where there is anything.
fn array(current: Option<&Bson>) -> Result<Option<Vec<Bson>>, String> {
    match current {
        None => Ok(None),
        Some(Bson::Array(elements)) => Ok(Some(elements.clone())),
        Some(_) => Err("it holds no array".to_owned()),
    }
}

fn rename(document: &mut Document, place: &[String], target: &Path) -> Result<(), String> {
    through_documents(document, place)?;
    let target: Vec<String> = target.text.split('.').map(str::to_owned).collect();
    through_documents(document, &target)?;
    match get(document, place).cloned() {
        None => Ok(()),
        Some(value) => {
            remove(document, place);
            set(document, &target, value)
        }
    }
}

/// A value is not moved out of or into an array.
fn through_documents(document: &Document, place: &[String]) -> Result<(), String> {
    let mut prefixes = (1..place.len()).filter_map(|count| place.get(..count));
    match prefixes.find(|prefix| matches!(get(document, prefix), Some(Bson::Array(_)))) {
        Some(prefix) => Err(format!("'{}' is an array, and nothing is renamed there", prefix.join("."))),
        None => Ok(()),
    }
}

fn get<'d>(document: &'d Document, place: &[String]) -> Option<&'d Bson> {
    let (first, rest) = place.split_first()?;
    rest.iter().try_fold(document.get(first)?, |value, key| match value {
        Bson::Document(inner) => inner.get(key),
        Bson::Array(elements) => elements.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Removes a field; an element of an array becomes null.
fn remove(document: &mut Document, place: &[String]) {
    let Some((last, parents)) = place.split_last() else { return };
    let Some((first, rest)) = parents.split_first() else {
        document.remove(last);
        return;
    };
    let parent = rest.iter().try_fold(document.get_mut(first), |value, key| {
        Some(match value? {
            Bson::Document(inner) => inner.get_mut(key),
            Bson::Array(elements) => key.parse::<usize>().ok().and_then(|index| elements.get_mut(index)),
            _ => None,
        })
    });
    match parent.flatten() {
        Some(Bson::Document(inner)) => {
            inner.remove(last);
        }
        Some(Bson::Array(elements)) => {
            if let Some(element) = last.parse::<usize>().ok().and_then(|index| elements.get_mut(index)) {
                *element = Bson::Null;
            }
        }
        _ => {}
    }
}

/// Puts a value at a place; documents on the way are made where there is nothing.
pub(super) fn set(document: &mut Document, place: &[String], value: Bson) -> Result<(), String> {
    let Some((first, rest)) = place.split_first() else { return Ok(()) };
    if rest.is_empty() {
        document.insert(first.clone(), value);
        return Ok(());
    }
    if !document.contains_key(first) {
        document.insert(first.clone(), Document::new());
    }
    match document.get_mut(first) {
        Some(inner) => set_inside(inner, first, rest, value),
        None => Ok(()),
    }
}

fn set_inside(container: &mut Bson, name: &str, place: &[String], value: Bson) -> Result<(), String> {
    let Some((key, rest)) = place.split_first() else {
        *container = value;
        return Ok(());
    };
    match container {
        Bson::Document(inner) => set(inner, place, value),
        Bson::Array(elements) => {
            let index = key.parse::<usize>();
            let index = index.map_err(|_| format!("there is no field '{key}' in the array '{name}'"))?;
            if index >= elements.len() {
                if index - elements.len() > BACKFILL {
                    return Err(format!("can't backfill more than {BACKFILL} elements"));
                }
                elements.resize(index, Bson::Null);
                elements.push(if rest.is_empty() { Bson::Null } else { Bson::Document(Document::new()) });
            }
            match elements.get_mut(index) {
                Some(element) => set_inside(element, key, rest, value),
                None => Ok(()),
            }
        }
        other => Err(format!("cannot create field '{key}' in element {{{name}: {other}}}")),
    }
}
