//! Why a single test never holds, or always does.

use std::fmt;

use bson::Bson;

use super::super::expr::{Conversion, Expression, Image, Known, Operand, Relation};
use super::super::relate;
use super::truth::{Judge, Moment, value};
use super::types::Types;

/// Why a test has only one outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// It is a constant, which is meant.
    Constant,
    /// When it is asked there is a previous document, or there is none.
    Previous(&'static str),
    /// What it compares cannot be so.
    Odd(String),
}

/// The types of user there are; the last is bound by no rule.
const USER_TYPES: [&str; 3] = ["normal", "server", "system"];

impl Judge<'_> {
    /// Why the leaf never holds; `None` where it may.
    pub(super) fn never_holds(self, leaf: &Expression) -> Option<Reason> {
        match leaf {
            Expression::Constant(holds) => (!holds).then_some(Reason::Constant),
            Expression::Exists(operand) => self.no_previous(operand).or_else(|| self.refused(operand)),
            Expression::Relates(left, relation, right) => self.never_relates(left, *relation, right),
            Expression::All(_) | Expression::Any(_) | Expression::Not(_) | Expression::Asks(_) => None,
        }
    }

    /// Why the leaf always holds; `None` where it may not.
    pub(super) fn always_holds(self, leaf: &Expression) -> Option<Reason> {
        let holds = match leaf {
            Expression::Constant(holds) => *holds,
            Expression::Exists(operand) => match operand {
                Operand::Stored(Image::Previous, path) if path.is_empty() => {
                    return match self.moment {
                        Moment::Stored => {
                            Some(Reason::Previous("a stored document is its own previous image"))
                        }
                        Moment::Update => Some(Reason::Previous("an update has a previous document")),
                        Moment::Insert | Moment::Any => None,
                    };
                }
                Operand::Known(known, path) => is_always_known(*known, path),
                Operand::Stored(image, path) => path.is_empty() && matches!(image, Image::Root | Image::Next),
                Operand::Literal(_)
                | Operand::List(_)
                | Operand::Document(_)
                | Operand::Convert(..)
                | Operand::Call(..) => true,
            },
            Expression::Relates(left, relation, right) => match (value(left), value(right)) {
                (Some(left), Some(right)) => relate::holds(&left, *relation, &right),
                (None, Some(right)) if is_user_type(left) => {
                    USER_TYPES.iter().all(|kind| relate::holds(&Bson::from(*kind), *relation, &right))
                }
                _ => false,
            },
            Expression::All(_) | Expression::Any(_) | Expression::Not(_) | Expression::Asks(_) => false,
        };
        holds.then_some(Reason::Constant)
    }

    /// Whether the relation may hold where nothing stands on the other side.
    pub(super) fn holds_on_nothing(self, relation: Relation, right: &Operand) -> bool {
        match value(right) {
            Some(value) => relate::absent_holds(relation, &value),
            None => self.types(right).meets(Types::NULL),
        }
    }

    fn never_relates(self, left: &Operand, relation: Relation, right: &Operand) -> Option<Reason> {
        if let (Some(left), Some(right)) = (value(left), value(right)) {
            return (!relate::holds(&left, relation, &right)).then_some(Reason::Constant);
        }
        if matches!((relation, right), (Relation::In | Relation::All, Operand::List(items)) if items.is_empty())
        {
            return Some(Reason::Odd(format!("{} is compared with an empty list", Shown(left))));
        }
        for (side, other) in [(left, right), (right, left)] {
            let nothing = self.no_previous(side).or_else(|| self.refused(side));
            if nothing.is_some() && !self.holds_on_nothing(relation, other) {
                return nothing;
            }
            if let Some(reason) = self.unconvertible(side) {
                return Some(reason);
            }
        }
        if is_user_type(left)
            && let Some(right) = value(right)
            && !USER_TYPES.iter().any(|kind| relate::holds(&Bson::from(*kind), relation, &right))
        {
            let text = "`%%user.type` is compared with what is no type of user: it is `normal` or `server`";
            return Some(Reason::Odd(text.to_owned()));
        }
        self.of_other_types(left, relation, right)
    }

    /// A comparison of values that never have the same type.
    fn of_other_types(self, left: &Operand, relation: Relation, right: &Operand) -> Option<Reason> {
        let (ours, theirs) = (self.types(left), self.types_compared(relation, right));
        if ours.meets(theirs) {
            return None;
        }
        let conversion = match (ours.meets(Types::STRING), theirs.meets(Types::STRING)) {
            (false, true) if ours.meets(Types::OBJECT_ID) => Some("%stringToOid"),
            (false, true) if ours.meets(Types::BINARY) => Some("%stringToUuid"),
            (true, false) if theirs.meets(Types::OBJECT_ID) => Some("%oidToString"),
            (true, false) if theirs.meets(Types::BINARY) => Some("%uuidToString"),
            _ => None,
        };
        let advice = match (conversion, right) {
            (Some(name), Operand::Known(..)) => format!("write {{\"{name}\": \"{}\"}}", Plain(right)),
            (Some(name), _) => format!("convert the value with `{name}`"),
            (None, _) => "compare it with a value of its type, or correct the schema".to_owned(),
        };
        let (left, right) = (Shown(left), Shown(right));
        Some(Reason::Odd(format!("{left} ({ours}) is compared with {right} ({theirs}): {advice}")))
    }

    /// What an operand may be.
    pub(super) fn types(self, operand: &Operand) -> Types {
        match operand {
            Operand::Stored(_, path) if !path.is_empty() => {
                self.schema.and_then(|schema| Types::of_field(schema, path)).unwrap_or(Types::ANY)
            }
            Operand::List(items) => items.iter().map(|item| self.types(item)).fold(Types::ARRAY, Types::or),
            other => Types::of_operand(other),
        }
    }

    /// What a value may be that stands in the relation to it.
    fn types_compared(self, relation: Relation, right: &Operand) -> Types {
        match (relation, right) {
            (Relation::In | Relation::All, Operand::List(items)) => {
                let mut each = items.iter().map(|item| self.types(item));
                each.next().map_or(Types::ANY, |first| each.fold(first, Types::or))
            }
            (Relation::Exactly(_), Operand::List(_)) => Types::ARRAY,
            _ => self.types(right),
        }
    }

    fn no_previous(self, operand: &Operand) -> Option<Reason> {
        let is_previous = matches!(operand, Operand::Stored(Image::Previous, _));
        (is_previous && self.moment == Moment::Insert)
            .then_some(Reason::Previous("an insert has no previous document"))
    }

    /// A field that the schema refuses.
    fn refused(self, operand: &Operand) -> Option<Reason> {
        let Operand::Stored(_, path) = operand else { return None };
        let schema = self.schema.filter(|_| !path.is_empty())?;
        let refused = Types::of_field(schema, path).is_none();
        refused.then(|| Reason::Odd(format!("the schema allows no field {}", Shown(operand))))
    }

    /// A conversion of what has another type.
    fn unconvertible(self, operand: &Operand) -> Option<Reason> {
        let Operand::Convert(conversion, inner) = operand else { return None };
        let name = name_of(*conversion);
        if let Operand::Literal(value) = &**inner {
            let fails = conversion.apply(value).is_none();
            return fails.then(|| Reason::Odd(format!("`{name}` cannot convert {}", Shown(inner))));
        }
        let types = self.types(inner);
        let taken = Types::of_converted(*conversion).0;
        (!types.meets(taken))
            .then(|| Reason::Odd(format!("`{name}` converts {taken}, and {} is {types}", Shown(inner))))
    }
}

fn is_user_type(operand: &Operand) -> bool {
    matches!(operand, Operand::Known(Known::User, path) if path == "type")
}

/// What rules know of every user and of every app.
fn is_always_known(known: Known, path: &str) -> bool {
    match known {
        Known::User => ["", "id", "type", "data", "custom_data", "identities"].contains(&path),
        Known::Environment => ["", "tag"].contains(&path),
        Known::Values | Known::Request => path.is_empty(),
    }
}

fn name_of(conversion: Conversion) -> &'static str {
    match conversion {
        Conversion::StringToOid => "%stringToOid",
        Conversion::OidToString => "%oidToString",
        Conversion::StringToUuid => "%stringToUuid",
        Conversion::UuidToString => "%uuidToString",
    }
}

/// An operand as a rule has it.
struct Plain<'a>(&'a Operand);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (head, path) = match self.0 {
            Operand::Known(Known::User, path) => ("%%user", path),
            Operand::Known(Known::Values, path) => ("%%values", path),
            Operand::Known(Known::Environment, path) => ("%%environment", path),
            Operand::Known(Known::Request, path) => ("%%request", path),
            Operand::Stored(Image::Previous, path) => ("%%prevRoot", path),
            Operand::Stored(_, path) => return f.write_str(path),
            Operand::Literal(value) => return write!(f, "{}", value.clone().into_relaxed_extjson()),
            Operand::List(_) => return f.write_str("a list"),
            Operand::Document(_) => return f.write_str("a document"),
            Operand::Convert(conversion, inner) => {
                return write!(f, "{} of {}", name_of(*conversion), Plain(inner));
            }
            Operand::Call(name, _) => return write!(f, "{name}()"),
        };
        f.write_str(head)?;
        if path.is_empty() { Ok(()) } else { write!(f, ".{path}") }
    }
}

/// An operand in a message.
pub(super) struct Shown<'a>(pub(super) &'a Operand);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Operand::List(_) | Operand::Document(_) => Plain(self.0).fmt(f),
            _ => write!(f, "`{}`", Plain(self.0)),
        }
    }
}
