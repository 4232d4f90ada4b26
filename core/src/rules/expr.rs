//! A rule expression as it was written: a closed tree.

use std::sync::Arc;

use bson::Bson;

use crate::filter::{Comparison, Filter};

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
    /// What only MongoDB's queries ask, of the stored document: `$regex`, `$elemMatch`, `$size` and the like.
    Asks(Filter),
}

/// How two operands stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// As rules compare: an array, on either side, stands for each of its elements too.
    Compare(Comparison),
    /// As MongoDB's queries compare: only the document's array does.
    Exactly(Comparison),
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
    /// A path into an image of the document; empty for the whole of it (`%exists` asks that, and functions get it).
    Stored(Image, String),
    List(Vec<Operand>),
    Document(Vec<(String, Operand)>),
    Convert(Conversion, Box<Operand>),
    /// What a function gives for these arguments.
    Call(Arc<str>, Vec<Operand>),
}

/// What is known before any document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    User,
    Values,
    Environment,
    Request,
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
    /// `%%this` in the rule of a field of an embedded document: there may be an array on the way, and then one element
    /// does not speak for the others.
    NextOfEach,
    /// `%%prev` in such a rule.
    PreviousOfEach,
    /// `%%this` of a schema's `validate` and of `additional_fields`: the value, as the field [`VALUE`] of a document of its own.
    Value,
    /// `%%prev` of a schema's `validate`, likewise; absent where there was no value.
    PreviousValue,
}

impl Image {
    /// The same image, where any value of an array will do.
    pub(crate) fn of_any(self) -> Self {
        match self {
            Self::NextOfEach => Self::Next,
            Self::PreviousOfEach => Self::Previous,
            other => other,
        }
    }

    /// Whether the values that an array has at a path are asked one by one.
    pub(crate) fn is_of_each(self) -> bool {
        matches!(self, Self::NextOfEach | Self::PreviousOfEach)
    }
}

/// The field in which the documents of [`Image::Value`] and [`Image::PreviousValue`] hold the value.
pub(crate) const VALUE: &str = "v";

/// The conversions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conversion {
    StringToOid,
    OidToString,
    StringToUuid,
    UuidToString,
}

impl Expression {
    /// All of them. What calls no function comes first, so that none is called in vain.
    pub(crate) fn all(mut parts: Vec<Self>) -> Self {
        parts.sort_by_key(Self::calls);
        Self::All(parts)
    }

    /// Any of them, in the same order.
    pub(crate) fn any(mut parts: Vec<Self>) -> Self {
        parts.sort_by_key(Self::calls);
        Self::Any(parts)
    }

    /// Whether judging it may call a function.
    pub(crate) fn calls(&self) -> bool {
        let mut found = false;
        self.each_call(&mut |_| found = true);
        found
    }

    /// Visits the names of the functions that it calls.
    pub(crate) fn each_call(&self, visit: &mut dyn FnMut(&Arc<str>)) {
        match self {
            Self::Constant(_) | Self::Asks(_) => {}
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.each_call(visit)),
            Self::Not(inner) => inner.each_call(visit),
            Self::Exists(operand) => operand.each_call(visit),
            Self::Relates(left, _, right) => {
                left.each_call(visit);
                right.each_call(visit);
            }
        }
    }
}

impl Operand {
    /// Visits the names of the functions that it calls.
    pub(crate) fn each_call(&self, visit: &mut dyn FnMut(&Arc<str>)) {
        match self {
            Self::Literal(_) | Self::Known(..) | Self::Stored(..) => {}
            Self::List(items) => items.iter().for_each(|item| item.each_call(visit)),
            Self::Document(fields) => fields.iter().for_each(|(_, value)| value.each_call(visit)),
            Self::Convert(_, inner) => inner.each_call(visit),
            Self::Call(name, arguments) => {
                visit(name);
                arguments.iter().for_each(|argument| argument.each_call(visit));
            }
        }
    }

    /// Whether it is a document as a whole.
    pub(crate) fn is_whole_document(&self) -> bool {
        matches!(self, Self::Stored(_, path) if path.is_empty())
    }
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
