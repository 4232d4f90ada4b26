//! Partial evaluation: an expression with the actor known becomes a condition on the document.
//!
//! 1. An expansion of the actor or the app that is absent or null equals a literal null, and nothing
//!    else: a user without `tenant` does not match the documents without `tenant`.
//! 2. Absent and inconvertible members of a list are left out.
//! 3. A document path on the right and a known value on the left change sides.

use bson::{Bson, Document};

use super::condition::{Condition, Scene};
use super::expr::{Expression, Known, Operand, Relation};
use super::relate;
use crate::filter::{Comparison, Filter};

/// What is known before any document is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) user: &'a Document,
    pub(crate) values: &'a Document,
}

/// An operand once the facts are in.
enum Bound {
    Value(Bson),
    /// An expansion that leads nowhere, or to null.
    Absent,
    /// A conversion that failed.
    Nothing,
    /// It depends on the document.
    Open(Operand),
}

/// The condition that is left of the expression.
pub(crate) fn bind(expression: &Expression, facts: Facts<'_>) -> Condition {
    match expression {
        Expression::Constant(value) => Condition::constant(*value),
        Expression::All(parts) => Condition::all(parts.iter().map(|part| bind(part, facts))),
        Expression::Any(parts) => Condition::any(parts.iter().map(|part| bind(part, facts))),
        Expression::Not(inner) => bind(inner, facts).negate(),
        Expression::Exists(operand) => exists(operand, facts),
        // An absent member of the list must not make `%all` easier.
        Expression::Relates(left, Relation::All, Operand::List(items)) if !items.is_empty() => {
            let equal = Relation::Compare(Comparison::Eq);
            Condition::all(items.iter().map(|item| relates(bound(left, facts), equal, bound(item, facts))))
        }
        Expression::Relates(left, relation, right) => {
            relates(bound(left, facts), *relation, bound(right, facts))
        }
    }
}

fn exists(operand: &Operand, facts: Facts<'_>) -> Condition {
    match operand {
        Operand::Literal(_) | Operand::List(_) | Operand::Document(_) | Operand::Convert(..) => Condition::Always,
        Operand::Known(known, path) => Condition::constant(lookup(facts.document(*known), path).is_some()),
        Operand::Stored(image, path) if path.is_empty() => Condition::Present(*image),
        Operand::Stored(image, path) => Condition::Matches(*image, Filter::exists(path.as_str())),
    }
}

fn relates(left: Bound, relation: Relation, right: Bound) -> Condition {
    match (left, right) {
        (Bound::Nothing, _) | (_, Bound::Nothing) | (Bound::Absent, Bound::Absent | Bound::Open(_)) => {
            Condition::Never
        }
        (Bound::Value(left), Bound::Value(right)) => {
            Condition::constant(relate::holds(&left, relation, &right))
        }
        (Bound::Absent, Bound::Value(right)) => Condition::constant(relate::absent_holds(relation, &right)),
        (Bound::Value(Bson::Null), Bound::Absent) => {
            Condition::constant(relation == Relation::Compare(Comparison::Eq))
        }
        (Bound::Value(_) | Bound::Open(_), Bound::Absent) => Condition::Never,
        (Bound::Open(Operand::Stored(image, path)), Bound::Value(value)) => {
            Condition::stored(image, relate::leaf(&path.into(), relation, &value))
        }
        (Bound::Open(left), Bound::Value(value)) => Condition::Pair(left, relation, Operand::Literal(value)),
        (Bound::Value(value), Bound::Open(Operand::Stored(image, path))) => match relate::flipped(relation) {
            Some(flipped) => Condition::stored(image, relate::leaf(&path.into(), flipped, &value)),
            None => Condition::Pair(Operand::Literal(value), relation, Operand::Stored(image, path)),
        },
        (Bound::Value(value), Bound::Open(right)) => Condition::Pair(Operand::Literal(value), relation, right),
        (Bound::Open(left), Bound::Open(right)) => Condition::Pair(left, relation, right),
    }
}

fn bound(operand: &Operand, facts: Facts<'_>) -> Bound {
    match operand {
        Operand::Literal(value) => Bound::Value(value.clone()),
        Operand::Known(known, path) => match lookup(facts.document(*known), path) {
            None | Some(Bson::Null | Bson::Undefined) => Bound::Absent,
            Some(value) => Bound::Value(value),
        },
        Operand::Stored(..) => Bound::Open(operand.clone()),
        Operand::List(items) => list(items, facts),
        Operand::Document(fields) => document(fields, facts),
        Operand::Convert(conversion, inner) => match bound(inner, facts) {
            Bound::Value(value) => conversion.apply(&value).map_or(Bound::Nothing, Bound::Value),
            Bound::Absent | Bound::Nothing => Bound::Nothing,
            Bound::Open(inner) => Bound::Open(Operand::Convert(*conversion, Box::new(inner))),
        },
    }
}

fn list(items: &[Operand], facts: Facts<'_>) -> Bound {
    let mut kept = Vec::new();
    for item in items {
        match bound(item, facts) {
            Bound::Value(value) => kept.push(Operand::Literal(value)),
            Bound::Absent | Bound::Nothing => {}
            Bound::Open(operand) => kept.push(operand),
        }
    }
    closed(Operand::List(kept))
}

fn document(fields: &[(String, Operand)], facts: Facts<'_>) -> Bound {
    let mut kept = Vec::new();
    for (name, operand) in fields {
        let operand = match bound(operand, facts) {
            Bound::Value(value) => Operand::Literal(value),
            Bound::Absent | Bound::Nothing => return Bound::Nothing,
            Bound::Open(operand) => operand,
        };
        kept.push((name.clone(), operand));
    }
    closed(Operand::Document(kept))
}

/// A value, if nothing in it depends on the document.
fn closed(operand: Operand) -> Bound {
    if is_open(&operand) {
        return Bound::Open(operand);
    }
    let nowhere = bson::RawDocument::new();
    relate::values(&operand, Scene::stored(nowhere)).into_iter().next().map_or(Bound::Nothing, Bound::Value)
}

fn is_open(operand: &Operand) -> bool {
    match operand {
        Operand::Literal(_) | Operand::Known(..) => false,
        Operand::Stored(..) => true,
        Operand::List(items) => items.iter().any(is_open),
        Operand::Document(fields) => fields.iter().any(|(_, operand)| is_open(operand)),
        Operand::Convert(_, inner) => is_open(inner),
    }
}

impl<'a> Facts<'a> {
    fn document(self, known: Known) -> &'a Document {
        match known {
            Known::User => self.user,
            Known::Values => self.values,
        }
    }
}

/// What stands at the path; a path through an array gives the array of what its elements hold.
fn lookup(document: &Document, path: &str) -> Option<Bson> {
    if path.is_empty() {
        return Some(Bson::Document(document.clone()));
    }
    let (head, rest) = match path.split_once('.') {
        Some((head, rest)) => (head, Some(rest)),
        None => (path, None),
    };
    // `a.b` is a name of a value before it is a path.
    if let Some(value) = document.get(path) {
        return Some(value.clone());
    }
    match (document.get(head)?, rest) {
        (value, None) => Some(value.clone()),
        (Bson::Document(inner), Some(rest)) => lookup(inner, rest),
        (Bson::Array(items), Some(rest)) => {
            let found: Vec<Bson> = items
                .iter()
                .filter_map(|item| match item {
                    Bson::Document(inner) => lookup(inner, rest),
                    _ => None,
                })
                .collect();
            (!found.is_empty()).then_some(Bson::Array(found))
        }
        _ => None,
    }
}
