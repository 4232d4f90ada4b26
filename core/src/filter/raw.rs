//! Reading raw BSON, and paying only for what is looked at.
//!
//! 1. Keys are compared as bytes; values that nobody asks for are stepped over, not decoded.
//! 2. Bytes that cannot be read end the document: what stands behind them counts as missing.
//! 3. Rare types are decoded by the `bson` crate.

use bson::oid::ObjectId;
use bson::{DateTime, RawBsonRef, RawDocument, Timestamp};

/// The first value under a key.
pub(crate) fn get<'a>(document: &'a RawDocument, key: &str) -> Option<RawBsonRef<'a>> {
    elements(document).find(|element| element.key == key.as_bytes())?.value()
}

/// The elements in their order.
pub(crate) fn elements(document: &RawDocument) -> Elements<'_> {
    Elements { document, rest: document.as_bytes().get(4..).unwrap_or_default() }
}

/// Walks over a document.
#[derive(Debug)]
pub(crate) struct Elements<'a> {
    document: &'a RawDocument,
    rest: &'a [u8],
}

/// A key with its value, which is not decoded yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) key: &'a [u8],
    kind: u8,
    bytes: &'a [u8],
    document: &'a RawDocument,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        let (&kind, rest) = self.rest.split_first()?;
        let (key, rest) = cstring(rest)?;
        let (bytes, rest) = rest.split_at_checked(length(kind, rest)?)?;
        self.rest = rest;
        Some(Element { key, kind, bytes, document: self.document })
    }
}

impl<'a> Element<'a> {
    /// The value; `None` when it cannot be read.
    #[inline]
    pub(crate) fn value(&self) -> Option<RawBsonRef<'a>> {
        Some(match self.kind {
            0x01 => RawBsonRef::Double(f64::from_le_bytes(self.fixed()?)),
            0x02 => RawBsonRef::String(self.text()?),
            0x03 => RawBsonRef::Document(RawDocument::from_bytes(self.bytes).ok()?),
            0x07 => RawBsonRef::ObjectId(ObjectId::from_bytes(self.fixed()?)),
            0x08 => RawBsonRef::Boolean(match self.bytes {
                [0] => false,
                [1] => true,
                _ => return None,
            }),
            0x09 => RawBsonRef::DateTime(DateTime::from_millis(i64::from_le_bytes(self.fixed()?))),
            0x0A => RawBsonRef::Null,
            0x10 => RawBsonRef::Int32(i32::from_le_bytes(self.fixed()?)),
            0x11 => {
                let both = u64::from_le_bytes(self.fixed()?);
                let time = u32::try_from(both >> 32).ok()?;
                RawBsonRef::Timestamp(Timestamp { time, increment: u32::try_from(both & 0xFFFF_FFFF).ok()? })
            }
            0x12 => RawBsonRef::Int64(i64::from_le_bytes(self.fixed()?)),
            _ => return self.document.get(std::str::from_utf8(self.key).ok()?).ok().flatten(),
        })
    }

    fn fixed<const N: usize>(&self) -> Option<[u8; N]> {
        self.bytes.try_into().ok()
    }

    fn text(&self) -> Option<&'a str> {
        let (last, text) = self.bytes.get(4..)?.split_last()?;
        if *last == 0 { std::str::from_utf8(text).ok() } else { None }
    }
}

/// How many bytes the value at the beginning has (bsonspec.org, version 1.1).
#[inline]
fn length(kind: u8, bytes: &[u8]) -> Option<usize> {
    let prefix = || {
        let length = i32::from_le_bytes(*bytes.first_chunk()?);
        usize::try_from(length).ok()
    };
    Some(match kind {
        0x06 | 0x0A | 0x7F | 0xFF => 0,
        0x08 => 1,
        0x10 => 4,
        0x01 | 0x09 | 0x11 | 0x12 => 8,
        0x07 => 12,
        0x13 => 16,
        0x02 | 0x0D | 0x0E => prefix()?.checked_add(4)?,
        0x03 | 0x04 | 0x0F => prefix()?,
        0x05 => prefix()?.checked_add(5)?,
        0x0C => prefix()?.checked_add(16)?,
        0x0B => {
            let (pattern, rest) = cstring(bytes)?;
            pattern.len() + cstring(rest)?.0.len() + 2
        }
        // The end of the document, or what nobody knows.
        _ => return None,
    })
}

#[inline]
fn cstring(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = match bytes.first_chunk().map(|word| zero_in(u64::from_le_bytes(*word))) {
        Some(Some(end)) => end,
        _ => bytes.iter().position(|byte| *byte == 0)?,
    };
    let (text, rest) = bytes.split_at_checked(end)?;
    Some((text, rest.get(1..)?))
}

/// The place of the first zero byte of a word; most keys are shorter than one.
#[inline]
fn zero_in(word: u64) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // Borrows can set bits above the first zero, never below it: the lowest one is right.
    let hit = word.wrapping_sub(ONES) & !word & HIGH;
    (hit != 0).then_some((hit.trailing_zeros() / 8) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::spec::BinarySubtype;
    use bson::{Binary, Bson, JavaScriptCodeWithScope, RawDocumentBuf, Regex, cstr, doc};

    fn every_type() -> RawDocumentBuf {
        let document = doc! {
            "double": 1.5, "string": "täxt", "document": { "a": 1 }, "array": [1, "b"], "empty": "",
            "binary": Binary { subtype: BinarySubtype::Generic, bytes: vec![1, 2, 3] },
            "undefined": Bson::Undefined, "id": ObjectId::from_bytes([7; 12]), "yes": true, "no": false,
            "date": DateTime::from_millis(-5), "null": Bson::Null,
            "regex": Bson::RegularExpression(Regex { pattern: cstr!("a.b").into(), options: cstr!("i").into() }),
            "code": Bson::JavaScriptCode("x".into()), "symbol": Bson::Symbol("s".into()),
            "scope": Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope { code: "y".into(), scope: doc! { "z": 1 } }),
            "int": -3, "timestamp": Timestamp { time: 5, increment: 6 }, "long": i64::MIN,
            "decimal": Bson::Decimal128("1.25".parse().unwrap()), "least": Bson::MinKey, "most": Bson::MaxKey,
            "": "last",
        };
        RawDocumentBuf::try_from(&document).unwrap()
    }

    #[test]
    fn every_type_reads_as_bson_reads_it() {
        let document = every_type();
        let expected: Vec<_> = document.iter().map(|element| element.unwrap()).collect();
        assert_eq!(elements(&document).count(), expected.len());
        for (element, (key, value)) in elements(&document).zip(expected) {
            assert_eq!(element.key, key.as_str().as_bytes());
            assert_eq!(element.value(), Some(value), "{key}");
            assert_eq!(get(&document, key.as_str()), Some(value), "{key}");
        }
        assert_eq!(get(&document, "nowhere"), None);
    }

    #[test]
    fn of_broken_bytes_all_that_bson_reads_is_read() {
        let whole = every_type().into_bytes();
        for at in 4..whole.len() - 1 {
            for byte in [0, 1, 2, 0x7F, 0x80, 0xFF] {
                let mut bytes = whole.clone();
                bytes[at] = byte;
                let document = RawDocument::from_bytes(&bytes).unwrap();
                let mut read = elements(document);
                for element in document.iter_elements().map_while(Result::ok) {
                    let mine = read.next().unwrap();
                    assert_eq!(mine.key, element.key().as_str().as_bytes());
                    assert_eq!(format!("{:?}", mine.value()), format!("{:?}", element.value().ok()));
                }
                assert!(read.filter(|element| element.value().is_some()).count() <= whole.len());
            }
        }
    }
}
