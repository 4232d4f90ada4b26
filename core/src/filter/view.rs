//! One borrowed view of a BSON value, owned or raw, so that both compare without being copied.

use bson::{Bson, Document, RawArray, RawBsonRef, RawDocument};

/// A borrowed BSON value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum View<'a> {
    MinKey,
    Null,
    Number(Number),
    String(&'a str),
    Object(ObjectView<'a>),
    Array(ArrayView<'a>),
    Binary(u8, &'a [u8]),
    ObjectId([u8; 12]),
    Bool(bool),
    Date(i64),
    Timestamp(u32, u32),
    Regex(&'a str, &'a str),
    Code(&'a str),
    MaxKey,
}

/// A number of any width as its nearest double and what is missing to the exact value.
///
/// The remainder of a 64-bit integer is at most 512. A decimal is taken as its nearest double.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number {
    pub(crate) nearest: f64,
    pub(crate) remainder: i16,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum ObjectView<'a> {
    Owned(&'a Document),
    Raw(&'a RawDocument),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum ArrayView<'a> {
    Owned(&'a [Bson]),
    Raw(&'a RawArray),
}

impl Number {
    fn double(value: f64) -> Self {
        // Minus zero equals zero, and has to have its key.
        Self { nearest: if value == 0.0 { 0.0 } else { value }, remainder: 0 }
    }

    #[expect(clippy::cast_precision_loss, reason = "what the cast loses is kept as the remainder")]
    #[expect(clippy::cast_possible_truncation, reason = "a rounded i64 is within i128")]
    fn integer(value: i64) -> Self {
        let nearest = value as f64;
        if value.unsigned_abs() <= 1 << 53 {
            return Self { nearest, remainder: 0 };
        }
        let remainder = i16::try_from(i128::from(value) - nearest as i128).unwrap_or(0);
        Self { nearest, remainder }
    }
}

impl<'a> View<'a> {
    /// The place of the value's type in MongoDB's order of types; also the first byte of its key.
    pub(crate) fn bracket(&self) -> u8 {
        match self {
            Self::MinKey => 0x10,
            Self::Null => 0x20,
            Self::Number(_) => 0x30,
            Self::String(_) => 0x40,
            Self::Object(_) => 0x50,
            Self::Array(_) => 0x60,
            Self::Binary(..) => 0x70,
            Self::ObjectId(_) => 0x80,
            Self::Bool(_) => 0x90,
            Self::Date(_) => 0xA0,
            Self::Timestamp(..) => 0xB0,
            Self::Regex(..) => 0xC0,
            Self::Code(_) => 0xD0,
            Self::MaxKey => 0xE0,
        }
    }
}

impl<'a> From<&'a Bson> for View<'a> {
    fn from(value: &'a Bson) -> Self {
        match value {
            Bson::Double(v) => Self::Number(Number::double(*v)),
            Bson::Int32(v) => Self::Number(Number::integer(i64::from(*v))),
            Bson::Int64(v) => Self::Number(Number::integer(*v)),
            Bson::Decimal128(v) => Self::Number(decimal(*v)),
            Bson::String(v) | Bson::Symbol(v) => Self::String(v),
            Bson::Document(v) => Self::Object(ObjectView::Owned(v)),
            Bson::Array(v) => Self::Array(ArrayView::Owned(v)),
            Bson::Binary(v) => Self::Binary(v.subtype.into(), &v.bytes),
            Bson::ObjectId(v) => Self::ObjectId(v.bytes()),
            Bson::Boolean(v) => Self::Bool(*v),
            Bson::DateTime(v) => Self::Date(v.timestamp_millis()),
            Bson::Timestamp(v) => Self::Timestamp(v.time, v.increment),
            Bson::RegularExpression(v) => Self::Regex(v.pattern.as_str(), v.options.as_str()),
            Bson::JavaScriptCode(v) => Self::Code(v),
            Bson::JavaScriptCodeWithScope(v) => Self::Code(&v.code),
            Bson::Null | Bson::Undefined => Self::Null,
            Bson::MinKey => Self::MinKey,
            // A deprecated type without public parts; nothing tells two of them apart.
            Bson::DbPointer(_) => Self::Regex("", ""),
            Bson::MaxKey => Self::MaxKey,
        }
    }
}

impl<'a> From<RawBsonRef<'a>> for View<'a> {
    fn from(value: RawBsonRef<'a>) -> Self {
        match value {
            RawBsonRef::Double(v) => Self::Number(Number::double(v)),
            RawBsonRef::Int32(v) => Self::Number(Number::integer(i64::from(v))),
            RawBsonRef::Int64(v) => Self::Number(Number::integer(v)),
            RawBsonRef::Decimal128(v) => Self::Number(decimal(v)),
            RawBsonRef::String(v) | RawBsonRef::Symbol(v) => Self::String(v),
            RawBsonRef::Document(v) => Self::Object(ObjectView::Raw(v)),
            RawBsonRef::Array(v) => Self::Array(ArrayView::Raw(v)),
            RawBsonRef::Binary(v) => Self::Binary(v.subtype.into(), v.bytes),
            RawBsonRef::ObjectId(v) => Self::ObjectId(v.bytes()),
            RawBsonRef::Boolean(v) => Self::Bool(v),
            RawBsonRef::DateTime(v) => Self::Date(v.timestamp_millis()),
            RawBsonRef::Timestamp(v) => Self::Timestamp(v.time, v.increment),
            RawBsonRef::RegularExpression(v) => Self::Regex(v.pattern.as_str(), v.options.as_str()),
            RawBsonRef::JavaScriptCode(v) => Self::Code(v),
            RawBsonRef::JavaScriptCodeWithScope(v) => Self::Code(v.code),
            RawBsonRef::Null | RawBsonRef::Undefined => Self::Null,
            RawBsonRef::MinKey => Self::MinKey,
            RawBsonRef::DbPointer(_) => Self::Regex("", ""),
            RawBsonRef::MaxKey => Self::MaxKey,
        }
    }
}

impl<'a> ObjectView<'a> {
    /// The members in their order. Stored bytes that cannot be read end the iteration.
    pub(crate) fn members(self) -> Box<dyn Iterator<Item = (&'a str, View<'a>)> + 'a> {
        match self {
            Self::Owned(document) => {
                Box::new(document.iter().map(|(key, value)| (key.as_str(), View::from(value))))
            }
            Self::Raw(document) => Box::new(
                document
                    .iter()
                    .map_while(std::result::Result::ok)
                    .map(|(key, value)| (key.as_str(), View::from(value))),
            ),
        }
    }
}

impl<'a> ArrayView<'a> {
    /// The elements in their order. Stored bytes that cannot be read end the iteration.
    pub(crate) fn elements(self) -> Box<dyn Iterator<Item = View<'a>> + 'a> {
        match self {
            Self::Owned(values) => Box::new(values.iter().map(View::from)),
            Self::Raw(values) => {
                Box::new(values.into_iter().map_while(std::result::Result::ok).map(View::from))
            }
        }
    }
}

fn decimal(value: bson::Decimal128) -> Number {
    Number::double(value.to_string().parse().unwrap_or(f64::NAN))
}
