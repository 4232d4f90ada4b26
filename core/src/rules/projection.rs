//! The `projection` of filters: which fields are fetched at all.
//!
//! 1. Several are merged. One that includes and one that excludes contradict each other, as in MongoDB; only `_id` may
//!    be left out of those that include.
//! 2. What is left out is as if it were not readable.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::parse::{Parser, below};

/// Which fields are fetched.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Projection {
    /// The paths as they were named, to be merged with others.
    named: Vec<(String, bool)>,
    tree: Tree,
}

/// Which fields of a document, or of an embedded one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    /// Whether what is not named is fetched.
    others: bool,
    fields: BTreeMap<String, Fetched>,
}

/// Whether a field is fetched.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fetched {
    /// All of it, or nothing.
    Whole(bool),
    /// Some of it.
    Part(Tree),
}

/// Projections that contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mixed;

impl Projection {
    /// Reads a projection; `None` inside when it names nothing, outside when it is not understood, which the report
    /// says.
    pub(super) fn parse(parser: &mut Parser<'_>, json: &Value, pointer: &str) -> Option<Option<Self>> {
        let Value::Object(entries) = json else {
            return parser.fail(pointer, "a projection is a JSON object");
        };
        let mut paths = Vec::new();
        read(parser, entries, pointer, ("", &mut paths))?;
        match Self::of(&paths) {
            Ok(projection) => Some(projection),
            Err(Mixed) => parser.fail(pointer, "the projection includes some fields and excludes others"),
        }
    }

    /// Of the paths, each with whether it is fetched; `None` when there are none.
    fn of(paths: &[(String, bool)]) -> Result<Option<Self>, Mixed> {
        // Of `_id` either may be said beside both: then it says nothing of the others.
        let others: Vec<bool> = paths.iter().filter(|(path, _)| path != "_id").map(|(_, on)| !on).collect();
        let others = match others.as_slice() {
            [] => match paths.first() {
                Some((_, on)) => !on,
                None => return Ok(None),
            },
            [first, rest @ ..] if rest.iter().all(|other| other == first) => *first,
            _ => return Err(Mixed),
        };
        let mut tree = Tree { others, fields: BTreeMap::new() };
        if !others {
            tree.put("_id", true);
        }
        for (path, on) in paths {
            tree.put(path, *on);
        }
        Ok(Some(Self { named: paths.to_vec(), tree }))
    }

    /// Both: what either of them includes, or what neither of them excludes.
    pub(crate) fn merge(mut self, other: Self) -> Result<Self, Mixed> {
        self.named.extend(other.named);
        Self::of(&self.named).and_then(|merged| merged.ok_or(Mixed))
    }

    /// The fields of the document.
    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }
}

impl Tree {
    fn put(&mut self, path: &str, on: bool) {
        match path.split_once('.') {
            None => {
                // `_id` is fetched unless one leaves it out; all others are on one side.
                let known = self.fields.get(path);
                let on = on && known != Some(&Fetched::Whole(false));
                self.fields.insert(path.to_owned(), Fetched::Whole(on));
            }
            Some((head, rest)) => {
                let others = self.others;
                let part = Fetched::Part(Self { others, fields: BTreeMap::new() });
                match self.fields.entry(head.to_owned()).or_insert(part) {
                    Fetched::Part(below) => below.put(rest, on),
                    // All of it is named already.
                    Fetched::Whole(_) => {}
                }
            }
        }
    }

    /// What is fetched of the field of this name, one level down.
    pub(crate) fn field(&self, name: &str) -> Option<&Fetched> {
        self.fields.get(name)
    }

    /// The fields that are named, one level down.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// Whether fields that are not named are fetched.
    pub(crate) fn fetches_others(&self) -> bool {
        self.others
    }

    /// Whether all that stands at a path is fetched.
    pub(crate) fn fetches(&self, path: &str) -> bool {
        let (head, rest) = match path.split_once('.') {
            Some((head, rest)) => (head, Some(rest)),
            None => (path, None),
        };
        match (self.fields.get(head), rest) {
            (None, _) => self.others,
            (Some(Fetched::Whole(on)), _) => *on,
            (Some(Fetched::Part(below)), Some(rest)) => below.fetches(rest),
            (Some(Fetched::Part(_)), None) => false,
        }
    }
}

/// `{a: 1, "b.c": true, d: {e: 1}}` as paths.
fn read(
    parser: &mut Parser<'_>,
    entries: &Map<String, Value>,
    pointer: &str,
    (parent, paths): (&str, &mut Vec<(String, bool)>),
) -> Option<()> {
    for (name, json) in entries {
        let pointer = below(pointer, name);
        if name.is_empty() || name.starts_with('$') || name.split('.').any(str::is_empty) {
            return parser.fail(&pointer, format!("`{name}` is no field that can be projected"));
        }
        let path = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
        match json {
            Value::Bool(on) => paths.push((path, *on)),
            Value::Number(number) => paths.push((path, number.as_f64() != Some(0.0))),
            Value::Object(below) if !below.is_empty() && below.keys().all(|key| !key.starts_with('$')) => {
                read(parser, below, &pointer, (&path, paths))?;
            }
            _ => return parser.fail(&pointer, "a projection takes 1, 0, true or false for each field"),
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::Report;

    fn parsed(json: Value) -> Option<Projection> {
        Projection::parse(&mut Parser::new("rules.json", &mut Report::default(), 8), &json, "").flatten()
    }

    #[test]
    fn paths_are_fetched_as_mongodb_projects_them() {
        let including = parsed(json!({ "a": 1, "b.c": true, "d": { "e": 1.0 } })).unwrap();
        let excluding = parsed(json!({ "a": 0, "b.c": false })).unwrap();
        let anonymous = parsed(json!({ "_id": 0, "a": 1 })).unwrap();
        for (path, in_including, in_excluding, in_anonymous) in [
            ("_id", true, true, false),
            ("a", true, false, true),
            ("a.x", true, false, true),
            ("b", false, false, false),
            ("b.c", true, false, false),
            ("b.d", false, true, false),
            ("d.e", true, true, false),
            ("z", false, true, false),
        ] {
            let fetched =
                [&including, &excluding, &anonymous].map(|projection| projection.tree().fetches(path));
            assert_eq!(fetched, [in_including, in_excluding, in_anonymous], "{path}");
        }
        assert!(!parsed(json!({ "_id": 0 })).unwrap().tree().fetches("_id"));
        assert!(parsed(json!({ "_id": 0 })).unwrap().tree().fetches("a"));
        assert!(parsed(json!({ "_id": 1 })).unwrap().tree().fetches("_id"));
        assert!(!parsed(json!({ "_id": 1 })).unwrap().tree().fetches("a"));
        assert_eq!(parsed(json!({})), None);
    }

    #[test]
    fn merging_adds_up_and_never_mixes() {
        let one = || parsed(json!({ "a": 1, "b.c": 1 })).unwrap();
        let both = one().merge(parsed(json!({ "b.d": 1, "_id": 0 })).unwrap()).unwrap();
        for (path, fetched) in
            [("a", true), ("b.c", true), ("b.d", true), ("b", false), ("_id", false), ("z", false)]
        {
            assert_eq!(both.tree().fetches(path), fetched, "{path}");
        }
        assert_eq!(one().merge(parsed(json!({ "z": 0 })).unwrap()), Err(Mixed));
        let anonymous = one().merge(parsed(json!({ "_id": 0 })).unwrap()).unwrap();
        assert!(!anonymous.tree().fetches("_id") && anonymous.tree().fetches("a"));
        let less = parsed(json!({ "a": 0 })).unwrap().merge(parsed(json!({ "b": 0 })).unwrap()).unwrap();
        assert!(!less.tree().fetches("a") && !less.tree().fetches("b") && less.tree().fetches("c"));
    }

    #[test]
    fn what_is_no_projection_is_refused_with_its_place() {
        for (json, pointer) in [
            (json!([]), ""),
            (json!({ "a": "x" }), "/a"),
            (json!({ "a": { "$slice": 1 } }), "/a"),
            (json!({ "a": 1, "b": 0 }), ""),
            (json!({ "a..b": 1 }), "/a..b"),
        ] {
            let mut report = Report::default();
            let found = Projection::parse(&mut Parser::new("rules.json", &mut report, 8), &json, "");
            assert_eq!(found, None, "{json}");
            assert_eq!(report.problems()[0].pointer, pointer, "{json}");
        }
    }
}
