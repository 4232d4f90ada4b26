//! Rules in the query and in the mask against a second, plain evaluation of the same JSON.

use bson::{Bson, Document, bson};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::tests::{ME, access, finds, raw, seen};
use crate::filter::{Filter, matches};

/// Direct evaluation of JSON on a document, written as plainly as possible and apart from the engine.
mod naive {
    use super::*;

    pub(super) fn holds(json: &Value, document: &Document) -> bool {
        match json {
            Value::Bool(value) => *value,
            Value::Object(entries) => entries.iter().all(|(key, value)| match key.as_str() {
                "%and" => list(value).iter().all(|part| holds(part, document)),
                "%or" => list(value).iter().any(|part| holds(part, document)),
                "%not" => !holds(value, document),
                key => test(
                    side(
                        &json!(key.strip_prefix("%%root.").map_or_else(
                            || if key.starts_with("%%") { key.to_owned() } else { format!("%%root.{key}") },
                            |path| format!("%%root.{path}"),
                        )),
                        document,
                    ),
                    value,
                    document,
                ),
            }),
            _ => false,
        }
    }

    fn list(json: &Value) -> &[Value] {
        json.as_array().unwrap()
    }

    fn side(json: &Value, document: &Document) -> Bson {
        match json.as_str() {
            Some("%%user.id") => bson!(ME),
            Some("%%user.custom_data.level") => bson!(1),
            Some(text) if text.starts_with("%%root.") => {
                document.get(&text[7..]).cloned().unwrap_or(Bson::Null)
            }
            _ => json.as_i64().map_or_else(|| Bson::try_from(json.clone()).unwrap(), Bson::Int64),
        }
    }

    fn test(left: Bson, value: &Value, document: &Document) -> bool {
        let Value::Object(entries) = value else { return same(&left, &side(value, document)) };
        let (operator, value) = entries.iter().next().unwrap();
        let right = side(value, document);
        match operator.as_str() {
            "$ne" => !same(&left, &right),
            "$exists" => (left != Bson::Null) == (right == Bson::Boolean(true)),
            "$in" => list(value).iter().any(|item| same(&left, &side(item, document))),
            _ => panic!("{operator}"),
        }
    }

    fn same(left: &Bson, right: &Bson) -> bool {
        match (left, right) {
            (Bson::Array(a), Bson::Array(b)) => a == b || a.iter().any(|item| b.contains(item)),
            (Bson::Array(items), one) | (one, Bson::Array(items)) => items.contains(one),
            _ => left == right,
        }
    }

    /// Role choice and read decision; the names of the fields that are seen.
    pub(super) fn seen(roles: &[Value], document: &Document) -> Option<Document> {
        let role = roles.iter().find(|role| holds(&role["apply_when"], document))?;
        let state = |json: &Value, key: &str| json.get(key).map(|rule| holds(rule, document));
        let gate = state(&role["document_filters"], "read");
        if gate == Some(false) && state(&role["document_filters"], "write") != Some(true) {
            return None;
        }
        let sees = |json: &Value| state(json, "read") == Some(true) || state(json, "write") == Some(true);
        if sees(role) {
            return Some(document.clone());
        }
        if state(role, "read").is_some() {
            return None;
        }
        let fields = role["fields"].as_object().unwrap();
        let other = sees(&role["additional_fields"]);
        if !other && !fields.values().any(sees) {
            return None;
        }
        let kept = document.iter().filter(|(name, _)| fields.get(*name).map_or(other, sees));
        Some(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}

fn field() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c"]).prop_map(str::to_owned)
}

/// Numbers are 64 bits wide, so that plain equality is enough for the naive side.
fn stored() -> impl Strategy<Value = Bson> {
    let one = prop_oneof![(0_i64..3).prop_map(Bson::Int64), Just(bson!(ME)), Just(bson!(true))];
    prop_oneof![3 => one.clone(), 1 => prop::collection::vec(one, 0..3).prop_map(Bson::Array)]
}

pub(super) fn documents() -> impl Strategy<Value = Document> {
    prop::collection::btree_map(field(), stored(), 0..4).prop_map(|fields| fields.into_iter().collect())
}

fn expressions() -> impl Strategy<Value = Value> {
    let one = prop_oneof![
        (0_i64..3).prop_map(|n| json!(n)),
        Just(json!("%%user.id")),
        Just(json!(true)),
        field().prop_map(|name| json!(format!("%%root.{name}"))),
    ];
    let literal = prop_oneof![Just(json!("%%user.id")), Just(json!(ME)), Just(json!(true))];
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        Just(json!({})),
        (field(), one).prop_map(|(name, value)| json!({ name: value })),
        (field(), literal.clone()).prop_map(|(name, value)| json!({ name: {"$ne": value} })),
        (field(), any::<bool>()).prop_map(|(name, value)| json!({ name: {"$exists": value} })),
        (field(), prop::collection::vec(literal, 0..3))
            .prop_map(|(name, value)| json!({ name: {"$in": value} })),
        field().prop_map(|name| json!({"%%user.id": format!("%%root.{name}")})),
        Just(json!({"%%user.custom_data.level": {"$exists": true}})),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|parts| json!({ "%and": parts })),
            prop::collection::vec(inner.clone(), 0..3).prop_map(|parts| json!({ "%or": parts })),
            inner.prop_map(|part| json!({ "%not": part })),
        ]
    })
}

fn permissions() -> impl Strategy<Value = Value> {
    (prop::option::of(expressions()), prop::option::of(expressions())).prop_map(|(read, write)| {
        let mut rule = json!({});
        for (key, value) in [("read", read), ("write", write)] {
            if let Some(value) = value {
                rule[key] = value;
            }
        }
        rule
    })
}

pub(super) fn roles() -> impl Strategy<Value = Vec<Value>> {
    let fields = prop::collection::btree_map(field(), permissions(), 0..3);
    let role = (expressions(), permissions(), permissions(), fields, permissions());
    let role = role.prop_map(|(apply_when, mut role, gate, fields, other)| {
        role["name"] = json!("r");
        role["apply_when"] = apply_when;
        role["document_filters"] = gate;
        role["fields"] = json!(fields);
        role["additional_fields"] = other;
        role
    });
    prop::collection::vec(role, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_query_and_the_mask_agree_with_direct_evaluation(roles in roles(), document in documents()) {
        let access = access(json!(roles));
        prop_assert_eq!(seen(&access, &document), naive::seen(&roles, &document));
    }

    #[test]
    fn a_filter_finds_what_it_finds_on_what_is_seen(
        roles in roles(), document in documents(), path in field(), value in stored(), negated in any::<bool>(),
    ) {
        let access = access(json!(roles));
        let filter = Filter::eq(path.as_str(), value);
        let filter = if negated { filter.negate() } else { filter };
        if let Ok(found) = finds(&access, filter.clone(), &raw(&document)) {
            let expected = naive::seen(&roles, &document).is_some_and(|seen| matches(&filter, &raw(&seen)));
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn closing_a_role_never_shows_more(roles in roles(), document in documents(), which in 0_usize..4) {
        let open = seen(&access(json!(roles)), &document);
        let mut closed = roles.clone();
        if let Some(role) = closed.get_mut(which) {
            role["insert"] = json!({"%func": {"name": "f"}});
        }
        let closed = seen(&access(json!(closed)), &document);
        prop_assert!(closed.is_none() || closed == open);
        let mut shut = roles;
        if let Some(role) = shut.get_mut(which) {
            role["apply_when"] = json!({"%%req.x": 1});
        }
        let shut = seen(&access(json!(shut)), &document);
        prop_assert!(shut.is_none() || shut == open);
    }
}
