//! Arithmetic. What is null or nothing makes the result null.

use bson::{Bson, DateTime};

use super::{Arguments, Operator, Outcome, Value, is_absent};
use crate::data::number::{self, is_number, narrow, real};

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$add", arguments: Arguments::Listed(0, usize::MAX), apply: add },
    Operator { name: "$subtract", arguments: Arguments::Listed(2, 2), apply: subtract },
    Operator { name: "$multiply", arguments: Arguments::Listed(0, usize::MAX), apply: multiply },
    Operator { name: "$divide", arguments: Arguments::Listed(2, 2), apply: divide },
    Operator { name: "$mod", arguments: Arguments::Listed(2, 2), apply: modulo },
    Operator { name: "$abs", arguments: Arguments::Listed(1, 1), apply: abs },
    Operator { name: "$ceil", arguments: Arguments::Listed(1, 1), apply: |given| rounded(given, f64::ceil) },
    Operator {
        name: "$floor",
        arguments: Arguments::Listed(1, 1),
        apply: |given| rounded(given, f64::floor),
    },
    Operator {
        name: "$round",
        arguments: Arguments::Listed(1, 2),
        apply: |given| to_place(given, f64::round_ties_even),
    },
    Operator {
        name: "$trunc",
        arguments: Arguments::Listed(1, 2),
        apply: |given| to_place(given, f64::trunc),
    },
    Operator {
        name: "$sqrt",
        arguments: Arguments::Listed(1, 1),
        apply: |given| of_double(given, f64::sqrt),
    },
    Operator { name: "$exp", arguments: Arguments::Listed(1, 1), apply: |given| of_double(given, f64::exp) },
    Operator { name: "$ln", arguments: Arguments::Listed(1, 1), apply: |given| of_double(given, f64::ln) },
    Operator {
        name: "$log10",
        arguments: Arguments::Listed(1, 1),
        apply: |given| of_double(given, f64::log10),
    },
    Operator { name: "$log", arguments: Arguments::Listed(2, 2), apply: |given| of_two(given, f64::log) },
    Operator { name: "$pow", arguments: Arguments::Listed(2, 2), apply: power },
    Operator {
        name: "$sum",
        arguments: Arguments::Listed(1, usize::MAX),
        apply: |given| Ok(Some(sum(&flat(given)))),
    },
    Operator {
        name: "$avg",
        arguments: Arguments::Listed(1, usize::MAX),
        apply: |given| Ok(Some(average(&flat(given)))),
    },
];

const NULL: Outcome = Ok(Some(Bson::Null));

pub(super) fn flat(given: &[Value]) -> Vec<Bson> {
    match given {
        [Some(Bson::Array(elements))] => elements.clone(),
        given => given.iter().flatten().cloned().collect(),
    }
}

/// The sum of the numbers among the values.
pub(in crate::data) fn sum(values: &[Bson]) -> Bson {
    values.iter().filter(|value| is_number(value)).fold(Bson::Int32(0), |sum, value| plus(&sum, value))
}

/// The mean of the numbers among the values; null where there is none.
#[expect(clippy::cast_precision_loss, reason = "so many values there are not")]
pub(in crate::data) fn average(values: &[Bson]) -> Bson {
    let numbers: Vec<f64> = values.iter().filter_map(real).collect();
    if numbers.is_empty() {
        return Bson::Null;
    }
    match real(&sum(values)) {
        Some(sum) => Bson::Double(sum / numbers.len() as f64),
        None => Bson::Null,
    }
}

/// The sum of two numbers; where 64 bits do not hold it, the nearest double.
fn plus(one: &Bson, other: &Bson) -> Bson {
    number::add(one, other)
        .unwrap_or_else(|_| Bson::Double(real(one).unwrap_or_default() + real(other).unwrap_or_default()))
}

fn add(given: &[Value]) -> Outcome {
    if given.iter().any(is_absent) {
        return NULL;
    }
    let mut sum = Bson::Int32(0);
    let mut date = None;
    for value in given.iter().flatten() {
        match value {
            Bson::DateTime(_) if date.is_some() => return Err("only one date is allowed".to_owned()),
            Bson::DateTime(found) => date = Some(*found),
            value if is_number(value) => sum = plus(&sum, value),
            other => return Err(format!("only numbers and dates are supported, not {other}")),
        }
    }
    Ok(Some(match date {
        Some(date) => later(date, &sum)?,
        None => sum,
    }))
}

#[expect(clippy::cast_possible_truncation, reason = "a date has whole milliseconds")]
fn later(date: DateTime, milliseconds: &Bson) -> Result<Bson, String> {
    let by = real(milliseconds).unwrap_or_default().round() as i64;
    let moved = date.timestamp_millis().checked_add(by).ok_or("the date would be out of range")?;
    Ok(Bson::DateTime(DateTime::from_millis(moved)))
}

fn subtract(given: &[Value]) -> Outcome {
    match given {
        [Some(Bson::DateTime(one)), Some(Bson::DateTime(other))] => {
            Ok(Some(Bson::Int64(one.timestamp_millis().saturating_sub(other.timestamp_millis()))))
        }
        [Some(Bson::DateTime(date)), Some(by)] if is_number(by) => {
            let by = number::subtract(&Bson::Int32(0), by).map_err(str::to_owned)?;
            later(*date, &by).map(Some)
        }
        given => of_numbers(given, number::subtract),
    }
}

fn multiply(given: &[Value]) -> Outcome {
    if given.iter().any(is_absent) {
        return NULL;
    }
    let mut product = Bson::Int32(1);
    for value in given.iter().flatten() {
        product = number::multiply(&product, value).map_err(str::to_owned)?;
    }
    Ok(Some(product))
}

fn of_numbers(given: &[Value], apply: fn(&Bson, &Bson) -> Result<Bson, &'static str>) -> Outcome {
    match given {
        [Some(one), Some(other)] if !given.iter().any(is_absent) => {
            apply(one, other).map(Some).map_err(str::to_owned)
        }
        _ => NULL,
    }
}

fn is_decimal(given: &[Value]) -> bool {
    given.iter().flatten().any(|value| matches!(value, Bson::Decimal128(_)))
}

/// Of doubles; what would be inexact on decimals is refused.
fn of_two(given: &[Value], apply: fn(f64, f64) -> f64) -> Outcome {
    if given.iter().any(is_absent) {
        return NULL;
    }
    if is_decimal(given) {
        return Err("decimals are not supported here".to_owned());
    }
    match given {
        [Some(one), Some(other)] => match (real(one), real(other)) {
            (Some(one), Some(other)) => Ok(Some(Bson::Double(apply(one, other)))),
            _ => Err("only numbers are supported".to_owned()),
        },
        _ => NULL,
    }
}

fn of_double(given: &[Value], apply: fn(f64) -> f64) -> Outcome {
    match given {
        [Some(value)] if !is_absent(&given.first().cloned().flatten()) => match real(value) {
            _ if is_decimal(given) => Err("decimals are not supported here".to_owned()),
            Some(real) => Ok(Some(Bson::Double(apply(real)))),
            None => Err(format!("only numbers are supported, not {value}")),
        },
        _ => NULL,
    }
}

fn divide(given: &[Value]) -> Outcome {
    if let [_, Some(divisor)] = given
        && real(divisor) == Some(0.0)
        && !given.iter().any(is_absent)
    {
        return Err("can't divide by zero".to_owned());
    }
    of_two(given, |one, other| one / other)
}

fn modulo(given: &[Value]) -> Outcome {
    match given {
        [Some(_), Some(divisor)] if real(divisor) == Some(0.0) => Err("can't divide by zero".to_owned()),
        [Some(one), Some(other)] => match (number::integer(one), number::integer(other)) {
            (Some(a), Some(b)) => {
                let left = a.checked_rem(b).unwrap_or(0);
                let is_narrow = matches!((one, other), (Bson::Int32(_), Bson::Int32(_)));
                Ok(Some(if is_narrow { narrow(left) } else { Bson::Int64(left) }))
            }
            _ => of_two(given, |one, other| one % other),
        },
        _ => NULL,
    }
}

fn abs(given: &[Value]) -> Outcome {
    match given {
        [Some(Bson::Int32(value))] => Ok(Some(narrow(i64::from(*value).abs()))),
        [Some(Bson::Int64(value))] => value
            .checked_abs()
            .map(|value| Some(Bson::Int64(value)))
            .ok_or_else(|| number::OVERFLOW.to_owned()),
        given => of_double(given, f64::abs),
    }
}

fn rounded(given: &[Value], apply: fn(f64) -> f64) -> Outcome {
    match given {
        [Some(whole @ (Bson::Int32(_) | Bson::Int64(_)))] => Ok(Some(whole.clone())),
        given => of_double(given, apply),
    }
}

/// To so many decimal places, or with a negative number before the point.
fn to_place(given: &[Value], apply: fn(f64) -> f64) -> Outcome {
    let (value, place) = match given {
        [value] => (value, 0),
        [value, place] if !is_absent(place) => {
            let place = place.as_ref().and_then(number::whole).filter(|place| (-20..=100).contains(place));
            (value, place.ok_or("the place must be a whole number from -20 to 100")?)
        }
        _ => return NULL,
    };
    let alone = std::slice::from_ref(value);
    if place == 0 {
        return rounded(alone, apply);
    }
    if place > 0 && matches!(value, Some(Bson::Int32(_) | Bson::Int64(_))) {
        return Ok(value.clone());
    }
    let factor = 10_f64.powi(i32::try_from(place).unwrap_or_default());
    let result = of_double(alone, |real| real)?;
    let Some(Bson::Double(real)) = result else { return Ok(result) };
    let result = apply(real * factor) / factor;
    Ok(Some(match value {
        Some(Bson::Int32(_) | Bson::Int64(_)) => {
            number::whole(&Bson::Double(result)).map_or(Bson::Double(result), narrow)
        }
        _ => Bson::Double(result),
    }))
}

fn power(given: &[Value]) -> Outcome {
    if let [Some(base), Some(exponent)] = given
        && let (Some(whole), Some(exponent)) = (number::integer(base), number::integer(exponent))
        && let Ok(exponent) = u32::try_from(exponent)
        && let Some(power) = whole.checked_pow(exponent)
    {
        return Ok(Some(if matches!(base, Bson::Int32(_)) { narrow(power) } else { Bson::Int64(power) }));
    }
    of_two(given, f64::powf)
}
