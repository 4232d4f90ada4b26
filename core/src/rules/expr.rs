//! A rule expression as it was written: a closed tree.

use bson::Bson;

use crate::filter::Comparison;

/// A condition on the actor and a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Constant(bool),
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
    /// The operand is there; a stored null is there.
    Exists(Operand),
    Relates(Operand, Relation, Operand),
}

/// How two operands stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Compare(Comparison),
    /// The left one is a member of the right one.
    In,
    /// The left one has all members of the right one.
    All,
}

/// What stands on a side of a relation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Literal(Bson),
    /// An expansion that depends on the actor or the app: `%%user.id`.
    Known(Known, String),
    /// A path into an image of the document; empty for the whole of it (only `%exists` asks that).
    Stored(Image, String),
    List(Vec<Operand>),
    Document(Vec<(String, Operand)>),
    Convert(Conversion, Box<Operand>),
}

/// What is known before any document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    User,
    Values,
}

/// Which state of the document an expression looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Image {
    /// `%%root`: the state that is judged.
    Root,
    /// `%%prevRoot` and `%%prev`: the state before the operation; absent on insert.
    Previous,
    /// `%%this`: the state after the operation, whichever one is judged.
    Next,
}

/// The conversions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conversion {
    StringToOid,
    OidToString,
    StringToUuid,
    UuidToString,
}

impl Conversion {
    /// By the operator's name without its sigil.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "stringToOid" => Some(Self::StringToOid),
            "oidToString" => Some(Self::OidToString),
            "stringToUuid" => Some(Self::StringToUuid),
            "uuidToString" => Some(Self::UuidToString),
            _ => None,
        }
    }

    /// The converted value; `None` for what cannot be converted.
    pub(crate) fn apply(self, value: &Bson) -> Option<Bson> {
        match (self, value) {
            (Self::StringToOid, Bson::String(text)) => string_to_oid(text),
            (Self::OidToString, Bson::ObjectId(id)) => Some(Bson::String(id.to_hex())),
            (Self::StringToUuid, Bson::String(text)) if text.len() == 36 => {
                bson::Uuid::parse_str(text).ok().map(Bson::from)
            }
            (Self::UuidToString, Bson::Binary(binary)) => {
                binary.to_uuid().ok().map(|uuid| Bson::String(uuid.to_string()))
            }
            (Self::StringToOid | Self::OidToString | Self::StringToUuid | Self::UuidToString, _) => None,
        }
    }
}

/// 24 hexadecimal digits, or twelve bytes as they are.
fn string_to_oid(text: &str) -> Option<Bson> {
    if let Ok(bytes) = <[u8; 12]>::try_from(text.as_bytes()) {
        return Some(Bson::ObjectId(bson::oid::ObjectId::from_bytes(bytes)));
    }
    bson::oid::ObjectId::parse_str(text).ok().map(Bson::ObjectId)
}
