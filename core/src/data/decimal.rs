//! Exact arithmetic of decimals, for increments.

use bson::{Bson, Decimal128};

/// Digits that a decimal holds.
const DIGITS: u32 = 34;

/// The exact sum; `None` when it has more than 34 digits or a side is no finite number.
pub(crate) fn add(a: &Bson, b: &Bson) -> Option<Decimal128> {
    let ((a, a_exponent), (b, b_exponent)) = (parts(a)?, parts(b)?);
    let exponent = a_exponent.min(b_exponent);
    let widen = |digits: i128, from: i32| {
        let by = u32::try_from(from.checked_sub(exponent)?).ok()?;
        if digits == 0 { Some(0) } else { digits.checked_mul(10_i128.checked_pow(by)?) }
    };
    decimal(widen(a, a_exponent)?.checked_add(widen(b, b_exponent)?)?, exponent)
}

/// The exact product; `None` as for [`add`].
pub(crate) fn multiply(a: &Bson, b: &Bson) -> Option<Decimal128> {
    let ((a, a_exponent), (b, b_exponent)) = (parts(a)?, parts(b)?);
    decimal(a.checked_mul(b)?, a_exponent.checked_add(b_exponent)?)
}

fn decimal(coefficient: i128, exponent: i32) -> Option<Decimal128> {
    if coefficient.unsigned_abs() >= 10_u128.pow(DIGITS) {
        return None;
    }
    format!("{coefficient}E{exponent}").parse().ok()
}

/// Coefficient and exponent.
fn parts(value: &Bson) -> Option<(i128, i32)> {
    let text = match value {
        Bson::Decimal128(value) => value.to_string(),
        Bson::Int32(value) => value.to_string(),
        Bson::Int64(value) => value.to_string(),
        Bson::Double(value) => value.to_string(),
        _ => return None,
    };
    let (digits, exponent) = match text.split_once(['E', 'e']) {
        Some((digits, exponent)) => (digits, exponent.parse().ok()?),
        None => (text.as_str(), 0_i32),
    };
    let fraction = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let coefficient = digits.replace('.', "").parse().ok()?;
    Some((coefficient, exponent.checked_sub(i32::try_from(fraction).ok()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_or_refused() {
        for (a, b, sum) in [
            ("0.1", "0.2", Some("0.3")),
            ("1E+3", "1", Some("1001")),
            ("-1.50", "1.5", Some("0.00")),
            ("9999999999999999999999999999999999", "1", None),
            ("1E+60", "1", None),
            ("NaN", "1", None),
        ] {
            let decimal = |text: &str| Bson::Decimal128(text.parse().unwrap());
            let got = add(&decimal(a), &decimal(b)).map(|sum| sum.to_string());
            assert_eq!(got.as_deref(), sum, "{a} + {b}");
        }
    }

    #[test]
    fn products_are_exact_or_refused() {
        let decimal = |text: &str| Bson::Decimal128(text.parse().unwrap());
        assert_eq!(multiply(&decimal("1.5"), &Bson::Int32(-3)), Some("-4.5".parse().unwrap()));
        assert_eq!(multiply(&decimal("9999999999999999999"), &decimal("9999999999999999999")), None);
    }
}
