//! Conditions that have only one outcome, though they were written as conditions.
//!
//! Constants are meant, other than in `apply_when`, where they make a role that nobody has.

use super::super::expr::Expression;
use super::leaf::Reason;
use super::places::{Placed, of_filters, of_role};
use super::truth::{Judge, Moment, Part, Truth, conjuncts};
use super::{Report, Subject};

/// Warns of conditions that never hold, or always do.
pub(super) fn find(subject: Subject<'_>, report: &mut Report) {
    for (at, role, grants) in subject.open_roles() {
        for placed in of_role(role, grants, &at) {
            let told = tell(subject, &placed, &format!("role `{}`", role.name), report);
            let never = || Judge::at(subject.schema, Moment::Any).truth(placed.expression) == Truth::Never;
            if !told && placed.pointer.ends_with("/apply_when") && never() {
                let message = format!("role `{}` never applies: `apply_when` never holds", role.name);
                report.warn(subject.file, &placed.pointer, message);
            }
        }
    }
    for (name, placed) in of_filters(subject) {
        tell(subject, &placed, &format!("filter `{name}`"), report);
    }
}

/// Whether anything was told.
fn tell(subject: Subject<'_>, placed: &Placed<'_>, whose: &str, report: &mut Report) -> bool {
    let mut faults = Vec::new();
    faults_of(Judge::at(subject.schema, placed.moment), (true, placed.expression), &mut faults);
    let found = !faults.is_empty();
    faults.dedup();
    for fault in faults {
        report.warn(subject.file, &placed.pointer, format!("{whose}: {fault}"));
    }
    found
}

fn faults_of(judge: Judge<'_>, part: Part<'_>, faults: &mut Vec<String>) {
    let mut parts = Vec::new();
    conjuncts(part, &mut parts);
    let before = faults.len();
    for (positive, part) in &parts {
        match part {
            Expression::All(choices) | Expression::Any(choices) if choices.is_empty() && *positive => {
                faults.push("an empty `%or` never holds".to_owned());
            }
            Expression::All(choices) | Expression::Any(choices) => {
                choices.iter().for_each(|choice| faults_of(judge, (*positive, choice), faults));
            }
            leaf => faults.extend(fault_of(judge, (*positive, leaf))),
        }
    }
    if faults.len() == before
        && let Some(conflict) = judge.conflict(&parts)
    {
        faults.push(format!("{conflict}, which never holds"));
    }
}

fn fault_of(judge: Judge<'_>, (positive, leaf): Part<'_>) -> Option<String> {
    let reason = judge.never_holds(leaf);
    match (positive, reason) {
        (true, Some(Reason::Odd(text))) => Some(format!("{text}; the condition never holds")),
        (true, Some(Reason::Previous(text))) => Some(format!("{text}; the condition never holds")),
        // Being unequal is what it says.
        (false, Some(Reason::Odd(text))) => Some(format!("{text}; the negated condition always holds")),
        (false, _) => match judge.always_holds(leaf) {
            Some(Reason::Previous(text)) => Some(format!("{text}; the condition never holds")),
            _ => None,
        },
        (true, Some(Reason::Constant) | None) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::{expect, schema};

    fn things(closed: bool) -> Value {
        let address = json!({"bsonType": "object", "additionalProperties": false, "properties": {"city": {"bsonType": "string"}}});
        let properties = json!({
            "kind": {"bsonType": "string"}, "owner": {"bsonType": "objectId"}, "by": {"bsonType": "string"},
            "n": {"bsonType": "long"}, "either": {"bsonType": ["string", "objectId"]}, "any": {},
            "key": {"bsonType": "uuid"},
            "team": {"bsonType": "array", "items": {"bsonType": "objectId"}},
            "address": address, "homes": {"bsonType": "array", "items": address},
        });
        let mut schema = schema(&properties, closed);
        // What may be anything has no type to declare.
        schema["properties"]["any"] = json!({"bsonType": "mixed"});
        schema
    }

    fn check(key: &str, cases: &[(Value, &str)], closed: bool) {
        for (expression, word) in cases {
            let mut parts = json!({"read": true, "write": true});
            parts[key] = expression.clone();
            let words = [*word, "role `r`"];
            expect(&parts, Some(&things(closed)), if word.is_empty() { &[] } else { &words });
        }
    }

    #[test]
    fn comparisons_with_another_type_are_told_with_the_conversion() {
        check(
            "apply_when",
            &[
                (
                    json!({"owner": "%%user.id"}),
                    r#"`owner` (objectId) is compared with `%%user.id` (string): write {"%stringToOid": "%%user.id"}; the condition never holds"#,
                ),
                (json!({"owner": {"$ne": "%%user.id"}}), "the negated condition always holds"),
                (json!({"owner": {"%stringToOid": "%%user.id"}}), ""),
                (json!({"by": {"%stringToOid": "%%user.id"}}), "`by` (string)"),
                (json!({"%%user.id": "%%root.owner"}), "`%oidToString`"),
                (json!({"%%user.id": {"%oidToString": "%%root.owner"}}), ""),
                (
                    json!({"%%user.id": {"%oidToString": "%%root.by"}}),
                    "`%oidToString` converts objectId, and `by` is string",
                ),
                (json!({"owner": {"%stringToOid": "short"}}), "`%stringToOid` cannot convert"),
                (json!({"by": "%%user.id"}), ""),
                (json!({"team": "%%user.id"}), "`team` (objectId or array)"),
                (json!({"team": {"$in": ["%%user.id"]}}), "`team`"),
                (json!({"team": "%%user.custom_data.team"}), ""),
                (json!({"owner": {"$in": ["%%user.id", null]}}), ""),
                (json!({"owner": null}), ""),
                (json!({"either": "%%user.id"}), ""),
                (json!({"any": "%%user.id"}), ""),
                (json!({"key": "65a000000000000000000001"}), "`%stringToUuid`"),
                (json!({"n": "5"}), "`n` (number) is compared with `\"5\"` (string)"),
                (json!({"n": {"$gt": 5.5}}), ""),
                (json!({"n": {"$gt": "5"}}), "`n` (number)"),
                (json!({"address.city": 5}), "`address.city` (string)"),
                (json!({"homes.city": "x", "homes.0.city": "y"}), ""),
                (json!({"homes.city": 5}), "`homes.city` (string or array)"),
                (json!({"$or": [{"kind": "a"}, {"owner": "%%user.id"}]}), "`owner`"),
            ],
            false,
        );
    }

    #[test]
    fn fields_that_a_closed_schema_refuses_are_told() {
        let cases = |refused: &'static str| {
            [
                (json!({"colour": "red"}), refused),
                (json!({"colour": {"$exists": true}}), refused),
                (json!({"colour": {"$ne": "red"}}), refused),
                (json!({"_id": "%%user.id"}), ""),
                (json!({"colour": null}), ""),
            ]
        };
        check("apply_when", &cases("the schema allows no field `colour`"), true);
        check("apply_when", &cases(""), false);
        let mut patterned = things(true);
        patterned["patternProperties"] = json!({"^c": {}});
        expect(&json!({"apply_when": {"colour": "red"}, "read": true}), Some(&patterned), &[]);
        check("apply_when", &[(json!({"address.street": "x"}), "`address.street`")], false);
        check("apply_when", &[(json!({"kind.length": 5}), "`kind.length`")], false);
    }

    #[test]
    fn empty_lists_and_unknown_types_of_user_are_told() {
        check(
            "apply_when",
            &[
                (json!({"kind": {"$in": []}}), "`kind` is compared with an empty list; the condition never"),
                (json!({"kind": {"$nin": []}}), "the negated condition always holds"),
                (json!({"kind": {"$in": ["a"]}}), ""),
                (json!({"$or": []}), "an empty `%or` never holds"),
                (json!({"$and": []}), ""),
                (json!({"%%user.type": "edge"}), "no type of user: it is `normal` or `server`"),
                (json!({"%%user.type": {"$ne": "edge"}}), "always holds"),
                (json!({"%%user.type": {"$in": ["edge", "server"]}}), ""),
                (json!({"%%user.type": "system"}), ""),
            ],
            false,
        );
    }

    #[test]
    fn constants_are_told_only_where_they_make_a_role_that_nobody_has() {
        check(
            "apply_when",
            &[
                (json!(false), "role `r` never applies"),
                (json!({"%%true": false}), "role `r` never applies"),
                (json!({"kind": "a", "$and": ["%%false"]}), "role `r` never applies"),
                (json!({"$or": [false, {"kind": "a"}]}), ""),
                (json!(true), ""),
                (json!({"%%true": true}), ""),
            ],
            false,
        );
        for key in ["insert", "delete", "search"] {
            check(key, &[(json!(false), ""), (json!({"%%true": "%%false"}), "")], false);
        }
    }

    #[test]
    fn whether_there_is_a_previous_document_is_known_on_reads_and_inserts() {
        let (fresh, stored) =
            (json!({"%%prevRoot": {"$exists": false}}), json!({"%%prevRoot": {"$exists": true}}));
        for (key, expression, word) in [
            ("delete", &fresh, "a stored document is its own previous image; the condition never holds"),
            ("delete", &stored, ""),
            ("insert", &stored, "an insert has no previous document; the condition never holds"),
            ("insert", &fresh, ""),
            ("read", &fresh, "a stored document is its own previous image"),
            ("write", &stored, ""),
            ("apply_when", &fresh, ""),
        ] {
            check(key, &[(expression.clone(), word)], false);
        }
        let gates = json!({"document_filters": {"read": fresh}, "read": true, "insert": false});
        expect(&gates, None, &["/roles/0/document_filters/read: role `r`: a stored document"]);
    }
}
