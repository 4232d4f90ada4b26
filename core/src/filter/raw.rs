//! Reading raw BSON, and paying only for what is looked at.
//!
//! 1. Keys are compared by their first eight bytes as one word; values that nobody asks for are stepped over, not
//!    decoded.
//! 2. Bytes that cannot be read end the document: what stands behind them counts as missing.
//! 3. Arrays and rare types are decoded by the `bson` crate.

use bson::oid::ObjectId;
use bson::{DateTime, RawBsonRef, RawDocument, Timestamp};

/// The first value under a key.
pub(crate) fn get<'a>(document: &'a RawDocument, key: &str) -> Option<RawBsonRef<'a>> {
    get_key(document, Key::of(key))
}

/// The same for a key that is looked for in many documents.
#[inline]
pub(crate) fn get_key<'a>(document: &'a RawDocument, key: Key<'_>) -> Option<RawBsonRef<'a>> {
    let mut rest = document.as_bytes().get(4..)?;
    loop {
        let (element, after) = split(rest)?;
        if element.key == key {
            return element.value(document);
        }
        rest = after;
    }
}

/// The elements in their order.
pub(crate) fn elements(document: &RawDocument) -> Elements<'_> {
    Elements { rest: document.as_bytes().get(4..).unwrap_or_default() }
}

/// Walks over a document.
#[derive(Debug)]
pub(crate) struct Elements<'a> {
    rest: &'a [u8],
}

/// A key with its value, which is not decoded yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) key: Key<'a>,
    kind: u8,
    bytes: &'a [u8],
}

/// A key that is cheap to compare.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a> {
    /// The first eight bytes, zeros where there are fewer.
    pub(crate) head: u64,
    pub(crate) text: &'a [u8],
}

impl<'a> Key<'a> {
    /// The key of this text.
    #[inline]
    pub(crate) fn of(text: &'a str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    #[inline]
    fn of_bytes(text: &'a [u8]) -> Self {
        let head = match text.first_chunk() {
            Some(word) => u64::from_le_bytes(*word),
            None => text.iter().rev().fold(0, |head, byte| head << 8 | u64::from(*byte)),
        };
        Self { head, text }
    }
}

impl PartialEq for Key<'_> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.head == other.head
            && self.text.len() == other.text.len()
            && (self.text.len() <= 8 || self.text == other.text)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        let (element, rest) = split(self.rest)?;
        self.rest = rest;
        Some(element)
    }
}

impl<'a> Elements<'a> {
    /// The next element, if this is its key: cheaper than looking what key it has.
    #[inline]
    pub(crate) fn next_if(&mut self, key: Key<'a>) -> Option<Element<'a>> {
        let (&kind, rest) = self.rest.split_first()?;
        let rest = match u32::try_from(key.text.len()) {
            Ok(length @ 0..8) => {
                // The zero behind the key has to be there too.
                let word = u64::from_le_bytes(*rest.first_chunk()?) & (u64::MAX >> (56 - length * 8));
                if word != key.head {
                    return None;
                }
                rest.get(key.text.len() + 1..)?
            }
            _ => rest.strip_prefix(key.text)?.strip_prefix(&[0])?,
        };
        let (bytes, rest) = rest.split_at_checked(length(kind, rest)?)?;
        self.rest = rest;
        Some(Element { key, kind, bytes })
    }
}

/// The element at the beginning, and what follows it.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "a walk spends half its time on passing elements by memory otherwise"
)]
fn split(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&kind, rest) = bytes.split_first()?;
    let (key, rest) = key(rest)?;
    let (bytes, rest) = rest.split_at_checked(length(kind, rest)?)?;
    Some((Element { key, kind, bytes }, rest))
}

impl<'a> Element<'a> {
    /// The value in this document, which the element is of; `None` when it cannot be read.
    #[inline]
    pub(crate) fn value(&self, document: &'a RawDocument) -> Option<RawBsonRef<'a>> {
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
            0x12 => RawBsonRef::Int64(i64::from_le_bytes(self.fixed()?)),
            _ => return self.other(document),
        })
    }

    /// The bytes of a string, which may be no UTF-8.
    #[inline]
    pub(crate) fn string_bytes(&self) -> Option<&'a [u8]> {
        match self.kind {
            0x02 => self.bytes.get(4..)?.strip_suffix(&[0]),
            _ => None,
        }
    }

    fn other(&self, document: &'a RawDocument) -> Option<RawBsonRef<'a>> {
        if self.kind == 0x11 {
            let both = u64::from_le_bytes(self.fixed()?);
            let time = u32::try_from(both >> 32).ok()?;
            let increment = u32::try_from(both & 0xFFFF_FFFF).ok()?;
            return Some(RawBsonRef::Timestamp(Timestamp { time, increment }));
        }
        document.get(std::str::from_utf8(self.key.text).ok()?).ok().flatten()
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
    match LENGTHS.get(usize::from(kind)).copied().unwrap_or(SPECIAL) {
        length @ 0..PREFIXED => Some(usize::from(length)),
        SPECIAL => special_length(kind, bytes),
        prefixed => {
            let length = i32::from_le_bytes(*bytes.first_chunk()?);
            usize::try_from(length).ok()?.checked_add(usize::from(prefixed - PREFIXED))
        }
    }
}

/// Added to what the length that stands in front of a value leaves out.
const PREFIXED: u8 = 32;
/// Neither fixed nor prefixed.
const SPECIAL: u8 = u8::MAX;

/// The length of each kind of value.
const LENGTHS: [u8; 20] = [
    SPECIAL,
    8,             // 0x01 double
    PREFIXED + 4,  // 0x02 string
    PREFIXED,      // 0x03 document
    PREFIXED,      // 0x04 array
    PREFIXED + 5,  // 0x05 binary
    0,             // 0x06 undefined
    12,            // 0x07 object id
    1,             // 0x08 boolean
    8,             // 0x09 date
    0,             // 0x0A null
    SPECIAL,       // 0x0B regular expression
    PREFIXED + 16, // 0x0C pointer
    PREFIXED + 4,  // 0x0D code
    PREFIXED + 4,  // 0x0E symbol
    PREFIXED,      // 0x0F code with scope
    4,             // 0x10 integer
    8,             // 0x11 timestamp
    8,             // 0x12 long integer
    16,            // 0x13 decimal
];

#[cold]
fn special_length(kind: u8, bytes: &[u8]) -> Option<usize> {
    match kind {
        // The least and the greatest key.
        0x7F | 0xFF => Some(0),
        0x0B => {
            let (pattern, rest) = cstring(bytes)?;
            Some(pattern.len() + cstring(rest)?.0.len() + 2)
        }
        // The end of the document, or what nobody knows.
        _ => None,
    }
}

/// The key at the beginning, and what follows it; most keys are shorter than a word.
#[inline]
fn key(bytes: &[u8]) -> Option<(Key<'_>, &[u8])> {
    if let Some(word) = bytes.first_chunk() {
        let word = u64::from_le_bytes(*word);
        if let Some(end) = zero_in(word) {
            let (text, rest) = bytes.split_at_checked(end)?;
            let head = word & !(u64::MAX << (end * 8));
            return Some((Key { head, text }, rest.get(1..)?));
        }
    }
    let (text, rest) = cstring(bytes)?;
    Some((Key::of_bytes(text), rest))
}

fn cstring(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let (text, rest) = bytes.split_at_checked(end)?;
    Some((text, rest.get(1..)?))
}

/// The place of the first zero byte of a word.
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
            assert_eq!(element.key, Key::of(key.as_str()));
            assert_eq!(element.key.text, key.as_str().as_bytes());
            assert_eq!(element.value(&document), Some(value), "{key}");
            assert_eq!(get(&document, key.as_str()), Some(value), "{key}");
        }
        assert_eq!(get(&document, "nowhere"), None);
    }

    #[test]
    fn the_next_element_is_given_only_under_its_key() {
        let document = every_type();
        let keys: Vec<_> = elements(&document).map(|element| element.key).collect();
        let mut walk = elements(&document);
        for (place, key) in keys.iter().enumerate() {
            for other in keys.iter().filter(|other| *other != key) {
                assert!(walk.next_if(*other).is_none());
            }
            let next = walk.next_if(*key);
            let found = next.as_ref().and_then(|element| element.value(&document));
            // Of the last one there may be fewer bytes left than a word has.
            assert!(found.is_some() || place + 2 > keys.len(), "{key:?}");
            if next.is_none() {
                walk.next();
            }
        }
        assert!(walk.next().is_none());
    }

    #[test]
    fn keys_are_equal_when_their_texts_are() {
        let texts = [
            "",
            "a",
            "b",
            "ab",
            "abcdefg",
            "abcdefgh",
            "abcdefgi",
            "abcdefghi",
            "abcdefghj",
            "abcdefgh\0",
            "a\0",
        ];
        for (left, right) in texts.iter().flat_map(|left| texts.iter().map(move |right| (left, right))) {
            assert_eq!(Key::of(left) == Key::of(right), left == right, "{left:?} {right:?}");
        }
        for text in texts.iter().filter(|text| !text.contains('\0')) {
            for tail in ["", "12345678"] {
                let bytes = format!("{text}\0{tail}");
                let (found, rest) = key(bytes.as_bytes()).unwrap();
                assert!(found == Key::of(text) && rest == tail.as_bytes(), "{text:?}");
            }
        }
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
                    assert_eq!(mine.key.text, element.key().as_str().as_bytes());
                    assert_eq!(format!("{:?}", mine.value(document)), format!("{:?}", element.value().ok()));
                }
                assert!(read.filter(|element| element.value(document).is_some()).count() <= whole.len());
            }
        }
    }
}
