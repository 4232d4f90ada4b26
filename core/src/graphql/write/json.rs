//! JSON primitives, appended to a buffer.

use serde_json::ser::{CompactFormatter, Formatter};

/// A string with its quotes (RFC 8259, section 7).
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    // Most strings need no escape: they are found clean eight bytes at a time and copied whole.
    while let Some(at) = first_special(rest) {
        let (clean, tail) = rest.split_at(at);
        out.extend_from_slice(clean);
        if let Some((&byte, after)) = tail.split_first() {
            escape(out, byte);
            rest = after;
        }
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// An integer.
pub(super) fn integer(out: &mut Vec<u8>, value: i64) {
    // Writing to a vector cannot fail.
    let _ = CompactFormatter.write_i64(out, value);
}

/// A finite double.
pub(super) fn double(out: &mut Vec<u8>, value: f64) {
    let _ = CompactFormatter.write_f64(out, value);
}

/// Bytes as a string of hexadecimal digits.
pub(super) fn hex<const N: usize>(out: &mut Vec<u8>, bytes: [u8; N]) {
    out.push(b'"');
    out.extend_from_slice(bytes.map(|byte| [hex_digit(byte >> 4), hex_digit(byte & 15)]).as_flattened());
    out.push(b'"');
}

/// A point in time as RFC 3339 in UTC with milliseconds; false outside the years 0 to 9999.
pub(super) fn date_time(out: &mut Vec<u8>, millis: i64) -> bool {
    const DAY: u64 = 86_400_000;
    let since = millis.checked_sub(YEAR_ZERO).and_then(|since| u64::try_from(since).ok());
    let Some(since) = since.filter(|since| *since < DAYS * DAY) else { return false };
    let (Ok(days), Ok(in_day)) = (u32::try_from(since / DAY), u32::try_from(since % DAY)) else {
        return false;
    };
    let (year, month, day) = civil(days);
    let (clock, millis) = (in_day / 1000, in_day % 1000);
    let ([y1, y2], [y3, y4]) = (two(year / 100), two(year));
    let ([m1, m2], [d1, d2]) = (two(month), two(day));
    let ([h1, h2], [n1, n2], [s1, s2]) = (two(clock / 3600), two(clock / 60 % 60), two(clock % 60));
    let ([f1, f2], [_, f3]) = (two(millis / 10), two(millis));
    out.extend_from_slice(&[
        b'"', y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2, b'.', f1,
        f2, f3, b'Z', b'"',
    ]);
    true
}

/// The place of the first byte that JSON wants escaped.
fn first_special(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (words, tail) = bytes.as_chunks::<8>();
    let zero_in = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let quote = zero_in(word ^ (ONES * u64::from(b'"')));
        let backslash = zero_in(word ^ (ONES * u64::from(b'\\')));
        // Borrows can set bits above the first true hit, never below it: the lowest one is right.
        let hit = control | quote | backslash;
        if hit != 0 {
            return Some(index * 8 + (hit.trailing_zeros() / 8) as usize);
        }
    }
    let special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    tail.iter().position(special).map(|at| words.len() * 8 + at)
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x09 => b't',
        0x0A => b'n',
        0x0C => b'f',
        0x0D => b'r',
        _ => {
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex_digit(byte >> 4), hex_digit(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + (nibble - 10) }
}

/// The two last decimal digits.
fn two(value: u32) -> [u8; 2] {
    const PAIRS: [[u8; 2]; 100] = pairs();
    PAIRS.get((value % 100) as usize).copied().unwrap_or_default()
}

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated when it is compiled"
)]
const fn pairs() -> [[u8; 2]; 100] {
    let mut pairs = [[0; 2]; 100];
    let mut value = 0;
    while value < 100 {
        pairs[value] = [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8];
        value += 1;
    }
    pairs
}

/// The beginning of the year 0, in milliseconds since 1970.
const YEAR_ZERO: i64 = -62_167_219_200_000;
/// The days of the years 0 to 9999.
const DAYS: u64 = 3_652_425;

/// Year, month and day of a number of days since the beginning of the year 0 (Howard Hinnant, chrono-compatible low-level
/// date algorithms, `civil_from_days`, whose years begin in March; an era of 400 years earlier, so that nothing is
/// negative).
fn civil(days: u32) -> (u32, u32, u32) {
    let shifted = days + 146_097 - 60;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u32::from(month <= 2) - 400, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn every_string_reads_back_as_it_was(text in ".*", control in 0_u8..0x20) {
            let text = format!("{text}{}\"\\ é{}", char::from(control), text);
            let json = written(|out| string(out, &text));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }

        #[test]
        fn every_time_reads_as_chrono_writes_it(millis in -62_167_219_200_000_i64..253_402_300_800_000) {
            let json = written(|out| assert!(date_time(out, millis)));
            let expected = chrono::DateTime::from_timestamp_millis(millis).unwrap();
            prop_assert_eq!(json, expected.format("\"%Y-%m-%dT%H:%M:%S%.3fZ\"").to_string());
        }
    }

    #[test]
    fn times_without_a_four_digit_year_are_not_written() {
        for millis in [-62_167_219_200_001, 253_402_300_800_000, i64::MIN, i64::MAX] {
            assert_eq!(written(|out| assert!(!date_time(out, millis))), "");
        }
    }

    #[test]
    fn hexadecimal_digits_are_lower_case() {
        assert_eq!(written(|out| hex(out, [0x00, 0xAF])), "\"00af\"");
    }
}
