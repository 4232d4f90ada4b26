//! Conditions that exclude each other.

use bson::Bson;

use super::super::expr::{Expression, Operand, Relation};
use super::super::relate;
use super::leaf::Shown;
use super::truth::{Judge, Key, Part, value};
use super::types::Types;
use crate::filter::{Comparison, compare};

/// A relation to a fixed value that is asked for or excluded.
struct Fixed {
    positive: bool,
    relation: Relation,
    value: Bson,
}

impl Judge<'_> {
    /// What excludes each other among conditions that all have to hold.
    pub(super) fn conflict(self, parts: &[Part<'_>]) -> Option<String> {
        parts.iter().enumerate().find_map(|(index, part)| {
            let operand = tested(part.1)?;
            let opposite =
                parts.iter().skip(index + 1).any(|(positive, other)| *positive != part.0 && *other == part.1);
            if opposite {
                return Some(format!("{} is asked for and excluded at once", Shown(operand)));
            }
            let key = self.key(operand)?;
            let others = parts.iter().take(index).any(|earlier| self.key_of(earlier.1) == Some(key));
            let same: Vec<_> =
                parts.iter().filter(|other| self.key_of(other.1) == Some(key)).copied().collect();
            if others || same.len() < 2 {
                return None;
            }
            if self.is_compared_and_absent(&same) {
                return Some(format!("{} is to be absent, and is compared with a value", Shown(operand)));
            }
            let excluded = self.is_single(key) && !self.has_value(&same);
            excluded.then(|| format!("the conditions on {} exclude each other", Shown(operand)))
        })
    }

    fn key_of(self, leaf: &Expression) -> Option<Key<'_>> {
        tested(leaf).and_then(|operand| self.key(operand))
    }

    fn is_compared_and_absent(self, same: &[Part<'_>]) -> bool {
        let absent = same.iter().any(|(positive, part)| !positive && matches!(part, Expression::Exists(_)));
        let needed = same.iter().any(|(positive, part)| match part {
            Expression::Exists(_) => *positive,
            Expression::Relates(_, relation, right) => *positive && !self.holds_on_nothing(*relation, right),
            _ => false,
        });
        absent && needed
    }

    /// Whether one value can fulfil all of it; so it is said wherever that is not known.
    fn has_value(self, same: &[Part<'_>]) -> bool {
        let fixed: Vec<Fixed> = same
            .iter()
            .filter_map(|(positive, part)| match part {
                Expression::Relates(_, relation, right) => {
                    Some(Fixed { positive: *positive, relation: *relation, value: value(right)? })
                }
                _ => None,
            })
            .collect();
        match fixed.iter().find_map(Fixed::values) {
            Some(values) => values.iter().any(|value| fixed.iter().all(|fixed| fixed.admits(value))),
            None => {
                let ranges: Vec<_> = fixed.iter().filter_map(Fixed::range).collect();
                ranges.iter().all(|one| ranges.iter().all(|other| overlap(*one, *other)))
            }
        }
    }
}

impl Fixed {
    /// The values that alone fulfil it, where it names them.
    fn values(&self) -> Option<Vec<Bson>> {
        match (self.relation, &self.value) {
            _ if !self.positive => None,
            (Relation::Compare(Comparison::Eq) | Relation::In, Bson::Array(values)) => Some(values.clone()),
            (Relation::Compare(Comparison::Eq) | Relation::Exactly(Comparison::Eq) | Relation::In, value) => {
                Some(vec![value.clone()])
            }
            _ => None,
        }
    }

    fn admits(&self, value: &Bson) -> bool {
        let missing = *value == Bson::Null && relate::absent_holds(self.relation, &self.value);
        (missing || relate::holds(value, self.relation, &self.value)) == self.positive
    }

    /// Where the values lie that fulfil it.
    fn range(&self) -> Option<(Comparison, &Bson)> {
        match (self.relation, &self.value) {
            (_, Bson::Array(_)) => None,
            (Relation::Compare(comparison) | Relation::Exactly(comparison), value) if self.positive => {
                Some((comparison, value))
            }
            _ => None,
        }
    }
}

fn overlap((one, low): (Comparison, &Bson), (other, high): (Comparison, &Bson)) -> bool {
    if !Types::of_value(low).meets(Types::of_value(high)) {
        return false;
    }
    let order = compare(low, high);
    match (one, other) {
        (Comparison::Gte, Comparison::Lte) => order.is_le(),
        (Comparison::Gt | Comparison::Gte, Comparison::Lt | Comparison::Lte) => order.is_lt(),
        _ => true,
    }
}

/// What a leaf puts a condition on.
fn tested(leaf: &Expression) -> Option<&Operand> {
    match leaf {
        Expression::Exists(operand) | Expression::Relates(operand, _, _) => Some(operand),
        Expression::Constant(_)
        | Expression::All(_)
        | Expression::Any(_)
        | Expression::Not(_)
        | Expression::Asks(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{expect, schema};

    #[test]
    fn conditions_that_exclude_each_other_are_told() {
        let open = schema(
            &json!({"kind": {"bsonType": "string"}, "n": {"bsonType": "int"},
                "tags": {"bsonType": "array", "items": {"bsonType": "string"}}}),
            false,
        );
        for (apply_when, word) in [
            (json!({"$and": [{"kind": "a"}, {"kind": "b"}]}), "the conditions on `kind` exclude each other"),
            (json!({"$and": [{"kind": "a"}, {"b": 1, "$and": [{"kind": "b"}]}]}), "`kind` exclude"),
            (json!({"kind": {"$in": ["a", "b"], "$nin": ["a", "b", "c"]}}), "`kind` exclude"),
            (json!({"kind": {"$in": ["a", null], "$nin": ["a", "b"]}}), ""),
            (json!({"kind": {"$in": ["a", "b"], "$ne": "a"}}), ""),
            (json!({"$and": [{"tags": "a"}, {"tags": "b"}]}), ""),
            (json!({"$and": [{"unknown": "a"}, {"unknown": "b"}]}), ""),
            (json!({"n": {"$gt": 5, "$lt": 5}}), "`n` exclude"),
            (json!({"n": {"$gte": 5, "$lte": 5}}), ""),
            (json!({"n": {"$gt": 3, "$lt": 5}}), ""),
            (json!({"n": {"$eq": 3, "$lt": 3}}), "`n` exclude"),
            (json!({"n": {"$gt": 3}, "kind": {"$lt": "a"}}), ""),
            (json!({"tags": {"$gt": "m", "$lt": "a"}}), ""),
            (json!({"tags": {"$eq": "a", "$ne": "a"}}), "`tags` is asked for and excluded at once"),
            (json!({"x": {"$exists": false, "$eq": 1}}), "`x` is to be absent, and is compared"),
            (json!({"x": {"$exists": false, "$eq": "%%user.id"}}), "`x` is to be absent"),
            (json!({"x": {"$exists": false, "$eq": "%%user.data.name"}}), ""),
            (json!({"x": {"$exists": false, "$ne": 1}}), ""),
            (json!({"x": {"$exists": false, "$eq": null}}), ""),
            (
                json!({"$and": [{"%%user.type": "normal"}, {"%%user.type": "server"}]}),
                "`%%user.type` exclude",
            ),
            (json!({"$and": [{"%%user.data.a": 1}, {"%%user.data.a": 2}]}), ""),
            (json!({"$or": [{"a": 1}, {"n": {"$gt": 5, "$lt": 3}}]}), "`n` exclude"),
            (json!({"$nor": [{"n": {"$ne": 1}}, {"n": {"$ne": 2}}]}), "`n` exclude"),
            (json!({"$nor": [{"n": 1}, {"n": 2}]}), ""),
        ] {
            let words = [word];
            let words = if word.is_empty() { &words[..0] } else { &words[..] };
            expect(&json!({"apply_when": apply_when, "read": true}), Some(&open), words);
        }
    }

    #[test]
    fn images_are_told_apart_only_where_they_may_differ() {
        let open = schema(&json!({"kind": {"bsonType": "string"}}), false);
        let turned = json!({"%%prevRoot.kind": "a", "kind": "b"});
        expect(&json!({"read": true, "write": turned}), Some(&open), &[]);
        expect(&json!({"read": true, "write": true, "delete": turned}), Some(&open), &["exclude each other"]);
    }
}
