//! Input values of the scalars (GraphQL, section 3.5): what is accepted, and what is stored.
//!
//! 1. `Int` takes integers of 32 bits; `Float` takes integers too, and no other type.
//! 2. `Long` takes an integer or a string of one; `ObjectId` 24 hexadecimal digits.
//! 3. `DateTime` takes RFC 3339 with an offset and keeps milliseconds in UTC.
//! 4. JSON has one type of number: `1.0` in a variable is an integer.

use bson::oid::ObjectId;
use bson::{Bson, DateTime, Decimal128, Timestamp};

use super::catalog::Scalar;

/// A scalar as it was sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum RawScalar<'a> {
    Boolean(bool),
    Int(i64),
    /// From a variable a whole number may come as a float.
    Float {
        value: f64,
        json: bool,
    },
    String(&'a str),
}

impl RawScalar<'_> {
    /// What it is, for messages.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Boolean(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float { .. } => "a float",
            Self::String(_) => "a string",
        }
    }

    /// The value to store; `None` when it does not fit.
    pub(crate) fn parse(self, scalar: Scalar) -> Option<Bson> {
        match scalar {
            Scalar::String => self.string().map(|text| Bson::String(text.to_owned())),
            Scalar::Boolean => match self {
                Self::Boolean(value) => Some(Bson::Boolean(value)),
                _ => None,
            },
            Scalar::Int => i32::try_from(self.integer()?).ok().map(Bson::Int32),
            Scalar::Long => self
                .integer()
                .or_else(|| self.string().and_then(|text| text.parse::<i64>().ok()))
                .map(Bson::Int64),
            Scalar::Float => self.float().map(Bson::Double),
            Scalar::Decimal => match self {
                Self::Int(value) => value.to_string().parse::<Decimal128>().ok().map(Bson::Decimal128),
                _ => self.float().and_then(decimal),
            },
            Scalar::ObjectId => {
                let text = self.string().filter(|text| text.len() == 24)?;
                ObjectId::parse_str(text).ok().map(Bson::ObjectId)
            }
            Scalar::DateTime => self.instant().map(|at| Bson::DateTime(DateTime::from_millis(at))),
            Scalar::Timestamp => timestamp(self.instant()?),
        }
    }

    fn string(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "whole and within 53 bits")]
    fn integer(self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(value),
            Self::Float { value, json: true } if value.fract() == 0.0 && value.abs() < 9.0e15 => {
                Some(value as i64)
            }
            _ => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a Float is a double (GraphQL, section 3.5.2)")]
    fn float(self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(value as f64),
            Self::Float { value, .. } if value.is_finite() => Some(value),
            _ => None,
        }
    }

    fn instant(self) -> Option<i64> {
        chrono::DateTime::parse_from_rfc3339(self.string()?).ok().map(|at| at.timestamp_millis())
    }
}

/// A value of one scalar type for another that has the same GraphQL name.
pub(crate) fn adapt(value: &Bson, scalar: Scalar) -> Option<Bson> {
    match (scalar, value) {
        (Scalar::Decimal, Bson::Double(value)) => decimal(*value),
        (Scalar::Timestamp, Bson::DateTime(at)) => timestamp(at.timestamp_millis()),
        _ => Some(value.clone()),
    }
}

fn decimal(value: f64) -> Option<Bson> {
    value.to_string().parse::<Decimal128>().ok().map(Bson::Decimal128)
}

fn timestamp(millis: i64) -> Option<Bson> {
    let time = u32::try_from(millis.div_euclid(1000)).ok()?;
    Some(Bson::Timestamp(Timestamp { time, increment: 0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(&'static str) -> RawScalar<'static> = RawScalar::String;

    fn json(value: f64) -> RawScalar<'static> {
        RawScalar::Float { value, json: true }
    }

    #[test]
    fn each_scalar_stores_its_bson_type() {
        let id = ObjectId::parse_str("65a000000000000000000001").unwrap();
        for (raw, scalar, stored) in [
            (S("a"), Scalar::String, Bson::String("a".into())),
            (RawScalar::Int(-5), Scalar::Int, Bson::Int32(-5)),
            (json(3.0), Scalar::Int, Bson::Int32(3)),
            (RawScalar::Int(1 << 40), Scalar::Long, Bson::Int64(1 << 40)),
            (S("-9223372036854775808"), Scalar::Long, Bson::Int64(i64::MIN)),
            (RawScalar::Int(2), Scalar::Float, Bson::Double(2.0)),
            (json(0.1), Scalar::Decimal, Bson::Decimal128("0.1".parse().unwrap())),
            (RawScalar::Boolean(true), Scalar::Boolean, Bson::Boolean(true)),
            (S("65a000000000000000000001"), Scalar::ObjectId, Bson::ObjectId(id)),
            (
                S("2024-01-02T03:04:05.678+02:00"),
                Scalar::DateTime,
                Bson::DateTime(DateTime::from_millis(1_704_157_445_678)),
            ),
            (
                S("1970-01-01T00:01:00Z"),
                Scalar::Timestamp,
                Bson::Timestamp(Timestamp { time: 60, increment: 0 }),
            ),
        ] {
            assert_eq!(raw.parse(scalar), Some(stored), "{raw:?} as {scalar:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (raw, scalar) in [
            (RawScalar::Int(1), Scalar::String),
            (RawScalar::Int(2_147_483_648), Scalar::Int),
            (json(1.5), Scalar::Int),
            (RawScalar::Float { value: 1.0, json: false }, Scalar::Int),
            (S("1"), Scalar::Int),
            (S("1.5"), Scalar::Long),
            (S("1"), Scalar::Float),
            (S("true"), Scalar::Boolean),
            (RawScalar::Int(1), Scalar::Boolean),
            (S("65a0"), Scalar::ObjectId),
            (S("65a00000000000000000000g"), Scalar::ObjectId),
            (S("2024-01-02"), Scalar::DateTime),
            (S("2024-01-02T03:04:05"), Scalar::DateTime),
            (RawScalar::Int(0), Scalar::DateTime),
        ] {
            assert_eq!(raw.parse(scalar), None, "{raw:?} as {scalar:?}");
        }
    }
}
