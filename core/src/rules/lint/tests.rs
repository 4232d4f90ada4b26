//! What is told of rules, and that ordinary ones are left in peace.

use serde_json::{Value, json};

use super::{Scope, Subject, lint};
use crate::id::CollectionId;
use crate::report::Report;
use crate::rules::CollectionRules;
use crate::schema::CollectionSchema;

fn things() -> CollectionId {
    CollectionId::new("app", "s", "db", "things")
}

/// A schema with these properties, which refuses others if `closed`.
pub(super) fn schema(properties: &Value, closed: bool) -> Value {
    json!({"title": "Thing", "properties": properties, "additionalProperties": !closed, "required": ["kind"]})
}

/// Pointer and message of everything that is told of these rules.
pub(super) fn told_of(rules: &Value, schema: Option<&Value>) -> Vec<String> {
    let mut report = Report::default();
    let rules = CollectionRules::parse(rules, "rules.json", &mut report);
    assert!(!report.has_errors(), "{report}");
    let mut report = Report::default();
    let schema = schema.and_then(|json| CollectionSchema::parse(json, "schema.json", &mut report));
    let mut report = Report::default();
    let collection = things();
    let subject = Subject {
        scope: Scope::Collection(&collection),
        rules: &rules,
        file: "rules.json",
        schema: schema.as_ref().map(|schema| &schema.root),
    };
    lint(&[subject], None, &mut report);
    assert!(!report.has_errors(), "{report}");
    report.problems().iter().map(|problem| format!("{}: {}", problem.pointer, problem.message)).collect()
}

/// What is told of one role named `r`, which applies always unless it says otherwise.
pub(super) fn told(parts: &Value, schema: Option<&Value>) -> Vec<String> {
    let mut role = json!({"name": "r", "apply_when": {}});
    role.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
    told_of(&json!({ "roles": [role] }), schema)
}

/// Asserts that exactly one thing is told of the role, with all these words, or nothing if there are none.
pub(super) fn expect(parts: &Value, schema: Option<&Value>, words: &[&str]) {
    let told = told(parts, schema);
    assert_eq!(told.len(), usize::from(!words.is_empty()), "{parts}: {told:#?}");
    for word in words {
        assert!(told[0].contains(word), "{word} of {parts}: {told:#?}");
    }
}

/// A role as exports have it.
fn exported(apply_when: &Value, parts: &Value) -> Value {
    let mut role = json!({"name": "x", "apply_when": apply_when, "search": true, "additional_fields": {}});
    role.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
    role
}

#[test]
fn ordinary_roles_are_left_in_peace() {
    let all = json!({"document_filters": {"read": true, "write": true}, "read": true, "write": true, "insert": true, "delete": true});
    let write_alone = json!({"write": true, "insert": true, "delete": true});
    let reading = json!({"document_filters": {"read": true, "write": false}, "read": true, "write": false, "insert": false, "delete": false});
    let nothing = json!({"document_filters": {"read": false, "write": false}, "read": false, "write": false, "insert": false, "delete": false});
    let preset_deny = json!({"insert": true, "delete": true, "fields": {}});
    let own = json!({"owner_id": "%%user.id"});
    let gated = json!({"document_filters": {"read": own, "write": own}, "read": true, "write": true, "insert": true, "delete": true});
    let write_gated = json!({"document_filters": {"write": own}, "read": true, "write": true, "insert": true, "delete": true});
    let read_gated = json!({"document_filters": {"read": {"owner_id": {"$in": "%%user.custom_data.subscribedTo"}}, "write": own}, "read": true, "write": true});
    let by_field = json!({"fields": {"secret": {}, "name": {"read": true, "write": true}, "home": {"fields": {"city": {"read": true}}}},
        "additional_fields": {"read": true, "write": false}, "insert": false, "delete": false});
    let all_fields =
        json!({"additional_fields": {"read": true, "write": true}, "insert": true, "delete": true});
    let frozen = json!({"fields": {"owner_id": {"read": true, "write": {"$or": [{"%%prev": {"$exists": false}}, {"%%prev": "%%this"}]}}},
        "additional_fields": {"read": true, "write": true}, "insert": true});
    let own_or_nobodys = json!({"userId": {"$in": ["%%user.id", null]}});
    for (apply_when, parts) in [
        (json!({}), &all),
        (json!({}), &write_alone),
        (json!({}), &reading),
        (json!({}), &nothing),
        (json!({}), &preset_deny),
        (json!({}), &gated),
        (json!({}), &write_gated),
        (json!({}), &read_gated),
        (json!({}), &by_field),
        (json!({}), &all_fields),
        (json!({}), &frozen),
        (own.clone(), &all),
        (json!({"%%root.owner_id": "%%user.id"}), &write_alone),
        (json!({"%%user.id": "%%root.owner_id"}), &all),
        (json!({"%%user.type": "server"}), &all),
        (json!({"%%user.custom_data.role": "admin"}), &all),
        (json!({"%%user.custom_data.masterId": null}), &reading),
        (json!({"%%user.custom_data": {"account_type": "admin"}}), &all),
        (json!({"%%user.data.email": {"$exists": true}}), &reading),
        (own_or_nobodys, &reading),
        (json!({"$or": [own.clone(), {"public": true}, {"sharedWith": "%%user.id"}]}), &reading),
        (json!({"collaborators": {"$all": ["%%user.id"]}}), &all),
        (json!({"userId": {"%stringToOid": "%%user.custom_data._id"}}), &reading),
        (json!({"%%true": {"%function": {"name": "f", "arguments": ["%%user", "%%root"]}}}), &all),
        (json!({"%%user.id": "65a000000000000000000001"}), &all),
        (json!({"date": {"$lte": 5, "$gte": 1}}), &reading),
    ] {
        let told = told_of(&json!({"roles": [exported(&apply_when, parts)]}), None);
        assert!(told.is_empty(), "{apply_when} {parts}: {told:#?}");
    }
}

#[test]
fn several_roles_in_the_usual_order_are_left_in_peace() {
    let yes = json!({"read": true, "write": true, "insert": true, "delete": true});
    let no = json!({"read": true, "write": false, "insert": false, "delete": false});
    for conditions in [
        [json!({"%%user.custom_data.role": "admin"}), json!({"owner_id": "%%user.id"}), json!({})],
        [
            json!({"%%user.custom_data.role": "admin"}),
            json!({"%%user.custom_data.role": "editor"}),
            json!({}),
        ],
        [json!({"a": {"$in": [1]}}), json!({"a": {"$in": [1, 2]}}), json!({"a": {"$exists": true}})],
        [json!({"a": 1, "b": 2}), json!({"a": 1}), json!({"$or": [{"a": 1}, {"b": 2}]})],
    ] {
        let [first, second, last] = conditions;
        let roles = [exported(&first, &yes), exported(&second, &no), exported(&last, &no)];
        assert_eq!(told_of(&json!({ "roles": roles }), None), Vec::<String>::new(), "{roles:?}");
    }
}

#[test]
fn a_filter_whose_query_never_holds_is_told() {
    let closed = schema(&json!({"kind": {"bsonType": "string"}, "n": {"bsonType": "int"}}), true);
    let rules = |query: &str| {
        let query: Value = serde_json::from_str(query).unwrap();
        json!({"roles": [{"name": "r", "apply_when": {}, "read": true}], "filters": [{"name": "f", "query": query}]})
    };
    for (query, word) in [
        (r#"{"limit": "LIMIT(20)"}"#, "the schema allows no field `limit`"),
        (r#"{"n": "5"}"#, "`n` (number)"),
        (r#"{"n": [5]}"#, "(array)"),
    ] {
        let told = told_of(&rules(query), Some(&closed));
        assert!(told.len() == 1 && told[0].starts_with("/filters/0/query: filter `f`: "), "{told:#?}");
        assert!(told[0].contains(word), "{told:#?}");
    }
    assert!(told_of(&rules(r#"{"n": {"$gt": 5}, "kind": "%%user.id"}"#), Some(&closed)).is_empty());
}

#[test]
fn roles_that_are_closed_already_are_left_out() {
    let rules = json!({"roles": [
        {"name": "bad", "apply_when": {"a": {"$regex": "x"}}, "read": false, "write": true},
        {"name": "good", "apply_when": {}, "read": true},
    ]});
    let mut report = Report::default();
    let rules = CollectionRules::parse(&rules, "rules.json", &mut report);
    let mut told = Report::default();
    let collection = things();
    let subject =
        Subject { scope: Scope::Collection(&collection), rules: &rules, file: "rules.json", schema: None };
    lint(&[subject], None, &mut told);
    assert_eq!(told.problems(), []);
}
