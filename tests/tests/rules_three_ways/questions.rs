//! Random questions about the documents of the pool.

use backstitch_tests::naive_rules::{Condition, Question};
use bson::{Bson, Document, doc};

use crate::case::{Ask, Case};
use crate::dice::Dice;
use crate::expressions::PATHS;
use crate::generate::rules;
use crate::pool::{self, COLLECTIONS, Pool, USERS};

/// A question under random rules.
pub(crate) fn case(pool: &Pool, dice: &mut Dice) -> Case {
    let collection = dice.below(COLLECTIONS);
    let documents = &pool.collections[collection].documents;
    let ask = match dice.weighted(&[40, 20, 27, 13]) {
        0 => Ask::Find(question(dice)),
        1 => Ask::Insert(pool::document(99, dice)),
        2 => {
            let before = dice.pick(documents);
            let after = changed(&before, dice);
            Ask::Update(before, after)
        }
        _ => Ask::Delete(dice.pick(documents)),
    };
    Case { rules: rules(dice), user: dice.below(USERS.into()), collection, ask }
}

/// A query with, now and then, an order and a limit.
pub(crate) fn question(dice: &mut Dice) -> Question {
    let condition = if dice.chance(30) { Condition::And(Vec::new()) } else { condition(2, dice) };
    let paths = ["_id", "level", "team", "owner", "e.x", "tags", "open", "gone"];
    let count = dice.weighted(&[70, 20, 10]);
    let sort = (0..count).map(|_| (dice.pick(&paths).to_owned(), dice.chance(50))).collect();
    let limit = dice.chance(30).then(|| 1 + dice.below(6));
    Question { condition, sort, limit }
}

/// The query that finds all there is.
pub(crate) fn everything() -> Question {
    Question { condition: Condition::And(Vec::new()), sort: Vec::new(), limit: None }
}

fn condition(depth: usize, dice: &mut Dice) -> Condition {
    if depth > 0 && dice.chance(35) {
        let parts = |dice: &mut Dice| (0..=dice.below(2)).map(|_| condition(depth - 1, dice)).collect();
        return match dice.below(3) {
            0 => Condition::And(parts(dice)),
            1 => Condition::Or(parts(dice)),
            _ => Condition::Not(Box::new(condition(depth - 1, dice))),
        };
    }
    let path = dice.pick(PATHS).to_owned();
    let ranged = path != "tags" && path != "e";
    match dice.weighted(&[30, 10, 12, 12, 10, 12]) {
        0 => Condition::Eq(path.clone(), value(&path, dice)),
        1 => Condition::Ne(path.clone(), value(&path, dice)),
        2 if ranged => Condition::Gt(path.clone(), some_value(&path, dice)),
        3 if ranged => Condition::Lte(path.clone(), some_value(&path, dice)),
        4 if ranged => {
            let value = some_value(&path, dice);
            if dice.chance(50) { Condition::Gte(path, value) } else { Condition::Lt(path, value) }
        }
        5 => {
            // An empty list needs no path, and asks for none.
            let values = (0..=dice.below(3)).map(|_| value(&path, dice)).collect();
            if dice.chance(60) { Condition::In(path, values) } else { Condition::Nin(path, values) }
        }
        _ => Condition::Exists(path, dice.chance(50)),
    }
}

fn value(path: &str, dice: &mut Dice) -> Bson {
    if dice.chance(12) { Bson::Null } else { some_value(path, dice) }
}

fn some_value(path: &str, dice: &mut Dice) -> Bson {
    match path {
        "_id" => i32::try_from(dice.below(20)).unwrap().into(),
        "gone" => 1.into(),
        "tags" => match dice.below(3) {
            0 => Bson::Array(vec!["x".into(), "y".into()]),
            _ => dice.pick(&["x", "y", "z"]).into(),
        },
        "e" => doc! { "x": 1, "y": "red" }.into(),
        _ => loop {
            let found = pool::value(path.rsplit('.').next().unwrap(), dice);
            if !matches!(found, Bson::Null | Bson::Array(_)) {
                return found;
            }
        },
    }
}

/// A document with one to three fields set, taken away, or changed below.
fn changed(before: &Document, dice: &mut Dice) -> Document {
    let mut after = before.clone();
    for _ in 0..=dice.below(3) {
        let name = dice.pick(&["owner", "team", "level", "tags", "open", "e", "e", "es", "editor", "gone"]);
        if dice.chance(25) {
            after.remove(name);
            continue;
        }
        match after.get_mut(name) {
            Some(Bson::Document(inner)) if dice.chance(70) => {
                let name = dice.pick(&["x", "y", "z"]);
                if dice.chance(25) {
                    inner.remove(name);
                } else {
                    inner.insert(name, pool::value(name, dice));
                }
            }
            _ => {
                after.insert(name, pool::value(name, dice));
            }
        }
    }
    after
}
