//! Random rules, mostly ones on which something depends.

use serde_json::{Map, Value, json};

use crate::dice::Dice;
use crate::expressions::{Place, expression};

/// Rules with `filters`: the engine does not obey them yet (it closes the collection).
pub(crate) const FILTERS: bool = true;
/// `search` in roles: the engine does not ask for it yet.
pub(crate) const SEARCH: bool = false;

/// The rules of a collection.
pub(crate) fn rules(dice: &mut Dice) -> Value {
    let count = 1 + dice.weighted(&[40, 30, 20, 10]);
    let roles: Vec<Value> = (0..count).map(|place| role(place, place + 1 == count, dice)).collect();
    let mut rules = json!({ "roles": roles });
    if FILTERS && dice.chance(30) {
        let count = 1 + dice.below(2);
        rules["filters"] = (0..count).map(|place| filter(place, dice)).collect();
    }
    rules
}

fn role(place: usize, is_last: bool, dice: &mut Dice) -> Value {
    let mut role = json!({ "name": format!("r{place}") });
    // The last one catches what is left more often, so that not too much is denied for want of a role.
    let always = dice.chance(if is_last { 60 } else { 10 });
    role["apply_when"] = if always { json!({}) } else { expression(2, Place::Document, dice) };
    states(&mut role, &[("read", 40), ("write", 40)], Place::Document, dice);
    if dice.chance(30) {
        role["insert"] = state(Place::Document, dice);
    }
    if dice.chance(30) {
        role["delete"] = state(Place::Document, dice);
    }
    if SEARCH && dice.chance(20) {
        role["search"] = state(Place::Document, dice);
    }
    if dice.chance(30) {
        let mut gates = json!({});
        states(&mut gates, &[("read", 60), ("write", 60)], Place::Document, dice);
        role["document_filters"] = gates;
    }
    if dice.chance(75) {
        role["fields"] =
            fields(&["_id", "owner", "team", "level", "tags", "open", "e", "es", "gone"], Place::Field, dice);
    }
    if dice.chance(60) {
        let mut additional = json!({});
        // Of `%%this` and `%%prev` here (see `known.rs`) nothing says whether a field that is not there, and would be
        // readable, makes its document readable; the engine says no, the oracle yes, so that they are left out.
        states(&mut additional, &[("read", 70), ("write", 60)], Place::Document, dice);
        role["additional_fields"] = additional;
    }
    role
}

fn fields(names: &[&str], place: Place, dice: &mut Dice) -> Value {
    let mut fields = Map::new();
    for name in names {
        if dice.chance(35) {
            fields.insert((*name).to_owned(), field(name, place, dice));
        }
    }
    Value::Object(fields)
}

fn field(name: &str, place: Place, dice: &mut Dice) -> Value {
    let nested: &[&str] = match name {
        "e" | "es" => &["x", "y", "z"],
        "z" => &["w"],
        _ => &[],
    };
    let is_nested = !nested.is_empty() && dice.chance(70);
    let mut rule = json!({});
    let percent = if is_nested { 12 } else { 60 };
    states(&mut rule, &[("read", percent), ("write", percent)], place, dice);
    if is_nested {
        rule["fields"] = fields(nested, if name == "es" { Place::Element } else { place }, dice);
    }
    rule
}

/// Some permissions; the others are not given.
fn states(rule: &mut Value, names: &[(&str, usize)], place: Place, dice: &mut Dice) {
    for (name, percent) in names {
        if dice.chance(*percent) {
            rule[*name] = state(place, dice);
        }
    }
}

fn state(place: Place, dice: &mut Dice) -> Value {
    match dice.weighted(&[40, 12, 48]) {
        0 => json!(true),
        1 => json!(false),
        _ => expression(1, place, dice),
    }
}

fn filter(place: usize, dice: &mut Dice) -> Value {
    let mut filter = json!({ "name": format!("f{place}") });
    filter["apply_when"] = if dice.chance(50) { json!({}) } else { expression(1, Place::NoDocument, dice) };
    if dice.chance(70) {
        filter["query"] = expression(1, Place::Query, dice);
    }
    if dice.chance(50) {
        let includes = dice.chance(50);
        let mut projection = Map::new();
        for name in ["owner", "team", "level", "tags", "open", "e"] {
            if dice.chance(if includes { 60 } else { 25 }) {
                projection.insert(name.to_owned(), json!(u8::from(includes)));
            }
        }
        // Perhaps alone, which goes with all.
        if dice.chance(20) {
            projection.insert("_id".into(), json!(dice.below(2)));
        }
        filter[dice.pick(&["projection", "project"])] = Value::Object(projection);
    }
    filter
}
