//! What an update makes of a document.

use bson::{Bson, Document};

use super::matches;
use super::order::{compare, number, same};

/// The document after the update.
///
/// # Errors
/// What cannot be done.
pub fn update(before: &Document, update: &Document, array_filters: &[Document]) -> Result<Document, String> {
    if !update.keys().next().is_some_and(|key| key.starts_with('$')) {
        if update.keys().any(|key| key.starts_with('$')) {
            return Err("operators in a replacement".to_owned());
        }
        let mut whole = Document::new();
        whole.insert("_id", before.get("_id").cloned().unwrap_or(Bson::Null));
        whole.extend(update.clone());
        return Ok(whole);
    }
    let mut steps: Vec<(Vec<String>, String, Bson)> = Vec::new();
    let mut touched: Vec<String> = Vec::new();
    for (operator, fields) in update {
        for (path, operand) in fields.as_document().ok_or("fields")? {
            touched.push(path.clone());
            // What no number can be is refused before there is any place for it.
            if ["$inc", "$mul"].contains(&operator.as_str()) && number(operand).is_none() {
                return Err("no number".to_owned());
            }
            if operator == "$rename" {
                touched.push(operand.as_str().ok_or("a name")?.to_owned());
            }
            for place in places(&Bson::Document(before.clone()), path, array_filters)? {
                steps.push((place, operator.clone(), operand.clone()));
            }
        }
    }
    for (index, one) in touched.iter().enumerate() {
        let inside = |a: &str, b: &str| a == b || a.starts_with(&format!("{b}."));
        if touched.iter().skip(index + 1).any(|other| inside(one, other) || inside(other, one)) {
            return Err("a conflict".to_owned());
        }
    }
    let key = |part: &String| (part.parse::<u64>().unwrap_or_default(), part.clone());
    steps.sort_by_key(|(place, ..)| place.iter().map(key).collect::<Vec<_>>());
    let mut after = Bson::Document(before.clone());
    for (place, operator, operand) in steps {
        step(&mut after, &place, &operator, &operand)?;
    }
    after.as_document().cloned().ok_or_else(|| "no document".to_owned())
}

/// The plain paths that `a.$[].b` and `a.$[e].b` stand for.
fn places(document: &Bson, path: &str, filters: &[Document]) -> Result<Vec<Vec<String>>, String> {
    let mut places: Vec<Vec<String>> = vec![Vec::new()];
    for part in path.split('.') {
        let mut longer = Vec::new();
        for place in places {
            let Some(name) = part.strip_prefix("$[").and_then(|rest| rest.strip_suffix(']')) else {
                longer.push([place, vec![part.to_owned()]].concat());
                continue;
            };
            let elements = get(document, &place).and_then(Bson::as_array).ok_or("no array")?;
            for (index, element) in elements.iter().enumerate() {
                let filter = filters
                    .iter()
                    .find(|filter| filter.keys().any(|key| key.split('.').next() == Some(name)));
                let mut alone = Document::new();
                alone.insert(name, element.clone());
                if name.is_empty() || matches(filter.ok_or("no filter")?, &alone)? {
                    longer.push([place.clone(), vec![index.to_string()]].concat());
                }
            }
        }
        places = longer;
    }
    Ok(places)
}

fn get<'b>(value: &'b Bson, place: &[String]) -> Option<&'b Bson> {
    let [first, rest @ ..] = place else { return Some(value) };
    match value {
        Bson::Document(inner) => get(inner.get(first)?, rest),
        Bson::Array(elements) => get(elements.get(first.parse::<usize>().ok()?)?, rest),
        _ => None,
    }
}

fn set(value: &mut Bson, place: &[String], new: Bson) -> Result<(), String> {
    let [first, rest @ ..] = place else {
        *value = new;
        return Ok(());
    };
    match value {
        Bson::Document(inner) => {
            if !inner.contains_key(first) {
                inner.insert(first.clone(), Document::new());
            }
            set(inner.get_mut(first).ok_or("just made")?, rest, new)
        }
        Bson::Array(elements) => {
            let index: usize = first.parse().map_err(|_| "no index")?;
            while elements.len() <= index {
                let is_last = elements.len() == index;
                elements.push(if is_last { Bson::Document(Document::new()) } else { Bson::Null });
            }
            set(&mut elements[index], rest, new)
        }
        _ => Err("through a scalar".to_owned()),
    }
}

fn unset(value: &mut Bson, place: &[String]) {
    match (value, place) {
        (Bson::Document(inner), [last]) => drop(inner.remove(last)),
        (Bson::Array(elements), [last]) => {
            if let Some(element) = last.parse::<usize>().ok().and_then(|index| elements.get_mut(index)) {
                *element = Bson::Null;
            }
        }
        (Bson::Document(inner), [first, rest @ ..]) => {
            if let Some(inner) = inner.get_mut(first) {
                unset(inner, rest);
            }
        }
        (Bson::Array(elements), [first, rest @ ..]) => {
            if let Some(element) = first.parse::<usize>().ok().and_then(|index| elements.get_mut(index)) {
                unset(element, rest);
            }
        }
        _ => {}
    }
}

fn step(document: &mut Bson, place: &[String], operator: &str, operand: &Bson) -> Result<(), String> {
    let current = get(document, place).cloned();
    let list = || match &current {
        None => Ok(None),
        Some(Bson::Array(elements)) => Ok(Some(elements.clone())),
        Some(_) => Err("no array".to_owned()),
    };
    let new = match operator {
        "$set" => operand.clone(),
        "$unset" => {
            unset(document, place);
            return Ok(());
        }
        "$inc" => calculated(current.as_ref(), operand, |a, b| a + b, 0.0)?,
        "$mul" => calculated(current.as_ref(), operand, |a, b| a * b, 0.0)?,
        "$min" if current.as_ref().is_some_and(|now| compare(now, operand).is_le()) => return Ok(()),
        "$max" if current.as_ref().is_some_and(|now| compare(now, operand).is_ge()) => return Ok(()),
        "$min" | "$max" => operand.clone(),
        "$rename" => {
            let target: Vec<String> =
                operand.as_str().ok_or("a name")?.split('.').map(str::to_owned).collect();
            let crosses = |place: &[String], document: &Bson| {
                (1..place.len()).any(|count| matches!(get(document, &place[..count]), Some(Bson::Array(_))))
            };
            if crosses(place, document) || crosses(&target, document) {
                return Err("an array on the way".to_owned());
            }
            let Some(value) = current else { return Ok(()) };
            unset(document, place);
            return set(document, &target, value);
        }
        "$push" => pushed(list()?.unwrap_or_default(), operand)?,
        "$addToSet" => {
            let mut elements = list()?.unwrap_or_default();
            let each = operand.as_document().and_then(|each| each.get_array("$each").ok()).cloned();
            for value in each.unwrap_or_else(|| vec![operand.clone()]) {
                if !elements.iter().any(|element| same(element, &value)) {
                    elements.push(value);
                }
            }
            Bson::Array(elements)
        }
        "$pull" | "$pullAll" | "$pop" => {
            let Some(mut elements) = list()? else { return Ok(()) };
            match operator {
                "$pop" if operand == &Bson::Int32(-1) => {
                    drop(elements.drain(..usize::from(!elements.is_empty())))
                }
                "$pop" => drop(elements.pop()),
                "$pullAll" => {
                    let values = operand.as_array().ok_or("an array")?;
                    elements.retain(|element| !values.iter().any(|value| same(value, element)));
                }
                _ => {
                    let mut kept = Vec::new();
                    for element in elements {
                        if !pulls(operand, &element)? {
                            kept.push(element);
                        }
                    }
                    elements = kept;
                }
            }
            Bson::Array(elements)
        }
        unknown => return Err(format!("unknown {unknown}")),
    };
    set(document, place, new)
}

fn pulls(operand: &Bson, element: &Bson) -> Result<bool, String> {
    let Some(condition) = operand.as_document() else { return Ok(same(operand, element)) };
    if condition.keys().next().is_some_and(|key| key.starts_with('$')) {
        let (mut query, mut alone) = (Document::new(), Document::new());
        query.insert("v", operand.clone());
        alone.insert("v", element.clone());
        return matches(&query, &alone);
    }
    matches(condition, element.as_document().unwrap_or(&Document::new()))
        .map(|it| it && element.as_document().is_some())
}

fn pushed(mut elements: Vec<Bson>, operand: &Bson) -> Result<Bson, String> {
    let Some(modifiers) = operand.as_document().filter(|modifiers| modifiers.contains_key("$each")) else {
        elements.push(operand.clone());
        return Ok(Bson::Array(elements));
    };
    let length = i64::try_from(elements.len()).unwrap_or(i64::MAX);
    let number = |name: &str| modifiers.get_i32(name).ok().map(i64::from);
    let position = number("$position").unwrap_or(length);
    let position = if position < 0 { (length + position).max(0) } else { position.min(length) };
    let (before, after) = elements.split_at(usize::try_from(position).unwrap_or_default());
    let mut whole = [before, modifiers.get_array("$each").map_err(|_| "$each")?, after].concat();
    if let Some(way) = number("$sort") {
        whole.sort_by(|one, other| if way < 0 { compare(other, one) } else { compare(one, other) });
    }
    if let Some(slice) = number("$slice") {
        let kept = usize::try_from(slice.unsigned_abs()).unwrap_or(usize::MAX).min(whole.len());
        whole = if slice < 0 { whole.split_off(whole.len() - kept) } else { whole[..kept].to_vec() };
    }
    Ok(Bson::Array(whole))
}

/// Small whole numbers stay whole, whatever they are combined with but a double.
fn calculated(
    current: Option<&Bson>,
    by: &Bson,
    apply: fn(f64, f64) -> f64,
    nothing: f64,
) -> Result<Bson, String> {
    let (now, by_number) = (current.map_or(Some(nothing), number), number(by));
    let (Some(now), Some(by_number)) = (now, by_number) else { return Err("no number".to_owned()) };
    let result = apply(now, by_number);
    let of = |wanted: fn(&Bson) -> bool| wanted(by) || current.is_some_and(wanted);
    Ok(if of(|value| matches!(value, Bson::Double(_))) {
        Bson::Double(result)
    } else if of(|value| matches!(value, Bson::Int64(_))) {
        Bson::Int64(result as i64)
    } else {
        Bson::Int32(result as i32)
    })
}
