//! Explanations against what requests are answered by.

use bson::{Document, RawDocumentBuf, doc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::actor::Actor;
use crate::id::{AppId, CollectionId};
use crate::report::Report;
use crate::rules::properties::{documents, roles};
use crate::rules::tests::{ME, access, raw};
use crate::rules::{Answers, Circumstances, CollectionRules, Lazily, RuleBook};

fn explained(rules: &Value, question: &Question<'_>) -> Explanation {
    let collection = CollectionId::new("app", "mongodb-atlas", "db", "c");
    let mut book = RuleBook::new(doc! { "limit": 5 });
    book.insert(collection.clone(), CollectionRules::parse(rules, "rules.json", &mut Report::default()));
    let actor = Actor::imagined(AppId::new("app"), doc! { "id": ME, "custom_data": { "level": 1 } });
    let (request, answers) = (Lazily::new(&Document::new), Answers::default());
    book.explain(Circumstances { actor: &actor, request: &request, answers: &answers }, &collection, question)
}

fn watchlists() -> Value {
    json!({
        "roles": [
            { "name": "server", "apply_when": { "%%user.type": "server" }, "read": true, "write": true },
            {
                "name": "owner",
                "apply_when": { "%or": [{ "owner": "%%user.id" }, { "members": { "%in": ["%%user.id"] } }] },
                "document_filters": { "read": true, "write": { "locked": { "$ne": true } } },
                "delete": false,
                "fields": {
                    "name": { "read": true, "write": true },
                    "owner": { "read": true, "write": { "%%this": "%%prev" } },
                    "notes": { "write": { "%%user.custom_data.level": { "%gte": 2 } } }
                },
                "additional_fields": { "read": true }
            },
        ],
        "filters": [{ "name": "kept", "apply_when": { "%%user.type": { "$ne": "server" } }, "query": { "gone": null } }],
    })
}

#[test]
fn explanations_read_as_a_person_would_ask() {
    let stored = raw(&doc! { "_id": 1, "owner": ME, "name": "a", "notes": "n", "size": 3 });
    let moved = raw(&doc! { "_id": 1, "owner": "you", "name": "b", "notes": "n", "size": 4 });
    let locked = raw(&doc! { "_id": 1, "owner": ME, "name": "a", "locked": true });
    let foreign = raw(&doc! { "_id": 1, "owner": "you" });
    let rules = watchlists();
    let ask = |action, document: &RawDocumentBuf| {
        explained(&rules, &Question::new(action).about(document)).to_string()
    };
    insta::assert_snapshot!("any document", explained(&rules, &Question::new(Action::Read)).to_string());
    insta::assert_snapshot!("one's own", ask(Action::Read, &stored));
    insta::assert_snapshot!("somebody else's", ask(Action::Read, &foreign));
    insta::assert_snapshot!("delete", ask(Action::Delete, &stored));
    insta::assert_snapshot!("insert", ask(Action::Insert, &locked));
    let update = Question::new(Action::Update).about(&moved).from(&stored);
    insta::assert_snapshot!("update", explained(&rules, &update).to_string());
}

#[test]
fn a_query_that_asks_for_a_field_in_vain_is_told() {
    let query = Query { filter: crate::filter::Filter::eq("notes", 1), ..Query::default() };
    let found = explained(&watchlists(), &Question { query, ..Question::new(Action::Read) });
    assert_eq!(found.allowed, Some(false));
    let refused = "field `notes` may not be read, so it cannot be asked for";
    assert_eq!(found.denied_by.as_deref(), Some(refused));
    assert_eq!(found.query.unwrap().refused.as_deref(), Some(refused));
}

#[test]
fn a_closed_role_and_a_search_are_told() {
    let roles = json!({ "roles": [
        { "name": "closed", "apply_when": { "a": 1 }, "read": { "%%nothing": 1 } },
        { "name": "open", "apply_when": {}, "read": true, "search": false },
    ]});
    let one = raw(&doc! { "a": 1 });
    let two = raw(&doc! { "a": 2 });
    let told = |action, document| explained(&roles, &Question::new(action).about(document));
    assert_eq!(told(Action::Read, &one).denied_by.as_deref(), Some("role `closed` is closed"));
    assert_eq!(told(Action::Read, &two).allowed, Some(true));
    assert_eq!(told(Action::Search, &two).denied_by.as_deref(), Some("`search` does not hold"));
}

/// Whether a trace follows from its parts.
fn follows(trace: &Trace) -> bool {
    let parts = || trace.parts.iter().map(|part| part.holds.unwrap());
    let own = match trace.rule.as_str() {
        "all of" => parts().all(|holds| holds),
        "any of" => parts().any(|holds| holds),
        "not" => !parts().next().unwrap(),
        _ => trace.holds.unwrap(),
    };
    trace.holds == Some(own) && trace.parts.iter().all(follows)
}

fn check(roles: &[Value], question: &Question<'_>, allowed: bool) -> Result<(), TestCaseError> {
    let found = explained(&json!({ "roles": roles }), question);
    prop_assert_eq!(found.allowed, Some(allowed), "{}", found);
    prop_assert_eq!(found.denied_by.is_some(), !allowed, "{}", found);
    prop_assert!(found.checks.iter().all(|check| check.image == "any" || follows(&check.trace)), "{}", found);
    prop_assert!(found.roles.iter().all(|role| follows(&role.apply_when)), "{}", found);
    if !allowed && found.role.is_some() && question.action != Action::Read {
        let fails = found.checks.iter().any(|check| check.trace.holds == Some(false));
        prop_assert!(
            fails || found.denied_by.as_deref().is_some_and(|why| why.contains("field")),
            "{}",
            found
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_explained_is_what_is_done(roles in roles(), one in documents(), other in documents()) {
        let access = access(json!(roles));
        let (one, other) = (raw(&one), raw(&other));
        let seen = crate::rules::tests::finds(&access, crate::filter::Filter::Always, &one).unwrap();
        check(&roles, &Question::new(Action::Read).about(&one), seen)?;
        check(&roles, &Question::new(Action::Insert).about(&one), access.insert(one.clone()).is_ok())?;
        check(&roles, &Question::new(Action::Delete).about(&one), access.delete(&one).is_ok())?;
        let update = Question::new(Action::Update).about(&other).from(&one);
        check(&roles, &update, access.replace(&one, other.clone()).is_ok())?;
    }
}
