//! Arithmetic on BSON numbers.
//!
//! The result is of the wider type; a 32-bit integer that is too small becomes a 64-bit one, and a 64-bit one is never
//! passed silently.

use bson::{Bson, Decimal128};

use super::decimal;

type Outcome = Result<Bson, &'static str>;

/// What is said where the type has no room.
pub(crate) const OVERFLOW: &str = "the result would be outside of the range of its type";

/// How two whole numbers, two doubles and two decimals are combined.
type Calculation = (fn(i64, i64) -> Option<i64>, fn(f64, f64) -> f64, fn(&Bson, &Bson) -> Option<Decimal128>);

/// The sum.
pub(crate) fn add(value: &Bson, by: &Bson) -> Outcome {
    calculate(value, by, (i64::checked_add, |a, b| a + b, decimal::add))
}

/// The difference.
pub(crate) fn subtract(value: &Bson, by: &Bson) -> Outcome {
    let exact =
        |a: &Bson, b: &Bson| decimal::add(a, &Bson::Decimal128(decimal::multiply(b, &Bson::Int32(-1))?));
    calculate(value, by, (i64::checked_sub, |a, b| a - b, exact))
}

/// The product.
pub(crate) fn multiply(value: &Bson, by: &Bson) -> Outcome {
    calculate(value, by, (i64::checked_mul, |a, b| a * b, decimal::multiply))
}

fn calculate(value: &Bson, by: &Bson, (whole, double, exact): Calculation) -> Outcome {
    match (value, by) {
        (Bson::Int32(a), Bson::Int32(b)) => {
            let result = whole(i64::from(*a), i64::from(*b)).ok_or(OVERFLOW)?;
            Ok(narrow(result))
        }
        (Bson::Decimal128(_), _) | (_, Bson::Decimal128(_)) if is_number(value) && is_number(by) => {
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

/// A whole number in as few bits as hold it.
pub(crate) fn narrow(value: i64) -> Bson {
    i32::try_from(value).map_or(Bson::Int64(value), Bson::Int32)
}

/// Whether it is a number of any type.
pub(crate) fn is_number(value: &Bson) -> bool {
    matches!(value, Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) | Bson::Decimal128(_))
}

/// The value of a number that has no fraction by its type.
pub(crate) fn integer(value: &Bson) -> Option<i64> {
    match value {
        Bson::Int32(value) => Some(i64::from(*value)),
        Bson::Int64(value) => Some(*value),
        _ => None,
    }
}

/// A number as the nearest double; `None` for what is none. A decimal is taken as its nearest double.
#[expect(clippy::cast_precision_loss, reason = "the nearest double is what is asked for")]
pub(crate) fn real(value: &Bson) -> Option<f64> {
    match value {
        Bson::Double(value) => Some(*value),
        Bson::Decimal128(value) => value.to_string().parse().ok(),
        other => integer(other).map(|whole| whole as f64),
    }
}

/// A number of any type that has no fraction and fits.
#[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is within the range")]
pub(crate) fn whole(value: &Bson) -> Option<i64> {
    match value {
        Bson::Double(_) | Bson::Decimal128(_) => {
            real(value).filter(|real| real.fract() == 0.0 && real.abs() < 9.2e18).map(|real| real as i64)
        }
        other => integer(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wider_type_is_kept_and_nothing_overflows_silently() {
        let decimal = |text: &str| Bson::Decimal128(text.parse().unwrap());
        for (value, by, sum, product) in [
            (Bson::Int32(2), Bson::Int32(3), Some(Bson::Int32(5)), Some(Bson::Int32(6))),
            (Bson::Int32(i32::MAX), Bson::Int32(1), Some(Bson::Int64(1 << 31)), Some(Bson::Int32(i32::MAX))),
            (Bson::Int64(i64::MAX), Bson::Int32(2), None, None),
            (Bson::Int32(1), Bson::Double(0.5), Some(Bson::Double(1.5)), Some(Bson::Double(0.5))),
            (decimal("0.1"), Bson::Int32(2), Some(decimal("2.1")), Some(decimal("0.2"))),
            (Bson::Null, Bson::Int32(1), None, None),
            (Bson::from("1"), decimal("1"), None, None),
        ] {
            assert_eq!(add(&value, &by).ok(), sum, "{value:?} + {by}");
            assert_eq!(multiply(&value, &by).ok(), product, "{value:?} * {by}");
        }
        assert_eq!(subtract(&decimal("1.5"), &Bson::Int32(1)), Ok(decimal("0.5")));
        assert_eq!((whole(&Bson::Double(3.0)), whole(&Bson::Double(3.5))), (Some(3), None));
    }
}
