//! Ways of denying more, and what it means that less is allowed.

use bson::{Bson, Document};
use serde_json::{Value, json};

use crate::case::Answer;
use crate::dice::Dice;
use crate::expressions::{Place, expression};

/// The rules with some denials more, and what was done.
pub(crate) fn narrowed(rules: &Value, dice: &mut Dice) -> (Value, Vec<String>) {
    let mut rules = rules.clone();
    let mut done = Vec::new();
    for _ in 0..=dice.below(3) {
        // Where there is nothing to deny, nothing is done.
        done.extend(narrow(&mut rules, dice));
    }
    (rules, done)
}

fn narrow(rules: &mut Value, dice: &mut Dice) -> Option<String> {
    Some(match dice.weighted(&[15, 5, 10, 15, 15, 20, 20]) {
        0 => a_role_that_denies(rules, dice),
        1 => a_role_closed(rules, dice),
        2 => a_filter(rules, dice)?,
        3 => a_gate(rules, dice),
        4 => a_field_denied(rules, dice)?,
        5 => a_permission(rules, dice, |old, _| no(old))?,
        _ => a_permission(
            rules,
            dice,
            |old, dice| json!({ "%and": [old.clone(), expression(1, Place::Document, dice)] }),
        )?,
    })
}

fn some_role<'a>(rules: &'a mut Value, dice: &mut Dice) -> &'a mut Value {
    let roles = rules["roles"].as_array_mut().unwrap();
    let place = dice.below(roles.len());
    &mut roles[place]
}

fn a_role_that_denies(rules: &mut Value, dice: &mut Dice) -> String {
    let role = json!({ "name": "denies", "apply_when": expression(1, Place::Document, dice) });
    let roles = rules["roles"].as_array_mut().unwrap();
    let place = dice.below(roles.len() + 1);
    roles.insert(place, role);
    format!("a role that denies, at {place}")
}

fn a_role_closed(rules: &mut Value, dice: &mut Dice) -> String {
    let role = some_role(rules, dice);
    role["search"] = json!({ "level": { "%near": 1 } });
    format!("{} is closed", role["name"])
}

fn a_filter(rules: &mut Value, dice: &mut Dice) -> Option<String> {
    let mut filter = json!({ "name": "narrows", "apply_when": {} });
    if dice.chance(70) {
        filter["query"] = expression(1, Place::Query, dice);
    } else if includes_the_id_alone(rules) {
        // There it would show more, which is to be decided: see `known.rs`.
        return None;
    } else {
        filter["projection"] = json!({ (dice.pick(&["owner", "team", "level", "tags", "open", "e"])): 0 });
    }
    match rules["filters"].as_array_mut() {
        Some(filters) => filters.push(filter),
        None => rules["filters"] = json!([filter]),
    }
    Some("a filter".into())
}

fn includes_the_id_alone(rules: &Value) -> bool {
    let mut filters = rules["filters"].as_array().into_iter().flatten();
    filters.any(|filter| [&filter["projection"], &filter["project"]].contains(&&json!({ "_id": 1 })))
}

fn a_gate(rules: &mut Value, dice: &mut Dice) -> String {
    let role = some_role(rules, dice);
    let name = dice.pick(&["read", "write"]);
    if role["document_filters"].is_null() {
        role["document_filters"] = json!({});
    }
    role["document_filters"][name] = no(&role["document_filters"][name]);
    format!("a gate for {name} of {}", role["name"])
}

/// Never. What is not understood stays in it, for that closes the whole role.
fn no(old: &Value) -> Value {
    if old.is_boolean() || old.is_null() { json!(false) } else { json!({ "%and": [old, false] }) }
}

fn a_field_denied(rules: &mut Value, dice: &mut Dice) -> Option<String> {
    let role = some_role(rules, dice);
    let name = dice.pick(&["owner", "team", "level", "tags", "open", "e", "es"]);
    if role["fields"].is_null() {
        role["fields"] = json!({});
    }
    if !role["fields"][name].is_null() {
        return None;
    }
    role["fields"][name] = json!({ "read": false, "write": false });
    Some(format!("`{name}` denied by {}", role["name"]))
}

/// One of the permissions that are given becomes less.
fn a_permission(
    rules: &mut Value,
    dice: &mut Dice,
    less: impl Fn(&Value, &mut Dice) -> Value,
) -> Option<String> {
    let mut found = Vec::new();
    for place in 0..rules["roles"].as_array()?.len() {
        permissions(&rules["roles"][place], &format!("/roles/{place}"), &mut found);
    }
    let pointer = found.get(dice.below(found.len().max(1)))?;
    let permission = rules.pointer_mut(pointer)?;
    *permission = less(permission, dice);
    Some(format!("less of {pointer}"))
}

fn permissions(value: &Value, pointer: &str, found: &mut Vec<String>) {
    let mut names = ["read", "write", "insert", "delete"].into_iter();
    found.extend(
        names.by_ref().filter(|name| !value[*name].is_null()).map(|name| format!("{pointer}/{name}")),
    );
    for name in ["document_filters", "additional_fields"] {
        if value[name].is_object() {
            permissions(&value[name], &format!("{pointer}/{name}"), found);
        }
    }
    for (name, rule) in value["fields"].as_object().into_iter().flatten() {
        permissions(rule, &format!("{pointer}/fields/{name}"), found);
    }
}

/// Whether the second answer allows no more than the first.
pub(crate) fn is_less(wide: &Answer, narrow: &Answer) -> bool {
    match (wide, narrow) {
        (_, Answer::Mixed | Answer::Refused(_)) => true,
        (Answer::Mixed | Answer::Refused(_), Answer::Shows(shown)) => shown.is_empty(),
        (Answer::Shows(wide), Answer::Shows(narrow)) => narrow.iter().all(|(place, part)| {
            let whole = wide.iter().find(|(it, _)| it == place);
            whole.is_some_and(|(_, whole)| is_part(part, whole))
        }),
        (Answer::Allows(wide), Answer::Allows(narrow)) => *wide || !*narrow,
        _ => false,
    }
}

fn is_part(part: &Document, whole: &Document) -> bool {
    part.iter().all(|(name, part)| whole.get(name).is_some_and(|whole| is_part_of_value(part, whole)))
}

fn is_part_of_value(part: &Bson, whole: &Bson) -> bool {
    match (part, whole) {
        (Bson::Document(part), Bson::Document(whole)) => is_part(part, whole),
        // What is hidden of an array is null.
        (Bson::Array(part), Bson::Array(whole)) => {
            part.len() == whole.len()
                && part.iter().zip(whole).all(|(p, w)| *p == Bson::Null || is_part_of_value(p, w))
        }
        _ => part == whole,
    }
}
