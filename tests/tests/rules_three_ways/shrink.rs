//! Smaller cases that still differ.

use backstitch_tests::naive_rules::Condition;
use bson::{Bson, Document};
use serde_json::{Value, json};

use crate::case::{Ask, Case};

/// Every case that has one part less.
pub(crate) fn smaller(case: &Case) -> Vec<Case> {
    // Without any role other rules would decide.
    let rules = without_one(&case.rules).into_iter().filter(|rules| rules["roles"] != json!([]));
    let rules = rules.map(|rules| Case { rules, ..case.clone() });
    let asks = smaller_asks(&case.ask).into_iter().map(|ask| Case { ask, ..case.clone() });
    rules.chain(asks).collect()
}

fn smaller_asks(ask: &Ask) -> Vec<Ask> {
    match ask {
        Ask::Find(question) => {
            let mut smaller = Vec::new();
            if question.limit.is_some() {
                smaller.push(Ask::Find(backstitch_tests::naive_rules::Question {
                    limit: None,
                    ..question.clone()
                }));
            }
            for place in 0..question.sort.len() {
                let mut question = question.clone();
                question.sort.remove(place);
                smaller.push(Ask::Find(question));
            }
            for condition in smaller_conditions(&question.condition) {
                smaller.push(Ask::Find(backstitch_tests::naive_rules::Question {
                    condition,
                    ..question.clone()
                }));
            }
            smaller
        }
        Ask::Insert(document) => without_a_field(document).into_iter().map(Ask::Insert).collect(),
        Ask::Delete(document) => without_a_field(document).into_iter().map(Ask::Delete).collect(),
        Ask::Update(before, after) => {
            let mut smaller: Vec<Ask> = before
                .keys()
                .filter(|name| *name != "_id")
                .map(|name| {
                    let without = |document: &Document| {
                        let mut document = document.clone();
                        document.remove(name);
                        document
                    };
                    Ask::Update(without(before), without(after))
                })
                .collect();
            smaller.extend(without_a_field(before).into_iter().map(|it| Ask::Update(it, after.clone())));
            smaller.extend(without_a_field(after).into_iter().map(|it| Ask::Update(before.clone(), it)));
            smaller
        }
    }
}

fn smaller_conditions(condition: &Condition) -> Vec<Condition> {
    match condition {
        Condition::And(parts) | Condition::Or(parts) if !parts.is_empty() => {
            let all = Condition::And(Vec::new());
            parts.iter().cloned().chain([all]).collect()
        }
        Condition::And(_) => Vec::new(),
        Condition::Not(part) => vec![(**part).clone(), Condition::And(Vec::new())],
        _ => vec![Condition::And(Vec::new())],
    }
}

fn without_a_field(document: &Document) -> Vec<Document> {
    let mut smaller = Vec::new();
    for (name, value) in document {
        if name != "_id" {
            let mut one = document.clone();
            one.remove(name);
            smaller.push(one);
        }
        if let Bson::Document(inner) = value {
            for inner in without_a_field(inner) {
                let mut one = document.clone();
                one.insert(name, inner);
                smaller.push(one);
            }
        }
    }
    smaller
}

/// Every value that has one member or one element less, at whatever depth; or is plainly true.
fn without_one(value: &Value) -> Vec<Value> {
    let mut smaller = Vec::new();
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name != "roles" && name != "name" && name != "apply_when" {
                    let mut one = members.clone();
                    one.remove(name);
                    smaller.push(Value::Object(one));
                }
                let is_permission =
                    ["apply_when", "read", "write", "insert", "delete"].contains(&name.as_str());
                if is_permission && !member.is_boolean() {
                    for value in [true, false] {
                        let mut one = members.clone();
                        one.insert(name.clone(), value.into());
                        smaller.push(Value::Object(one));
                    }
                }
                for inner in without_one(member) {
                    let mut one = members.clone();
                    one.insert(name.clone(), inner);
                    smaller.push(Value::Object(one));
                }
            }
        }
        Value::Array(items) => {
            for place in 0..items.len() {
                let mut one = items.clone();
                one.remove(place);
                smaller.push(Value::Array(one));
                for inner in without_one(&items[place]) {
                    let mut one = items.clone();
                    one[place] = inner;
                    smaller.push(Value::Array(one));
                }
            }
        }
        _ => {}
    }
    smaller
}
