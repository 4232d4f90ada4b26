//! `rules.json`: the roles of a collection as they were written.
//!
//! 1. `read` and `write` have three states: true, false, and not given.
//! 2. A role with a part that is not understood is closed: it grants nothing, but still stands in the
//!    way of later roles. When its `apply_when` is not understood, it counts as matching.
//! 3. A collection with a filter that is not understood is closed as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::expr::Expression;
use super::filters::RowFilter;
use super::parse::{Parser, Place, below};
use crate::limits::Limits;
use crate::report::Report;

/// The roles of one collection (or of a data source's default rule), in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CollectionRules {
    pub(crate) roles: Vec<Role>,
    pub(crate) filters: Vec<RowFilter>,
}

/// A role.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Role {
    pub(crate) name: Arc<str>,
    pub(crate) apply_when: Expression,
    /// `None`: the role is closed.
    pub(crate) grants: Option<Grants>,
}

/// What a role allows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Grants {
    pub(crate) read_gate: Option<Expression>,
    pub(crate) write_gate: Option<Expression>,
    pub(crate) read: Option<Expression>,
    pub(crate) write: Option<Expression>,
    pub(crate) insert: Option<Expression>,
    pub(crate) delete: Option<Expression>,
    pub(crate) search: Option<Expression>,
    pub(crate) fields: BTreeMap<String, FieldRule>,
    pub(crate) additional: FieldRule,
}

/// What a role allows on a field.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FieldRule {
    pub(crate) read: Option<Expression>,
    pub(crate) write: Option<Expression>,
    pub(crate) fields: BTreeMap<String, FieldRule>,
}

impl CollectionRules {
    /// Reads a `rules.json` or `default_rule.json`; what is not understood is closed and reported.
    pub fn parse(json: &Value, file: &str, report: &mut Report) -> Self {
        Self::parse_within(json, file, &Limits::default(), report)
    }

    /// As [`parse`](Self::parse), with limits of one's own.
    pub fn parse_within(json: &Value, file: &str, limits: &Limits, report: &mut Report) -> Self {
        let mut parser = Parser::new(file, report, limits.expression_depth);
        let Some(rules) = json.as_object() else {
            parser.report.error(file, "", "rules are no JSON object: the collection is closed");
            return Self::closed();
        };
        warn_of_unknown(&mut parser, rules, "", &RULES_KEYS);
        let roles = match rules.get("roles") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(roles)) => roles
                .iter()
                .enumerate()
                .map(|(index, role)| parse_role(&mut parser, role, &format!("/roles/{index}")))
                .collect(),
            Some(_) => {
                parser.report.error(file, "/roles", "`roles` is no array: the collection is closed");
                return Self::closed();
            }
        };
        match RowFilter::parse_all(&mut parser, rules.get("filters")) {
            Some(filters) => Self { roles, filters },
            None => {
                parser.report.error(file, "/filters", "a filter is not understood: the collection is closed");
                Self::closed()
            }
        }
    }

    /// Whether any role is defined; where none is, the default rule of the data source holds.
    pub fn has_roles(&self) -> bool {
        !self.roles.is_empty()
    }

    /// The roles by name, and whether each is closed.
    pub(crate) fn outline(&self) -> impl Iterator<Item = (&str, bool)> {
        self.roles.iter().map(|role| (&*role.name, role.grants.is_none()))
    }

    /// The filters by name.
    pub(crate) fn filter_names(&self) -> impl Iterator<Item = &str> {
        self.filters.iter().map(|filter| filter.name.as_str())
    }

    /// Rules that deny everything to everybody.
    pub fn closed() -> Self {
        let apply_when = Expression::Constant(true);
        Self { roles: vec![Role { name: "closed".into(), apply_when, grants: None }], filters: Vec::new() }
    }
}

const RULES_KEYS: [&str; 8] =
    ["collection", "database", "roles", "filters", "schema", "relationships", "id", "_id"];
const ROLE_KEYS: [&str; 12] = [
    "id",
    "_id",
    "name",
    "apply_when",
    "document_filters",
    "read",
    "write",
    "insert",
    "delete",
    "search",
    "fields",
    "additional_fields",
];
const FIELD_KEYS: [&str; 3] = ["read", "write", "fields"];
const GATE_KEYS: [&str; 2] = ["read", "write"];

fn parse_role(parser: &mut Parser<'_>, json: &Value, pointer: &str) -> Role {
    let Some(role) = json.as_object() else {
        parser.report.error(parser.file, pointer, "role is no JSON object: it is closed");
        return Role { name: "".into(), apply_when: Expression::Constant(true), grants: None };
    };
    warn_of_unknown(parser, role, pointer, &ROLE_KEYS);
    let name: Arc<str> = role.get("name").and_then(Value::as_str).unwrap_or_default().into();
    let apply_when = match role.get("apply_when") {
        Some(json) => parser.expression(json, &below(pointer, "apply_when")),
        None => parser.fail(pointer, "role without `apply_when`"),
    };
    let grants = parse_grants(parser, role, pointer);
    let grants = if apply_when.is_some() { grants } else { None };
    if grants.is_none() {
        parser.report.error(parser.file, pointer, format!("role `{name}` is closed: it grants nothing"));
    }
    Role { name, apply_when: apply_when.unwrap_or(Expression::Constant(true)), grants }
}

/// Every part is read, so that the report names all problems at once.
fn parse_grants(parser: &mut Parser<'_>, role: &Map<String, Value>, pointer: &str) -> Option<Grants> {
    let gates =
        section(parser, role.get("document_filters"), &below(pointer, "document_filters"), &GATE_KEYS);
    let gate = |parser: &mut Parser<'_>, key: &str| match &gates {
        Some(gates) => optional(parser, gates, key, &below(pointer, "document_filters")),
        None => None,
    };
    let read_gate = gate(parser, "read");
    let write_gate = gate(parser, "write");
    let read = optional(parser, role, "read", pointer);
    let write = optional(parser, role, "write", pointer);
    let insert = optional(parser, role, "insert", pointer);
    let delete = optional(parser, role, "delete", pointer);
    let search = optional(parser, role, "search", pointer);
    let fields = parse_fields(parser, role.get("fields"), &below(pointer, "fields"), "", 0);
    let additional =
        parse_additional(parser, role.get("additional_fields"), &below(pointer, "additional_fields"));
    Some(Grants {
        read_gate: read_gate?,
        write_gate: write_gate?,
        read: read?,
        write: write?,
        insert: insert?,
        delete: delete?,
        search: search?,
        fields: fields?,
        additional: additional?,
    })
}

fn parse_fields(
    parser: &mut Parser<'_>,
    json: Option<&Value>,
    pointer: &str,
    parent: &str,
    depth: usize,
) -> Option<BTreeMap<String, FieldRule>> {
    if depth > parser.max_depth {
        return parser.fail(pointer, "fields are nested too deeply");
    }
    let fields = match json {
        None | Some(Value::Null) => return Some(BTreeMap::new()),
        Some(Value::Object(fields)) => fields,
        Some(_) => return parser.fail(pointer, "`fields` is no JSON object"),
    };
    let parsed: Vec<_> = fields
        .iter()
        .map(|(name, json)| {
            let pointer = below(pointer, name);
            let path = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
            if name.contains('.') {
                return parser.fail(&pointer, format!("field `{name}` is a path: nest it in `fields`"));
            }
            let rule = section(parser, Some(json), &pointer, &FIELD_KEYS)?;
            let (read, write) = parser.within(Place::Field(path.clone()), |parser| {
                (optional(parser, &rule, "read", &pointer), optional(parser, &rule, "write", &pointer))
            });
            let fields =
                parse_fields(parser, rule.get("fields"), &below(&pointer, "fields"), &path, depth + 1);
            Some((name.clone(), FieldRule { read: read?, write: write?, fields: fields? }))
        })
        .collect();
    parsed.into_iter().collect()
}

fn parse_additional(parser: &mut Parser<'_>, json: Option<&Value>, pointer: &str) -> Option<FieldRule> {
    let rule = section(parser, json, pointer, &GATE_KEYS)?;
    // `%%this` is the value of whichever field is asked about.
    let (read, write) = parser.within(Place::Value, |parser| {
        (optional(parser, &rule, "read", pointer), optional(parser, &rule, "write", pointer))
    });
    Some(FieldRule { read: read?, write: write?, fields: BTreeMap::new() })
}

/// An object with these keys; empty when it is not given, `None` when it is something else.
fn section(
    parser: &mut Parser<'_>,
    json: Option<&Value>,
    pointer: &str,
    keys: &[&str],
) -> Option<Map<String, Value>> {
    match json {
        None | Some(Value::Null) => Some(Map::new()),
        Some(Value::Object(entries)) => {
            warn_of_unknown(parser, entries, pointer, keys);
            Some(entries.clone())
        }
        Some(other) => parser.fail(pointer, format!("`{other}` is no JSON object")),
    }
}

/// `Some(None)` when the key is not given, `None` when its expression is not understood.
fn optional(
    parser: &mut Parser<'_>,
    entries: &Map<String, Value>,
    key: &str,
    pointer: &str,
) -> Option<Option<Expression>> {
    match entries.get(key) {
        None | Some(Value::Null) => Some(None),
        Some(json) => parser.expression(json, &below(pointer, key)).map(Some),
    }
}

pub(super) fn warn_of_unknown(
    parser: &mut Parser<'_>,
    entries: &Map<String, Value>,
    pointer: &str,
    known: &[&str],
) {
    for key in entries.keys().filter(|key| !known.contains(&key.as_str())) {
        parser.report.warn(parser.file, &below(pointer, key), format!("`{key}` is not known and not obeyed"));
    }
}
