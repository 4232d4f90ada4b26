//! Parts of a role that another part of it overrules.
//!
//! Writing implies reading, and what holds for the document comes before what holds for its fields.

use super::super::expr::Expression;
use super::super::role::{FieldRule, Grants};
use super::places::{PlacedField, fields};
use super::truth::{Judge, Moment, Truth};
use super::{Report, Subject};

/// Warns of parts that are overruled.
pub(super) fn find(subject: Subject<'_>, report: &mut Report) {
    let judge = Judge::at(subject.schema, Moment::Stored);
    for (at, role, grants) in subject.open_roles() {
        for (pointer, text) in [
            read_despite_false(judge, grants, &at),
            fields_not_consulted(judge, grants, &at),
            read_gate_opened(judge, grants, &at),
            reading_not_gated(judge, grants, &at),
        ]
        .into_iter()
        .flatten()
        {
            report.warn(subject.file, &pointer, format!("role `{}`: {text}", role.name));
        }
    }
}

fn is_false(expression: Option<&Expression>) -> bool {
    expression == Some(&Expression::Constant(false))
}

type Found = Vec<(String, String)>;

/// `read: false` where writing is possible.
fn read_despite_false(judge: Judge<'_>, grants: &Grants, at: &str) -> Found {
    let mut found = Vec::new();
    let writable = |write: Option<&Expression>| judge.may(write, false);
    if is_false(grants.read.as_ref()) && writable(grants.write.as_ref()) {
        let text = "`read: false` does not hide what may be written, for `write` implies reading";
        found.push((format!("{at}/read"), text.to_owned()));
    }
    // With a `read` for the document the fields are not asked.
    let asked = fields(grants, at).into_iter().filter(|_| grants.read.is_none());
    for PlacedField { pointer, path, rule } in asked {
        if is_false(rule.read.as_ref()) && writable(rule.write.as_ref()) {
            let field = path.map_or("additional fields".to_owned(), |path| format!("`{path}`"));
            let text = format!("`read: false` does not hide {field}, for `write` implies reading");
            found.push((format!("{pointer}/read"), text));
        }
    }
    found
}

/// Field rules beside a rule for the document that decides alone.
fn fields_not_consulted(judge: Judge<'_>, grants: &Grants, at: &str) -> Found {
    let mut found = Vec::new();
    let has_fields = !grants.fields.is_empty() || grants.additional != FieldRule::default();
    let always = |part: Option<&Expression>| part.is_some_and(|part| judge.truth(part) == Truth::Always);
    if is_false(grants.read.as_ref()) && !always(grants.write.as_ref()) && has_fields {
        let text = "`read: false` denies the document: the field rules are never consulted";
        found.push((format!("{at}/read"), text.to_owned()));
    }
    let mut hidden = Vec::new();
    let whole = always(grants.read.as_ref()) || always(grants.write.as_ref());
    for PlacedField { pointer, path, rule } in fields(grants, at) {
        if is_false(grants.write.as_ref()) && judge.may(rule.write.as_ref(), false) {
            let text =
                "`write: false` of the document denies the write: that of the field is never consulted";
            found.push((format!("{pointer}/write"), text.to_owned()));
        }
        let hides = *rule == FieldRule::default() || is_false(rule.read.as_ref());
        hidden.extend(path.filter(|_| whole && hides).map(|path| format!("`{path}`")));
    }
    if !hidden.is_empty() {
        let text =
            format!("the whole document may be read: the field rules do not hide {}", hidden.join(", "));
        found.push((format!("{at}/fields"), text));
    }
    found
}

/// A read gate that the write gate opens.
fn read_gate_opened(judge: Judge<'_>, grants: &Grants, at: &str) -> Found {
    let (Some(read), Some(write)) = (&grants.read_gate, &grants.write_gate) else { return Vec::new() };
    let (read, write) = (judge.truth(read), judge.truth(write));
    if read != Truth::Always && write == Truth::Always || read == Truth::Never && write != Truth::Never {
        let text = "`document_filters.write` opens reading too, for writing implies reading: this does not narrow it";
        return vec![(format!("{at}/document_filters/read"), text.to_owned())];
    }
    Vec::new()
}

/// A write gate alone, where reading is only implied by writing.
fn reading_not_gated(judge: Judge<'_>, grants: &Grants, at: &str) -> Found {
    let gates = grants.write_gate.as_ref().is_some_and(|gate| judge.truth(gate) != Truth::Always);
    let given = grants.read_gate.is_some() || grants.read.is_some();
    let by_field = fields(grants, at).iter().any(|field| field.rule.read.is_some());
    if gates && !given && !by_field && judge.may_read(grants) {
        let text = "`document_filters.write` does not gate the reading that `write` implies: every document may be \
                    read; add `document_filters.read`";
        return vec![(format!("{at}/document_filters/write"), text.to_owned())];
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::expect;

    #[test]
    fn read_false_beside_a_possible_write_is_told() {
        let fresh = json!({"%%prevRoot": {"$exists": false}});
        for (parts, words) in [
            (
                json!({"read": false, "write": true}),
                "/read: role `r`: `read: false` does not hide what may be written",
            ),
            (json!({"read": false, "write": {"a": 1}}), "does not hide"),
            (json!({"read": false, "write": false}), ""),
            (json!({"read": false, "write": fresh, "insert": false}), ""),
            (json!({"write": true}), ""),
            (json!({"fields": {"a": {"read": false, "write": true}}, "insert": false}), "does not hide `a`"),
            (
                json!({"fields": {"a": {"fields": {"b": {"read": false, "write": {"c": 1}}}}}, "insert": false}),
                "/fields/a/fields/b/read: role `r`: `read: false` does not hide `a.b`",
            ),
            (json!({"additional_fields": {"read": false, "write": true}}), "does not hide additional fields"),
            (json!({"fields": {"a": {"read": false}}, "additional_fields": {"read": true}}), ""),
        ] {
            expect(&parts, None, if words.is_empty() { &[] } else { std::slice::from_ref(&words) });
        }
    }

    #[test]
    fn field_rules_that_are_never_consulted_are_told() {
        for (parts, words) in [
            (
                json!({"read": false, "fields": {"a": {"read": true}}}),
                "/read: role `r`: `read: false` denies the document: the field rules are never consulted",
            ),
            (json!({"read": false, "fields": {}, "additional_fields": {}}), ""),
            (
                json!({"read": true, "write": false, "fields": {"a": {"write": true}}}),
                "/fields/a/write: role `r`: `write: false` of the document denies the write",
            ),
            (
                json!({"read": true, "fields": {"a": {}, "b": {"fields": {"c": {}}}}}),
                "/fields: role `r`: the whole document may be read: the field rules do not hide `a`, `b.c`",
            ),
            (json!({"write": true, "fields": {"a": {"read": false}}}), "do not hide `a`"),
            (json!({"read": true, "fields": {"a": {"read": true, "write": false}}}), ""),
            (json!({"read": {"x": 1}, "fields": {"a": {}}}), ""),
            (json!({"fields": {"a": {}}, "additional_fields": {"read": true}}), ""),
        ] {
            expect(&parts, None, if words.is_empty() { &[] } else { std::slice::from_ref(&words) });
        }
    }

    #[test]
    fn gates_that_do_not_gate_are_told() {
        let own = json!({"owner": "%%user.id"});
        for (read, write, parts, words) in [
            (
                Some(&own),
                Some(&json!(true)),
                json!({"read": true}),
                "/document_filters/read: role `r`: `document_filters.write` opens reading",
            ),
            (Some(&json!(false)), Some(&own), json!({"write": true}), "opens reading"),
            (Some(&own), Some(&own), json!({"write": true}), ""),
            (Some(&json!(true)), Some(&own), json!({"write": true}), ""),
            (Some(&own), Some(&json!(false)), json!({"write": true}), ""),
            (Some(&json!(false)), Some(&json!(false)), json!({"write": true}), ""),
            (Some(&own), None, json!({"read": true}), ""),
            (
                None,
                Some(&own),
                json!({"write": true}),
                "/document_filters/write: role `r`: `document_filters.write` does not gate the reading",
            ),
            (None, Some(&own), json!({"additional_fields": {"write": true}}), "does not gate"),
            (None, Some(&own), json!({"read": true, "write": true}), ""),
            (None, Some(&own), json!({"additional_fields": {"read": true, "write": true}}), ""),
            (None, Some(&json!(true)), json!({"write": true}), ""),
        ] {
            let mut role = parts;
            role["document_filters"] = json!({});
            for (key, gate) in [("read", read), ("write", write)] {
                if let Some(gate) = gate {
                    role["document_filters"][key] = gate.clone();
                }
            }
            expect(&role, None, if words.is_empty() { &[] } else { std::slice::from_ref(&words) });
        }
    }
}
