//! What a role may allow at all.

use std::collections::BTreeMap;

use super::super::role::{FieldRule, Grants};
use super::truth::Judge;

/// A question put to the rule of a field.
type Asked<'f> = &'f dyn Fn(&FieldRule) -> bool;

impl Judge<'_> {
    /// Whether the document may be written by some of its fields, or as a whole.
    pub(super) fn may_write(self, grants: &Grants) -> bool {
        let writes = |rule: &FieldRule| self.may(rule.write.as_ref(), false);
        self.may(grants.write_gate.as_ref(), true)
            && match &grants.write {
                Some(write) => self.may(Some(write), false),
                None => any_field(grants, &writes),
            }
    }

    /// Whether the field at this dotted path, or a part of it, may be written; the empty path is any field.
    pub(super) fn may_write_at(self, grants: &Grants, path: &str) -> bool {
        let writes = |rule: &FieldRule| self.may(rule.write.as_ref(), false);
        if path.is_empty() || grants.write.is_some() {
            return self.may_write(grants);
        }
        self.may(grants.write_gate.as_ref(), true)
            && at_path(&grants.fields, path, &writes).unwrap_or_else(|| writes(&grants.additional))
    }

    /// Whether something of the document may be read.
    pub(super) fn may_read(self, grants: &Grants) -> bool {
        let gate = match &grants.read_gate {
            None => true,
            gate => self.may(gate.as_ref(), true) || self.may(grants.write_gate.as_ref(), false),
        };
        let reads =
            |rule: &FieldRule| self.may(rule.read.as_ref(), false) || self.may(rule.write.as_ref(), false);
        let by_field = grants.read.is_none() && any_field(grants, &reads);
        gate && (self.may(grants.read.as_ref(), false) || self.may(grants.write.as_ref(), false) || by_field)
    }
}

fn any_field(grants: &Grants, asked: Asked<'_>) -> bool {
    asked(&grants.additional) || any_below(&grants.fields, asked)
}

fn any_below(rules: &BTreeMap<String, FieldRule>, asked: Asked<'_>) -> bool {
    rules.values().any(|rule| if is_nested(rule) { any_below(&rule.fields, asked) } else { asked(rule) })
}

/// `None` where no rule names the first field of the path.
fn at_path(rules: &BTreeMap<String, FieldRule>, path: &str, asked: Asked<'_>) -> Option<bool> {
    let (head, rest) = match path.split_once('.') {
        Some((head, rest)) => (head, Some(rest)),
        None => (path, None),
    };
    let rule = rules.get(head)?;
    Some(match rest {
        _ if !is_nested(rule) => asked(rule),
        None => any_below(&rule.fields, asked),
        Some(rest) => at_path(&rule.fields, rest, asked).unwrap_or(false),
    })
}

/// Whether the fields below decide, and not the rule itself.
fn is_nested(rule: &FieldRule) -> bool {
    rule.read.is_none() && rule.write.is_none() && !rule.fields.is_empty()
}
