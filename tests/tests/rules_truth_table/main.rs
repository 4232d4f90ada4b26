//! What each combination of permissions allows.
//!
//! Every cell of read × write × field read × field write × additional read × additional write × both gates × insert ×
//! delete, each not given, true or false, is compared with the flowcharts of the specification (`expected.rs`), and
//! with the naive evaluator. Rows that are spelled out by hand are in `rows.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod expected;
mod rows;

use backstitch::actor::Actor;
use backstitch::filter::matches;
use backstitch::id::CollectionId;
use backstitch::report::Report;
use backstitch::rules::{Access, CollectionRules, Query, RuleBook};
use backstitch::store::UserKind;
use backstitch_tests::acting;
use backstitch_tests::naive_rules::{Rules, Sight, World};
use bson::oid::ObjectId;
use bson::{Document, RawDocumentBuf, doc};
use expected::{Outcome, cells};
use serde_json::{Value, json};

/// Somebody called Ada.
fn ada() -> Actor {
    acting(ObjectId::from_bytes([1; 12]), UserKind::Normal, doc! {}, doc! { "name": "ada" })
}

/// Ada, as the naive evaluator knows her.
fn ada_as_written() -> World {
    World { user: doc! { "custom_data": { "name": "ada" } }, ..World::default() }
}

fn access(rules: &Value, actor: &Actor) -> Access {
    let collection = CollectionId::new("table", "mongodb-atlas", "app", "cells");
    let mut book = RuleBook::default();
    book.insert(collection.clone(), CollectionRules::parse(rules, "rules.json", &mut Report::default()));
    book.access(actor, &collection)
}

fn raw(document: &Document) -> RawDocumentBuf {
    RawDocumentBuf::try_from(document).unwrap()
}

/// What the engine shows of a document; none where a query does not find it.
fn shown(access: &Access, document: &Document) -> Option<Document> {
    let document = raw(document);
    let query = access.find(Query::default()).unwrap();
    let found = matches(query.filter(), &document) && query.accepts(&document);
    found.then(|| access.visibility(&document).readable_part(&document))
}

/// The document with a field set, or taken away.
fn with(document: &Document, name: &str, value: Option<&str>) -> Document {
    let mut changed = document.clone();
    match value {
        Some(value) => changed.insert(name, value),
        None => changed.remove(name),
    };
    changed
}

/// The outcome, by what is shown and what is allowed.
fn outcome(
    document: &Document,
    shown: Option<&Document>,
    updates: impl Fn(&Document) -> bool,
    (inserts, deletes): (bool, bool),
) -> Outcome {
    let sees = |name: &str| shown.is_some_and(|seen| seen.contains_key(name));
    assert_eq!(sees("_id"), sees("g"), "both are additional fields");
    assert_eq!(shown.is_some(), sees("f") || sees("g"), "without a field a document is left out");
    let other = with(document, "g", Some("z"));
    Outcome {
        sees_named: sees("f"),
        sees_other: sees("g"),
        updates_named: updates(&with(document, "f", Some("z"))),
        removes_named: updates(&with(document, "f", None)),
        updates_other: updates(&other),
        updates_both: updates(&with(&other, "f", Some("z"))),
        inserts,
        deletes,
    }
}

#[test]
fn every_combination_of_permissions_allows_what_the_flowcharts_say() {
    let document = doc! { "_id": 1, "f": "x", "g": "y" };
    let (before, actor, world) = (raw(&document), ada(), ada_as_written());
    for cell in cells() {
        let rules = json!({ "roles": [cell.role()] });
        let expected = cell.expected();

        let access = access(&rules, &actor);
        let writes = (access.insert(before.clone()).is_ok(), access.delete(&before).is_ok());
        let updates = |after: &Document| access.replace(&before, raw(after)).is_ok();
        let engine = outcome(&document, shown(&access, &document).as_ref(), updates, writes);
        assert_eq!(engine, expected, "{cell:?}");

        let naive = Rules::new(&rules, &world);
        let seen = match naive.sight(&document, false) {
            Sight::Nothing => None,
            Sight::Part(seen) => Some(seen),
        };
        let writes = (naive.may_insert(&document), naive.may_delete(&document));
        let updates = |after: &Document| naive.may_update(&document, after);
        assert_eq!(outcome(&document, seen.as_ref(), updates, writes), expected, "naively: {cell:?}");
    }
}

/// The names that hold, as a row spells them.
fn spelled(names: &[&str], all: &str, holds: impl Fn(&str) -> bool) -> String {
    let held: Vec<&str> = names.iter().copied().filter(|name| holds(name)).collect();
    match held.len() {
        0 => "none".to_owned(),
        count if count == names.len() => all.to_owned(),
        _ => held.join(" "),
    }
}

#[test]
fn the_rows_that_are_spelled_out_hold() {
    let document = doc! { "_id": 1, "f": "x", "g": "y", "owner": "ada" };
    let (before, actor) = (raw(&document), ada());
    let yes = |allowed: bool| if allowed { "yes" } else { "no" };
    for [step, role, read, update, insert, delete] in rows::ROWS {
        let role: Value = serde_json::from_str(role).unwrap_or_else(|error| panic!("{role}: {error}"));
        let mut roles = if role.is_array() { role.clone() } else { json!([role]) };
        for role in roles.as_array_mut().unwrap() {
            if role["apply_when"].is_null() {
                role["apply_when"] = json!({});
            }
        }
        let access = access(&json!({ "roles": roles }), &actor);
        let seen = shown(&access, &document);
        let sees = |name: &str| seen.as_ref().is_some_and(|seen| seen.contains_key(name));
        let updates = |name: &str| access.replace(&before, raw(&with(&document, name, Some("z")))).is_ok();
        let found = [
            spelled(&["_id", "f", "g", "owner"], "all", sees),
            spelled(&["f", "g", "owner"], "all", updates),
            yes(access.insert(before.clone()).is_ok()).to_owned(),
            yes(access.delete(&before).is_ok()).to_owned(),
        ];
        assert_eq!(found, [*read, *update, *insert, *delete], "{step}: {role}");
    }
}
