//! Inserts that cannot work, or that their author cannot see.

use super::super::expr::{Image, Operand};
use super::super::role::{Grants, Role};
use super::places::each_operand;
use super::truth::{Judge, Moment};
use super::{Report, Subject};

/// Warns of roles that allow inserts, which then fail or answer null.
pub(super) fn find(subject: Subject<'_>, report: &mut Report) {
    let judge = Judge::at(subject.schema, Moment::Insert);
    for (at, role, grants) in subject.open_roles() {
        if !judge.may(Some(&role.apply_when), true)
            || !judge.may(grants.insert.as_ref(), true)
            || !judge.may_write(grants)
        {
            continue;
        }
        let name = &role.name;
        if let Some(field) = lacking(subject, judge, grants) {
            let why = if field == "_id" { "every document has one" } else { "the schema requires it" };
            let message = format!(
                "role `{name}` can insert nothing: it may not write `{field}`, and {why}; \
                 let it write `{field}`, or say `insert: false`"
            );
            report.warn(subject.file, &at, message);
        } else if is_unseen(subject, role, grants) {
            let message = format!(
                "role `{name}` may insert what it may not read: the inserter gets null back; \
                 let it read the documents of its own"
            );
            report.warn(subject.file, &at, message);
        }
    }
}

/// A field that every insert has to write and that may not be written.
fn lacking<'a>(subject: Subject<'a>, judge: Judge<'_>, grants: &Grants) -> Option<&'a str> {
    let required = subject.schema.iter().flat_map(|schema| &schema.required).map(String::as_str);
    std::iter::once("_id").chain(required).find(|field| !judge.may_write_at(grants, field))
}

/// Whether nothing of what is inserted may be read; not known where another role may decide once it is stored.
fn is_unseen(subject: Subject<'_>, role: &Role, grants: &Grants) -> bool {
    let mut asks_previous = false;
    each_operand(&role.apply_when, &mut |operand| {
        asks_previous |= matches!(operand, Operand::Stored(Image::Previous, _));
    });
    !asks_previous && !Judge::at(subject.schema, Moment::Stored).may_read(grants)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{expect, schema};

    #[test]
    fn what_the_inserter_cannot_read_back_is_told() {
        let fresh = json!({"%%prevRoot": {"$exists": false}});
        let unseen = "role `r` may insert what it may not read: the inserter gets null back";
        for (parts, words) in [
            (json!({"write": fresh}), unseen),
            (json!({"write": fresh, "read": false}), unseen),
            (json!({"write": fresh, "read": {"owner": "%%user.id"}}), ""),
            (json!({"write": fresh, "insert": false}), ""),
            (json!({"write": true, "document_filters": {"read": false, "write": fresh}}), unseen),
            (json!({"read": false, "write": false}), ""),
            (json!({"additional_fields": {"write": fresh}}), unseen),
            (json!({"additional_fields": {"read": true, "write": fresh}}), ""),
            (json!({"apply_when": fresh, "write": fresh}), ""),
            (json!({"write": true}), ""),
        ] {
            expect(&parts, None, if words.is_empty() { &[] } else { std::slice::from_ref(&words) });
        }
    }

    #[test]
    fn inserts_that_lack_a_field_are_told() {
        let open = schema(&json!({"kind": {"bsonType": "string"}, "a": {"bsonType": "int"}}), false);
        let no_id = "role `r` can insert nothing: it may not write `_id`";
        let (yes, no) = (json!({"read": true, "write": true}), json!({"read": true}));
        for (parts, words) in [
            (json!({"fields": {"a": yes, "kind": yes}}), no_id),
            (json!({"fields": {"a": yes, "kind": yes, "_id": yes}}), ""),
            (
                json!({"fields": {"a": yes, "_id": yes}}),
                "it may not write `kind`, and the schema requires it",
            ),
            (json!({"fields": {"a": yes}, "insert": false}), ""),
            (json!({"fields": {"a": no}}), ""),
            (json!({"fields": {"kind": no}, "additional_fields": yes}), "`kind`"),
            (json!({"additional_fields": yes}), ""),
            (json!({"read": true, "write": true}), ""),
            (json!({"fields": {"a": yes, "_id": yes, "kind": {"fields": {"x": {"write": {"a": 1}}}}}}), ""),
        ] {
            expect(&parts, Some(&open), if words.is_empty() { &[] } else { std::slice::from_ref(&words) });
        }
    }
}
