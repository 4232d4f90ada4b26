//! JSON to [`Expression`], with file and pointer for every problem.
//!
//! 1. Several keys are joined with AND; `{}` is true.
//! 2. A key is a logical operator, an expansion, or a field (short for `%%root.<field>`).
//! 3. `%` and `$` spellings of an operator are equal.
//! 4. A document without operators is compared as a whole, and the report warns of it.
//! 5. What is not understood is an error in the report and no expression: the role is closed.

use bson::Bson;
use serde_json::{Map, Value};

use super::expr::{Conversion, Expression, Image, Known, Operand, Relation};
use crate::filter::Comparison;
use crate::report::Report;

/// Words of JSON schema that real rules mistake for operators.
const SCHEMA_WORDS: [&str; 5] = ["enum", "anyOf", "allOf", "oneOf", "not"];

/// The first keys of extended JSON values.
const EXTENDED: [&str; 8] =
    ["$oid", "$date", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal", "$uuid", "$binary"];

/// Reads the expressions of one file.
pub(crate) struct Parser<'a> {
    pub(crate) file: &'a str,
    pub(crate) report: &'a mut Report,
    /// The nesting that is still understood.
    pub(crate) max_depth: usize,
    /// The dotted path of the field that `%%this` and `%%prev` stand for; `None` outside field rules.
    pub(crate) this: Option<String>,
}

impl Parser<'_> {
    /// The expression; `None` when it is not understood, which the report says.
    pub(crate) fn expression(&mut self, json: &Value, pointer: &str) -> Option<Expression> {
        self.nested(json, pointer, 0)
    }

    fn nested(&mut self, json: &Value, pointer: &str, depth: usize) -> Option<Expression> {
        if depth > self.max_depth {
            return self.fail(pointer, "expression is nested too deeply");
        }
        match json {
            Value::Bool(constant) => Some(Expression::Constant(*constant)),
            Value::String(text) if text == "%%true" => Some(Expression::Constant(true)),
            Value::String(text) if text == "%%false" => Some(Expression::Constant(false)),
            Value::Object(entries) => {
                // Every entry is read, so that the report names all problems at once.
                let parts: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| self.entry(key, value, &below(pointer, key), depth))
                    .collect();
                parts.into_iter().collect::<Option<_>>().map(Expression::All)
            }
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                self.fail(pointer, format!("`{json}` is no expression"))
            }
        }
    }

    fn entry(&mut self, key: &str, value: &Value, pointer: &str, depth: usize) -> Option<Expression> {
        if let Some(name) = operator(key) {
            return match name {
                "and" => self.several(value, pointer, depth).map(Expression::All),
                "or" => self.several(value, pointer, depth).map(Expression::Any),
                "nor" => self.several(value, pointer, depth).map(|parts| not(Expression::Any(parts))),
                // An array of one is told from "not all of them" by its length.
                "not" => match value {
                    Value::Array(items) if items.len() == 1 => {
                        self.several(value, pointer, depth).map(|parts| not(Expression::All(parts)))
                    }
                    Value::Array(_) => self.fail(pointer, format!("`{key}` takes one expression")),
                    _ => self.nested(value, pointer, depth + 1).map(not),
                },
                _ => self.fail(pointer, format!("operator `{key}` is not supported here")),
            };
        }
        if SCHEMA_WORDS.contains(&key) {
            self.report.warn(self.file, pointer, format!("`{key}` is read as a field, not as an operator"));
        }
        let left = if key.starts_with("%%") {
            self.expansion(key, pointer)?
        } else {
            Operand::Stored(Image::Root, key.to_owned())
        };
        self.test(&left, value, pointer, depth)
    }

    fn several(&mut self, value: &Value, pointer: &str, depth: usize) -> Option<Vec<Expression>> {
        let Value::Array(items) = value else {
            return self.fail(pointer, "the operator takes an array of expressions");
        };
        let parts: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(index, item)| self.nested(item, &format!("{pointer}/{index}"), depth + 1))
            .collect();
        parts.into_iter().collect()
    }

    /// What is asked of the left side.
    fn test(&mut self, left: &Operand, value: &Value, pointer: &str, depth: usize) -> Option<Expression> {
        if depth > self.max_depth {
            return self.fail(pointer, "expression is nested too deeply");
        }
        if let Value::Object(entries) = value
            && is_test(entries)
        {
            let parts: Vec<_> = entries
                .iter()
                .map(|(key, value)| self.operator(left, key, value, &below(pointer, key), depth))
                .collect();
            return parts.into_iter().collect::<Option<_>>().map(Expression::All);
        }
        if let Value::Object(entries) = value
            && !is_extended(entries)
            && !is_conversion(entries)
        {
            self.warn_of_whole_document(entries, pointer);
        }
        let right = self.operand(value, pointer, depth)?;
        self.relates(left, Relation::Compare(Comparison::Eq), right, pointer)
    }

    fn operator(
        &mut self,
        left: &Operand,
        key: &str,
        value: &Value,
        pointer: &str,
        depth: usize,
    ) -> Option<Expression> {
        let (relation, negated) = match operator(key) {
            Some("eq") => (Relation::Compare(Comparison::Eq), false),
            Some("ne") => (Relation::Compare(Comparison::Eq), true),
            Some("gt") => (Relation::Compare(Comparison::Gt), false),
            Some("gte") => (Relation::Compare(Comparison::Gte), false),
            Some("lt") => (Relation::Compare(Comparison::Lt), false),
            Some("lte") => (Relation::Compare(Comparison::Lte), false),
            Some("in") => (Relation::In, false),
            Some("nin") => (Relation::In, true),
            Some("all") => (Relation::All, false),
            Some("not") => return self.test(left, value, pointer, depth + 1).map(not),
            Some("exists") => return self.exists(left, value, pointer),
            Some(_) => return self.fail(pointer, format!("operator `{key}` is not supported")),
            None => return self.fail(pointer, format!("`{key}` stands beside operators")),
        };
        let right = self.operand(value, pointer, depth + 1)?;
        let takes_list = !matches!(relation, Relation::Compare(_));
        if takes_list && matches!(right, Operand::Literal(_) | Operand::Document(_)) {
            return self.fail(pointer, format!("`{key}` takes an array or an expansion"));
        }
        let found = self.relates(left, relation, right, pointer)?;
        Some(if negated { not(found) } else { found })
    }

    fn exists(&mut self, left: &Operand, value: &Value, pointer: &str) -> Option<Expression> {
        let found = Expression::Exists(left.clone());
        match value {
            Value::Bool(true) => Some(found),
            Value::Bool(false) => Some(not(found)),
            Value::String(text) if text == "%%true" => Some(found),
            Value::String(text) if text == "%%false" => Some(not(found)),
            _ => self.fail(pointer, "`%exists` takes true or false"),
        }
    }

    fn relates(
        &mut self,
        left: &Operand,
        relation: Relation,
        right: Operand,
        pointer: &str,
    ) -> Option<Expression> {
        if is_whole_document(left) || is_whole_document(&right) {
            return self.fail(pointer, "a whole document can only be asked for `%exists`");
        }
        Some(Expression::Relates(left.clone(), relation, right))
    }

    fn operand(&mut self, value: &Value, pointer: &str, depth: usize) -> Option<Operand> {
        if depth > self.max_depth {
            return self.fail(pointer, "expression is nested too deeply");
        }
        match value {
            Value::String(text) if text.starts_with("%%") => self.expansion(text, pointer),
            Value::Array(items) => {
                let items: Vec<_> = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.operand(item, &format!("{pointer}/{index}"), depth + 1))
                    .collect();
                items.into_iter().collect::<Option<_>>().map(Operand::List)
            }
            Value::Object(entries) if is_extended(entries) => self.literal(value, pointer),
            Value::Object(entries) => match conversion(entries) {
                Some((conversion, operand)) => self.conversion(conversion, operand, pointer, depth),
                None => self.document(entries, pointer, depth),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.literal(value, pointer)
            }
        }
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
                if !is_whole_document(&operand) =>
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

    fn expansion(&mut self, text: &str, pointer: &str) -> Option<Operand> {
        let name = text.strip_prefix("%%").unwrap_or(text);
        // The documentation once writes `%%user.id%%`.
        let name = name.strip_suffix("%%").unwrap_or(name);
        let (head, path) = name.split_once('.').unwrap_or((name, ""));
        if name.ends_with('.') || path.split('.').skip(1).any(str::is_empty) {
            return self.fail(pointer, format!("expansion `{text}` has an empty segment"));
        }
        let path = path.to_owned();
        match (head, self.this.clone()) {
            ("true", _) if path.is_empty() => Some(Operand::Literal(Bson::Boolean(true))),
            ("false", _) if path.is_empty() => Some(Operand::Literal(Bson::Boolean(false))),
            ("user", _) => Some(Operand::Known(Known::User, path)),
            ("values", _) if !path.is_empty() => Some(Operand::Known(Known::Values, path)),
            ("root", _) => Some(Operand::Stored(Image::Root, path)),
            ("prevRoot", _) => Some(Operand::Stored(Image::Previous, path)),
            ("this", Some(field)) => Some(Operand::Stored(Image::Next, joined(&field, &path))),
            ("prev", Some(field)) => Some(Operand::Stored(Image::Previous, joined(&field, &path))),
            _ => self.fail(pointer, format!("expansion `{text}` is not supported here")),
        }
    }

    fn warn_of_whole_document(&mut self, entries: &Map<String, Value>, pointer: &str) {
        let word = entries.keys().find(|key| SCHEMA_WORDS.contains(&key.as_str()));
        let message = match word {
            Some(word) => format!("`{word}` is no operator: the field is compared with a whole document"),
            None => "the field is compared with a whole document, not with its parts".to_owned(),
        };
        self.report.warn(self.file, pointer, message);
    }

    /// Notes the problem; there is no expression.
    pub(crate) fn fail<T>(&mut self, pointer: &str, message: impl Into<String>) -> Option<T> {
        self.report.error(self.file, pointer, message);
        None
    }
}

/// The pointer of a member, escaped as RFC 6901 has it.
pub(crate) fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn not(expression: Expression) -> Expression {
    Expression::Not(Box::new(expression))
}

/// The name of an operator without its sigil; `None` for fields and expansions.
fn operator(key: &str) -> Option<&str> {
    if key.starts_with("%%") {
        return None;
    }
    key.strip_prefix('%').or_else(|| key.strip_prefix('$'))
}

fn is_test(entries: &Map<String, Value>) -> bool {
    entries.keys().any(|key| operator(key).is_some()) && !is_extended(entries) && !is_conversion(entries)
}

fn is_extended(entries: &Map<String, Value>) -> bool {
    entries.len() == 1 && entries.keys().all(|key| EXTENDED.contains(&key.as_str()))
}

fn is_conversion(entries: &Map<String, Value>) -> bool {
    conversion(entries).is_some()
}

fn conversion(entries: &Map<String, Value>) -> Option<(Conversion, &Value)> {
    let (key, value) = entries.iter().next()?;
    let conversion = operator(key).and_then(Conversion::named)?;
    (entries.len() == 1).then_some((conversion, value))
}

fn is_whole_document(operand: &Operand) -> bool {
    matches!(operand, Operand::Stored(_, path) if path.is_empty())
}

fn joined(field: &str, path: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{field}.{path}") }
}
