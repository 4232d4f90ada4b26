//! The two sides of a comparison.

use std::cmp::Ordering;

use bson::oid::ObjectId;
use bson::spec::BinarySubtype;
use bson::{Binary, Bson, Document};
use serde_json::Value;

use super::expression::Scene;
use super::value::{elements, equals, lookup, lookup_below, ranges};
use super::world::expansion;

/// One side of a comparison.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    /// A literal.
    Given(Bson),
    /// What is known without a document; none when it is absent.
    Known(Option<Bson>),
    /// What a path finds in a document.
    Stored(Vec<Option<Bson>>),
    /// A conversion that failed: in no relation to anything.
    Failed,
}

impl Operand {
    /// An expansion, `%%` and all.
    pub(super) fn expand(text: &str, scene: &Scene<'_>) -> Self {
        let (name, rest) = expansion(text).expect("it begins with %%");
        let stored =
            |found: Vec<Option<&Bson>>| Self::Stored(found.into_iter().map(|v| v.cloned()).collect());
        match name {
            "true" => Self::Given(Bson::Boolean(true)),
            "false" => Self::Given(Bson::Boolean(false)),
            "root" | "prevRoot" => {
                let document = if name == "root" { scene.root } else { scene.prev_root };
                let Some(document) = document else { return Self::Stored(vec![None]) };
                if rest.is_empty() {
                    return Self::Stored(vec![Some(Bson::Document(document.clone()))]);
                }
                stored(lookup(document, rest))
            }
            "this" => stored(lookup_below(scene.this, rest)),
            "prev" => stored(lookup_below(scene.prev, rest)),
            _ => Self::known(name, rest, scene),
        }
    }

    fn known(name: &str, rest: &str, scene: &Scene<'_>) -> Self {
        let object = scene.world.object(name).unwrap_or_else(|| panic!("%%{name} is not understood"));
        if rest.is_empty() {
            return Self::Known(Some(Bson::Document(object.clone())));
        }
        let mut found: Vec<Bson> = lookup(object, rest).into_iter().flatten().cloned().collect();
        // A path across an array, such as `identities.provider_type`, finds several: they are a list.
        let is_list = found.len() > 1;
        if is_list { Self::Known(Some(Bson::Array(found))) } else { Self::Known(found.pop()) }
    }

    /// A value as it stands on the right of a key.
    pub(super) fn read(value: &Value, scene: &Scene<'_>) -> Self {
        match value {
            Value::String(text) if text.starts_with("%%") => Self::expand(text, scene),
            Value::Object(members) => {
                let only = members.iter().next().filter(|_| members.len() == 1);
                if let Some((name, argument)) = only {
                    if let Some(convert) = conversion(name) {
                        return convert_operand(convert, &Self::read(argument, scene));
                    }
                    match bare(name) {
                        Some("function") => return Self::Known(Some(call(argument, scene))),
                        Some("oid") => {
                            let text = argument.as_str().unwrap_or_default();
                            return ObjectId::parse_str(text)
                                .map_or(Self::Failed, |id| Self::Given(id.into()));
                        }
                        _ => {}
                    }
                }
                let mut document = Document::new();
                for (name, member) in members {
                    let Some(member) = Self::read(member, scene).one() else { return Self::Failed };
                    document.insert(name, member);
                }
                Self::Given(document.into())
            }
            Value::Array(items) => {
                let items = items.iter().filter_map(|item| Self::read(item, scene).member());
                Self::Given(items.collect::<Vec<_>>().into())
            }
            scalar => Self::Given(literal(scalar)),
        }
    }

    /// The one value that it stands for; none for what is absent or in no relation to anything.
    pub(super) fn one(self) -> Option<Bson> {
        match self {
            Self::Given(value) => Some(value),
            Self::Known(value) => value.filter(|value| *value != Bson::Null),
            Self::Stored(values) => values.into_iter().next().flatten(),
            Self::Failed => None,
        }
    }

    /// What it is in a list: an absent expansion is left out, a field that is not there is null.
    pub(super) fn member(self) -> Option<Bson> {
        match self {
            Self::Stored(values) => Some(values.into_iter().next().flatten().unwrap_or(Bson::Null)),
            other => other.one(),
        }
    }

    /// Whether there is a value; a null is one.
    pub(super) fn exists(&self) -> bool {
        match self {
            Self::Given(_) => true,
            Self::Known(value) => value.is_some(),
            Self::Stored(values) => values.iter().any(Option::is_some),
            Self::Failed => false,
        }
    }

    fn is_absent(&self) -> bool {
        matches!(self, Self::Known(None | Some(Bson::Null)))
    }

    fn candidates(&self) -> Vec<Option<&Bson>> {
        match self {
            Self::Given(value) => vec![Some(value)],
            Self::Known(value) => vec![value.as_ref()],
            Self::Stored(values) => values.iter().map(Option::as_ref).collect(),
            Self::Failed => Vec::new(),
        }
    }

    /// Equality, an array on either side meaning "contains" unless `query` (then on the left only); two arrays are
    /// equal when they are the same or share an element.
    pub(super) fn equals(&self, right: &Self, query: bool) -> bool {
        // An absent or null expansion equals a literal null and nothing else.
        let literal_null = |operand: &Self| matches!(operand, Self::Given(Bson::Null));
        if self.is_absent() || right.is_absent() {
            return literal_null(self) || literal_null(right);
        }
        self.pairs(right, |left, right| {
            equals(left, right) || !query && elements(right).iter().any(|item| equals(left, Some(item)))
        })
    }

    fn pairs(&self, right: &Self, test: impl Fn(Option<&Bson>, Option<&Bson>) -> bool) -> bool {
        let rights = right.candidates();
        self.candidates().into_iter().any(|left| rights.iter().any(|right| test(left, *right)))
    }

    /// A range, within a bracket, an array by its elements: one of them on either side has to stand in it.
    pub(super) fn ranges(&self, right: &Self, wanted: fn(Ordering) -> bool) -> bool {
        if self.is_absent() || right.is_absent() {
            return false;
        }
        self.pairs(right, |left, right| match right {
            Some(Bson::Array(items)) => items.iter().any(|item| ranges(left, item, wanted)),
            right => ranges(left, right.unwrap_or(&Bson::Null), wanted),
        })
    }

    /// Whether it is, or has as an element, one of the items.
    pub(super) fn is_in(&self, items: &[Bson]) -> bool {
        items.iter().any(|item| {
            if self.is_absent() {
                return *item == Bson::Null;
            }
            self.candidates().into_iter().any(|left| equals(left, Some(item)))
        })
    }
}

/// A conversion: `None` is failure.
type Conversion = fn(&Bson) -> Option<Bson>;

fn conversion(name: &str) -> Option<Conversion> {
    match bare(name)? {
        "stringToOid" => Some(string_to_oid),
        "oidToString" => Some(|value| value.as_object_id().map(|id| id.to_hex().into())),
        "stringToUuid" => Some(string_to_uuid),
        "uuidToString" => Some(uuid_to_string),
        _ => None,
    }
}

/// The name of an operator without its `%` or `$`.
pub(super) fn bare(name: &str) -> Option<&str> {
    name.strip_prefix(['%', '$']).filter(|rest| !rest.starts_with('%'))
}

fn convert_operand(convert: Conversion, operand: &Operand) -> Operand {
    let value = operand.clone().one();
    value.and_then(|value| convert(&value)).map_or(Operand::Failed, |value| Operand::Known(Some(value)))
}

/// 24 hexadecimal digits, or 12 bytes.
fn string_to_oid(value: &Bson) -> Option<Bson> {
    let text = value.as_str()?;
    if let Ok(bytes) = <[u8; 12]>::try_from(text.as_bytes()) {
        return Some(ObjectId::from_bytes(bytes).into());
    }
    Some(ObjectId::parse_str(text).ok()?.into())
}

fn string_to_uuid(value: &Bson) -> Option<Bson> {
    let text = value.as_str().filter(|text| text.len() == 36)?;
    let mut bytes = Vec::new();
    for part in text.split('-') {
        for at in (0..part.len()).step_by(2) {
            bytes.push(u8::from_str_radix(part.get(at..at + 2)?, 16).ok()?);
        }
    }
    let whole = bytes.len() == 16;
    whole.then_some(Bson::Binary(Binary { subtype: BinarySubtype::Uuid, bytes }))
}

fn uuid_to_string(value: &Bson) -> Option<Bson> {
    let Bson::Binary(Binary { subtype: BinarySubtype::Uuid, bytes }) = value else { return None };
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [hex.get(..8)?, hex.get(8..12)?, hex.get(12..16)?, hex.get(16..20)?, hex.get(20..)?];
    Some(parts.join("-").into())
}

fn call(argument: &Value, scene: &Scene<'_>) -> Bson {
    let name = argument["name"].as_str().expect("a name");
    let function = scene.world.functions.get(name).unwrap_or_else(|| panic!("no function {name}"));
    let none = Vec::new();
    let arguments = argument["arguments"].as_array().unwrap_or(&none);
    let arguments: Vec<Bson> =
        arguments.iter().map(|argument| Operand::read(argument, scene).one().unwrap_or(Bson::Null)).collect();
    function(&arguments)
}

/// A JSON scalar as the rules mean it: the narrowest whole number, or a double.
fn literal(value: &Value) -> Bson {
    match value {
        Value::Null => Bson::Null,
        Value::Bool(value) => Bson::Boolean(*value),
        Value::String(text) => Bson::String(text.clone()),
        Value::Number(number) => number.as_i64().map_or_else(
            || Bson::Double(number.as_f64().expect("a number")),
            |whole| i32::try_from(whole).map_or(Bson::Int64(whole), Bson::Int32),
        ),
        Value::Array(_) | Value::Object(_) => panic!("no scalar: {value}"),
    }
}
