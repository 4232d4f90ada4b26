//! JSON to [`Expression`], with file and pointer for every problem.
//!
//! 1. Several keys are joined with AND; `{}` is true.
//! 2. A key is a logical operator, an expansion, or a field (short for `%%root.<field>`).
//! 3. `%` and `$` spellings of an operator are equal.
//! 4. A document without operators is compared as a whole, and the report warns of it.
//! 5. What is not understood is an error in the report and no expression: the role is closed.

use serde_json::{Map, Value};

use super::expr::{Expression, Image, Operand, Relation};
use super::operand::is_value;
use crate::filter::{Comparison, Filter};
use crate::report::Report;

/// Words of JSON schema that real rules mistake for operators.
const SCHEMA_WORDS: [&str; 5] = ["enum", "anyOf", "allOf", "oneOf", "not"];

/// Operators of queries that rules do not have.
const ASKED: [&str; 6] = ["regex", "options", "elemMatch", "size", "type", "mod"];

/// Reads the expressions of one file.
pub(crate) struct Parser<'a> {
    pub(crate) file: &'a str,
    pub(crate) report: &'a mut Report,
    /// The nesting that is still understood.
    pub(crate) max_depth: usize,
    /// Where the expression stands: it says what may be named.
    pub(crate) place: Place,
}

/// Where an expression stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a role: about a document.
    Role,
    /// In the rule of the field at this dotted path, which `%%this` and `%%prev` stand for.
    Field(String),
    /// In a schema's `validate` or in `additional_fields`: about a value, which `%%this` and `%%prev` stand for.
    Value,
    /// In the `apply_when` of a filter: before there is any document.
    Filter,
    /// In the `query` of a filter: a query of MongoDB's, which is no rule.
    Query,
}

impl Place {
    /// Whether there is a document that an expansion may name.
    pub(super) fn has_document(&self) -> bool {
        !matches!(self, Self::Filter | Self::Query)
    }
}

impl<'a> Parser<'a> {
    /// Reads the expressions of roles in this file.
    pub(crate) fn new(file: &'a str, report: &'a mut Report, max_depth: usize) -> Self {
        Self { file, report, max_depth, place: Place::Role }
    }

    /// The expression; `None` when it is not understood, which the report says.
    pub(crate) fn expression(&mut self, json: &Value, pointer: &str) -> Option<Expression> {
        self.nested(json, pointer, 0)
    }

    /// What is read of expressions that stand elsewhere.
    pub(super) fn within<T>(&mut self, place: Place, read: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.place, place);
        let found = read(self);
        self.place = before;
        found
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
                parts.into_iter().collect::<Option<_>>().map(Expression::all)
            }
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                self.fail(pointer, format!("`{json}` is no expression"))
            }
        }
    }

    fn entry(&mut self, key: &str, value: &Value, pointer: &str, depth: usize) -> Option<Expression> {
        if let Some(name) = operator(key) {
            return match name {
                "and" => self.several(value, pointer, depth).map(Expression::all),
                "or" => self.several(value, pointer, depth).map(Expression::any),
                "nor" => self.several(value, pointer, depth).map(|parts| not(Expression::any(parts))),
                // An array of one is told from "not all of them" by its length.
                "not" => match value {
                    Value::Array(items) if items.len() == 1 => {
                        self.several(value, pointer, depth).map(|parts| not(Expression::all(parts)))
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
        } else if self.place == Place::Filter {
            return self
                .fail(pointer, format!("there is no document yet whose field `{key}` could be asked for"));
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
            let asks = |key: &str| {
                self.place == Place::Query && operator(key).is_some_and(|name| ASKED.contains(&name))
            };
            let (asked, others): (Vec<_>, Vec<_>) = entries.iter().partition(|(key, _)| asks(key));
            let mut parts: Vec<_> = others
                .into_iter()
                .map(|(key, value)| self.operator(left, key, value, &below(pointer, key), depth))
                .collect();
            if !asked.is_empty() {
                parts.push(self.asks(left, &asked, pointer));
            }
            return parts.into_iter().collect::<Option<_>>().map(Expression::all);
        }
        if let Value::Object(entries) = value
            && !is_value(entries)
        {
            self.warn_of_whole_document(entries, pointer);
        }
        let right = self.operand(value, pointer, depth)?;
        self.relates(left, self.compares(Comparison::Eq), right, pointer)
    }

    /// What a query asks beside comparisons; it is the store's filter as it stands, and knows no expansions.
    fn asks(&mut self, left: &Operand, asked: &[(&String, &Value)], pointer: &str) -> Option<Expression> {
        let Operand::Stored(Image::Root, path) = left else {
            return self.fail(pointer, "only a field of the document can be asked for this");
        };
        let mut operators = bson::Document::new();
        for (key, value) in asked {
            if names_expansion(value) {
                return self.fail(&below(pointer, key), format!("`{key}` takes no expansion"));
            }
            let name = format!("${}", operator(key).unwrap_or_default());
            match bson::Bson::try_from((*value).clone()) {
                Ok(value) => operators.insert(name, value),
                Err(error) => {
                    return self.fail(&below(pointer, key), format!("this is no extended JSON: {error}"));
                }
            };
        }
        match Filter::parse(&bson::doc! { path: operators }) {
            Ok(filter) => Some(Expression::Asks(filter)),
            Err(problem) => self.fail(pointer, problem),
        }
    }

    fn compares(&self, comparison: Comparison) -> Relation {
        if self.place == Place::Query { Relation::Exactly(comparison) } else { Relation::Compare(comparison) }
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
            Some("eq") => (self.compares(Comparison::Eq), false),
            Some("ne") => (self.compares(Comparison::Eq), true),
            Some("gt") => (self.compares(Comparison::Gt), false),
            Some("gte") => (self.compares(Comparison::Gte), false),
            Some("lt") => (self.compares(Comparison::Lt), false),
            Some("lte") => (self.compares(Comparison::Lte), false),
            Some("in") => (Relation::In, false),
            Some("nin") => (Relation::In, true),
            Some("all") => (Relation::All, false),
            Some("not") => return self.test(left, value, pointer, depth + 1).map(not),
            Some("exists") => return self.exists(left, value, pointer),
            Some(_) => return self.fail(pointer, format!("operator `{key}` is not supported")),
            None => return self.fail(pointer, format!("`{key}` stands beside operators")),
        };
        let right = self.operand(value, pointer, depth + 1)?;
        let takes_list = matches!(relation, Relation::In | Relation::All);
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
        if left.is_whole_document() || right.is_whole_document() {
            return self.fail(pointer, "a whole document can only be asked for `%exists`");
        }
        Some(Expression::Relates(left.clone(), relation, right))
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
pub(super) fn operator(key: &str) -> Option<&str> {
    if key.starts_with("%%") {
        return None;
    }
    key.strip_prefix('%').or_else(|| key.strip_prefix('$'))
}

/// Whether an expansion stands somewhere in it.
fn names_expansion(json: &Value) -> bool {
    match json {
        Value::String(text) => text.starts_with("%%"),
        Value::Array(items) => items.iter().any(names_expansion),
        Value::Object(members) => {
            members.iter().any(|(key, value)| key.starts_with('%') || names_expansion(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_test(entries: &Map<String, Value>) -> bool {
    entries.keys().any(|key| operator(key).is_some()) && !is_value(entries)
}
