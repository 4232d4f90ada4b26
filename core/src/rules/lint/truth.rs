//! Whether an expression can hold: a small abstract interpretation, for any user and any document.
//!
//! 1. [`Truth::Never`] and [`Truth::Always`] are said only where that is certain; the rest is [`Truth::Sometimes`].
//! 2. An expression is taken apart into what all has to hold ([`conjuncts`]); that never holds if one of it never
//!    does, or if two of it exclude each other.
//! 3. It always holds if its negation never does.

use bson::Bson;

use super::super::expr::{Expression, Image, Known, Operand};
use super::types::Types;
use crate::schema::ObjectSchema;

/// Whether an expression holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    Always,
    Never,
    Sometimes,
}

/// On which images an expression is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// On a document that is stored and does not change: it is its own previous image.
    Stored,
    /// On one that is inserted: there is no previous image.
    Insert,
    /// On one that changes: its images differ.
    Update,
    /// On any of them.
    Any,
}

/// What is known when an expression is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judge<'a> {
    pub(super) schema: Option<&'a ObjectSchema>,
    pub(super) moment: Moment,
}

/// A part of an expression, and whether it is asked for or excluded.
pub(super) type Part<'a> = (bool, &'a Expression);

/// What a condition can be put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key<'a> {
    Known(Known, &'a str),
    Stored(Image, &'a str),
}

impl<'a> Judge<'a> {
    pub(super) fn at(schema: Option<&'a ObjectSchema>, moment: Moment) -> Self {
        Self { schema, moment }
    }

    pub(super) fn truth(self, expression: &Expression) -> Truth {
        if self.never((true, expression)) {
            Truth::Never
        } else if self.never((false, expression)) {
            Truth::Always
        } else {
            Truth::Sometimes
        }
    }

    /// Whether it can hold; what is not given holds if `otherwise`.
    pub(super) fn may(self, expression: Option<&Expression>, otherwise: bool) -> bool {
        expression.map_or(otherwise, |expression| self.truth(expression) != Truth::Never)
    }

    fn never(self, part: Part<'_>) -> bool {
        let mut parts = Vec::new();
        conjuncts(part, &mut parts);
        let dead = parts.iter().any(|(positive, part)| match part {
            // What is left of either is a choice.
            Expression::All(choices) | Expression::Any(choices) => {
                choices.iter().all(|choice| self.never((*positive, choice)))
            }
            leaf if *positive => self.never_holds(leaf).is_some(),
            leaf => self.always_holds(leaf).is_some(),
        });
        dead || self.conflict(&parts).is_some()
    }

    /// What the operand is, if a condition can be put on it. Images that are the same are one.
    pub(super) fn key(self, operand: &Operand) -> Option<Key<'_>> {
        match operand {
            Operand::Known(known, path) => Some(Key::Known(*known, path)),
            Operand::Stored(image, path) => {
                let is_root = match self.moment {
                    Moment::Stored => matches!(image, Image::Previous | Image::Next),
                    Moment::Insert => *image == Image::Next,
                    Moment::Update | Moment::Any => false,
                };
                Some(Key::Stored(if is_root { Image::Root } else { *image }, path))
            }
            Operand::Literal(_)
            | Operand::List(_)
            | Operand::Document(_)
            | Operand::Convert(..)
            | Operand::Call(..) => None,
        }
    }

    /// Whether what stands there is certainly no array, which may hold several values at once.
    pub(super) fn is_single(self, key: Key<'_>) -> bool {
        match key {
            Key::Known(known, path) => known == Known::User && (path == "id" || path == "type"),
            Key::Stored(_, path) => {
                let types = self.schema.and_then(|schema| Types::of_field(schema, path));
                types.is_some_and(|types| !types.meets(Types::ARRAY))
            }
        }
    }
}

/// All that has to hold, nested ANDs taken apart; what is left are leaves and choices.
pub(super) fn conjuncts<'e>((positive, expression): Part<'e>, into: &mut Vec<Part<'e>>) {
    match expression {
        Expression::All(parts) if positive => parts.iter().for_each(|part| conjuncts((true, part), into)),
        Expression::Any(parts) if !positive => parts.iter().for_each(|part| conjuncts((false, part), into)),
        Expression::Not(inner) => conjuncts((!positive, inner), into),
        // A choice of one.
        Expression::All(parts) | Expression::Any(parts) if parts.len() == 1 => {
            parts.iter().for_each(|part| conjuncts((positive, part), into));
        }
        _ => into.push((positive, expression)),
    }
}

/// The operand's value, where it depends on nothing.
pub(super) fn value(operand: &Operand) -> Option<Bson> {
    match operand {
        Operand::Literal(value) => Some(value.clone()),
        Operand::List(items) => items.iter().map(value).collect::<Option<_>>().map(Bson::Array),
        Operand::Document(fields) => {
            let fields = fields.iter().map(|(name, operand)| Some((name.clone(), value(operand)?)));
            fields.collect::<Option<_>>().map(Bson::Document)
        }
        Operand::Known(..) | Operand::Stored(..) | Operand::Convert(..) | Operand::Call(..) => None,
    }
}
