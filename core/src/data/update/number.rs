//! `$inc` and `$mul`.
//!
//! The result is of the wider type; a 32-bit integer that is too small becomes a 64-bit one, and a 64-bit one is never
//! passed silently.

use bson::Bson;

use crate::data::decimal;

type Outcome = Result<Bson, &'static str>;

const OVERFLOW: &str = "the result would be outside of the range of its type";

/// The sum; what is not there counts as zero.
pub(super) fn add(value: Option<&Bson>, by: &Bson) -> Outcome {
    let Some(value) = value else { return Ok(by.clone()) };
    calculate(value, by, (i64::checked_add, |a, b| a + b, decimal::add))
}

/// The product; what is not there counts as zero.
pub(super) fn multiply(value: Option<&Bson>, by: &Bson) -> Outcome {
    let calculation: Calculation = (i64::checked_mul, |a, b| a * b, decimal::multiply);
    match (value, by) {
        (Some(value), by) => calculate(value, by, calculation),
        (None, by) => calculate(&Bson::Int32(0), by, calculation),
    }
}

type Calculation =
    (fn(i64, i64) -> Option<i64>, fn(f64, f64) -> f64, fn(&Bson, &Bson) -> Option<bson::Decimal128>);

fn calculate(value: &Bson, by: &Bson, (whole, double, exact): Calculation) -> Outcome {
    match (value, by) {
        (Bson::Int32(a), Bson::Int32(b)) => {
            let result = whole(i64::from(*a), i64::from(*b)).ok_or(OVERFLOW)?;
            Ok(i32::try_from(result).map_or(Bson::Int64(result), Bson::Int32))
        }
        (Bson::Decimal128(_), _) | (_, Bson::Decimal128(_)) if is_number(value) => {
            exact(value, by).map(Bson::Decimal128).ok_or(OVERFLOW)
        }
        _ => match (integer(value), integer(by)) {
            (Some(a), Some(b)) => whole(a, b).map(Bson::Int64).ok_or(OVERFLOW),
            _ => match (real(value), real(by)) {
                (Some(a), Some(b)) => Ok(Bson::Double(double(a, b))),
                _ => Err("it holds no number"),
            },
        },
    }
}

pub(super) fn is_number(value: &Bson) -> bool {
    matches!(value, Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) | Bson::Decimal128(_))
}

fn integer(value: &Bson) -> Option<i64> {
    match value {
        Bson::Int32(value) => Some(i64::from(*value)),
        Bson::Int64(value) => Some(*value),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "what is calculated with a double is a double")]
fn real(value: &Bson) -> Option<f64> {
    match value {
        Bson::Double(value) => Some(*value),
        other => integer(other).map(|whole| whole as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wider_type_is_kept_and_nothing_overflows_silently() {
        let decimal = |text: &str| Bson::Decimal128(text.parse().unwrap());
        for (value, by, sum, product) in [
            (Some(Bson::Int32(2)), Bson::Int32(3), Some(Bson::Int32(5)), Some(Bson::Int32(6))),
            (
                Some(Bson::Int32(i32::MAX)),
                Bson::Int32(1),
                Some(Bson::Int64(1 << 31)),
                Some(Bson::Int32(i32::MAX)),
            ),
            (Some(Bson::Int64(i64::MAX)), Bson::Int32(2), None, None),
            (Some(Bson::Int32(1)), Bson::Double(0.5), Some(Bson::Double(1.5)), Some(Bson::Double(0.5))),
            (Some(decimal("0.1")), Bson::Int32(2), Some(decimal("2.1")), Some(decimal("0.2"))),
            (None, Bson::Int64(4), Some(Bson::Int64(4)), Some(Bson::Int64(0))),
            (None, Bson::Double(4.0), Some(Bson::Double(4.0)), Some(Bson::Double(0.0))),
            (Some(Bson::Null), Bson::Int32(1), None, None),
            (Some(Bson::from("1")), decimal("1"), None, None),
        ] {
            assert_eq!(add(value.as_ref(), &by).ok(), sum, "{value:?} + {by}");
            assert_eq!(multiply(value.as_ref(), &by).ok(), product, "{value:?} * {by}");
        }
    }
}
