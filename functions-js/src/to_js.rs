//! From BSON to JavaScript.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bson::{Bson, Document};
use rquickjs::object::Property;
use rquickjs::{Array, BigInt, Ctx, Exception, Function, IntoJs, Object, Result, Value};

/// What the prelude knows of the values that JavaScript has no type for.
pub(crate) struct Codec<'js> {
    pub(crate) make: Function<'js>,
    pub(crate) describe: Function<'js>,
    pub(crate) well_formed: Function<'js>,
    /// The prototype of plain objects.
    pub(crate) plain: Object<'js>,
}

impl<'js> Codec<'js> {
    pub(crate) fn of(codec: &Object<'js>) -> Result<Self> {
        Ok(Self {
            make: codec.get("make")?,
            describe: codec.get("describe")?,
            well_formed: codec.get("wellFormed")?,
            plain: codec.get("plain")?,
        })
    }

    /// The value in this realm.
    pub(crate) fn to_js(&self, ctx: &Ctx<'js>, value: &Bson) -> Result<Value<'js>> {
        Ok(match value {
            Bson::Null | Bson::Undefined => Value::new_null(ctx.clone()),
            Bson::Boolean(value) => Value::new_bool(ctx.clone(), *value),
            Bson::Int32(number) => Value::new_int(ctx.clone(), *number),
            // Not `new_number`, to which minus zero is zero.
            Bson::Double(number) => Value::new_float(ctx.clone(), *number),
            Bson::String(text) => text.as_str().into_js(ctx)?,
            Bson::Document(document) => self.object(ctx, document)?.into_value(),
            Bson::Array(items) => self.array(ctx, items)?.into_value(),
            other => self.made(ctx, other)?,
        })
    }

    /// The values in this realm.
    pub(crate) fn array(&self, ctx: &Ctx<'js>, items: &[Bson]) -> Result<Array<'js>> {
        let array = Array::new(ctx.clone())?;
        for (index, item) in items.iter().enumerate() {
            array.set(index, self.to_js(ctx, item)?)?;
        }
        Ok(array)
    }

    /// The document in this realm. Members are defined, never assigned: `__proto__` is a name like any other.
    pub(crate) fn object(&self, ctx: &Ctx<'js>, document: &Document) -> Result<Object<'js>> {
        let object = Object::new(ctx.clone())?;
        for (name, value) in document {
            let value = self.to_js(ctx, value)?;
            object.prop(name.as_str(), Property::from(value).writable().enumerable().configurable())?;
        }
        Ok(object)
    }

    fn made(&self, ctx: &Ctx<'js>, value: &Bson) -> Result<Value<'js>> {
        match value {
            Bson::ObjectId(id) => self.make.call(("oid", id.to_hex())),
            Bson::Int64(number) => self.make.call(("long", BigInt::from_i64(ctx.clone(), *number)?)),
            Bson::Decimal128(number) => self.make.call(("decimal", hex(&number.bytes()))),
            Bson::DateTime(date) => {
                let millis = date.timestamp_millis();
                #[expect(clippy::cast_precision_loss, reason = "the exact number is given with it")]
                self.make.call(("date", millis as f64, BigInt::from_i64(ctx.clone(), millis)?))
            }
            Bson::Binary(binary) => {
                let text = STANDARD.encode(&binary.bytes);
                self.make.call(("binary", text, u8::from(binary.subtype)))
            }
            Bson::RegularExpression(regex) => {
                self.make.call(("regex", regex.pattern.as_str(), regex.options.as_str()))
            }
            Bson::Timestamp(stamp) => self.make.call(("timestamp", stamp.time, stamp.increment)),
            Bson::Symbol(text) => self.make.call(("symbol", text.as_str())),
            Bson::JavaScriptCode(text) => self.make.call(("code", text.as_str())),
            Bson::MinKey => self.make.call(("min",)),
            Bson::MaxKey => self.make.call(("max",)),
            other => {
                let json = other.clone().into_canonical_extjson().to_string();
                self.make.call(("rare", json))
            }
        }
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The sixteen bytes of a decimal.
pub(crate) fn decimal_bytes(ctx: &Ctx<'_>, text: &str) -> Result<[u8; 16]> {
    let number = u128::from_str_radix(text, 16);
    number.map(u128::to_be_bytes).map_err(|_| Exception::throw_type(ctx, "no decimal"))
}
