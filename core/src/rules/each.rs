//! `%%this` in the rule of a field of an embedded document, where an array may be on the way: one element does not
//! speak for the others.
//!
//! What an array's elements show is decided for all of them at once, so that all of them have to fulfil the rule. Under
//! a negation it is the other way round: there one that fulfils what is negated is enough.

use super::condition::Condition;
use super::expr::Operand;
use crate::filter::{FieldPath, Filter, Test};

/// The condition with every element asked.
pub(super) fn asked(condition: Condition) -> Condition {
    if mentions(&condition) { put(condition, true) } else { condition }
}

fn mentions(condition: &Condition) -> bool {
    let is_of_each = |operand: &Operand| matches!(operand, Operand::Stored(image, _) if image.is_of_each());
    match condition {
        Condition::Always | Condition::Never | Condition::SomeField { .. } => false,
        Condition::Present(image) | Condition::Matches(image, _) => image.is_of_each(),
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(mentions),
        Condition::Not(inner) => mentions(inner),
        Condition::Pair(left, _, right) => is_of_each(left) || is_of_each(right),
    }
}

fn put(condition: Condition, all: bool) -> Condition {
    let any = |operand: Operand| match operand {
        Operand::Stored(image, path) if !all => Operand::Stored(image.of_any(), path),
        other => other,
    };
    match condition {
        Condition::All(parts) => Condition::All(parts.into_iter().map(|part| put(part, all)).collect()),
        Condition::Any(parts) => Condition::Any(parts.into_iter().map(|part| put(part, all)).collect()),
        Condition::Not(inner) => Condition::Not(Box::new(put(*inner, !all))),
        Condition::Matches(image, filter) if image.is_of_each() && all => {
            Condition::Matches(image.of_any(), every(filter))
        }
        Condition::Matches(image, filter) => Condition::Matches(image.of_any(), filter),
        Condition::Pair(left, relation, right) => Condition::Pair(any(left), relation, any(right)),
        other @ (Condition::Always
        | Condition::Never
        | Condition::Present(_)
        | Condition::SomeField { .. }) => other,
    }
}

/// The filter, of every element of every array on its paths. Of alternatives one has to hold for all elements.
fn every(filter: Filter) -> Filter {
    match filter {
        Filter::And(parts) => Filter::And(parts.into_iter().map(every).collect()),
        Filter::Or(parts) => Filter::Or(parts.into_iter().map(every).collect()),
        Filter::Field(path, test) => every_at(&path, test),
        other @ (Filter::Always | Filter::Never | Filter::Not(_)) => other,
    }
}

fn every_at(path: &FieldPath, test: Test) -> Filter {
    let found = Filter::Field(path.clone(), test.clone());
    let (head, Some(rest)) = path.split_head() else { return found };
    let fails = every_at(&rest.into(), test).negate();
    found.and(Filter::Field(head.into(), Test::ElemMatch(Box::new(fails))).negate())
}

#[cfg(test)]
mod tests {
    use bson::{Document, doc};
    use serde_json::{Value, json};

    use crate::rules::tests::{access, raw, seen};

    /// Whether `es.x` is seen under this rule.
    fn shown(rule: &Value, document: &Document) -> bool {
        let fields = json!({ "_id": { "read": true }, "es": { "fields": { "x": { "read": rule } } } });
        let access = access(json!([{ "name": "r", "apply_when": {}, "fields": fields }]));
        let seen = seen(&access, document).unwrap();
        let part = access.visibility(&raw(document)).readable_part(&raw(document));
        assert_eq!(seen.contains_key("es"), part.contains_key("es"), "{document}");
        part.to_string().contains("\"x\"")
    }

    #[test]
    fn one_element_does_not_speak_for_the_others() {
        let small = json!({ "%%this": { "%lt": 2 } });
        let other = json!({ "%%this": { "%ne": "secret" } });
        let same = json!({ "%%this": "%%root.y" });
        let listed = json!({ "%%this": { "%in": [1, 2] } });
        for (rule, x, expected) in [
            (&small, doc! { "_id": 1, "es": [{ "x": 1 }, { "x": 0 }] }, true),
            (&small, doc! { "_id": 1, "es": [{ "x": 1 }, { "x": 5 }] }, false),
            (&small, doc! { "_id": 1, "es": [{ "x": 1 }, {}] }, false),
            (&small, doc! { "_id": 1, "es": { "x": 1 } }, true),
            (&small, doc! { "_id": 1, "es": { "x": 2 } }, false),
            (&other, doc! { "_id": 1, "es": [{ "x": "a" }, { "x": "b" }] }, true),
            (&other, doc! { "_id": 1, "es": [{ "x": "a" }, { "x": "secret" }] }, false),
            (&same, doc! { "_id": 1, "y": 1, "es": [{ "x": 1 }, { "x": 1 }] }, true),
            (&same, doc! { "_id": 1, "y": 1, "es": [{ "x": 1 }, { "x": 2 }] }, false),
            (&listed, doc! { "_id": 1, "es": [{ "x": 1 }, { "x": 2 }] }, true),
            (&listed, doc! { "_id": 1, "es": [{ "x": 1 }, { "x": 3 }] }, false),
        ] {
            assert_eq!(shown(rule, &x), expected, "{rule} on {x}");
        }
    }
}
