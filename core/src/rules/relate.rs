//! The one meaning of a relation between two values, whichever side they come from.
//!
//! 1. Everything is reduced to a filter on a path, so that rules mean what queries mean.
//! 2. Equality with an array, on either side, also means "contains": two arrays are equal when
//!    they are the same or share an element.
//! 3. `%in` with what is no array takes it as an array of one; `%all` of nothing is false.
//! 4. What cannot be converted stands in no relation to anything.

use bson::{Bson, Document, RawDocument, RawDocumentBuf, doc};

use super::answers::RuleCall;
use super::condition::Scene;
use super::expr::{Image, Operand, Relation};
use crate::filter::{Comparison, FieldPath, Filter, any_value, matches};

/// `path relation value` as a filter.
pub(crate) fn leaf(path: &FieldPath, relation: Relation, value: &Bson) -> Filter {
    let compare = |comparison, value: &Bson| Filter::compare(path.clone(), comparison, value.clone());
    let equal = |value: &Bson| match value {
        Bson::Array(items) => compare(Comparison::Eq, value).or(Filter::is_in(path.clone(), items.clone())),
        other => compare(Comparison::Eq, other),
    };
    match (relation, value) {
        (Relation::Compare(Comparison::Eq), value) => equal(value),
        (Relation::Exactly(comparison), value) => compare(comparison, value),
        // Of an array on the right side one element has to stand in the relation, as on the left.
        (Relation::Compare(comparison), Bson::Array(items)) => {
            Filter::Or(items.iter().map(|item| compare(comparison, item)).collect()).simplify()
        }
        (Relation::Compare(comparison), value) => compare(comparison, value),
        (Relation::In, Bson::Array(items)) => Filter::is_in(path.clone(), items.clone()).simplify(),
        (Relation::In, value) => compare(Comparison::Eq, value),
        (Relation::All, Bson::Array(items)) if items.is_empty() => Filter::Never,
        (Relation::All, Bson::Array(items)) => {
            Filter::And(items.iter().map(|item| compare(Comparison::Eq, item)).collect()).simplify()
        }
        (Relation::All, value) => compare(Comparison::Eq, value),
    }
}

/// Whether two values stand in the relation.
pub(crate) fn holds(left: &Bson, relation: Relation, right: &Bson) -> bool {
    document(left).is_some_and(|left| matches(&leaf(&"v".into(), relation, right), &left))
}

/// Whether nothing stands in the relation to the value, as for an absent expansion.
pub(crate) fn absent_holds(relation: Relation, right: &Bson) -> bool {
    matches(&leaf(&"v".into(), relation, right), &RawDocumentBuf::new())
}

/// The same relation seen from the other side; `None` where it has no other side.
pub(crate) fn flipped(relation: Relation) -> Option<Relation> {
    match relation {
        Relation::Compare(Comparison::Eq) => Some(relation),
        Relation::Compare(Comparison::Gt) => Some(Relation::Compare(Comparison::Lt)),
        Relation::Compare(Comparison::Gte) => Some(Relation::Compare(Comparison::Lte)),
        Relation::Compare(Comparison::Lt) => Some(Relation::Compare(Comparison::Gt)),
        Relation::Compare(Comparison::Lte) => Some(Relation::Compare(Comparison::Gte)),
        // A query's left side is the document's.
        Relation::Exactly(_) | Relation::In | Relation::All => None,
    }
}

/// The values of an operand on this scene: several where a path goes through arrays, none where
/// a conversion fails or a function answers null. `None` as long as a function has not answered. Expansions of the
/// actor have been bound before.
pub(crate) fn values(operand: &Operand, scene: Scene<'_>) -> Option<Vec<Bson>> {
    Some(match operand {
        Operand::Literal(value) => vec![value.clone()],
        Operand::Known(..) => Vec::new(),
        Operand::Stored(image, path) if path.is_empty() => vec![whole(*image, scene)],
        Operand::Stored(image, path) => match scene.image(*image) {
            Some(document) => stored(document, path),
            None => vec![Bson::Null],
        },
        Operand::List(items) => {
            let items: Option<Vec<_>> = items.iter().map(|item| values(item, scene)).collect();
            vec![Bson::Array(items?.into_iter().flatten().collect())]
        }
        Operand::Document(fields) => {
            let mut document = bson::Document::new();
            for (name, operand) in fields {
                let Some(value) = values(operand, scene)?.into_iter().next() else { return Some(Vec::new()) };
                document.insert(name.clone(), value);
            }
            vec![Bson::Document(document)]
        }
        Operand::Convert(conversion, inner) => {
            values(inner, scene)?.iter().filter_map(|value| conversion.apply(value)).collect()
        }
        Operand::Call(function, arguments) => {
            let arguments: Option<_> = arguments.iter().map(|operand| argument(operand, scene)).collect();
            let answer = scene.answers.of(RuleCall { function: function.clone(), arguments: arguments? })?;
            // Of what a function does not know nothing holds.
            Some(answer)
                .filter(|answer| !matches!(answer, Bson::Null | Bson::Undefined))
                .into_iter()
                .collect()
        }
    })
}

/// What a function is given for an operand: one value, null for what is not there.
fn argument(operand: &Operand, scene: Scene<'_>) -> Option<Bson> {
    match operand {
        Operand::Stored(image, path) if !path.is_empty() => {
            let document = scene.image(*image).and_then(|document| Document::try_from(document).ok());
            Some(document.and_then(|document| lookup(&document, path)).unwrap_or(Bson::Null))
        }
        Operand::List(items) => {
            items.iter().map(|item| argument(item, scene)).collect::<Option<_>>().map(Bson::Array)
        }
        Operand::Document(fields) => fields
            .iter()
            .map(|(name, operand)| Some((name.clone(), argument(operand, scene)?)))
            .collect::<Option<_>>()
            .map(Bson::Document),
        other => values(other, scene).map(|found| found.into_iter().next().unwrap_or(Bson::Null)),
    }
}

/// Each value at the path. Bytes that cannot be read count as missing.
fn stored(document: &RawDocument, path: &str) -> Vec<Bson> {
    let mut found = Vec::new();
    any_value(document, &path.into(), &mut |value| {
        found.push(value.and_then(|value| Bson::try_from(value).ok()).unwrap_or(Bson::Null));
        false
    });
    found
}

fn whole(image: Image, scene: Scene<'_>) -> Bson {
    let document = scene.image(image).and_then(|document| Document::try_from(document).ok());
    document.map_or(Bson::Null, Bson::Document)
}

/// What stands at the path; a path through an array gives the array of what its elements hold.
pub(crate) fn lookup(document: &Document, path: &str) -> Option<Bson> {
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

fn document(value: &Bson) -> Option<RawDocumentBuf> {
    RawDocumentBuf::try_from(&doc! { "v": value.clone() }).ok()
}
