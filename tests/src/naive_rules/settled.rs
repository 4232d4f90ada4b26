//! What is settled before any document is looked at: in three values, unknown where a document decides.
//!
//! The engine decides on it whether a field may be used in a query at all (decision 40). It may settle more than
//! is settled here, but not less.

use serde_json::Value;

use super::expression::Scene;
use super::operand::bare;
use super::roles::{Role, Rules};
use super::world::World;

/// True, false, or a matter of the document.
type Settled = Option<bool>;

fn and(left: Settled, right: Settled) -> Settled {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn not(value: Settled) -> Settled {
    value.map(|value| !value)
}

fn or(left: Settled, right: Settled) -> Settled {
    not(and(not(left), not(right)))
}

impl<'a> Rules<'a> {
    /// Whether it is settled that this user can read what the path leads to on no document at all.
    pub fn never_reads(&self, path: &str) -> bool {
        let (first, rest) = split(path);
        let hidden = |role: &Role<'_>| role.closed || reads(role, first, &rest, self.world) == Some(false);
        !self.screen.shows(first) || self.reachable().all(hidden)
    }

    /// Whether it is settled that this user can read the whole of what the path leads to, on any document that
    /// they see.
    pub fn always_reads(&self, path: &str) -> bool {
        let (first, rest) = split(path);
        self.screen.shows(first)
            && self.reachable().all(|role| {
                role.closed
                    || opens(role, self.world) == Some(false)
                    || reads(role, first, &rest, self.world) == Some(true)
            })
    }

    /// The roles that may come to decide.
    fn reachable(&self) -> impl Iterator<Item = &Role<'a>> {
        let mut ended = false;
        self.roles.iter().filter(move |role| {
            let applies = settled(role.applies, self.world);
            let is_reached = !ended && applies != Some(false);
            ended |= applies == Some(true);
            is_reached
        })
    }
}

fn split(path: &str) -> (&str, Vec<&str>) {
    let mut names = path.split('.').filter(|name| name.parse::<usize>().is_err());
    (names.next().unwrap_or(path), names.collect())
}

/// A permission: whether it is given, and what is settled of it.
fn given(rule: &Value, name: &str, world: &World) -> (bool, Settled) {
    let expression = &rule[name];
    if expression.is_null() { (false, Some(false)) } else { (true, settled(expression, world)) }
}

fn opens(role: &Role<'_>, world: &World) -> Settled {
    let gates = &role.json["document_filters"];
    let (read_gates, read) = given(gates, "read", world);
    let gate = if read_gates { or(read, given(gates, "write", world).1) } else { Some(true) };
    let (decides, read) = given(role.json, "read", world);
    let whole = or(read, given(role.json, "write", world).1);
    and(gate, if decides { whole } else { or(whole, None) })
}

fn reads(role: &Role<'_>, first: &str, rest: &[&str], world: &World) -> Settled {
    let (decides, read) = given(role.json, "read", world);
    let whole = or(read, given(role.json, "write", world).1);
    let fields = if decides { Some(false) } else { reads_field(role.field(first), rest, world) };
    and(opens(role, world), or(whole, fields))
}

fn reads_field(rule: &Value, rest: &[&str], world: &World) -> Settled {
    let (read, write) = (given(rule, "read", world), given(rule, "write", world));
    if read.0 || write.0 {
        return or(read.1, write.1);
    }
    match rest.split_first() {
        Some((name, rest)) => reads_field(&rule["fields"][*name], rest, world),
        // The whole of an embedded document is never read by the rules of its parts.
        None => Some(false),
    }
}

fn settled(expression: &Value, world: &World) -> Settled {
    match expression {
        Value::Object(members) => {
            members.iter().map(|(key, value)| member(key, value, world)).fold(Some(true), and)
        }
        other => (!asks_document(other)).then(|| Scene::of(world).holds(other)),
    }
}

fn member(key: &str, value: &Value, world: &World) -> Settled {
    let each = || value.as_array().into_iter().flatten().map(|part| settled(part, world));
    match bare(key) {
        Some("and") => each().fold(Some(true), and),
        Some("or") => each().fold(Some(false), or),
        Some("nor") => not(each().fold(Some(false), or)),
        Some("not") => not(settled(value.get(0).unwrap_or(value), world)),
        _ => {
            let known = key.starts_with("%%") && !is_of_document(key) && !asks_document(value);
            let one = Value::Object([(key.to_owned(), value.clone())].into_iter().collect());
            known.then(|| Scene::of(world).holds(&one))
        }
    }
}

fn is_of_document(text: &str) -> bool {
    ["%%root", "%%prevRoot", "%%this", "%%prev"].iter().any(|name| text.starts_with(name))
}

fn asks_document(value: &Value) -> bool {
    match value {
        Value::String(text) => is_of_document(text),
        Value::Array(items) => items.iter().any(asks_document),
        Value::Object(members) => members.values().any(asks_document),
        _ => false,
    }
}
