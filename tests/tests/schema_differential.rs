//! Schemas against the `jsonschema` crate, in the keywords whose meaning is the same: random schemas, random values.
//!
//! The schemas stand in `allOf`, where they mean what JSON Schema says; BSON's own types and null handling have tests of
//! their own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::atomic::{AtomicUsize, Ordering};

use backstitch::report::Report;
use backstitch::schema::{CollectionSchema, NullHandling};
use bson::{Bson, RawDocumentBuf, doc};
use jsonschema::Draft;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "a", "b", "ab", "abc", "ä", "äöü", "b1"]).prop_map(str::to_owned)
}

fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "n_a", "n_b"]).prop_map(str::to_owned)
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-3_i64..8).prop_map(Value::from),
        (-6_i32..16).prop_map(|halves| json!(f64::from(halves) / 2.0)),
        text().prop_map(Value::String),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((key(), inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// One keyword.
fn keyword(schema: BoxedStrategy<Value>) -> BoxedStrategy<(&'static str, Value)> {
    let types = ["null", "bool", "number", "string", "object", "array"];
    let count = || (0_u64..4).prop_map(Value::from);
    let names = || {
        prop::collection::vec(key(), 1..3).prop_map(|mut names| {
            names.dedup();
            names.sort();
            names.dedup();
            json!(names)
        })
    };
    let pattern = || prop::sample::select(vec!["^n_", "a", "b$", "^[a-z]+$", "ä"]);
    let by_key = |schema: BoxedStrategy<Value>| {
        prop::collection::vec((key(), schema), 0..3)
            .prop_map(|entries| Value::Object(entries.into_iter().collect()))
    };
    let list = |schema: BoxedStrategy<Value>| prop::collection::vec(schema, 1..4).prop_map(Value::Array);
    let named = |name: &'static str, values: BoxedStrategy<Value>| {
        values.prop_map(move |value| (name, value)).boxed()
    };
    let dependency = prop_oneof![names().boxed(), schema.clone()].boxed();
    prop_oneof![
        named("bsonType", prop::sample::select(types.to_vec()).prop_map(Value::from).boxed()),
        named(
            "bsonType",
            prop::collection::btree_set(prop::sample::select(types.to_vec()), 1..4)
                .prop_map(|types| json!(types))
                .boxed()
        ),
        named("enum", prop::collection::vec(scalar(), 1..4).prop_map(Value::Array).boxed()),
        named("const", scalar().boxed()),
        named("minimum", (-2_i64..6).prop_map(Value::from).boxed()),
        named("maximum", (-2_i64..6).prop_map(Value::from).boxed()),
        named("multipleOf", prop::sample::select(vec![json!(1), json!(2), json!(0.5), json!(1.5)]).boxed()),
        named("minLength", count().boxed()),
        named("maxLength", count().boxed()),
        named("pattern", pattern().prop_map(Value::from).boxed()),
        named("minItems", count().boxed()),
        named("maxItems", count().boxed()),
        named("uniqueItems", any::<bool>().prop_map(Value::Bool).boxed()),
        named("items", schema.clone()),
        named("items", list(schema.clone()).boxed()),
        named("additionalItems", schema.clone()),
        named("contains", schema.clone()),
        named("required", names().boxed()),
        named("minProperties", count().boxed()),
        named("maxProperties", count().boxed()),
        named("properties", by_key(schema.clone()).boxed()),
        named(
            "patternProperties",
            (pattern(), schema.clone()).prop_map(|(text, schema)| json!({ text: schema })).boxed()
        ),
        named("additionalProperties", schema.clone()),
        named("propertyNames", schema.clone()),
        named("dependencies", by_key(dependency).boxed()),
        named("allOf", list(schema.clone()).boxed()),
        named("anyOf", list(schema.clone()).boxed()),
        named("oneOf", list(schema.clone()).boxed()),
        named("not", schema.clone()),
        named("if", schema.clone()),
        named("then", schema.clone()),
        named("else", schema),
    ]
    .boxed()
}

fn schema() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![any::<bool>().prop_map(Value::Bool), Just(json!({}))].boxed();
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop::collection::vec(keyword(inner.boxed()), 0..4)
            .prop_map(|keywords| {
                let keywords = keywords.into_iter().map(|(name, value)| (name.to_owned(), value));
                Value::Object(keywords.collect::<Map<_, _>>())
            })
            .boxed()
    })
    .boxed()
}

/// The same schema in the words of JSON Schema.
fn theirs(schema: &Value) -> Value {
    match schema {
        Value::Array(items) => items.iter().map(theirs).collect(),
        Value::Object(entries) => {
            let renamed = entries.iter().map(|(name, value)| match name.as_str() {
                "bsonType" => ("type".to_owned(), types(value)),
                _ => (name.clone(), theirs(value)),
            });
            Value::Object(renamed.collect())
        }
        other => other.clone(),
    }
}

fn types(value: &Value) -> Value {
    match value {
        Value::Array(types) => types.iter().map(types_one).collect(),
        one => types_one(one),
    }
}

fn types_one(name: &Value) -> Value {
    if name == "bool" { json!("boolean") } else { name.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn schemas_mean_what_another_validator_says(schema in schema(), values in prop::collection::vec(value(), 4)) {
        static FITTING: AtomicUsize = AtomicUsize::new(0);
        let oracle = jsonschema::options().with_draft(Draft::Draft7).build(&theirs(&schema)).unwrap();
        let own = json!({ "properties": { "x": { "bsonType": "mixed", "allOf": [schema] } } });
        let own = CollectionSchema::parse(&own, "", &mut Report::default()).unwrap();
        for value in values {
            let document = doc! { "x": Bson::try_from(value.clone()).unwrap() };
            let found = own.check(&RawDocumentBuf::try_from(&document).unwrap(), NullHandling::Refused);
            let expected = oracle.is_valid(&value);
            FITTING.fetch_add(usize::from(expected), Ordering::Relaxed);
            prop_assert_eq!(found.is_ok(), expected, "{} under {}: {:?}", value, schema, found);
        }
    }
}
