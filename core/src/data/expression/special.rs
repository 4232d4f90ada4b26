//! Expressions that choose which of their parts are evaluated, or name values for them.

use bson::Bson;

use super::{Expression, Outcome, Scope, Value, is_absent, is_true};

pub(super) fn evaluate(expression: &Expression, scope: Scope<'_>) -> Outcome {
    match expression {
        Expression::And(parts) => all(parts, scope, true),
        Expression::Or(parts) => all(parts, scope, false),
        Expression::Switch(branches, otherwise) => {
            for (when, then) in branches {
                if is_true(&when.evaluate(scope)?) {
                    return then.evaluate(scope);
                }
            }
            match otherwise {
                Some(otherwise) => otherwise.evaluate(scope),
                None => Err("$switch could not find a matching branch and has no default".to_owned()),
            }
        }
        Expression::IfNull(parts) => {
            let mut last = None;
            for part in parts {
                last = part.evaluate(scope)?;
                if !is_absent(&last) {
                    break;
                }
            }
            Ok(last)
        }
        Expression::Let(named, inside) => {
            let mut variables = copied(scope)?;
            for (name, value) in named {
                variables.push((name.clone(), value.evaluate(scope)?));
            }
            inside.evaluate(Scope { variables: &variables, ..scope })
        }
        Expression::Filter(input, name, condition, limit) => {
            let most = match limit {
                None => usize::MAX,
                Some(limit) => match limit.evaluate(scope)? {
                    None | Some(Bson::Null) => usize::MAX,
                    Some(limit) => crate::data::number::whole(&limit)
                        .and_then(|limit| usize::try_from(limit).ok())
                        .ok_or("$filter: limit must be a whole number")?,
                },
            };
            let Some(elements) = elements("$filter", input, scope)? else { return Ok(Some(Bson::Null)) };
            let mut kept = Vec::new();
            for element in elements {
                if kept.len() >= most {
                    break;
                }
                if is_true(&with(name, Some(element.clone()), condition, scope)?) {
                    kept.push(element);
                }
            }
            Ok(Some(Bson::Array(kept)))
        }
        Expression::Map(input, name, inside) => {
            let Some(elements) = elements("$map", input, scope)? else { return Ok(Some(Bson::Null)) };
            let each = |element| Ok(with(name, Some(element), inside, scope)?.unwrap_or(Bson::Null));
            elements.into_iter().map(each).collect::<Result<_, String>>().map(|all| Some(Bson::Array(all)))
        }
        Expression::Reduce(input, initial, inside) => {
            let Some(elements) = elements("$reduce", input, scope)? else { return Ok(Some(Bson::Null)) };
            let mut value = initial.evaluate(scope)?;
            for element in elements {
                value.iter().try_for_each(|value| scope.budget.copied(value).map(drop))?;
                let mut variables = copied(scope)?;
                variables.push(("this".to_owned(), Some(element)));
                variables.push(("value".to_owned(), value));
                value = inside.evaluate(Scope { variables: &variables, ..scope })?;
            }
            Ok(value)
        }
        Expression::Literal(_)
        | Expression::Nothing
        | Expression::Path(..)
        | Expression::Document(_)
        | Expression::Array(_)
        | Expression::Operator(..) => expression.evaluate(scope),
    }
}

/// The variables that have a value, to add to.
fn copied(scope: Scope<'_>) -> Result<Vec<(String, Value)>, String> {
    for value in scope.variables.iter().filter_map(|(_, value)| value.as_ref()) {
        scope.budget.copied(value)?;
    }
    Ok(scope.variables.to_vec())
}

/// Whether all of them are true, or (`wanted` false) none is not: AND and OR, as far as it is needed.
fn all(parts: &[Expression], scope: Scope<'_>, wanted: bool) -> Outcome {
    for part in parts {
        if is_true(&part.evaluate(scope)?) != wanted {
            return Ok(Some(Bson::Boolean(!wanted)));
        }
    }
    Ok(Some(Bson::Boolean(wanted)))
}

fn elements(operator: &str, input: &Expression, scope: Scope<'_>) -> Result<Option<Vec<Bson>>, String> {
    match input.evaluate(scope)? {
        Some(Bson::Array(elements)) => Ok(Some(elements)),
        value if is_absent(&value) => Ok(None),
        _ => Err(format!("{operator}: the input must be an array")),
    }
}

fn with(name: &str, value: Value, inside: &Expression, scope: Scope<'_>) -> Outcome {
    let mut variables = copied(scope)?;
    variables.push((name.to_owned(), value));
    inside.evaluate(Scope { variables: &variables, ..scope })
}
