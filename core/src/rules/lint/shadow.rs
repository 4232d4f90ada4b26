//! Roles that are never reached, for an earlier one applies wherever they do.

use super::super::expr::{Expression, Operand, Relation};
use super::truth::{Judge, Moment, Truth, value};
use super::{Report, Subject};
use crate::filter::{Comparison, equal};

/// Warns of roles that are never reached.
pub(super) fn find(subject: Subject<'_>, report: &mut Report) {
    let judge = Judge::at(subject.schema, Moment::Any);
    let roles: Vec<_> = subject.open_roles().collect();
    for (index, (at, role, _)) in roles.iter().enumerate() {
        if judge.truth(&role.apply_when) == Truth::Never {
            continue;
        }
        let mut earlier = roles.iter().take(index).map(|(_, earlier, _)| *earlier);
        if let Some(earlier) = earlier.find(|other| judge.implies(&role.apply_when, &other.apply_when)) {
            let always = judge.truth(&earlier.apply_when) == Truth::Always;
            let when = if always { "always applies" } else { "applies wherever it does" };
            let (name, first) = (&role.name, &earlier.name);
            let message =
                format!("role `{name}` is never reached: role `{first}` before it {when}; put it first");
            report.warn(subject.file, at, message);
        }
    }
}

impl Judge<'_> {
    /// Whether the second holds wherever the first does; said only where that is certain.
    pub(super) fn implies(self, first: &Expression, second: &Expression) -> bool {
        if first == second || self.truth(second) == Truth::Always {
            return true;
        }
        match (first, second) {
            (Expression::Any(choices), _) => choices.iter().all(|choice| self.implies(choice, second)),
            (_, Expression::All(parts)) => parts.iter().all(|part| self.implies(first, part)),
            (Expression::All(parts), _) => parts.iter().any(|part| self.implies(part, second)),
            (_, Expression::Any(choices)) => choices.iter().any(|choice| self.implies(first, choice)),
            (Expression::Relates(left, relation, right), Expression::Exists(operand)) => {
                left == operand && !self.holds_on_nothing(*relation, right)
            }
            (Expression::Relates(left, ..), Expression::Relates(operand, ..)) if left == operand => {
                match (admitted(first), admitted(second)) {
                    (Some(few), Some(many)) => {
                        few.iter().all(|one| many.iter().any(|other| equal(one, other)))
                    }
                    _ => false,
                }
            }
            _ => false,
        }
    }
}

/// The values of which one has to be there.
fn admitted(leaf: &Expression) -> Option<Vec<bson::Bson>> {
    match leaf {
        Expression::Relates(_, Relation::Compare(Comparison::Eq), right @ Operand::Literal(_)) => {
            value(right).map(|value| vec![value])
        }
        Expression::Relates(_, Relation::In, Operand::List(items)) => items.iter().map(value).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::told_of;

    #[test]
    fn a_role_behind_one_that_applies_wherever_it_does_is_told() {
        let own = json!({"owner": "%%user.id"});
        for (first, second, words) in [
            (json!({}), own.clone(), "role `second` is never reached: role `first` before it always applies"),
            (json!({"%%user.id": {"$exists": true}}), own.clone(), "always applies"),
            (own.clone(), own.clone(), "applies wherever it does"),
            (own.clone(), json!({"owner": "%%user.id", "kind": "a"}), "applies wherever"),
            (json!({"kind": {"$in": ["a", "b"]}}), json!({"kind": "a"}), "applies wherever"),
            (json!({"kind": {"$exists": true}}), json!({"kind": "a"}), "applies wherever"),
            (json!({"$or": [own.clone(), {"public": true}]}), own.clone(), "applies wherever"),
            (
                json!({"public": true}),
                json!({"$or": [{"public": true, "a": 1}, {"b": 1, "public": true}]}),
                "applies",
            ),
            (own.clone(), json!({}), ""),
            (json!({"owner": "%%user.id", "kind": "a"}), own.clone(), ""),
            (json!({"kind": {"$exists": true}}), json!({"kind": null}), ""),
            (json!({"kind": "a"}), json!({"kind": {"$in": ["a", "b"]}}), ""),
            (json!({"public": true}), json!({"$or": [{"public": true}, {"b": 1}]}), ""),
        ] {
            let rules = json!({"roles": [
                {"name": "first", "apply_when": first, "read": true},
                {"name": "second", "apply_when": second, "read": true},
            ]});
            let told = told_of(&rules, None);
            assert_eq!(told.len(), usize::from(!words.is_empty()), "{rules}: {told:#?}");
            assert!(
                told.iter().all(|told| told.starts_with("/roles/1: ") && told.contains(words)),
                "{told:#?}"
            );
        }
    }
}
