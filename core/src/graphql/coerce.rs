//! Values to typed input (GraphQL, sections 3.10, 3.11 and 6.4.1).
//!
//! 1. A value is read by its declared type; what does not fit is refused with the path to it.
//! 2. A single value where a list is wanted is a list of one.
//! 3. An input object has no unknown and no repeated fields, and all its required ones.
//! 4. An absent variable is an absent field, null in a list; null never stands for a required value.

use std::collections::HashMap;

use bson::Bson;
use serde_json::Value;

use super::ast::ValueNode;
use super::catalog::{Catalog, InputIndex, InputType, Scalar};
use super::scalar::{RawScalar, adapt};
use crate::limits::Limits;

/// A value that fits its type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input {
    Null,
    /// A scalar, in the BSON type that is stored.
    Scalar(Bson),
    /// A place among an enum's values.
    Enum(usize),
    List(Vec<Input>),
    /// The places of its fields, in the order in which they were given.
    Object(InputIndex, Vec<(usize, Input)>),
}

impl Input {
    /// What a function is given: objects under the GraphQL names of their fields, enum values by name.
    pub(crate) fn to_bson(&self, catalog: &Catalog, ty: &InputType) -> Bson {
        match (self, ty) {
            (value, InputType::NonNull(inner)) => value.to_bson(catalog, inner),
            (Self::Scalar(value), _) => value.clone(),
            (Self::List(items), InputType::List(item)) => {
                items.iter().map(|value| value.to_bson(catalog, item)).collect()
            }
            (Self::Object(index, fields), _) => {
                let known =
                    catalog.inputs.get(index.0).map(|input| input.fields.as_slice()).unwrap_or_default();
                let member = |(place, value): &(usize, Self)| {
                    let field = known.get(*place)?;
                    Some((field.name.clone(), value.to_bson(catalog, &field.ty)))
                };
                Bson::Document(fields.iter().filter_map(member).collect())
            }
            (Self::Enum(place), InputType::Enum(index)) => {
                let value = catalog.enums.get(*index).and_then(|known| known.values.get(*place));
                value.map_or(Bson::Null, |(name, ..)| Bson::String(name.clone()))
            }
            (Self::Null | Self::Enum(_) | Self::List(_), _) => Bson::Null,
        }
    }
}

/// Coerced variables; an absent one is not there.
pub(crate) type Variables = HashMap<String, Input>;

/// A value as it was sent: in the variables, or in the document.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Given<'a> {
    Json(&'a Value),
    Literal(&'a ValueNode),
}

/// Why a value does not fit, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// Steps from the argument or variable to the value, outermost first.
    pub(crate) path: Vec<String>,
    pub(crate) message: String,
}

/// Reads values of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coercer<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) limits: &'a Limits,
    pub(crate) variables: &'a Variables,
}

impl<'a> Coercer<'a> {
    /// The value as input of this type; `None` when it is a variable that is absent.
    pub(crate) fn coerce(&self, given: Given<'_>, ty: &InputType) -> Result<Option<Input>, Misfit> {
        self.read(given, ty, self.limits.value_depth).map_err(|mut misfit| {
            misfit.path.reverse();
            misfit
        })
    }

    fn read(&self, given: Given<'_>, ty: &InputType, depth: usize) -> Result<Option<Input>, Misfit> {
        if depth == 0 {
            return Err(misfit("the value is nested too deeply"));
        }
        if let Given::Literal(ValueNode::Variable(name)) = given {
            return match self.variables.get(name) {
                Some(value) => fit(value, ty).map(Some),
                None if matches!(ty, InputType::NonNull(_)) => {
                    Err(misfit(format!("variable `${name}` has no value where one is required")))
                }
                None => Ok(None),
            };
        }
        let is_null = matches!(given, Given::Json(Value::Null) | Given::Literal(ValueNode::Null));
        match ty {
            InputType::NonNull(_) if is_null => {
                Err(misfit(format!("null where `{}` is required", self.name(ty))))
            }
            InputType::NonNull(inner) => self.read(given, inner, depth),
            _ if is_null => Ok(Some(Input::Null)),
            InputType::List(item) => self.list(given, item, depth).map(Some),
            InputType::Object(index) => self.object(given, *index, depth).map(Some),
            InputType::Enum(index) => self.enumeration(given, *index).map(Some),
            InputType::Scalar(scalar) => self.scalar(given, *scalar).map(Some),
        }
    }

    fn list(&self, given: Given<'_>, item: &InputType, depth: usize) -> Result<Input, Misfit> {
        let count = match given {
            Given::Json(Value::Array(values)) => values.len(),
            Given::Literal(ValueNode::List(values)) => values.len(),
            _ => {
                let one = self.read(given, item, depth - 1)?;
                return Ok(Input::List(one.into_iter().collect()));
            }
        };
        if count > self.limits.input_list {
            return Err(misfit(format!("the list has more than {} elements", self.limits.input_list)));
        }
        let mut items = Vec::with_capacity(count);
        let mut push = |index: usize, value: Given<'_>| {
            let read = self.read(value, item, depth - 1).map_err(|inner| inner.below(index.to_string()))?;
            items.push(read.unwrap_or(Input::Null));
            Ok(())
        };
        match given {
            Given::Json(Value::Array(values)) => {
                values.iter().enumerate().try_for_each(|(index, value)| push(index, Given::Json(value)))?;
            }
            Given::Literal(ValueNode::List(values)) => {
                values
                    .iter()
                    .enumerate()
                    .try_for_each(|(index, value)| push(index, Given::Literal(value)))?;
            }
            _ => {}
        }
        Ok(Input::List(items))
    }

    fn object(&self, given: Given<'_>, index: InputIndex, depth: usize) -> Result<Input, Misfit> {
        let Some(input) = self.catalog.inputs.get(index.0) else {
            return Err(misfit("the type is not known"));
        };
        let members: Vec<(&str, Given<'_>)> = match given {
            Given::Json(Value::Object(members)) => {
                members.iter().map(|(name, value)| (name.as_str(), Given::Json(value))).collect()
            }
            Given::Literal(ValueNode::Object(members)) => {
                members.iter().map(|(name, value)| (name.as_str(), Given::Literal(value))).collect()
            }
            _ => return Err(misfit(format!("expected `{}`, found {}", input.name, describe(given)))),
        };
        let mut fields: Vec<(usize, Input)> = Vec::with_capacity(members.len());
        for (name, value) in members {
            let place = input.by_name.get(name).copied();
            let Some((place, field)) = place.and_then(|place| Some((place, input.fields.get(place)?))) else {
                return Err(misfit(format!("`{}` has no field `{name}`", input.name)));
            };
            if fields.iter().any(|(other, _)| *other == place) {
                return Err(misfit(format!("field `{name}` is given twice")));
            }
            let read =
                self.read(value, &field.ty, depth - 1).map_err(|inner| inner.below(name.to_owned()))?;
            fields.extend(read.map(|read| (place, read)));
        }
        for (place, field) in input.fields.iter().enumerate() {
            let required = matches!(field.ty, InputType::NonNull(_));
            if required && !fields.iter().any(|(given, _)| *given == place) {
                return Err(misfit(format!("field `{}` of `{}` is required", field.name, input.name)));
            }
        }
        Ok(Input::Object(index, fields))
    }

    fn enumeration(&self, given: Given<'_>, index: usize) -> Result<Input, Misfit> {
        let Some(sort) = self.catalog.enums.get(index) else {
            return Err(misfit("the type is not known"));
        };
        let name = match given {
            Given::Json(Value::String(name)) | Given::Literal(ValueNode::Enum(name)) => name,
            _ => return Err(misfit(format!("expected `{}`, found {}", sort.name, describe(given)))),
        };
        let place = sort.values.iter().position(|(value, ..)| value == name);
        place.map(Input::Enum).ok_or_else(|| misfit(format!("`{}` has no value `{name}`", sort.name)))
    }

    fn scalar(&self, given: Given<'_>, scalar: Scalar) -> Result<Input, Misfit> {
        let raw = raw_scalar(given);
        let value = raw.and_then(|raw| raw.parse(scalar));
        value.map(Input::Scalar).ok_or_else(|| {
            let right_kind = raw.is_some_and(|raw| match scalar {
                Scalar::Int => matches!(raw, RawScalar::Int(_)),
                Scalar::Long | Scalar::ObjectId | Scalar::DateTime | Scalar::Timestamp => {
                    matches!(raw, RawScalar::String(_))
                }
                _ => false,
            });
            let found = if right_kind { "another value" } else { describe(given) };
            misfit(format!("expected `{}`, found {found}", scalar.name()))
        })
    }

    /// The type as GraphQL writes it.
    pub(crate) fn name(&self, ty: &InputType) -> String {
        match ty {
            InputType::Scalar(scalar) => scalar.name().to_owned(),
            InputType::Enum(index) => {
                self.catalog.enums.get(*index).map(|known| known.name.clone()).unwrap_or_default()
            }
            InputType::Object(index) => {
                self.catalog.inputs.get(index.0).map(|known| known.name.clone()).unwrap_or_default()
            }
            InputType::List(item) => format!("[{}]", self.name(item)),
            InputType::NonNull(inner) => format!("{}!", self.name(inner)),
        }
    }
}

impl Misfit {
    fn below(mut self, step: String) -> Self {
        self.path.push(step);
        self
    }
}

/// A variable's value where a type of the same GraphQL name is wanted.
fn fit(value: &Input, ty: &InputType) -> Result<Input, Misfit> {
    match (ty, value) {
        (InputType::NonNull(_), Input::Null) => Err(misfit("null where a value is required")),
        (InputType::NonNull(inner), value) => fit(value, inner),
        (InputType::List(item), Input::List(values)) => {
            Ok(Input::List(values.iter().map(|value| fit(value, item)).collect::<Result<_, _>>()?))
        }
        (InputType::Scalar(scalar), Input::Scalar(value)) => {
            adapt(value, *scalar).map(Input::Scalar).ok_or_else(|| misfit("the value is out of range"))
        }
        (_, value) => Ok(value.clone()),
    }
}

fn raw_scalar<'v>(given: Given<'v>) -> Option<RawScalar<'v>> {
    Some(match given {
        Given::Json(Value::Bool(value)) => RawScalar::Boolean(*value),
        Given::Json(Value::String(text)) => RawScalar::String(text),
        Given::Json(Value::Number(number)) => match number.as_i64() {
            Some(value) => RawScalar::Int(value),
            None => RawScalar::Float { value: number.as_f64()?, json: true },
        },
        Given::Literal(ValueNode::Boolean(value)) => RawScalar::Boolean(*value),
        Given::Literal(ValueNode::Int(value)) => RawScalar::Int(*value),
        Given::Literal(ValueNode::Float(value)) => RawScalar::Float { value: *value, json: false },
        Given::Literal(ValueNode::String(text)) => RawScalar::String(text),
        Given::Json(_) | Given::Literal(_) => return None,
    })
}

fn describe(given: Given<'_>) -> &'static str {
    if let Some(raw) = raw_scalar(given) {
        return raw.describe();
    }
    match given {
        Given::Json(Value::Array(_)) | Given::Literal(ValueNode::List(_)) => "a list",
        Given::Json(Value::Object(_)) | Given::Literal(ValueNode::Object(_)) => "an object",
        Given::Literal(ValueNode::Enum(_)) => "an enum value",
        Given::Json(Value::Null) | Given::Literal(ValueNode::Null) => "null",
        Given::Json(_) | Given::Literal(_) => "another value",
    }
}

fn misfit(message: impl Into<String>) -> Misfit {
    Misfit { path: Vec::new(), message: message.into() }
}
