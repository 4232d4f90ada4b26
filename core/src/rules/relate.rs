//! The one meaning of a relation between two values, whichever side they come from.
//!
//! 1. Everything is reduced to a filter on a path, so that rules mean what queries mean.
//! 2. Equality with an array, on either side, also means "contains": two arrays are equal when
//!    they are the same or share an element.
//! 3. `%in` with what is no array takes it as an array of one; `%all` of nothing is false.
//! 4. What cannot be converted stands in no relation to anything.

use bson::{Bson, RawDocumentBuf, doc};

use super::condition::Scene;
use super::expr::{Operand, Relation};
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
        Relation::In | Relation::All => None,
    }
}

/// The values of an operand on this scene: several where a path goes through arrays, none where
/// a conversion fails. Expansions of the actor have been bound before.
pub(crate) fn values(operand: &Operand, scene: Scene<'_>) -> Vec<Bson> {
    match operand {
        Operand::Literal(value) => vec![value.clone()],
        Operand::Known(..) => Vec::new(),
        Operand::Stored(image, path) => {
            let mut found = Vec::new();
            let Some(document) = scene.image(*image) else { return vec![Bson::Null] };
            any_value(document, &path.as_str().into(), &mut |value| {
                // Bytes that cannot be read count as missing.
                found.push(value.and_then(|value| Bson::try_from(value).ok()).unwrap_or(Bson::Null));
                false
            });
            found
        }
        Operand::List(items) => {
            vec![Bson::Array(items.iter().flat_map(|item| values(item, scene)).collect())]
        }
        Operand::Document(fields) => {
            let fields: Option<bson::Document> = fields
                .iter()
                .map(|(name, operand)| Some((name.clone(), values(operand, scene).into_iter().next()?)))
                .collect();
            fields.map(Bson::Document).into_iter().collect()
        }
        Operand::Convert(conversion, inner) => {
            values(inner, scene).iter().filter_map(|value| conversion.apply(value)).collect()
        }
    }
}

fn document(value: &Bson) -> Option<RawDocumentBuf> {
    RawDocumentBuf::try_from(&doc! { "v": value.clone() }).ok()
}
