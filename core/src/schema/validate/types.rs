//! The types of values, and their names.

use bson::RawBsonRef;

use super::node::Type;
use crate::schema::BsonType;

pub(super) fn is_of(one: Type, value: RawBsonRef<'_>) -> bool {
    match (one, value) {
        (Type::Object, RawBsonRef::Document(_)) | (Type::Array, RawBsonRef::Array(_)) => true,
        (Type::Scalar(scalar), value) => is_scalar(scalar, value),
        (Type::Object | Type::Array, _) => false,
    }
}

fn is_scalar(scalar: BsonType, value: RawBsonRef<'_>) -> bool {
    use bson::spec::BinarySubtype;
    match (scalar, value) {
        (
            BsonType::Number,
            RawBsonRef::Int32(_) | RawBsonRef::Int64(_) | RawBsonRef::Double(_) | RawBsonRef::Decimal128(_),
        )
        | (BsonType::String, RawBsonRef::String(_))
        | (BsonType::ObjectId, RawBsonRef::ObjectId(_))
        | (BsonType::Int, RawBsonRef::Int32(_))
        | (BsonType::Long, RawBsonRef::Int64(_))
        | (BsonType::Double, RawBsonRef::Double(_))
        | (BsonType::Decimal, RawBsonRef::Decimal128(_))
        | (BsonType::Bool, RawBsonRef::Boolean(_))
        | (BsonType::Date, RawBsonRef::DateTime(_))
        | (BsonType::Timestamp, RawBsonRef::Timestamp(_))
        | (BsonType::BinData, RawBsonRef::Binary(_))
        | (BsonType::Regex, RawBsonRef::RegularExpression(_))
        | (BsonType::Null, RawBsonRef::Null)
        | (BsonType::Symbol, RawBsonRef::Symbol(_))
        | (BsonType::Javascript, RawBsonRef::JavaScriptCode(_) | RawBsonRef::JavaScriptCodeWithScope(_))
        | (BsonType::MinKey, RawBsonRef::MinKey)
        | (BsonType::MaxKey, RawBsonRef::MaxKey) => true,
        (BsonType::Uuid, RawBsonRef::Binary(binary)) => binary.subtype == BinarySubtype::Uuid,
        _ => false,
    }
}

pub(super) fn name_of(scalar: BsonType) -> &'static str {
    match scalar {
        BsonType::String => "string",
        BsonType::ObjectId => "objectId",
        BsonType::Int => "int",
        BsonType::Long => "long",
        BsonType::Double => "double",
        BsonType::Number => "number",
        BsonType::Decimal => "decimal",
        BsonType::Bool => "bool",
        BsonType::Date => "date",
        BsonType::Timestamp => "timestamp",
        BsonType::Uuid => "uuid",
        BsonType::BinData => "binData",
        BsonType::Regex => "regex",
        BsonType::Null => "null",
        BsonType::Symbol => "symbol",
        BsonType::Javascript => "javascript",
        BsonType::MinKey => "minKey",
        BsonType::MaxKey => "maxKey",
    }
}
