//! Whether a document matches a query.

use bson::{Bson, Document};

use super::order::{compare, number, same, same_type};

/// Whether it does; an error names what is not known.
///
/// # Errors
/// The operator or the operand that is wrong.
pub fn matches(query: &Document, document: &Document) -> Result<bool, String> {
    let mut all = true;
    for (key, value) in query {
        // Everything is looked at, so that an unknown operator is always an error.
        all &= match key.as_str() {
            "$and" => each(value, document)?.into_iter().all(|it| it),
            "$or" => each(value, document)?.into_iter().any(|it| it),
            "$nor" => !each(value, document)?.into_iter().any(|it| it),
            key if key.starts_with('$') => return Err(format!("unknown {key}")),
            path => {
                let keys: Vec<&str> = path.split('.').collect();
                let mut found = Vec::new();
                reach(Some(&Bson::Document(document.clone())), &keys, &mut found);
                asked(value, &found)?
            }
        };
    }
    Ok(all)
}

fn each(value: &Bson, document: &Document) -> Result<Vec<bool>, String> {
    let queries = value.as_array().filter(|queries| !queries.is_empty()).ok_or("a nonempty array")?;
    queries.iter().map(|query| matches(query.as_document().ok_or("an object")?, document)).collect()
}

/// All that stands at a path; `None` where there is nothing.
fn reach(value: Option<&Bson>, keys: &[&str], found: &mut Vec<Option<Bson>>) {
    let [first, rest @ ..] = keys else { return found.push(value.cloned()) };
    match value {
        Some(Bson::Document(inner)) => reach(inner.get(first), rest, found),
        Some(Bson::Array(elements)) => {
            if let Some(element) = first.parse::<usize>().ok().and_then(|index| elements.get(index)) {
                reach(Some(element), rest, found);
            }
            for element in elements.iter().filter(|element| element.as_document().is_some()) {
                reach(Some(element), keys, found);
            }
        }
        _ => found.push(None),
    }
}

fn is_operators(value: &Bson) -> Option<&Document> {
    value.as_document().filter(|document| document.keys().next().is_some_and(|key| key.starts_with('$')))
}

fn asked(value: &Bson, found: &[Option<Bson>]) -> Result<bool, String> {
    let Some(operators) = is_operators(value) else { return Ok(any(found, |one| same(one, value))) };
    let mut all = true;
    for (key, operand) in operators {
        all &= operator(key, operand, found)?;
    }
    Ok(all)
}

/// Whether one of the values, or an element of one that is an array, will do; nothing counts as null.
fn any(found: &[Option<Bson>], accepts: impl Fn(&Bson) -> bool) -> bool {
    found.iter().any(|one| {
        let value = one.clone().unwrap_or(Bson::Null);
        accepts(&value) || value.as_array().is_some_and(|elements| elements.iter().any(&accepts))
    })
}

fn operator(key: &str, operand: &Bson, found: &[Option<Bson>]) -> Result<bool, String> {
    let ordered = |wanted: fn(std::cmp::Ordering) -> bool| {
        any(found, |one| same_type(one, operand) && wanted(compare(one, operand)))
    };
    Ok(match key {
        "$eq" => any(found, |one| same(one, operand)),
        "$ne" => !any(found, |one| same(one, operand)),
        "$gt" => ordered(std::cmp::Ordering::is_gt),
        "$gte" => ordered(std::cmp::Ordering::is_ge),
        "$lt" => ordered(std::cmp::Ordering::is_lt),
        "$lte" => ordered(std::cmp::Ordering::is_le),
        "$in" | "$nin" => {
            let values = operand.as_array().ok_or("$in needs an array")?;
            any(found, |one| values.iter().any(|value| same(one, value))) == (key == "$in")
        }
        "$not" => !asked(Some(operand).filter(|it| is_operators(it).is_some()).ok_or("$not")?, found)?,
        "$exists" => found.iter().any(Option::is_some) == (operand == &Bson::Boolean(true)),
        "$type" => {
            let wanted = operand.as_str().ok_or("$type")?;
            let is = |value: &Bson| name(value) == wanted || wanted == "number" && number(value).is_some();
            found.iter().flatten().any(|one| is(one) || one.as_array().is_some_and(|all| all.iter().any(is)))
        }
        "$size" => {
            let size = operand.as_i32().and_then(|size| usize::try_from(size).ok()).ok_or("$size")?;
            found.iter().flatten().any(|one| one.as_array().is_some_and(|all| all.len() == size))
        }
        "$mod" => {
            let [divisor, remainder] = operand.as_array().map(Vec::as_slice).ok_or("$mod")? else {
                return Err("$mod".to_owned());
            };
            let (divisor, remainder) = (number(divisor).ok_or("$mod")?, number(remainder).ok_or("$mod")?);
            if divisor == 0.0 {
                return Err("$mod by zero".to_owned());
            }
            any(found, |one| number(one).is_some_and(|number| number.trunc() % divisor == remainder))
        }
        // Only patterns without special characters but `^` and `$` are generated.
        "$regex" => {
            let pattern = operand.as_str().ok_or("$regex")?;
            any(found, |one| one.as_str().is_some_and(|text| finds(pattern, text)))
        }
        "$all" => {
            let wanted = operand.as_array().ok_or("$all needs an array")?;
            !wanted.is_empty() && wanted.iter().all(|wanted| any(found, |one| same(one, wanted)))
        }
        "$elemMatch" => {
            let inner = operand.as_document().ok_or("$elemMatch")?;
            let mut holds = false;
            // Unknown operators are errors on every document.
            alone(operand, inner, &Bson::Null)?;
            for element in found.iter().flatten().filter_map(Bson::as_array).flatten() {
                holds |= alone(operand, inner, element)?;
            }
            holds
        }
        unknown => return Err(format!("unknown {unknown}")),
    })
}

/// Whether an element by itself will do: by its fields, or as a value whose own elements are not looked into.
fn alone(operand: &Bson, inner: &Document, element: &Bson) -> Result<bool, String> {
    let Some(operators) = is_operators(operand) else {
        let by_fields = matches(inner, element.as_document().unwrap_or(&Document::new()))?;
        return Ok(by_fields && element.as_document().is_some());
    };
    let mut all = true;
    for (key, operand) in operators {
        // In an array of its own an element is an element, and an array in it is not opened.
        let whole = [Some(Bson::Array(vec![element.clone()]))];
        all &= match (key.as_str(), element) {
            (
                "$eq" | "$ne" | "$gt" | "$gte" | "$lt" | "$lte" | "$in" | "$nin" | "$mod" | "$regex",
                Bson::Array(_),
            ) => element_is(key, operand, element)?,
            ("$not", _) => !alone(operand, operand.as_document().ok_or("$not")?, element)?,
            ("$type", _) => {
                operand.as_str() == Some(name(element))
                    || operand.as_str() == Some("number") && number(element).is_some()
            }
            ("$size" | "$elemMatch", _) => operator(key, operand, &[Some(element.clone())])?,
            ("$exists", _) => operand == &Bson::Boolean(true),
            _ => operator(key, operand, &[Some(element.clone())])
                .or_else(|_| operator(key, operand, &whole))?,
        };
    }
    Ok(all)
}

/// An array as a value of its own.
fn element_is(key: &str, operand: &Bson, element: &Bson) -> Result<bool, String> {
    let ordered = |wanted: fn(std::cmp::Ordering) -> bool| {
        same_type(element, operand) && wanted(compare(element, operand))
    };
    let among = || operand.as_array().is_some_and(|values| values.iter().any(|value| same(element, value)));
    Ok(match key {
        "$eq" => same(element, operand),
        "$ne" => !same(element, operand),
        "$gt" => ordered(std::cmp::Ordering::is_gt),
        "$gte" => ordered(std::cmp::Ordering::is_ge),
        "$lt" => ordered(std::cmp::Ordering::is_lt),
        "$lte" => ordered(std::cmp::Ordering::is_le),
        "$in" => among(),
        "$nin" => !among(),
        _ => false,
    })
}

fn finds(pattern: &str, text: &str) -> bool {
    let middle = pattern.trim_start_matches('^').trim_end_matches('$');
    match (pattern.starts_with('^'), pattern.ends_with('$')) {
        (true, true) => text == middle,
        (true, false) => text.starts_with(middle),
        (false, true) => text.ends_with(middle),
        (false, false) => text.contains(middle),
    }
}

fn name(value: &Bson) -> &'static str {
    match value {
        Bson::Null => "null",
        Bson::Int32(_) => "int",
        Bson::Int64(_) => "long",
        Bson::Double(_) => "double",
        Bson::String(_) => "string",
        Bson::Document(_) => "object",
        Bson::Array(_) => "array",
        Bson::Boolean(_) => "bool",
        _ => "other",
    }
}
