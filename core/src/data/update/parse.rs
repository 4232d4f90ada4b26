//! Update documents, read before there is any document to change.

use bson::{Bson, Document, doc};

use super::array::{ELEMENT, Order, Pull, Push};
use super::edit::Edit;
use super::path::{ArrayFilter, Path, Segment};
use super::{Change, Form};
use crate::data::number::{is_number, whole};
use crate::filter::Filter;

type Parsed<T> = Result<T, String>;

/// Reads an operator's operand for a path.
type Read = fn(&str, &Bson) -> Parsed<Edit>;

/// Every operator of updates: its name and what reads its operand.
const OPERATORS: [(&str, Read); 14] = [
    ("$set", |_, value| Ok(Edit::Set(value.clone()))),
    ("$setOnInsert", |_, value| Ok(Edit::SetOnInsert(value.clone()))),
    ("$unset", |_, _| Ok(Edit::Unset)),
    ("$inc", |path, by| number("$inc", path, by).map(Edit::Add)),
    ("$mul", |path, by| number("$mul", path, by).map(Edit::Multiply)),
    ("$min", |_, value| Ok(Edit::Min(value.clone()))),
    ("$max", |_, value| Ok(Edit::Max(value.clone()))),
    ("$rename", rename),
    ("$push", push),
    ("$addToSet", add_to_set),
    ("$pull", pull),
    ("$pullAll", pull_all),
    ("$pop", pop),
    ("$currentDate", current_date),
];

pub(super) fn update(update: &Bson, array_filters: &[Document]) -> Parsed<Form> {
    let document = match update {
        Bson::Document(document) => document,
        Bson::Array(_) => return Err("an update that is an aggregation pipeline is not supported".to_owned()),
        _ => return Err("the update has to be a document".to_owned()),
    };
    if !document.keys().next().is_some_and(|key| key.starts_with('$')) {
        return match document.keys().find(|key| key.starts_with('$')) {
            Some(key) => {
                Err(format!("the dollar ($) prefixed field '{key}' is not allowed in a replacement"))
            }
            None => Ok(Form::Replacement(document.clone())),
        };
    }
    let mut changes = Vec::new();
    for (name, operand) in document {
        let known = OPERATORS.iter().find(|(known, _)| known == name);
        let (_, read) = known.ok_or_else(|| format!("unknown modifier: {name}"))?;
        let Bson::Document(fields) = operand else {
            return Err(format!("modifiers operate on fields, but {name} has something else"));
        };
        for (path, value) in fields {
            changes.push(Change { path: Path::parse(path)?, edit: read(path, value)? });
        }
    }
    refuse_conflicts(&changes)?;
    Ok(Form::Operators { filters: filters(array_filters, &changes)?, changes })
}

/// No place may be changed twice, nor a place inside one that is changed.
fn refuse_conflicts(changes: &[Change]) -> Parsed<()> {
    let target = |change: &Change| match &change.edit {
        Edit::Rename(target) => Some(target.clone()),
        _ => None,
    };
    let paths: Vec<Path> =
        changes.iter().flat_map(|change| [Some(change.path.clone()), target(change)]).flatten().collect();
    for (index, path) in paths.iter().enumerate() {
        if let Some(other) = paths.iter().skip(index + 1).find(|other| path.conflicts(other)) {
            let (one, other) = (&path.text, &other.text);
            return Err(format!("updating the path '{other}' would create a conflict at '{one}'"));
        }
    }
    Ok(())
}

/// The array filters; each has to be used, and only once be there.
fn filters(given: &[Document], changes: &[Change]) -> Parsed<Vec<ArrayFilter>> {
    let mut filters: Vec<ArrayFilter> = Vec::new();
    for document in given {
        let filter = ArrayFilter::parse(document)?;
        let name = &filter.identifier;
        if filters.iter().any(|known| known.identifier == *name) {
            return Err(format!("found multiple array filters with the same top-level field name {name}"));
        }
        if !changes.iter().any(|change| change.path.identifiers().any(|used| used == name)) {
            return Err(format!("the array filter for identifier '{name}' was not used in the update"));
        }
        filters.push(filter);
    }
    let mut wanted = changes.iter().flat_map(|change| change.path.identifiers().map(move |id| (id, change)));
    let missing = wanted.find(|(id, _)| !filters.iter().any(|filter| filter.identifier == *id));
    match missing {
        Some((id, change)) => {
            Err(format!("no array filter found for identifier '{id}' in path '{}'", change.path.text))
        }
        None => Ok(filters),
    }
}

fn number(operator: &str, path: &str, by: &Bson) -> Parsed<Bson> {
    if is_number(by) {
        Ok(by.clone())
    } else {
        Err(format!("{operator} of '{path}' needs a number, not {by}"))
    }
}

fn rename(path: &str, target: &Bson) -> Parsed<Edit> {
    let Bson::String(target) = target else {
        return Err(format!("the 'to' field for $rename of '{path}' must be a string"));
    };
    let plain = |text: &str| {
        let path = Path::parse(text)?;
        let is_plain = path.segments.iter().all(|segment| matches!(segment, Segment::Field(_)));
        if is_plain { Ok(path) } else { Err(format!("$rename cannot name an element of an array: '{text}'")) }
    };
    plain(path)?;
    plain(target).map(Edit::Rename)
}

/// The members, if the operand is `{"$each": […], …}`.
fn each<'b>(operator: &str, operand: &'b Bson) -> Parsed<Option<(&'b Document, &'b [Bson])>> {
    match operand {
        Bson::Document(modifiers) if modifiers.contains_key("$each") => match modifiers.get("$each") {
            Some(Bson::Array(values)) => Ok(Some((modifiers, values))),
            _ => Err(format!("the argument to $each in {operator} must be an array")),
        },
        _ => Ok(None),
    }
}

fn push(_: &str, operand: &Bson) -> Parsed<Edit> {
    let Some((modifiers, values)) = each("$push", operand)? else {
        return Ok(Edit::Push(Push { values: vec![operand.clone()], ..Push::default() }));
    };
    let mut push = Push { values: values.to_vec(), ..Push::default() };
    for (name, value) in modifiers {
        match name.as_str() {
            "$each" => {}
            "$position" => push.position = Some(whole_for(name, value)?),
            "$slice" => push.slice = Some(whole_for(name, value)?),
            "$sort" => push.sort = Some(order(value)?),
            _ => return Err(format!("unrecognized clause in $push: {name}")),
        }
    }
    Ok(Edit::Push(push))
}

fn order(value: &Bson) -> Parsed<Order> {
    let descending = |value: &Bson| match whole_for("$sort", value) {
        Ok(1) => Ok(false),
        Ok(-1) => Ok(true),
        _ => Err("the $sort element value must be either 1 or -1".to_owned()),
    };
    match value {
        Bson::Document(fields) if !fields.is_empty() => {
            let fields = fields.iter().map(|(path, way)| Ok((path.clone(), descending(way)?)));
            fields.collect::<Parsed<_>>().map(Order::Fields)
        }
        way => Ok(Order::Whole { descending: descending(way)? }),
    }
}

fn whole_for(name: &str, value: &Bson) -> Parsed<i64> {
    whole(value).ok_or_else(|| format!("the value for {name} must be a whole number, not {value}"))
}

fn add_to_set(_: &str, operand: &Bson) -> Parsed<Edit> {
    match each("$addToSet", operand)? {
        None => Ok(Edit::AddToSet(vec![operand.clone()])),
        Some((modifiers, _)) if modifiers.len() > 1 => {
            let other = modifiers.keys().find(|key| *key != "$each").map_or("", String::as_str);
            Err(format!("found unexpected fields after $each in $addToSet: {other}"))
        }
        Some((_, values)) => Ok(Edit::AddToSet(values.to_vec())),
    }
}

fn pull(_: &str, operand: &Bson) -> Parsed<Edit> {
    let pull = match operand {
        Bson::Document(condition) if condition.keys().next().is_some_and(|key| is_value_operator(key)) => {
            Pull::Tested(Filter::parse(&doc! { ELEMENT: condition.clone() })?)
        }
        Bson::Document(condition) => Pull::Documents(Filter::parse(condition)?),
        Bson::RegularExpression(_) => Pull::Tested(Filter::parse(&doc! { ELEMENT: operand.clone() })?),
        value => Pull::Values(vec![value.clone()]),
    };
    Ok(Edit::Pull(pull))
}

/// Whether the operator asks for a value, not for a document's fields.
fn is_value_operator(key: &str) -> bool {
    key.starts_with('$') && !["$and", "$or", "$nor", "$comment"].contains(&key)
}

fn pull_all(path: &str, operand: &Bson) -> Parsed<Edit> {
    match operand {
        Bson::Array(values) => Ok(Edit::Pull(Pull::Values(values.clone()))),
        _ => Err(format!("$pullAll of '{path}' requires an array argument")),
    }
}

fn pop(path: &str, operand: &Bson) -> Parsed<Edit> {
    match whole(operand) {
        Some(1) => Ok(Edit::Pop { first: false }),
        Some(-1) => Ok(Edit::Pop { first: true }),
        _ => Err(format!("$pop of '{path}' expects 1 or -1, found: {operand}")),
    }
}

fn current_date(path: &str, operand: &Bson) -> Parsed<Edit> {
    let kind = match operand {
        Bson::Boolean(_) => Some("date"),
        Bson::Document(typed) if typed.len() == 1 => typed.get_str("$type").ok(),
        _ => None,
    };
    match kind {
        Some("date") => Ok(Edit::CurrentDate { timestamp: false }),
        Some("timestamp") => Ok(Edit::CurrentDate { timestamp: true }),
        _ => Err(format!(
            "$currentDate of '{path}' takes true, {{$type: 'date'}} or {{$type: 'timestamp'}}, not {operand}"
        )),
    }
}
