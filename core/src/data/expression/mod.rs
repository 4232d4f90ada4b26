//! Aggregation expressions.
//!
//! 1. [`Expression::parse`] reads all of it, before there is any document; what is not known is refused by name.
//! 2. A value is an `Option<Bson>`: nothing is not null.
//! 3. Operators whose arguments are all evaluated stand in tables, one for each family; those that choose or bind are
//!    [`Expression`]'s own variants (`special.rs`).
//! 4. Every evaluation counts against a [`Budget`], so that an expression ends.

mod arithmetic;
mod array;
mod budget;
mod comparison;
mod convert;
mod date;
mod object;
mod parse;
mod set;
mod special;
mod string;

use bson::{Bson, DateTime, Document};

pub(super) use arithmetic::{average, sum};
pub(super) use budget::Budget;
pub(super) use comparison::extreme;
pub(super) use object::merged;
pub(super) use parse::{Parser, members};

/// A value, or nothing.
pub(super) type Value = Option<Bson>;

/// What evaluating comes to.
pub(super) type Outcome = Result<Value, String>;

/// An expression that was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    Literal(Bson),
    /// `$$REMOVE`.
    Nothing,
    /// `$a.b`, or `$$name.a.b`.
    Path(Variable, Vec<String>),
    Document(Vec<(String, Expression)>),
    Array(Vec<Expression>),
    Operator(&'static Operator, Vec<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
    /// `[when, then]` in order, and what else.
    Switch(Vec<(Expression, Expression)>, Option<Box<Expression>>),
    /// The first that is not null.
    IfNull(Vec<Expression>),
    Let(Vec<(String, Expression)>, Box<Expression>),
    /// The elements, their name, and what is asked of each.
    Filter(Box<Expression>, String, Box<Expression>, Option<Box<Expression>>),
    Map(Box<Expression>, String, Box<Expression>),
    Reduce(Box<Expression>, Box<Expression>, Box<Expression>),
}

/// Where a path begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Variable {
    Root,
    Now,
    Named(String),
}

/// An operator whose arguments are evaluated before it is applied.
pub(super) struct Operator {
    pub(super) name: &'static str,
    pub(super) arguments: Arguments,
    pub(super) apply: fn(&[Value]) -> Outcome,
}

/// How an operator's arguments are written.
#[derive(Clone, Copy)]
pub(super) enum Arguments {
    /// An array of so many, at least and at most; one may stand without the array.
    Listed(usize, usize),
    /// A document with these members, the first so many of which have to be there.
    Named(usize, &'static [&'static str]),
}

/// What an expression is evaluated in.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    pub(super) root: &'s Document,
    pub(super) now: DateTime,
    pub(super) variables: &'s [(String, Value)],
    pub(super) budget: &'s Budget,
}

impl PartialEq for Operator {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Expression {
    /// Its value.
    ///
    /// # Errors
    /// What an operator cannot do with its arguments; a budget that is spent.
    pub(super) fn evaluate(&self, scope: Scope<'_>) -> Outcome {
        scope.budget.spend(1)?;
        match self {
            Self::Literal(value) => Ok(Some(value.clone())),
            Self::Nothing => Ok(None),
            Self::Path(variable, path) => {
                let value = scope.value(variable, path);
                value.iter().try_for_each(|value| scope.budget.copied(value).map(drop))?;
                Ok(value)
            }
            Self::Document(fields) => {
                let mut document = Document::new();
                for (name, field) in fields {
                    document.extend(field.evaluate(scope)?.map(|value| (name.clone(), value)));
                }
                let document = Bson::Document(document);
                scope.budget.copied(&document)?;
                Ok(Some(document))
            }
            Self::Array(items) => {
                let items = items.iter().map(|item| Ok(item.evaluate(scope)?.unwrap_or(Bson::Null)));
                let items = Bson::Array(items.collect::<Result<_, String>>()?);
                scope.budget.copied(&items)?;
                Ok(Some(items))
            }
            Self::Operator(operator, arguments) => {
                let arguments: Vec<Value> =
                    arguments.iter().map(|argument| argument.evaluate(scope)).collect::<Result<_, _>>()?;
                let result = (operator.apply)(&arguments);
                result.map_err(|problem| format!("{}: {problem}", operator.name))
            }
            special => special::evaluate(special, scope),
        }
    }
}

impl Scope<'_> {
    fn value(&self, variable: &Variable, path: &[String]) -> Value {
        match variable {
            Variable::Root => match path.split_first() {
                None => Some(Bson::Document(self.root.clone())),
                Some((first, rest)) => self.root.get(first).and_then(|value| at(value, rest)),
            },
            Variable::Now => at(&Bson::DateTime(self.now), path),
            Variable::Named(name) => {
                let found = self.variables.iter().rev().find(|(known, _)| known == name);
                found.and_then(|(_, value)| value.as_ref()).and_then(|value| at(value, path))
            }
        }
    }
}

/// The value at a path: of an array, those of its elements that have one.
fn at(value: &Bson, path: &[String]) -> Value {
    let Some((first, rest)) = path.split_first() else { return Some(value.clone()) };
    match value {
        Bson::Document(inner) => inner.get(first).and_then(|value| at(value, rest)),
        Bson::Array(elements) => {
            let inside = |element: &Bson| match element {
                Bson::Document(_) | Bson::Array(_) => at(element, path),
                _ => None,
            };
            Some(Bson::Array(elements.iter().filter_map(inside).collect()))
        }
        _ => None,
    }
}

/// Whether a value counts as true: all but false, null, zero and nothing.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        None | Some(Bson::Null | Bson::Undefined | Bson::Boolean(false)) => false,
        Some(value) => crate::data::number::real(value) != Some(0.0),
    }
}

/// Whether it is nothing or null.
pub(super) fn is_absent(value: &Value) -> bool {
    matches!(value, None | Some(Bson::Null | Bson::Undefined))
}

#[cfg(test)]
mod tests;
