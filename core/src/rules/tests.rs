//! Rules from JSON to decisions: truth tables, and rules in the query against rules on the document.

use bson::raw::cstr;
use bson::{Bson, Document, RawDocument, RawDocumentBuf, bson, doc};
use serde_json::{Value, json};

use super::bind::Facts;
use super::*;
use crate::actor::Actor;
use crate::filter::{Direction, Filter, SortKey, Test, matches};
use crate::id::{AppId, CollectionId};
use crate::report::Report;

pub(super) const ME: &str = "me";

fn collection() -> CollectionId {
    CollectionId::new("app", "mongodb-atlas", "db", "c")
}

pub(super) fn raw(document: &Document) -> RawDocumentBuf {
    RawDocumentBuf::try_from(document).unwrap()
}

fn parse(rules: &Value) -> (CollectionRules, Report) {
    let mut report = Report::default();
    let rules = CollectionRules::parse(rules, "rules.json", &mut report);
    (rules, report)
}

/// The access of a user `me` under these roles.
pub(super) fn access(roles: Value) -> Access {
    access_by(&json!({ "roles": roles }))
}

/// The access of a user `me` under these rules.
pub(super) fn access_by(rules: &Value) -> Access {
    let (rules, _) = parse(rules);
    let user = doc! {"id": ME, "custom_data": {"level": 1}};
    let (nothing, request, answers) = (doc! {}, Lazily::new(&Document::new), Answers::default());
    let facts = Facts {
        actor: &Actor::imagined(AppId::new("app"), user),
        values: &nothing,
        environment: &nothing,
        request: &request,
        answers: &answers,
    };
    Access::under(collection(), bound::BoundRules::bind(&rules, None, facts), &answers)
}

pub(super) fn finds(access: &Access, filter: Filter, document: &RawDocument) -> Result<bool, Denied> {
    let query = access.find(Query { filter, ..Query::default() })?;
    Ok(matches(query.filter(), document) && query.accepts(document))
}

/// What is left of a document for this reader; `None` when it is left out.
pub(super) fn seen(access: &Access, document: &Document) -> Option<Document> {
    let raw = raw(document);
    let found = finds(access, Filter::Always, &raw).unwrap();
    let visibility = access.visibility(&raw);
    assert_eq!(found, !matches!(visibility, Visibility::Hidden), "query and visibility on {document}");
    shown(visibility, document)
}

fn shown(visibility: Visibility<'_>, document: &Document) -> Option<Document> {
    match visibility {
        Visibility::Hidden => None,
        Visibility::Whole => Some(document.clone()),
        Visibility::Fields(mask) => {
            let mut kept = Document::new();
            for (name, value) in document {
                match (mask.field(name), value) {
                    (Visibility::Hidden, _) => {}
                    (visibility, Bson::Document(inner)) => {
                        kept.insert(name, shown(visibility, inner));
                    }
                    (_, value) => {
                        kept.insert(name, value.clone());
                    }
                }
            }
            Some(kept)
        }
    }
}

/// A role that applies always, with these parts beside.
fn role(parts: Value) -> Value {
    let mut role = json!({"name": "r", "apply_when": {}});
    role.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
    role
}

#[test]
fn insert_and_delete_are_allowed_unless_said_otherwise() {
    let document = raw(&doc! {"a": 1});
    for (parts, insert, delete) in [
        (json!({"write": true}), true, true),
        (json!({"write": true, "insert": false}), false, true),
        (json!({"write": true, "delete": false}), true, false),
        (json!({"write": false, "read": true, "delete": true, "insert": true}), false, false),
        (json!({"insert": true, "delete": true, "additional_fields": {}}), false, false),
    ] {
        let access = access(json!([role(parts.clone())]));
        assert_eq!(access.insert(document.clone()).is_ok(), insert, "{parts}");
        assert_eq!(access.delete(&document).is_ok(), delete, "{parts}");
    }
}

#[test]
fn the_first_role_that_applies_decides() {
    let access = access(json!([
        {"name": "own", "apply_when": {"owner": "%%user.id"}, "read": false},
        {"name": "rest", "apply_when": {"public": true}, "read": true},
        {"name": "third", "apply_when": {"%%user.id": "somebody"}, "read": true, "write": true},
    ]));
    assert_eq!(seen(&access, &doc! {"owner": ME, "public": true}), None);
    assert!(seen(&access, &doc! {"owner": "x", "public": true}).is_some());
    assert_eq!(seen(&access, &doc! {"owner": "x"}), None);
    assert_eq!(
        access.replace(&raw(&doc! {"public": true}), raw(&doc! {"public": false})).err(),
        Some(Denied::Update)
    );
}

#[test]
fn where_all_that_is_found_may_be_read_nothing_found_hides_a_field() {
    let when = |apply: Value, parts: Value| {
        let mut role = role(parts);
        role["apply_when"] = apply;
        role
    };
    let fields = json!({"fields": {"a": {"read": true}}});
    let cases = [
        (json!([when(json!({"h": {"%exists": false}}), json!({"read": true}))]), true),
        (json!([when(json!({"a": 1}), json!({})), when(json!({}), json!({"read": true}))]), true),
        (
            json!([when(json!({"a": 1}), json!({"write": true})), when(json!({}), json!({"read": false}))]),
            true,
        ),
        (json!([when(json!({"a": 1}), json!({"read": true})), when(json!({}), fields.clone())]), false),
        (json!([when(json!({}), fields)]), false),
        (json!([when(json!({}), json!({"read": {"a": 1}}))]), true),
        (json!([when(json!({}), json!({"write": {"a": 1}, "fields": {"b": {"read": true}}}))]), false),
    ];
    let documents = [doc! {}, doc! {"a": 1}, doc! {"a": 2, "h": 1}, doc! {"a": 1, "h": 1}, doc! {"b": 1}];
    for (roles, expected) in cases {
        let access = access(roles.clone());
        assert_eq!(access.reads_all_it_finds(), expected, "{roles}");
        for document in documents.iter().filter(|_| expected) {
            if finds(&access, Filter::Always, &raw(document)).unwrap() {
                assert_eq!(seen(&access, document).as_ref(), Some(document), "{roles}");
            }
        }
    }
}

#[test]
fn own_roles_shut_out_the_default_rule_and_no_rule_denies() {
    let strict = parse(&json!({"roles": [{"name": "n", "apply_when": false, "read": true}]})).0;
    let open = parse(&json!({"roles": [{"name": "d", "apply_when": {}, "read": true, "write": true}]})).0;
    let actor = Actor::imagined(AppId::new("app"), doc! {});
    let document = doc! {"a": 1};

    let mut book = RuleBook::new(doc! {});
    let uncovered = book.access(&actor, &collection());
    assert!(uncovered.is_uncovered());
    assert_eq!(seen(&uncovered, &document), None);
    assert_eq!(uncovered.insert(raw(&document)).err(), Some(Denied::Insert));
    assert!(book.access(&Actor::system(AppId::new("app")), &collection()).reads_everything());

    book.insert_default("mongodb-atlas", open);
    book.insert(collection(), CollectionRules::default());
    assert!(book.access(&actor, &collection()).reads_everything());
    book.insert(collection(), strict);
    assert_eq!(seen(&book.access(&actor, &collection()), &document), None);
    // A collection's own filters narrow what the default rule gives.
    let filters = json!({"roles": [], "filters": [{"name": "f", "apply_when": {}, "query": {"a": 2}}]});
    book.insert(collection(), parse(&filters).0);
    let narrowed = book.access(&actor, &collection());
    assert_eq!(finds(&narrowed, Filter::Always, &raw(&document)), Ok(false));
    assert_eq!(finds(&narrowed, Filter::Always, &raw(&doc! {"a": 2})), Ok(true));
}

#[test]
fn what_is_not_understood_closes_its_role_and_is_reported() {
    let later = json!({"name": "later", "apply_when": {}, "read": true, "write": true});
    for (broken, document, expected) in [
        (json!({"name": "b", "apply_when": {"%%req.x": 1}, "read": true}), doc! {"a": 1}, false),
        (json!({"name": "b", "apply_when": {"a": 1}, "read": {"%%x": 1}}), doc! {"a": 1}, false),
        (json!({"name": "b", "apply_when": {"a": 1}, "read": {"%%x": 1}}), doc! {"a": 2}, true),
        (
            json!({"name": "b", "apply_when": {"a": 1}, "read": true, "fields": {"x": {"read": 7}}}),
            doc! {"a": 1},
            false,
        ),
        (json!({"name": "b", "read": true}), doc! {"a": 1}, false),
        (json!("role"), doc! {"a": 1}, false),
        (json!({"name": "b", "apply_when": {}, "fields": {"a.b": {}}}), doc! {"a": 1}, false),
    ] {
        let roles = json!([broken, later]);
        assert_eq!(seen(&access(roles.clone()), &document).is_some(), expected, "{roles}");
        let (_, report) = parse(&json!({ "roles": roles }));
        assert!(report.has_errors(), "{roles}");
        assert!(report.problems().iter().all(|problem| problem.pointer.starts_with("/roles/0")), "{report}");
    }
}

#[test]
fn odd_but_harmless_keys_are_warned_of() {
    let (rules, report) =
        parse(&json!({"id": "5f", "collection": "c", "database": "d", "filters": [], "roles": [
            {"name": "r", "apply_when": {}, "read": true, "search": true, "colour": "red"}
        ]}));
    assert!(rules.has_roles());
    let pointers: Vec<_> = report.problems().iter().map(|problem| problem.pointer.as_str()).collect();
    // Ids that a server gave are what every old export has.
    assert_eq!(pointers, ["/roles/0/colour"]);
    assert!(!report.has_errors());
}

#[test]
fn nested_fields_are_masked_and_a_parent_rule_shuts_them_out() {
    let access = access(json!([role(json!({"fields": {
        "box": {"fields": {"w": {"read": true}, "in": {"fields": {"x": {"read": {"open": true}}}}}},
        "all": {"read": true, "fields": {"x": {"read": false}}},
        "none": {"fields": {"x": {}}},
        "hidden": {},
    }}))]));
    let document = doc! {
        "open": true, "box": {"w": 1, "h": 2, "in": {"x": 1, "y": 2}}, "all": {"x": 1}, "none": {"x": 1}, "hidden": 1,
    };
    let expected = doc! {"box": {"w": 1, "in": {"x": 1}}, "all": {"x": 1}};
    assert_eq!(seen(&access, &document), Some(expected));
    assert_eq!(seen(&access, &doc! {"box": {"w": 1, "in": {"x": 1}}}), Some(doc! {"box": {"w": 1}}));
    for (path, readable) in [
        ("box", false),
        ("box.w", true),
        ("box.0.w", false),
        ("box.h", false),
        ("box.in.x", true),
        ("box.in", false),
        ("all", true),
        ("all.x", true),
        ("none.x", false),
        ("hidden", false),
        ("other", false),
    ] {
        let found = access.find(Query { filter: Filter::eq(path, 1), ..Query::default() });
        assert_eq!(found.is_ok(), readable, "{path}");
        if let Err(denied) = found {
            assert_eq!(denied, Denied::FieldNotReadable(path.to_owned()));
        }
    }
}

#[test]
fn a_field_hidden_on_a_document_counts_as_missing_there() {
    let access = access(json!([role(json!({"fields": {
        "secret": {"read": {"owner": "%%user.id"}},
        "owner": {"read": true},
    }}))]));
    let mine = raw(&doc! {"owner": ME, "secret": 7});
    let foreign = raw(&doc! {"owner": "x", "secret": 7});
    for (filter, on_mine, on_foreign) in [
        (Filter::eq("secret", 7), true, false),
        (Filter::eq("secret", 7).negate(), false, true),
        (Filter::eq("secret", Bson::Null), false, true),
        (Filter::exists("secret"), true, false),
    ] {
        assert_eq!(finds(&access, filter.clone(), &mine), Ok(on_mine), "{filter}");
        assert_eq!(finds(&access, filter.clone(), &foreign), Ok(on_foreign), "{filter}");
    }
    let inside = Filter::Field("hidden".into(), Test::ElemMatch(Box::new(Filter::eq("x", 1))));
    assert_eq!(finds(&access, inside, &mine), Err(Denied::FieldNotReadable("hidden.x".to_owned())));
    for (path, sorted) in [("owner", true), ("secret", false), ("hidden", false)] {
        let sort = vec![SortKey { path: path.into(), direction: Direction::Ascending }];
        assert_eq!(access.find(Query { sort, ..Query::default() }).is_ok(), sorted, "{path}");
    }
}

#[test]
fn a_check_takes_the_limit_from_the_store() {
    let limited = || Query { limit: Some(3), ..Query::default() };
    let exact = access(json!([role(json!({"read": {"a": 1}}))])).find(limited()).unwrap();
    assert_eq!((exact.limit(), exact.wanted(), exact.is_exact()), (Some(3), Some(3), true));
    let checked = access(json!([role(json!({"read": {"%%root.a": "%%root.b"}}))])).find(limited()).unwrap();
    assert_eq!((checked.limit(), checked.wanted(), checked.is_exact()), (None, Some(3), false));
    assert!(checked.accepts(&raw(&doc! {"a": 1, "b": 1})));
    assert!(!checked.accepts(&raw(&doc! {"a": 1, "b": 2})));
}

#[test]
fn an_insert_has_no_previous_document() {
    for exists in ["%exists", "$exists"] {
        let access = access(json!([role(
            json!({"read": true, "write": {"%%prevRoot": {exists: false}}, "delete": false})
        )]));
        let document = raw(&doc! {"a": 1});
        assert!(access.insert(document.clone()).is_ok());
        assert!(access.replace(&document, raw(&doc! {"a": 2})).is_err());
        assert!(access.delete(&document).is_err());
    }
}

#[test]
fn a_write_has_to_be_allowed_on_both_images() {
    let roles = json!([{"name": "own", "apply_when": {"owner": "%%user.id"}, "read": true, "write": {"locked": {"%ne": true}}}]);
    let access = access(roles);
    let may = |before: Document, after: Document| access.replace(&raw(&before), raw(&after)).is_ok();
    assert!(may(doc! {"owner": ME, "a": 1}, doc! {"owner": ME, "a": 2}));
    assert!(may(doc! {"owner": ME}, doc! {"owner": "other"}));
    assert!(!may(doc! {"owner": ME, "locked": true}, doc! {"owner": ME}));
    assert!(!may(doc! {"owner": ME}, doc! {"owner": ME, "locked": true}));
    assert!(!may(doc! {"owner": "other"}, doc! {"owner": ME}));
}

#[test]
fn a_repeated_field_cannot_hide_behind_the_first_of_its_name() {
    let access = access(json!([role(json!({"fields": {"a": {"write": true}}}))]));
    let mut doubled = RawDocumentBuf::new();
    doubled.append(cstr!("a"), 1);
    doubled.append(cstr!("a"), 2);
    assert!(access.insert(raw(&doc! {"a": 1})).is_ok());
    assert!(access.insert(doubled.clone()).is_err());
    assert!(access.replace(&raw(&doc! {"a": 1}), doubled).is_err());
}

#[test]
fn field_rules_see_the_value_before_and_after_and_judge_only_changes() {
    let access = access(json!([role(json!({
        "fields": {
            "owner": {"read": true, "write": {"%or": [{"%%prev": {"%exists": false}}, {"%%prev": "%%this"}]}},
            "state": {"write": {"%%this": {"%in": ["open", "closed"]}}},
            "box": {"fields": {"w": {"write": true}, "h": {"read": true}}},
        },
        "additional_fields": {"read": true},
    }))]));
    let may = |before: Document, after: Document| access.replace(&raw(&before), raw(&after)).is_ok();
    assert!(may(doc! {"_id": 1}, doc! {"_id": 1, "owner": ME}));
    assert!(!may(doc! {"owner": ME}, doc! {"owner": "x"}));
    assert!(may(doc! {"state": "odd"}, doc! {"state": "open"}));
    assert!(!may(doc! {"state": "open"}, doc! {"state": "odd"}));
    assert!(may(doc! {"x": 1, "state": "open"}, doc! {"x": 1, "state": "closed"}));
    assert!(!may(doc! {"x": 1}, doc! {"x": 2}));
    assert!(may(doc! {"box": {"w": 1, "h": 1}}, doc! {"box": {"h": 1, "w": 2}}));
    assert!(!may(doc! {"box": {"w": 1, "h": 1}}, doc! {"box": {"w": 1, "h": 2}}));
    assert!(!may(doc! {"box": {"w": 1, "h": 1}}, doc! {"box": {"w": 1}}));
    assert!(!may(doc! {"box": {"w": 1}}, doc! {"box": 5}));
    assert!(!may(doc! {}, doc! {"box": {}}));
    assert!(may(doc! {}, doc! {"box": {"w": 1}}));
    assert!(may(doc! {"box": bson!([{"w": 1}])}, doc! {"box": bson!([{"w": 1}])}));
}
