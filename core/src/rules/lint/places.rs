//! The expressions of a role with their pointers, and when each is asked.

use std::collections::BTreeMap;

use super::super::expr::{Expression, Operand};
use super::super::parse::below;
use super::super::role::{FieldRule, Grants, Role};
use super::Subject;
use super::truth::Moment;

/// An expression and its place.
pub(super) struct Placed<'a> {
    pub(super) pointer: String,
    pub(super) expression: &'a Expression,
    pub(super) moment: Moment,
}

/// A field's rule and its place.
pub(super) struct PlacedField<'a> {
    pub(super) pointer: String,
    /// Its dotted path; `None` for additional fields.
    pub(super) path: Option<String>,
    pub(super) rule: &'a FieldRule,
}

/// Every expression of a role at this pointer.
pub(super) fn of_role<'a>(role: &'a Role, grants: &'a Grants, at: &str) -> Vec<Placed<'a>> {
    let own = [
        ("/apply_when", Some(&role.apply_when), Moment::Any),
        ("/document_filters/read", grants.read_gate.as_ref(), Moment::Stored),
        ("/document_filters/write", grants.write_gate.as_ref(), Moment::Any),
        ("/read", grants.read.as_ref(), Moment::Stored),
        ("/write", grants.write.as_ref(), Moment::Any),
        ("/insert", grants.insert.as_ref(), Moment::Insert),
        ("/delete", grants.delete.as_ref(), Moment::Stored),
        ("/search", grants.search.as_ref(), Moment::Stored),
    ];
    let mut found = Vec::new();
    let mut add = |pointer: String, expression: Option<&'a Expression>, moment| {
        found.extend(expression.map(|expression| Placed { pointer, expression, moment }));
    };
    for (key, expression, moment) in own {
        add(format!("{at}{key}"), expression, moment);
    }
    for PlacedField { pointer, rule, .. } in fields(grants, at) {
        add(format!("{pointer}/read"), rule.read.as_ref(), Moment::Stored);
        add(format!("{pointer}/write"), rule.write.as_ref(), Moment::Any);
    }
    found
}

/// Every field rule of a role, nested ones and that of additional fields among them.
pub(super) fn fields<'a>(grants: &'a Grants, at: &str) -> Vec<PlacedField<'a>> {
    let mut found = Vec::new();
    collect(&grants.fields, &format!("{at}/fields"), "", &mut found);
    let pointer = format!("{at}/additional_fields");
    found.push(PlacedField { pointer, path: None, rule: &grants.additional });
    found
}

fn collect<'a>(
    rules: &'a BTreeMap<String, FieldRule>,
    at: &str,
    parent: &str,
    found: &mut Vec<PlacedField<'a>>,
) {
    for (name, rule) in rules {
        let pointer = below(at, name);
        let path = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
        collect(&rule.fields, &format!("{pointer}/fields"), &path, found);
        found.push(PlacedField { pointer, path: Some(path), rule });
    }
}

/// The conditions of a file's filters.
pub(super) fn of_filters(subject: Subject<'_>) -> Vec<(&str, Placed<'_>)> {
    let mut found = Vec::new();
    for (index, filter) in subject.rules.filters.iter().enumerate() {
        for (key, expression) in [("apply_when", &filter.apply_when), ("query", &filter.query)] {
            let pointer = format!("/filters/{index}/{key}");
            found.push((&*filter.name, Placed { pointer, expression, moment: Moment::Stored }));
        }
    }
    found
}

/// Visits every operand of an expression, outer ones first.
pub(super) fn each_operand<'a>(expression: &'a Expression, visit: &mut dyn FnMut(&'a Operand)) {
    match expression {
        Expression::Constant(_) | Expression::Asks(_) => {}
        Expression::All(parts) | Expression::Any(parts) => {
            parts.iter().for_each(|part| each_operand(part, visit));
        }
        Expression::Not(inner) => each_operand(inner, visit),
        Expression::Exists(operand) => each_below(operand, visit),
        Expression::Relates(left, _, right) => {
            each_below(left, visit);
            each_below(right, visit);
        }
    }
}

fn each_below<'a>(operand: &'a Operand, visit: &mut dyn FnMut(&'a Operand)) {
    visit(operand);
    match operand {
        Operand::Literal(_) | Operand::Known(..) | Operand::Stored(..) => {}
        Operand::List(items) | Operand::Call(_, items) => {
            items.iter().for_each(|item| each_below(item, visit));
        }
        Operand::Document(fields) => fields.iter().for_each(|(_, value)| each_below(value, visit)),
        Operand::Convert(_, inner) => each_below(inner, visit),
    }
}
