//! Every keyword accepts and refuses.

use bson::{RawDocumentBuf, doc};
use serde_json::{Value, json};

use super::NullHandling;
use crate::report::Report;
use crate::schema::CollectionSchema;

/// The path and the keyword of the first violation of `{a: schema}`.
fn check(schema: Value, document: bson::Document) -> Option<(String, &'static str)> {
    check_root(json!({ "properties": { "a": schema } }), document, NullHandling::Refused)
}

fn check_root(
    schema: Value,
    document: bson::Document,
    nulls: NullHandling,
) -> Option<(String, &'static str)> {
    let schema = CollectionSchema::parse(&schema, "", &mut Report::default()).unwrap();
    let document = RawDocumentBuf::try_from(&document).unwrap();
    schema.check(&document, nulls).err().map(|violation| (violation.path, violation.keyword))
}

#[test]
fn each_keyword_accepts_and_refuses() {
    let cases = [
        (json!({"bsonType": "string"}), doc! {"a": "x"}, doc! {"a": 1}, "bsonType"),
        (json!({"bsonType": "long"}), doc! {"a": 1_i64}, doc! {"a": 1_i32}, "bsonType"),
        (json!({"bsonType": "double"}), doc! {"a": 1.0}, doc! {"a": 1_i32}, "bsonType"),
        (json!({"bsonType": "number"}), doc! {"a": 1_i32}, doc! {"a": "1"}, "bsonType"),
        (json!({"bsonType": "object"}), doc! {"a": {"b": 1}}, doc! {"a": [1]}, "bsonType"),
        (json!({"bsonType": "array"}), doc! {"a": [1, "x"]}, doc! {"a": {}}, "bsonType"),
        (json!({"bsonType": "string"}), doc! {}, doc! {"a": null}, "bsonType"),
        (json!({"bsonType": "string", "enum": ["x"]}), doc! {"a": "x"}, doc! {"a": "y"}, "enum"),
        (json!({"bsonType": "int", "minimum": 1}), doc! {"a": 1}, doc! {"a": 0}, "minimum"),
        (
            json!({"bsonType": "int", "minimum": 1, "exclusiveMinimum": true}),
            doc! {"a": 2},
            doc! {"a": 1},
            "minimum",
        ),
        (json!({"bsonType": "int", "maximum": 1}), doc! {"a": 1}, doc! {"a": 2}, "maximum"),
        (json!({"bsonType": "string", "minLength": 2}), doc! {"a": "éé"}, doc! {"a": "é"}, "minLength"),
        (json!({"bsonType": "string", "maxLength": 1}), doc! {"a": "é"}, doc! {"a": "éé"}, "maxLength"),
        (json!({"bsonType": "array", "minItems": 1}), doc! {"a": [1]}, doc! {"a": []}, "minItems"),
        (json!({"bsonType": "array", "maxItems": 1}), doc! {"a": [1]}, doc! {"a": [1, 2]}, "maxItems"),
        (
            json!({"bsonType": "array", "uniqueItems": true}),
            doc! {"a": [1, 2]},
            doc! {"a": [1, 1.0]},
            "uniqueItems",
        ),
        (json!({"bsonType": "int", "exclusiveMinimum": 1}), doc! {"a": 2}, doc! {"a": 1}, "minimum"),
        (json!({"bsonType": "int", "exclusiveMaximum": 1}), doc! {"a": 0}, doc! {"a": 1}, "maximum"),
        (
            json!({"bsonType": "double", "multipleOf": 0.01}),
            doc! {"a": 19.99},
            doc! {"a": 0.005},
            "multipleOf",
        ),
        (json!({"bsonType": "string", "pattern": "^[a-z]+$"}), doc! {"a": "ab"}, doc! {"a": "aB"}, "pattern"),
        (json!({"bsonType": "string", "pattern": "(?=a)"}), doc! {}, doc! {"a": "a"}, "pattern"),
        (json!({"bsonType": "string", "format": "email"}), doc! {"a": "a@b.c"}, doc! {"a": "a"}, "format"),
        (json!({"bsonType": "string", "const": "x"}), doc! {"a": "x"}, doc! {"a": "y"}, "const"),
        (
            json!({"bsonType": "object", "minProperties": 1}),
            doc! {"a": {"b": 1}},
            doc! {"a": {}},
            "minProperties",
        ),
        (
            json!({"bsonType": "object", "maxProperties": 1}),
            doc! {"a": {"b": 1}},
            doc! {"a": {"b": 1, "c": 2}},
            "maxProperties",
        ),
        (
            json!({"bsonType": "object", "dependencies": {"b": ["c"]}}),
            doc! {"a": {"c": 1}},
            doc! {"a": {"b": 1}},
            "dependencies",
        ),
        (
            json!({"bsonType": "object", "dependencies": {"b": {"required": ["c"]}}}),
            doc! {"a": {"b": 1, "c": 1}},
            doc! {"a": {"b": 1}},
            "required",
        ),
        (
            json!({"bsonType": "array", "contains": {"bsonType": "int"}}),
            doc! {"a": ["x", 1]},
            doc! {"a": ["x"]},
            "contains",
        ),
        (json!({"allOf": [{"bsonType": "int"}, {"minimum": 3}]}), doc! {"a": 3}, doc! {"a": 2}, "minimum"),
        (
            json!({"anyOf": [{"bsonType": "int"}, {"bsonType": "string"}]}),
            doc! {"a": "x"},
            doc! {"a": true},
            "anyOf",
        ),
        (json!({"oneOf": [{"minimum": 3}, {"maximum": 5}]}), doc! {"a": 6}, doc! {"a": 4}, "oneOf"),
        (json!({"bsonType": "int", "not": {"enum": [1]}}), doc! {"a": 2}, doc! {"a": 1}, "not"),
        (
            json!({"if": {"bsonType": "int"}, "then": {"minimum": 1}, "else": {"minLength": 2}}),
            doc! {"a": "xy"},
            doc! {"a": "x"},
            "minLength",
        ),
        (
            json!({"if": {"bsonType": "int"}, "then": {"minimum": 1}}),
            doc! {"a": "x"},
            doc! {"a": 0},
            "minimum",
        ),
        (json!({"not": {}}), doc! {}, doc! {"a": 1}, "not"),
    ];
    for (schema, good, bad, keyword) in cases {
        assert_eq!(check(schema.clone(), good), None, "{schema}");
        assert_eq!(check(schema.clone(), bad), Some(("a".to_owned(), keyword)), "{schema}");
    }
}

#[test]
fn a_violation_names_the_path_through_lists_and_objects() {
    let schema = json!({ "bsonType": "array", "items": {
        "bsonType": "object", "required": ["b"], "properties": { "b": { "bsonType": "int" } } } });
    assert_eq!(check(schema.clone(), doc! {"a": [{"b": 1}, {"b": "x"}]}), Some(("a.1.b".into(), "bsonType")));
    assert_eq!(check(schema, doc! {"a": [{"b": 1}, {}]}), Some(("a.1".into(), "required")));
}

#[test]
fn a_closed_schema_refuses_other_fields_but_never_the_id() {
    let schema = json!({ "additionalProperties": false, "properties": { "a": {"bsonType": "int"} } });
    let check = |document| check_root(schema.clone(), document, NullHandling::Refused);
    assert_eq!(check(doc! {"_id": 1, "a": 1}), None);
    assert_eq!(check(doc! {"b": 1}), Some(("b".into(), "additionalProperties")));
}

#[test]
fn null_is_taken_where_the_type_says_so_or_optional_fields_may_be_null() {
    let schema = json!({ "required": ["r"], "properties": {
        "r": { "bsonType": "string" }, "o": { "bsonType": "string" }, "n": { "bsonType": ["string", "null"] } } });
    let optional = doc! {"r": "x", "o": null};
    let required = doc! {"r": null};
    let nullable = doc! {"r": "x", "n": null};
    let check = |document: &bson::Document, nulls| check_root(schema.clone(), document.clone(), nulls);
    assert_eq!(check(&optional, NullHandling::Refused), Some(("o".into(), "bsonType")));
    assert_eq!(check(&optional, NullHandling::AllowedWhereOptional), None);
    assert_eq!(check(&required, NullHandling::AllowedWhereOptional), Some(("r".into(), "bsonType")));
    assert_eq!(check(&nullable, NullHandling::Refused), None);
}

/// Whether documents fit a root schema, each with the place of what does not.
fn checked(schema: &Value, cases: &[(bson::Document, Option<(&str, &str)>)]) {
    for (document, expected) in cases {
        let found = check_root(schema.clone(), document.clone(), NullHandling::Refused);
        let found = found.as_ref().map(|(path, keyword)| (path.as_str(), *keyword));
        assert_eq!(found, *expected, "{schema}: {document}");
    }
}

#[test]
fn properties_by_pattern_and_all_others_have_schemas() {
    let schema = json!({
        "properties": { "known": { "bsonType": "int" }, "n_known": { "bsonType": ["int", "string"] } },
        "patternProperties": { "^n_": { "bsonType": "int" } },
        "additionalProperties": { "bsonType": "string" },
        "propertyNames": { "maxLength": 8 }
    });
    checked(
        &schema,
        &[
            (doc! { "_id": 1, "known": 1, "n_a": 1, "other": "x" }, None),
            (doc! { "n_a": "x" }, Some(("n_a", "bsonType"))),
            (doc! { "n_known": "x" }, Some(("n_known", "bsonType"))),
            (doc! { "other": 1 }, Some(("other", "bsonType"))),
            (doc! { "much_too_long": "x" }, Some(("much_too_long", "propertyNames"))),
        ],
    );
    let closed = json!({ "patternProperties": { "^n_": {} }, "additionalProperties": false });
    checked(
        &closed,
        &[(doc! { "_id": 1, "n_a": 1 }, None), (doc! { "a": 1 }, Some(("a", "additionalProperties")))],
    );
}

#[test]
fn items_differ_by_their_places() {
    let schema = |others: Value| {
        json!({ "properties": { "a": { "bsonType": "array", "items": [{ "bsonType": "int" }, { "bsonType": "string" }],
            "additionalItems": others } } })
    };
    checked(
        &schema(json!(true)),
        &[
            (doc! { "a": [1, "x", true] }, None),
            (doc! { "a": [1] }, None),
            (doc! { "a": [1, 2] }, Some(("a.1", "bsonType"))),
        ],
    );
    checked(
        &schema(json!(false)),
        &[(doc! { "a": [1, "x"] }, None), (doc! { "a": [1, "x", 1] }, Some(("a.2", "false")))],
    );
    checked(
        &schema(json!({ "bsonType": "bool" })),
        &[(doc! { "a": [1, "x", 1] }, Some(("a.2", "bsonType")))],
    );
}

#[test]
fn the_root_is_combined_too_and_keywords_ask_nothing_of_other_values() {
    let schema = json!({
        "anyOf": [{ "required": ["a"] }, { "required": ["b"] }],
        "properties": { "a": { "minimum": 3, "minLength": 2, "minItems": 1, "minProperties": 1, "required": ["x"] } }
    });
    checked(
        &schema,
        &[
            (doc! { "b": 1 }, None),
            (doc! { "c": 1 }, Some(("", "anyOf"))),
            (doc! { "a": true }, None),
            (doc! { "a": 2 }, Some(("a", "minimum"))),
            (doc! { "a": "x" }, Some(("a", "minLength"))),
            (doc! { "a": [] }, Some(("a", "minItems"))),
        ],
    );
}

#[test]
fn inside_of_other_keywords_a_schema_means_what_json_schema_says() {
    let inner = json!({ "properties": { "b": { "bsonType": "object", "required": ["c"],
        "properties": { "c": { "bsonType": "array", "items": { "bsonType": "int" } } }, "additionalProperties": false } } });
    let schema = json!({ "properties": { "a": { "allOf": [inner, true] } } });
    checked(
        &schema,
        &[
            (doc! { "a": "no object: `properties` asks nothing" }, None),
            (doc! { "a": { "b": { "c": [1] } } }, None),
            (doc! { "a": { "b": {} } }, Some(("a.b", "required"))),
            (doc! { "a": { "b": { "c": [1, "x"] } } }, Some(("a.b.c.1", "bsonType"))),
            (doc! { "a": { "b": { "c": [], "d": 1 } } }, Some(("a.b.d", "additionalProperties"))),
        ],
    );
}

#[test]
fn of_the_wrong_shape_a_keyword_counts_as_absent_and_is_reported() {
    for (keyword, json) in [
        ("minimum", json!("x")),
        ("multipleOf", json!(0)),
        ("pattern", json!(1)),
        ("format", json!("colour")),
        ("minItems", json!(-1)),
        ("uniqueItems", json!("yes")),
        ("enum", json!("x")),
        ("patternProperties", json!([])),
        ("dependencies", json!([])),
        ("anyOf", json!({})),
        ("allOf", json!([])),
    ] {
        let mut report = Report::default();
        let schema = json!({ "properties": { "a": { "bsonType": ["int", "null"], keyword: json } } });
        let schema = CollectionSchema::parse(&schema, "", &mut report).unwrap();
        let problem = &report.problems()[0];
        assert_eq!(problem.pointer, format!("/properties/a/{keyword}"), "{report}");
        assert!(!report.has_errors(), "{report}");
        let document = RawDocumentBuf::try_from(&doc! { "a": 1 }).unwrap();
        assert_eq!(schema.check(&document, NullHandling::Refused), Ok(()), "{keyword}");
    }
    for (schema, pointer) in [
        (json!({ "pattern": "(?=a)" }), "/properties/a/pattern"),
        (json!({ "anyOf": [{}, 1] }), "/properties/a/anyOf/1"),
        (json!({ "patternProperties": { "(": {} } }), "/properties/a/patternProperties/("),
    ] {
        let mut report = Report::default();
        CollectionSchema::parse(&json!({ "properties": { "a": schema } }), "", &mut report);
        let errors =
            report.problems().iter().filter(|problem| problem.severity == crate::report::Severity::Error);
        assert_eq!(errors.map(|problem| problem.pointer.as_str()).collect::<Vec<_>>(), [pointer]);
    }
}
