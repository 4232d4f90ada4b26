//! Whether a part of the rules is understood at all. A role with one that is not is closed.

use serde_json::Value;

use super::expression::operators;
use super::operand::bare;
use super::world::expansion;

/// What an expression may speak of where it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Where no document is known: the `apply_when` of a filter.
    NoDocument,
    /// Where a document is known.
    Document,
    /// The rule of a field.
    Field,
}

/// Whether each expression of a role is understood.
pub(super) fn role(role: &Value) -> bool {
    let own = ["apply_when", "read", "write", "insert", "delete", "search"];
    let gates = &role["document_filters"];
    own.iter().all(|name| optional(&role[name], Place::Document))
        && ["read", "write"].iter().all(|name| optional(&gates[name], Place::Document))
        && field(&role["additional_fields"])
        && fields(&role["fields"])
}

fn fields(fields: &Value) -> bool {
    fields.as_object().is_none_or(|fields| fields.values().all(field))
}

fn field(rule: &Value) -> bool {
    optional(&rule["read"], Place::Field) && optional(&rule["write"], Place::Field) && fields(&rule["fields"])
}

fn optional(value: &Value, place: Place) -> bool {
    value.is_null() || expression(value, place)
}

/// Whether an expression is understood.
pub(super) fn expression(value: &Value, place: Place) -> bool {
    match value {
        Value::Bool(_) => true,
        Value::Object(members) => members.iter().all(|(key, value)| member(key, value, place)),
        Value::String(text) => ["%%true", "%%false"].contains(&text.as_str()),
        _ => false,
    }
}

fn member(key: &str, value: &Value, place: Place) -> bool {
    let each = |parts: &Vec<Value>| parts.iter().all(|part| expression(part, place));
    match bare(key) {
        Some("and" | "or" | "nor") => value.as_array().is_some_and(each),
        Some("not") => match value {
            Value::Array(parts) => parts.len() == 1 && each(parts),
            one => expression(one, place),
        },
        Some(_) => false,
        None if key.starts_with("%%") => expands(key, place) && right(value, place),
        None => place != Place::NoDocument && right(value, place),
    }
}

/// Whether an expansion is known where it stands.
fn expands(text: &str, place: Place) -> bool {
    match expansion(text).map(|(name, rest)| (name, rest.is_empty())) {
        Some(("true" | "false", is_whole)) => is_whole,
        Some(("user" | "values" | "environment" | "request", _)) => true,
        Some(("root" | "prevRoot", _)) => place != Place::NoDocument,
        Some(("this" | "prev", _)) => place == Place::Field,
        _ => false,
    }
}

/// What stands on the right of a key: operators, or an operand.
fn right(value: &Value, place: Place) -> bool {
    match operators(value) {
        None => operand(value, place),
        Some(operators) => operators.iter().all(|(name, argument)| match bare(name) {
            Some("exists") => {
                argument.is_boolean() || matches!(argument.as_str(), Some("%%true" | "%%false"))
            }
            Some("eq" | "ne" | "gt" | "gte" | "lt" | "lte") => operand(argument, place),
            Some("in" | "nin" | "all") => is_list(argument) && operand(argument, place),
            Some("not") => right(argument, place),
            _ => false,
        }),
    }
}

/// A list, or an expansion that may be one.
fn is_list(argument: &Value) -> bool {
    argument.is_array() || argument.as_str().is_some_and(|text| text.starts_with("%%"))
}

fn operand(value: &Value, place: Place) -> bool {
    match value {
        Value::String(text) if text.starts_with("%%") => expands(text, place),
        Value::Array(items) => items.iter().all(|item| operand(item, place)),
        Value::Object(members) => members.iter().all(|(name, member)| match bare(name) {
            None => !name.starts_with("%%") && operand(member, place),
            Some("stringToOid" | "oidToString" | "stringToUuid" | "uuidToString") => {
                members.len() == 1 && is_simple(member) && operand(member, place)
            }
            Some("function") => members.len() == 1 && member["name"].is_string(),
            Some("oid") => members.len() == 1 && member.is_string(),
            Some(_) => false,
        }),
        _ => true,
    }
}

/// A conversion takes a literal or an expansion, no nested operators.
fn is_simple(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}
