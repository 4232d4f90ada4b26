//! `additional_fields`: the rule of the fields that none names, which may ask the field's own value.
//!
//! Until a field is known, `%%this` and `%%prev` stand for a value of no name; [`about`](Condition::about) gives it
//! the field's.

use std::borrow::Cow;
use std::collections::BTreeSet;

use bson::RawDocument;

use super::condition::{Condition, Judgement, Scene};
use super::expr::{Expression, Image, Operand, VALUE};
use crate::filter::{FieldPath, Filter};

impl Condition {
    /// Whether it asks the value of the field that it is about.
    pub(super) fn asks_value(&self) -> bool {
        match self {
            Self::Always | Self::Never => false,
            Self::Present(image) | Self::Matches(image, _) => is_value(*image),
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::asks_value),
            Self::Not(inner) => inner.asks_value(),
            Self::Pair(left, _, right) => left.asks_value() || right.asks_value(),
            Self::SomeField { .. } => false,
        }
    }

    /// The condition about the field of this name; itself where it does not ask for the value.
    pub(super) fn about(&self, name: &str) -> Cow<'_, Self> {
        if self.asks_value() { Cow::Owned(self.of_field(name)) } else { Cow::Borrowed(self) }
    }

    fn of_field(&self, name: &str) -> Self {
        let each = |parts: &[Self]| parts.iter().map(|part| part.of_field(name)).collect();
        match self {
            // A name with a dot is no path that could be asked for.
            _ if !self.asks_value() => self.clone(),
            _ if name.contains('.') => Self::Never,
            Self::All(parts) => Self::All(each(parts)),
            Self::Any(parts) => Self::Any(each(parts)),
            Self::Not(inner) => Self::Not(Box::new(inner.of_field(name))),
            Self::Matches(image, filter) => Self::Matches(named(*image), renamed(filter, name)),
            Self::Pair(left, relation, right) => {
                Self::Pair(left.of_field(name), *relation, right.of_field(name))
            }
            other => other.clone(),
        }
    }

    /// That some field but these fulfils a condition on its value.
    pub(super) fn some_field(but: BTreeSet<String>, condition: Self) -> Self {
        if condition.asks_value() {
            Self::SomeField { but, condition: Box::new(condition) }
        } else {
            condition
        }
    }
}

/// Whether some field of the document, but these, fulfils the condition.
pub(super) fn judge_some(but: &BTreeSet<String>, condition: &Condition, scene: Scene<'_>) -> Judgement {
    let names = |document: &RawDocument| -> Vec<String> {
        let names = document.iter().map_while(Result::ok).map(|(name, _)| name.as_str().to_owned());
        names.filter(|name| !but.contains(name)).collect()
    };
    let judged = names(scene.root).into_iter().map(|name| condition.about(&name).judge(scene));
    judged.fold(Judgement::Fails, |all, one| match (all, one) {
        (Judgement::Holds, _) | (_, Judgement::Holds) => Judgement::Holds,
        (Judgement::Unknown, _) | (_, Judgement::Unknown) => Judgement::Unknown,
        _ => Judgement::Fails,
    })
}

impl Expression {
    /// The expression about the field of this name.
    pub(super) fn of_field(&self, name: &str) -> Self {
        let each = |parts: &[Self]| parts.iter().map(|part| part.of_field(name)).collect();
        match self {
            Self::Constant(constant) => Self::Constant(*constant),
            Self::Asks(filter) => Self::Asks(filter.clone()),
            Self::All(parts) => Self::All(each(parts)),
            Self::Any(parts) => Self::Any(each(parts)),
            Self::Not(inner) => Self::Not(Box::new(inner.of_field(name))),
            Self::Exists(operand) => Self::Exists(operand.of_field(name)),
            Self::Relates(left, relation, right) => {
                Self::Relates(left.of_field(name), *relation, right.of_field(name))
            }
        }
    }
}

impl Operand {
    fn asks_value(&self) -> bool {
        match self {
            Self::Literal(_) | Self::Known(..) => false,
            Self::Stored(image, _) => is_value(*image),
            Self::List(items) | Self::Call(_, items) => items.iter().any(Self::asks_value),
            Self::Document(fields) => fields.iter().any(|(_, value)| value.asks_value()),
            Self::Convert(_, inner) => inner.asks_value(),
        }
    }

    fn of_field(&self, name: &str) -> Self {
        let each = |items: &[Self]| items.iter().map(|item| item.of_field(name)).collect();
        match self {
            Self::Literal(_) | Self::Known(..) => self.clone(),
            Self::Stored(image, path) if is_value(*image) => {
                Self::Stored(named(*image), at_field(path, name))
            }
            Self::Stored(..) => self.clone(),
            Self::List(items) => Self::List(each(items)),
            Self::Document(fields) => Self::Document(
                fields.iter().map(|(key, value)| (key.clone(), value.of_field(name))).collect(),
            ),
            Self::Convert(conversion, inner) => Self::Convert(*conversion, Box::new(inner.of_field(name))),
            Self::Call(function, arguments) => Self::Call(function.clone(), each(arguments)),
        }
    }
}

fn is_value(image: Image) -> bool {
    matches!(image, Image::Value | Image::PreviousValue)
}

fn named(image: Image) -> Image {
    match image {
        Image::Value => Image::Next,
        Image::PreviousValue => Image::Previous,
        other => other,
    }
}

/// `v.x` as `name.x`.
fn at_field(path: &str, name: &str) -> String {
    path.strip_prefix(VALUE).map_or_else(|| path.to_owned(), |rest| format!("{name}{rest}"))
}

fn renamed(filter: &Filter, name: &str) -> Filter {
    let each = |parts: &[Filter]| parts.iter().map(|part| renamed(part, name)).collect();
    match filter {
        Filter::Always | Filter::Never => filter.clone(),
        Filter::And(parts) => Filter::And(each(parts)),
        Filter::Or(parts) => Filter::Or(each(parts)),
        Filter::Not(inner) => Filter::Not(Box::new(renamed(inner, name))),
        Filter::Field(path, test) => {
            Filter::Field(FieldPath::new(at_field(path.as_str(), name)), test.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;
    use serde_json::json;

    use crate::filter::Filter;
    use crate::rules::tests::{access, finds, raw, seen};

    #[test]
    fn each_field_is_asked_for_its_own_value() {
        let access = access(json!([{ "name": "r", "apply_when": {},
            "fields": { "owner": { "read": false } },
            "additional_fields": { "read": { "%%this": { "%in": ["red", "blue"] } } } }]));
        assert_eq!(
            seen(&access, &doc! { "a": "red", "b": "green", "owner": "red" }),
            Some(doc! { "a": "red" })
        );
        assert_eq!(seen(&access, &doc! { "b": "green", "owner": "red" }), None);
        assert_eq!(seen(&access, &doc! {}), None);
        // What is hidden on a document counts as missing there.
        let found =
            |path: &str| finds(&access, Filter::exists(path), &raw(&doc! { "a": "red", "b": "green" }));
        assert_eq!((found("a"), found("b")), (Ok(true), Ok(false)));
        assert!(found("owner").is_err());
    }

    #[test]
    fn what_is_written_once_is_written_once() {
        let access = access(json!([{ "name": "r", "apply_when": {}, "read": true,
            "additional_fields": { "write": { "%%prev": { "%exists": false } } } }]));
        let before = raw(&doc! { "_id": 1, "a": 1 });
        assert!(access.replace(&before, raw(&doc! { "_id": 1, "a": 1, "b": 2 })).is_ok());
        assert!(access.replace(&before, raw(&doc! { "_id": 1, "a": 2 })).is_err());
        assert!(access.insert(before).is_ok());
    }
}
