//! A stored value as the JSON of its GraphQL scalar.

use bson::{Bson, RawBsonRef};

use super::json;
use crate::graphql::catalog::Scalar;

/// Writes the value; false, with nothing written, when it does not fit the scalar.
pub(super) fn scalar(out: &mut Vec<u8>, scalar: Scalar, value: RawBsonRef<'_>) -> bool {
    match (scalar, value) {
        (Scalar::String, RawBsonRef::String(text) | RawBsonRef::Symbol(text)) => json::string(out, text),
        (Scalar::Boolean, RawBsonRef::Boolean(value)) => {
            out.extend_from_slice(if value { b"true" } else { b"false" });
        }
        (Scalar::ObjectId, RawBsonRef::ObjectId(id)) => json::hex(out, id.bytes()),
        (Scalar::Int, RawBsonRef::Int32(value)) => json::integer(out, i64::from(value)),
        (Scalar::Int, value) => match whole(value).filter(|value| i32::try_from(*value).is_ok()) {
            Some(value) => json::integer(out, value),
            None => return false,
        },
        (Scalar::Long, value) => match whole(value) {
            Some(value) => {
                out.push(b'"');
                json::integer(out, value);
                out.push(b'"');
            }
            None => return false,
        },
        (Scalar::Float | Scalar::Decimal, value) => return float(out, value),
        (Scalar::DateTime | Scalar::Timestamp, RawBsonRef::DateTime(at)) => {
            return json::date_time(out, at.timestamp_millis());
        }
        (Scalar::DateTime | Scalar::Timestamp, RawBsonRef::Timestamp(at)) => {
            return json::date_time(out, i64::from(at.time) * 1000);
        }
        _ => return false,
    }
    true
}

/// Writes an `_id` of whatever type: as its own scalar where it has one, else as extended JSON.
pub(crate) fn any_id(out: &mut Vec<u8>, id: &Bson) {
    match id {
        Bson::ObjectId(id) => json::hex(out, id.bytes()),
        Bson::String(text) => json::string(out, text),
        Bson::Int32(value) => json::integer(out, i64::from(*value)),
        other => out.extend_from_slice(other.clone().into_relaxed_extjson().to_string().as_bytes()),
    }
}

/// A count, which GraphQL's `Int` cannot always hold: the largest `Int` stands for more.
pub(crate) fn count(out: &mut Vec<u8>, count: usize) {
    json::integer(out, i64::from(i32::try_from(count).unwrap_or(i32::MAX)));
}

#[expect(clippy::cast_possible_truncation, reason = "whole and within the range of i64")]
fn whole(value: RawBsonRef<'_>) -> Option<i64> {
    match value {
        RawBsonRef::Int32(value) => Some(i64::from(value)),
        RawBsonRef::Int64(value) => Some(value),
        RawBsonRef::Double(value) if value.fract() == 0.0 && value.abs() < 9.2e18 => Some(value as i64),
        RawBsonRef::Decimal128(value) => value.to_string().parse().ok(),
        _ => None,
    }
}

fn float(out: &mut Vec<u8>, value: RawBsonRef<'_>) -> bool {
    match value {
        RawBsonRef::Double(value) if value.is_finite() => json::double(out, value),
        RawBsonRef::Int32(value) => json::integer(out, i64::from(value)),
        RawBsonRef::Int64(value) => json::integer(out, value),
        RawBsonRef::Decimal128(value) => {
            let text = value.to_string();
            // Its other forms, the infinities and "not a number", have letters that no number has.
            if text.bytes().any(|byte| byte.is_ascii_alphabetic() && byte != b'E') {
                return false;
            }
            out.extend_from_slice(text.as_bytes());
        }
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::{DateTime, Decimal128, RawBson, Timestamp, oid::ObjectId};

    fn written(kind: Scalar, value: impl Into<Bson>) -> Option<String> {
        let raw = RawBson::try_from(value.into()).unwrap();
        let mut out = Vec::new();
        let fits = scalar(&mut out, kind, raw.as_raw_bson_ref());
        assert!(fits || out.is_empty());
        fits.then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn each_scalar_has_its_json() {
        let decimal: Decimal128 = "12.30".parse().unwrap();
        for (kind, value, json) in [
            (Scalar::String, Bson::from("a\"b"), r#""a\"b""#),
            (Scalar::Int, Bson::Int32(-1), "-1"),
            (Scalar::Int, Bson::Int64(7), "7"),
            (Scalar::Int, Bson::Double(7.0), "7"),
            (Scalar::Long, Bson::Int64(i64::MIN), "\"-9223372036854775808\""),
            (Scalar::Long, Bson::Int32(1), "\"1\""),
            (Scalar::Float, Bson::Double(0.5), "0.5"),
            (Scalar::Float, Bson::Int32(2), "2"),
            (Scalar::Decimal, Bson::Decimal128(decimal), "12.30"),
            (Scalar::Boolean, Bson::Boolean(true), "true"),
            (Scalar::ObjectId, Bson::ObjectId(ObjectId::from_bytes([1; 12])), "\"010101010101010101010101\""),
            (Scalar::DateTime, Bson::DateTime(DateTime::from_millis(1)), "\"1970-01-01T00:00:00.001Z\""),
            (
                Scalar::Timestamp,
                Bson::Timestamp(Timestamp { time: 1, increment: 9 }),
                "\"1970-01-01T00:00:01.000Z\"",
            ),
        ] {
            assert_eq!(written(kind, value).as_deref(), Some(json));
        }
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        for (kind, value) in [
            (Scalar::String, Bson::Int32(1)),
            (Scalar::Int, Bson::Int64(1 << 31)),
            (Scalar::Int, Bson::Double(0.5)),
            (Scalar::Int, Bson::from("1")),
            (Scalar::Long, Bson::Double(1e300)),
            (Scalar::Float, Bson::Double(f64::NAN)),
            (Scalar::Float, Bson::Decimal128("Infinity".parse().unwrap())),
            (Scalar::Boolean, Bson::Int32(1)),
            (Scalar::ObjectId, Bson::from("010101010101010101010101")),
            (Scalar::DateTime, Bson::from("1970-01-01T00:00:00Z")),
        ] {
            assert_eq!(written(kind, value), None);
        }
    }
}
