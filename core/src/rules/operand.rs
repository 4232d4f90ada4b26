//! JSON to [`Operand`]: what stands on a side of a relation.

use bson::Bson;
use serde_json::{Map, Value};

use super::expr::{Conversion, Image, Known, Operand, VALUE};
use super::parse::{Parser, Place, below, operator};

/// The first keys of extended JSON values.
const EXTENDED: [&str; 8] =
    ["$oid", "$date", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal", "$uuid", "$binary"];

impl Parser<'_> {
    /// The operand; `None` when it is not understood, which the report says.
    pub(super) fn operand(&mut self, value: &Value, pointer: &str, depth: usize) -> Option<Operand> {
        if depth > self.max_depth {
            return self.fail(pointer, "expression is nested too deeply");
        }
        match value {
            Value::String(text) if text.starts_with("%%") => self.expansion(text, pointer),
            Value::Array(items) => self.operands(items, pointer, depth).map(Operand::List),
            Value::Object(entries) if is_extended(entries) => self.literal(value, pointer),
            Value::Object(entries) => {
                if let Some(called) = call(entries) {
                    return self.call(called, pointer, depth);
                }
                match conversion(entries) {
                    Some((conversion, operand)) => self.conversion(conversion, operand, pointer, depth),
                    None => self.document(entries, pointer, depth),
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.literal(value, pointer)
            }
        }
    }

    fn operands(&mut self, items: &[Value], pointer: &str, depth: usize) -> Option<Vec<Operand>> {
        let operands: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(index, item)| self.operand(item, &format!("{pointer}/{index}"), depth + 1))
            .collect();
        operands.into_iter().collect()
    }

    /// `{name, arguments}`.
    fn call(&mut self, (key, called): (&str, &Value), pointer: &str, depth: usize) -> Option<Operand> {
        let pointer = below(pointer, key);
        let Some(name) = called.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()) else {
            return self.fail(&pointer, format!("`{key}` takes `name` and `arguments`"));
        };
        let arguments = match called.get("arguments") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(arguments)) => {
                self.operands(arguments, &below(&pointer, "arguments"), depth + 1)?
            }
            Some(_) => return self.fail(&below(&pointer, "arguments"), "`arguments` is no array"),
        };
        Some(Operand::Call(name.into(), arguments))
    }

    fn conversion(
        &mut self,
        conversion: Conversion,
        value: &Value,
        pointer: &str,
        depth: usize,
    ) -> Option<Operand> {
        let operand = self.operand(value, pointer, depth + 1)?;
        match operand {
            Operand::Literal(_) | Operand::Known(..) | Operand::Stored(..)
                if !operand.is_whole_document() =>
            {
                Some(Operand::Convert(conversion, Box::new(operand)))
            }
            _ => self.fail(pointer, "a conversion takes a literal or an expansion"),
        }
    }

    fn document(&mut self, entries: &Map<String, Value>, pointer: &str, depth: usize) -> Option<Operand> {
        let fields: Vec<_> = entries
            .iter()
            .map(|(key, value)| {
                let pointer = below(pointer, key);
                if key.starts_with('%') || key.starts_with('$') {
                    return self.fail(&pointer, format!("`{key}` is not supported here"));
                }
                Some((key.clone(), self.operand(value, &pointer, depth + 1)?))
            })
            .collect();
        fields.into_iter().collect::<Option<_>>().map(Operand::Document)
    }

    fn literal(&mut self, value: &Value, pointer: &str) -> Option<Operand> {
        match Bson::try_from(value.clone()) {
            Ok(value) => Some(Operand::Literal(value)),
            Err(_) => self.fail(pointer, format!("`{value}` is no value")),
        }
    }

    /// `%%name.path`.
    pub(super) fn expansion(&mut self, text: &str, pointer: &str) -> Option<Operand> {
        let name = text.strip_prefix("%%").unwrap_or(text);
        // The documentation once writes `%%user.id%%`.
        let name = name.strip_suffix("%%").unwrap_or(name);
        let (head, path) = name.split_once('.').unwrap_or((name, ""));
        if name.ends_with('.') || path.split('.').skip(1).any(str::is_empty) {
            return self.fail(pointer, format!("expansion `{text}` has an empty segment"));
        }
        let path = path.to_owned();
        let place = self.place.clone();
        match (head, place) {
            ("true", _) if path.is_empty() => Some(Operand::Literal(Bson::Boolean(true))),
            ("false", _) if path.is_empty() => Some(Operand::Literal(Bson::Boolean(false))),
            ("user", _) => Some(Operand::Known(Known::User, path)),
            ("values", _) => Some(Operand::Known(Known::Values, path)),
            ("environment", _) => Some(Operand::Known(Known::Environment, path)),
            ("request", _) => Some(Operand::Known(Known::Request, path)),
            ("root" | "prevRoot" | "this" | "prev", place) if !place.has_document() => {
                self.fail(pointer, format!("`{text}` means nothing in a filter: there is no document yet"))
            }
            ("root", _) => Some(Operand::Stored(Image::Root, path)),
            ("prevRoot", _) => Some(Operand::Stored(Image::Previous, path)),
            ("this", Place::Field(field)) => {
                let image = if field.contains('.') { Image::NextOfEach } else { Image::Next };
                Some(Operand::Stored(image, joined(&field, &path)))
            }
            ("prev", Place::Field(field)) => {
                let image = if field.contains('.') { Image::PreviousOfEach } else { Image::Previous };
                Some(Operand::Stored(image, joined(&field, &path)))
            }
            ("this", Place::Value) => Some(Operand::Stored(Image::Value, joined(VALUE, &path))),
            ("prev", Place::Value) => Some(Operand::Stored(Image::PreviousValue, joined(VALUE, &path))),
            ("this" | "prev", _) => {
                self.fail(pointer, format!("`{text}` means nothing here: no field is judged"))
            }
            ("args", _) => self
                .fail(pointer, format!("`{text}` means nothing here: only a service's action has arguments")),
            ("partition", _) => self.fail(pointer, format!("`{text}` means nothing here: there is no sync")),
            _ => self.fail(pointer, format!("expansion `{text}` is not known")),
        }
    }
}

/// Whether an object is one value, and no test and no document.
pub(super) fn is_value(entries: &Map<String, Value>) -> bool {
    is_extended(entries) || call(entries).is_some() || conversion(entries).is_some()
}

fn is_extended(entries: &Map<String, Value>) -> bool {
    entries.len() == 1 && entries.keys().all(|key| EXTENDED.contains(&key.as_str()))
}

fn call(entries: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (key, value) = entries.iter().next()?;
    (entries.len() == 1 && operator(key) == Some("function")).then_some((key, value))
}

fn conversion(entries: &Map<String, Value>) -> Option<(Conversion, &Value)> {
    let (key, value) = entries.iter().next()?;
    let conversion = operator(key).and_then(Conversion::named)?;
    (entries.len() == 1).then_some((conversion, value))
}

fn joined(field: &str, path: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{field}.{path}") }
}
