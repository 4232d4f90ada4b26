//! Types and conversions.

use bson::oid::ObjectId;
use bson::{Bson, DateTime};

use super::{Arguments, Operator, Outcome, Value, is_absent, is_true};
use crate::data::number::{is_number, real};
use crate::filter::Types;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$type", arguments: Arguments::Listed(1, 1), apply: type_name },
    Operator { name: "$isNumber", arguments: Arguments::Listed(1, 1), apply: is_a_number },
    Operator { name: "$toString", arguments: Arguments::Listed(1, 1), apply: |given| to(given, "string") },
    Operator { name: "$toInt", arguments: Arguments::Listed(1, 1), apply: |given| to(given, "int") },
    Operator { name: "$toLong", arguments: Arguments::Listed(1, 1), apply: |given| to(given, "long") },
    Operator { name: "$toDouble", arguments: Arguments::Listed(1, 1), apply: |given| to(given, "double") },
    Operator { name: "$toDecimal", arguments: Arguments::Listed(1, 1), apply: |given| to(given, "decimal") },
    Operator { name: "$toBool", arguments: Arguments::Listed(1, 1), apply: |given| to(given, "bool") },
    Operator { name: "$toDate", arguments: Arguments::Listed(1, 1), apply: |given| to(given, "date") },
    Operator {
        name: "$toObjectId",
        arguments: Arguments::Listed(1, 1),
        apply: |given| to(given, "objectId"),
    },
    Operator {
        name: "$convert",
        arguments: Arguments::Named(2, &["input", "to", "onError", "onNull"]),
        apply: convert,
    },
];

fn type_name(given: &[Value]) -> Outcome {
    let name = match given {
        [Some(value)] => Types::name_of(value.element_type()),
        _ => "missing",
    };
    Ok(Some(Bson::from(name)))
}

fn is_a_number(given: &[Value]) -> Outcome {
    Ok(Some(Bson::Boolean(matches!(given, [Some(value)] if is_number(value)))))
}

fn to(given: &[Value], wanted: &str) -> Outcome {
    match given {
        [Some(value)] if *value != Bson::Null => converted(value, wanted).map(Some),
        _ => Ok(Some(Bson::Null)),
    }
}

fn convert(given: &[Value]) -> Outcome {
    let [input, wanted, on_error, on_null] = given else { return Ok(None) };
    let Some(Bson::String(wanted)) = wanted else { return Err("'to' must be the name of a type".to_owned()) };
    match input {
        input if is_absent(input) => Ok(Some(on_null.clone().unwrap_or(Bson::Null))),
        Some(input) => match (converted(input, wanted), on_error) {
            (Err(_), Some(instead)) => Ok(Some(instead.clone())),
            (result, _) => result.map(Some),
        },
        None => Ok(Some(Bson::Null)),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn converted(value: &Bson, wanted: &str) -> Result<Bson, String> {
    let whole = |most: f64| match value {
        Bson::String(text) => text.parse::<i64>().ok(),
        Bson::Boolean(value) => Some(i64::from(*value)),
        Bson::Int32(value) => Some(i64::from(*value)),
        Bson::Int64(value) => Some(*value),
        Bson::DateTime(value) => Some(value.timestamp_millis()),
        value => real(value).map(f64::trunc).filter(|real| real.abs() < most).map(|real| real as i64),
    };
    let result = match wanted {
        "string" => text(value).map(Bson::String),
        "bool" => Some(Bson::Boolean(is_true(&Some(value.clone())))),
        "int" => whole(4e9).and_then(|whole| i32::try_from(whole).ok()).map(Bson::Int32),
        "long" => whole(9.2e18).map(Bson::Int64),
        "double" => double(value).map(Bson::Double),
        "decimal" => match value {
            Bson::Decimal128(_) => Some(value.clone()),
            value => text(value).and_then(|text| text.parse().ok()).map(Bson::Decimal128),
        },
        "date" => date(value).map(Bson::DateTime),
        "objectId" => match value {
            Bson::ObjectId(_) => Some(value.clone()),
            Bson::String(text) => ObjectId::parse_str(text).ok().map(Bson::ObjectId),
            _ => None,
        },
        other => return Err(format!("'{other}' is no type to convert to")),
    };
    result.ok_or_else(|| format!("{value} cannot be converted to {wanted}"))
}

fn text(value: &Bson) -> Option<String> {
    Some(match value {
        Bson::String(text) => text.clone(),
        Bson::Boolean(value) => value.to_string(),
        Bson::Int32(value) => value.to_string(),
        Bson::Int64(value) => value.to_string(),
        Bson::Double(value) => value.to_string(),
        Bson::Decimal128(value) => value.to_string(),
        Bson::ObjectId(id) => id.to_hex(),
        Bson::DateTime(date) => super::date::iso(*date),
        _ => return None,
    })
}

#[expect(clippy::cast_precision_loss, reason = "the nearest double is what is asked for")]
fn double(value: &Bson) -> Option<f64> {
    match value {
        Bson::String(text) => text.parse().ok(),
        Bson::Boolean(value) => Some(f64::from(u8::from(*value))),
        Bson::DateTime(value) => Some(value.timestamp_millis() as f64),
        value => real(value),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn date(value: &Bson) -> Option<DateTime> {
    match value {
        Bson::DateTime(value) => Some(*value),
        Bson::Int64(value) => Some(DateTime::from_millis(*value)),
        Bson::Double(_) | Bson::Decimal128(_) => {
            real(value).filter(|real| real.abs() < 9e15).map(|real| DateTime::from_millis(real as i64))
        }
        Bson::ObjectId(id) => Some(id.timestamp()),
        Bson::String(text) => super::date::parsed(text),
        _ => None,
    }
}
