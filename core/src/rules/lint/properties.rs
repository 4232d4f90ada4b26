//! What is said of an expression for any user and document, against what it is for one.

use bson::{Bson, Document, RawDocument, doc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::truth::{Judge, Moment, Truth};
use crate::actor::Actor;
use crate::id::AppId;
use crate::report::Report;
use crate::rules::answers::Answers;
use crate::rules::bind::{Facts, bind};
use crate::rules::condition::{Condition, Scene};
use crate::rules::expr::Expression;
use crate::rules::lazily::Lazily;
use crate::rules::parse::Parser;
use crate::rules::tests::raw;
use crate::schema::CollectionSchema;

fn literals() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => (0_i64..4).prop_map(|number| json!(number)),
        2 => prop::sample::select(vec!["me", "normal", "x"]).prop_map(|text| json!(text)),
        1 => Just(json!(null)),
        1 => prop::collection::vec(0_i64..3, 0..3).prop_map(|numbers| json!(numbers)),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let expansion = prop::sample::select(vec![
        "%%user.id",
        "%%user.custom_data.level",
        "%%root.n",
        "%%root.text",
        "%%prevRoot.n",
    ]);
    prop_oneof![4 => literals(), 1 => expansion.prop_map(|text| json!(text))]
}

fn tests() -> impl Strategy<Value = Value> {
    let operator = prop::sample::select(vec!["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]);
    let list = prop::sample::select(vec!["$in", "$nin", "$all"]);
    let converted = prop::sample::select(vec!["%stringToOid", "%oidToString"]);
    prop_oneof![
        2 => values(),
        4 => (operator, values()).prop_map(|(operator, value)| json!({ operator: value })),
        2 => (list, prop::collection::vec(values(), 0..3)).prop_map(|(operator, items)| json!({ operator: items })),
        2 => any::<bool>().prop_map(|there| json!({ "$exists": there })),
        1 => converted.prop_map(|name| json!({ name: "%%root.text" })),
    ]
}

fn ranges() -> impl Strategy<Value = Value> {
    let operator = prop::sample::select(vec!["$eq", "$gt", "$gte", "$lt", "$lte"]);
    (operator, 0_i64..4).prop_map(|(operator, number)| json!({ operator: number }))
}

fn both(key: &str, one: &Value, other: &Value) -> Value {
    json!({ "$and": [{ key: one }, { key: other }] })
}

fn expressions() -> impl Strategy<Value = Value> {
    let keys = prop::sample::select(vec![
        "n",
        "n",
        "text",
        "tags",
        "free",
        "gone",
        "%%prevRoot.n",
        "%%user.id",
        "%%user.type",
        "%%user.custom_data.level",
    ]);
    let leaf = prop_oneof![
        12 => (keys.clone(), tests()).prop_map(|(key, test)| json!({ key: test })),
        // Two on one key, which may exclude each other.
        6 => (keys, tests(), tests()).prop_map(|(key, one, other)| both(key, &one, &other)),
        6 => (prop::sample::select(vec!["n", "free", "tags"]), ranges(), ranges())
            .prop_map(|(key, one, other)| both(key, &one, &other)),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => any::<bool>().prop_map(|there| json!({"%%prevRoot": {"$exists": there}})),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 0..4).prop_map(|parts| json!({ "$and": parts })),
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(|parts| json!({ "$or": parts })),
            1 => inner.prop_map(|part| json!({ "$not": part })),
        ]
    })
}

/// Documents that fit the schema.
fn documents() -> impl Strategy<Value = Document> {
    let number = || (0_i64..4).prop_map(Bson::Int64);
    let text = prop::sample::select(vec!["me", "normal", "x"]).prop_map(Bson::from);
    let fields = (
        prop::option::of(number()),
        prop::option::of(text.clone()),
        prop::option::of(prop::collection::vec(number(), 0..3).prop_map(Bson::Array)),
        prop::option::of(prop_oneof![
            1 => number(),
            1 => text,
            1 => Just(Bson::Null),
            3 => prop::collection::vec(number(), 0..4).prop_map(Bson::Array)
        ]),
    );
    fields.prop_map(|(n, text, tags, free)| {
        let all = [("n", n), ("text", text), ("tags", tags), ("free", free)];
        all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    })
}

/// An expression, and one that may follow from it.
fn pairs() -> impl Strategy<Value = (Value, Value)> {
    let near = |one: Value| {
        prop_oneof![
            expressions().prop_map({
                let one = one.clone();
                move |other| (json!({ "$and": [one, other] }), one.clone())
            }),
            expressions().prop_map({
                let one = one.clone();
                move |other| (one.clone(), json!({ "$or": [other, one] }))
            }),
            (tests(), tests()).prop_map(|(test, other)| (json!({ "free": test }), json!({ "free": other }))),
            expressions().prop_map(move |other| (one.clone(), other)),
        ]
    };
    expressions().prop_flat_map(near)
}

fn parsed(json: &Value) -> Option<Expression> {
    Parser::new("rules.json", &mut Report::default(), 16).expression(json, "")
}

fn bound(expression: &Expression, answers: &Answers) -> Condition {
    let user = doc! {"id": "me", "type": "normal", "data": {}, "custom_data": {"level": 1}, "identities": []};
    let (nothing, request) = (doc! {}, Lazily::new(&Document::new));
    let actor = Actor::imagined(AppId::new("app"), user);
    let facts = Facts { actor: &actor, values: &nothing, environment: &nothing, request: &request, answers };
    bind(expression, facts)
}

/// The moments there are for two images, and what is seen in them.
fn scenes<'a>(
    (before, after): (&'a RawDocument, &'a RawDocument),
    answers: &'a Answers,
) -> Vec<(Moment, Scene<'a>)> {
    let update = |root| Scene::of(root, (Some(before), after), answers);
    vec![
        (Moment::Stored, Scene::stored(before, answers)),
        (Moment::Insert, Scene::of(after, (None, after), answers)),
        (Moment::Update, update(before)),
        (Moment::Update, update(after)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_of_an_expression_holds_on_every_document(
        (json, other) in pairs(), before in documents(), after in documents(),
    ) {
        let schema = json!({"title": "T", "additionalProperties": false, "properties": {
            "n": {"bsonType": "long"}, "text": {"bsonType": "string"},
            "tags": {"bsonType": "array", "items": {"bsonType": "long"}}, "free": {"bsonType": "mixed"}
        }});
        let schema = CollectionSchema::parse(&schema, "", &mut Report::default()).unwrap();
        let (Some(expression), Some(other)) = (parsed(&json), parsed(&other)) else { return Ok(()) };
        let answers = Answers::default();
        let (condition, beside) = (bound(&expression, &answers), bound(&other, &answers));
        let (before, after) = (raw(&before), raw(&after));
        for (moment, scene) in scenes((&before, &after), &answers) {
            let holds = condition.holds(scene);
            for moment in [moment, Moment::Any] {
                for schema in [None, Some(&schema.root)] {
                    let judge = Judge::at(schema, moment);
                    match judge.truth(&expression) {
                        Truth::Always => prop_assert!(holds, "always, {moment:?}: {json} on {scene:?}"),
                        Truth::Never => prop_assert!(!holds, "never, {moment:?}: {json} on {scene:?}"),
                        Truth::Sometimes => {}
                    }
                    if holds && judge.implies(&expression, &other) {
                        prop_assert!(beside.holds(scene), "{expression:?} implies {other:?} on {scene:?}");
                    }
                }
            }
        }
    }
}
