//! Differences that the comparison has found. Those that are there still are ignored by name, and the generators leave
//! them out.

use bson::doc;
use serde_json::{Value, json};

use crate::case::{Ask, Bench, Case, told};
use crate::dice::Dice;
use crate::narrowing::is_less;
use crate::pool::Pool;
use crate::questions::everything;

/// Asks one case of the first user about the first collection.
fn assert_alike(rules: Value, ask: Ask) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let pool = Pool::fill(folder.path(), &mut Dice::new(1)).await;
        let bench = Bench { pool: &pool, snapshots: pool.snapshots().await };
        let case = Case { rules, user: 0, collection: 0, ask };
        assert_eq!(case.difference(&bench).await, None, "{case:?}");
    });
}

/// §6.7 has `%%this` and `%%prev` in field rules, and `additional_fields` is the rule of the fields that none names.
#[test]
fn a_rule_of_additional_fields_knows_the_value_of_the_field() {
    let rules = json!({ "roles": [{ "name": "r", "apply_when": {},
        "additional_fields": { "read": { "%%this": "red" } } }] });
    assert_alike(rules, Ask::Find(everything()));
}

/// The same for a write.
#[test]
fn a_rule_of_additional_fields_knows_what_the_field_was() {
    let rules = json!({ "roles": [{ "name": "r", "apply_when": {}, "read": true,
        "additional_fields": { "write": { "%%prev": { "%exists": false } } } }] });
    assert_alike(rules, Ask::Update(doc! { "_id": 1 }, doc! { "_id": 1, "team": "red" }));
}

/// §6.6: projections are merged, and `{"_id": 0, "level": 1}` is one that MongoDB takes.
#[test]
fn a_filter_that_only_leaves_out_the_id_goes_with_one_that_includes() {
    let rules = json!({ "roles": [{ "name": "r", "apply_when": {}, "read": true }], "filters": [
        { "name": "without id", "apply_when": {}, "projection": { "_id": 0 } },
        { "name": "levels", "apply_when": {}, "projection": { "level": 1 } },
    ] });
    assert_alike(rules, Ask::Find(everything()));
}

/// What `%%this` is for a field of the elements of an array, the specification does not say. The engine decides for
/// all elements at once and wants each of them to fulfil the rule; the oracle has taken that over from it, so that this
/// shows that both mean the same, not that it is what was meant.
#[test]
fn a_nested_rule_is_asked_of_all_elements_of_an_array() {
    let rules = json!({ "roles": [{ "name": "r", "apply_when": {},
        "fields": { "es": { "fields": { "x": { "read": { "%%this": { "%lt": 2 } } } } } } }] });
    assert_alike(rules, Ask::Find(everything()));
}

/// Asks whether a second filter shows no more than the first alone.
fn assert_second_filter_narrows(first: Value, second: Value) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let pool = Pool::fill(folder.path(), &mut Dice::new(1)).await;
        let bench = Bench { pool: &pool, snapshots: pool.snapshots().await };
        let under = |filters: Value| {
            let role = json!({ "name": "r", "apply_when": {}, "read": true });
            let rules = json!({ "roles": [role], "filters": filters });
            Case { rules, user: 0, collection: 0, ask: Ask::Find(everything()) }
        };
        let filter = |projection: &Value| json!({ "name": "f", "apply_when": {}, "projection": projection });
        let wide = under(json!([filter(&first)])).engine(&bench).await.remove(0);
        let narrow = under(json!([filter(&first), filter(&second)])).engine(&bench).await.remove(0);
        assert!(is_less(&wide, &narrow), "{}", told(("one filter", &wide), ("both", &narrow)));
    });
}

/// §6.6 merges projections, and MongoDB reads `{"_id": 1, "team": 0}` as all but `team`. So a filter that hides `team`
/// opens everything else to who saw only `_id`.
#[test]
#[ignore = "to be decided: beside `{\"_id\": 1}` a filter that excludes shows more, as merged projections mean in MongoDB"]
fn a_filter_that_excludes_shows_no_more_than_the_id_alone() {
    assert_second_filter_narrows(json!({ "_id": 1 }), json!({ "team": 0 }));
}

/// §6.6 merges projections: what either of two includes is shown.
#[test]
#[ignore = "to be decided: a second filter that includes shows more, as merged projections mean in MongoDB"]
fn a_second_filter_that_includes_shows_no_more_than_the_first() {
    assert_second_filter_narrows(json!({ "level": 1 }), json!({ "team": 1 }));
}
