//! `multipleOf`, exactly: a price of 0.3 is a multiple of 0.1.
//!
//! A number counts as the decimal that it is written as: the shortest one that reads as the same double. Where its
//! digits and those of the divisor do not fit into 128 bits together, the quotient may be off by a billionth.

use bson::Bson;

/// How far a quotient may be from a whole number where it cannot be computed exactly.
const TOLERANCE: f64 = 1e-9;

/// A divisor.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Multiple {
    divisor: Decimal,
    nearest: f64,
}

/// `digits × 10^exponent`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Decimal {
    digits: i128,
    exponent: i32,
}

impl Multiple {
    /// Of this number; `None` when it is not above zero.
    pub(super) fn of(number: f64) -> Option<Self> {
        let divisor = Decimal::read(&number.to_string())?;
        (number > 0.0 && number.is_finite()).then_some(Self { divisor, nearest: number })
    }

    /// Whether a number is a multiple. No number that is not finite is one.
    pub(super) fn divides(&self, number: &Bson) -> bool {
        let text = match number {
            Bson::Int32(value) => value.to_string(),
            Bson::Int64(value) => value.to_string(),
            Bson::Double(value) => value.to_string(),
            Bson::Decimal128(value) => value.to_string(),
            _ => return true,
        };
        let exact = Decimal::read(&text).and_then(|value| value.is_multiple_of(self.divisor));
        exact.unwrap_or_else(|| {
            let quotient = text.parse::<f64>().unwrap_or(f64::NAN) / self.nearest;
            (quotient - quotient.round()).abs() <= TOLERANCE
        })
    }

    /// The divisor as it is shown.
    pub(super) fn shown(&self) -> f64 {
        self.nearest
    }
}

impl Decimal {
    /// `-12.5`, `1E-7`; `None` for what is no finite number or does not fit.
    fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}").parse::<i128>().ok()?;
        let places = i32::try_from(fraction.len()).ok()?;
        Some(Self { digits, exponent: exponent.checked_sub(places)? })
    }

    /// `None` when the two do not fit together.
    fn is_multiple_of(self, divisor: Self) -> Option<bool> {
        if self.digits == 0 {
            return Some(true);
        }
        let common = self.exponent.min(divisor.exponent);
        let widen = |one: Self| {
            let by = u32::try_from(one.exponent.checked_sub(common)?).ok()?;
            one.digits.checked_mul(10_i128.checked_pow(by)?)
        };
        widen(self)?.checked_rem(widen(divisor)?).map(|rest| rest == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_are_exact_in_decimals() {
        let decimal = |text: &str| Bson::Decimal128(text.parse().unwrap());
        for (number, divisor, expected) in [
            (Bson::Int32(10), 5.0, true),
            (Bson::Int32(10), 3.0, false),
            (Bson::Int64(9_007_199_254_740_993), 3.0, true),
            (Bson::Int64(9_007_199_254_740_993), 2.0, false),
            (Bson::Double(0.3), 0.1, true),
            (Bson::Double(19.99), 0.01, true),
            (Bson::Double(19.995), 0.01, false),
            (Bson::Double(1e300), 0.1, true),
            (Bson::Double(f64::INFINITY), 1.0, false),
            (Bson::Double(f64::NAN), 1.0, false),
            (Bson::Double(0.0), 7.0, true),
            (decimal("0.30"), 0.1, true),
            (decimal("0.31"), 0.1, false),
            (Bson::Int32(-6), 1.5, true),
        ] {
            assert_eq!(Multiple::of(divisor).unwrap().divides(&number), expected, "{number} of {divisor}");
        }
        assert!([0.0, -1.0, f64::NAN, f64::INFINITY].into_iter().all(|bad| Multiple::of(bad).is_none()));
    }
}
