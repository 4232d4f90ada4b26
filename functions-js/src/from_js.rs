//! From JavaScript to BSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bson::oid::ObjectId;
use bson::spec::BinarySubtype;
use bson::{Binary, Bson, DateTime, Decimal128, Document, Regex, Timestamp};
use rquickjs::{Coerced, Ctx, Error, Exception, FromJs, Object, Result, Value};

use crate::to_js::{Codec, decimal_bytes};

/// Levels of a value.
const MAX_DEPTH: usize = 100;
/// What an element of a value counts besides its text, in bytes.
const ELEMENT: usize = 16;

/// Reads values out of a realm, up to a size: what a script can name a thousand times over is copied each time, where the
/// interpreter's limit of memory does not reach.
pub(crate) struct Reader<'a, 'js> {
    ctx: &'a Ctx<'js>,
    codec: &'a Codec<'js>,
    limit: usize,
    left: usize,
}

impl<'a, 'js> Reader<'a, 'js> {
    /// Reads up to so many bytes.
    pub(crate) fn new(ctx: &'a Ctx<'js>, codec: &'a Codec<'js>, limit: usize) -> Self {
        Self { ctx, codec, limit, left: limit }
    }

    /// How many it has read.
    pub(crate) fn bytes(&self) -> usize {
        self.limit.saturating_sub(self.left)
    }

    /// The value. `undefined` is null, as are functions.
    pub(crate) fn value(&mut self, value: Value<'js>) -> Result<Bson> {
        self.read(value, 0)
    }

    /// The items of an array.
    pub(crate) fn items(&mut self, value: Value<'js>) -> Result<Vec<Bson>> {
        match self.read(value, 0)? {
            Bson::Array(items) => Ok(items),
            _ => Err(self.refuse("an array was expected")),
        }
    }

    fn read(&mut self, value: Value<'js>, depth: usize) -> Result<Bson> {
        self.count(ELEMENT)?;
        if let Some(number) = value.as_int() {
            return Ok(Bson::Int32(number));
        }
        if let Some(number) = value.as_float() {
            return Ok(number_of(number));
        }
        if let Some(value) = value.as_bool() {
            return Ok(Bson::Boolean(value));
        }
        if value.is_string() {
            return self.text(value).map(Bson::String);
        }
        if value.is_big_int() {
            let digits = value.get::<Coerced<String>>()?.0;
            return digits
                .parse()
                .map(Bson::Int64)
                .map_err(|_| self.refuse("a bigint has more than 64 bits"));
        }
        match value.as_object() {
            Some(object) if !value.is_function() => self.composed(object, depth),
            _ => Ok(Bson::Null),
        }
    }

    fn composed(&mut self, object: &Object<'js>, depth: usize) -> Result<Bson> {
        if depth >= MAX_DEPTH {
            return Err(self.refuse("a value has too many levels, or holds itself"));
        }
        if object.is_array() {
            return self.array(object, depth);
        }
        // A proxy is not asked for its prototype here, where it may not throw.
        let plain = |prototype: Object<'js>| prototype == self.codec.plain;
        if object.is_proxy() || !object.get_prototype().is_none_or(plain) {
            let described: Value<'js> = self.codec.describe.call((object.clone(),))?;
            if let Some(parts) = described.as_object() {
                return self.described(parts, (object, depth));
            }
        }
        let mut document = Document::new();
        for entry in object.props::<String, Value<'js>>() {
            let (name, value) = entry?;
            if value.is_function() || value.is_symbol() {
                continue;
            }
            self.count(name.len())?;
            document.insert(name, self.read(value, depth + 1)?);
        }
        Ok(Bson::Document(document))
    }

    fn array(&mut self, object: &Object<'js>, depth: usize) -> Result<Bson> {
        let length = object.get::<_, f64>("length")?;
        let mut items = Vec::new();
        let mut index = 0_u32;
        while f64::from(index) < length {
            items.push(self.read(object.get(index)?, depth + 1)?);
            index += 1;
        }
        Ok(Bson::Array(items))
    }

    /// What the prelude says that an object stands for.
    fn described(&mut self, parts: &Object<'js>, (object, depth): (&Object<'js>, usize)) -> Result<Bson> {
        let kind: String = parts.get(0_u32)?;
        Ok(match kind.as_str() {
            "array" => return self.array(object, depth),
            "oid" => match ObjectId::parse_str(self.part::<String>(parts, 1)?) {
                Ok(id) => Bson::ObjectId(id),
                Err(_) => return Err(self.refuse("no ObjectId")),
            },
            "long" => Bson::Int64(self.long(parts)?),
            "date" => Bson::DateTime(DateTime::from_millis(self.long(parts)?)),
            "decimal" => {
                let text = self.part::<String>(parts, 1)?;
                Bson::Decimal128(Decimal128::from_bytes(decimal_bytes(self.ctx, &text)?))
            }
            "binary" => {
                let text = self.part::<String>(parts, 1)?;
                self.count(text.len())?;
                let subtype = BinarySubtype::from(self.part::<u8>(parts, 2)?);
                let bytes = STANDARD.decode(text).map_err(|_| self.refuse("no base64"))?;
                Bson::Binary(Binary { subtype, bytes })
            }
            "regex" => self.regex(parts)?,
            "timestamp" => {
                let (time, increment) = (self.part(parts, 1)?, self.part(parts, 2)?);
                Bson::Timestamp(Timestamp { time, increment })
            }
            "symbol" => Bson::Symbol(self.text(parts.get(1_u32)?)?),
            "code" => Bson::JavaScriptCode(self.text(parts.get(1_u32)?)?),
            "double" => Bson::Double(self.part(parts, 1)?),
            "min" => Bson::MinKey,
            "max" => Bson::MaxKey,
            "rare" => {
                let json = self.text(parts.get(1_u32)?)?;
                let parsed = serde_json::from_str::<serde_json::Value>(&json).ok();
                match parsed.and_then(|json| Bson::try_from(json).ok()) {
                    Some(value) => value,
                    None => return Err(self.refuse("no value")),
                }
            }
            _ => return self.read(parts.get(1_u32)?, MAX_DEPTH),
        })
    }

    fn regex(&mut self, parts: &Object<'js>) -> Result<Bson> {
        let (pattern, options) = (self.text(parts.get(1_u32)?)?, self.text(parts.get(2_u32)?)?);
        match (pattern.try_into(), options.try_into()) {
            (Ok(pattern), Ok(options)) => Ok(Bson::RegularExpression(Regex { pattern, options })),
            _ => Err(self.refuse("a regular expression may not hold a null character")),
        }
    }

    fn part<T: FromJs<'js>>(&self, parts: &Object<'js>, index: u32) -> Result<T> {
        parts.get(index)
    }

    fn long(&self, parts: &Object<'js>) -> Result<i64> {
        self.part::<rquickjs::BigInt<'js>>(parts, 1)?.to_i64()
    }

    /// A text; halves of characters, which UTF-8 does not know, are replaced.
    fn text(&mut self, value: Value<'js>) -> Result<String> {
        let text = match value.get::<String>() {
            Err(Error::Utf8(_)) => self.codec.well_formed.call((value,))?,
            text => text?,
        };
        self.count(text.len())?;
        Ok(text)
    }

    fn count(&mut self, bytes: usize) -> Result<()> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(self.refuse("a value is larger than a function may hand on")),
        }
    }

    fn refuse(&self, text: &str) -> Error {
        Exception::throw_type(self.ctx, text)
    }
}

/// An integer of 32 bits where it is one, else a double.
fn number_of(number: f64) -> Bson {
    #[expect(clippy::cast_possible_truncation, reason = "compared with what it was made of")]
    let integer = number as i32;
    // Bits are compared: minus zero is no integer.
    if f64::from(integer).to_bits() == number.to_bits() { Bson::Int32(integer) } else { Bson::Double(number) }
}
