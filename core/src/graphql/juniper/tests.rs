//! Documents against the worked example: what is read, what is refused and how fast, and introspection.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::*;
use crate::graphql::ast::{OperationKind, SelectionNode, TypeNode, ValueNode};
use crate::graphql::build::tests::{build, shop};

fn schema(introspection: Introspection) -> Schema {
    Schema::new(build(&shop()).0, introspection, &Limits::default())
}

fn open() -> Schema {
    schema(Introspection::Enabled)
}

fn errors(schema: &Schema, source: &str) -> Vec<GraphqlError> {
    schema.operation(source, None).expect_err(source)
}

fn first(schema: &Schema, source: &str) -> (&'static str, String) {
    let errors = errors(schema, source);
    (errors[0].code, errors[0].message.clone())
}

fn introspected(schema: &Schema, source: &str, variables: Value) -> Result<Value, Vec<GraphqlError>> {
    let operation = schema.operation(source, None)?;
    let fields: Vec<_> = operation
        .selections
        .into_iter()
        .filter_map(|selection| match selection {
            SelectionNode::Field(field) => Some(field),
            SelectionNode::Fragment { .. } => None,
        })
        .collect();
    let variables = variables.as_object().cloned().unwrap_or_default();
    let answers = schema.introspect(&fields, &variables)?;
    let pairs = answers.into_iter().map(|(key, raw)| (key, serde_json::from_str(raw.get()).unwrap()));
    Ok(Value::Object(pairs.collect::<Map<_, _>>()))
}

#[test]
fn an_operation_is_read_with_its_fragments_spread_out() {
    let source = "query Q($n: [Int!] = [1], $on: Boolean!) {\n  all: order_lines(limit: 3, query: {qty_in: $n}) \
        { ...f @include(if: $on) ... on Order_line { serial } }\n}\nfragment f on Order_line { qty }";
    let operation = open().operation(source, Some("Q")).unwrap();
    assert_eq!(operation.kind, OperationKind::Query);
    let named = TypeNode::NonNull(Box::new(TypeNode::Named("Int".into())));
    assert_eq!(operation.variables[0].ty, TypeNode::List(Box::new(named)));
    assert_eq!(operation.variables[0].default, Some(ValueNode::List(vec![ValueNode::Int(1)])));
    let SelectionNode::Field(field) = &operation.selections[0] else { panic!("no field") };
    assert_eq!((field.response_key.as_str(), field.name.as_str()), ("all", "order_lines"));
    assert_eq!((field.location.line, field.location.column), (2, 3));
    let query = ValueNode::Object(vec![("qty_in".into(), ValueNode::Variable("n".into()))]);
    assert_eq!(field.arguments, [("limit".into(), ValueNode::Int(3)), ("query".into(), query)]);
    let SelectionNode::Fragment { on, conditions, selections } = &field.selections[0] else {
        panic!("no spread")
    };
    assert_eq!((on.as_deref(), selections.len()), (Some("Order_line"), 1));
    assert!(conditions[0].wanted && conditions[0].value == ValueNode::Variable("on".into()));
}

#[test]
fn the_named_operation_is_picked_or_refused() {
    let schema = open();
    let two = "query A { __typename } mutation B { deleteManyPeople { deletedCount } }";
    assert_eq!(schema.operation(two, Some("B")).unwrap().kind, OperationKind::Mutation);
    for (source, name) in [(two, None), (two, Some("C")), ("{ __typename }", Some("C"))] {
        let errors = schema.operation(source, name).unwrap_err();
        assert_eq!(errors[0].code, code::VALIDATION, "{source}");
        assert!(errors[0].request);
    }
    assert_eq!(first(&schema, "subscription { people { handle } }").1, "subscriptions are not supported");
    let empty = Schema::new(build(&[]).0, Introspection::Enabled, &Limits::default());
    assert_eq!(empty.sdl(), "");
    assert!(empty.operation("{ __typename _empty }", None).is_ok());
    assert_eq!(first(&empty, "mutation { x }").1, "this app has no mutations");
}

#[test]
fn what_does_not_fit_is_refused_with_a_code_and_a_place() {
    let schema = open();
    let cases = [
        ("{ nope }", code::VALIDATION),
        ("{ people { nope } }", code::VALIDATION),
        ("{ people }", code::VALIDATION),
        ("{ people(limit: \"x\") { handle } }", code::VALIDATION),
        ("{ people(query: 5) { handle } }", code::VALIDATION),
        ("{ people(query: {nope: 1}) { handle } }", code::VALIDATION),
        ("{ person { handle @upper } }", code::VALIDATION),
        ("query @skip(if: true) { person { handle } }", code::VALIDATION),
        ("query($v: Nope) { person { handle } }", code::VALIDATION),
        ("{ person(query: {handle: $v}) { handle } }", code::VALIDATION),
        ("{ ...f } fragment f on Query { ...f }", code::VALIDATION),
        ("{ ...nope }", code::VALIDATION),
        ("mutation { insertOneOrder_line(data: {qty: 1}) { qty } }", code::VALIDATION),
        ("{ a: person { handle } a: people { handle } }", code::VALIDATION),
        ("{", code::PARSE),
        ("", code::PARSE),
        ("{ person(query: {handle: \"x}) { handle } }", code::PARSE),
        ("\u{0}", code::PARSE),
    ];
    for (source, expected) in cases {
        let errors = errors(&schema, source);
        assert_eq!(errors[0].code, expected, "{source}: {errors:?}");
        assert!(errors.iter().all(|error| error.request), "{source}");
    }
    assert!(!errors(&schema, "{ nope }")[0].locations.is_empty());
}

#[test]
fn enum_values_are_checked_in_arguments_and_defaults() {
    // J6: juniper takes any.
    let schema = open();
    assert!(schema.operation("{ order_lines(sortBy: QTY_ASC) { qty } }", None).is_ok());
    for source in [
        "{ order_lines(sortBy: NOPE) { qty } }",
        "{ ... on Query { order_lines(sortBy: GIFT_ASC) { qty } } }",
        "query($s: Order_lineSortByInput = NOPE) { order_lines(sortBy: $s) { qty } }",
        "query($s: Order_lineSortByInput! = NOPE) { order_lines(sortBy: $s) { qty } }",
        "{ order_lines(sortBy: \"QTY_ASC\") { qty } }",
    ] {
        assert_eq!(first(&schema, source).0, code::VALIDATION, "{source}");
    }
}

#[test]
fn condition_variables_stay_symbolic() {
    // J1: with this document and `{"v": null}` juniper's executor panics.
    let source = "query($v: Boolean = true) { person { handle @skip(if: $v) } }";
    let operation = open().operation(source, None).unwrap();
    let SelectionNode::Field(person) = &operation.selections[0] else { panic!("no field") };
    let SelectionNode::Field(handle) = &person.selections[0] else { panic!("no field") };
    assert!(!handle.conditions[0].wanted);
    assert_eq!(handle.conditions[0].value, ValueNode::Variable("v".into()));
    let nullable = "query($v: Boolean) { person { handle @skip(if: $v) } }";
    assert_eq!(first(&open(), nullable).0, code::VALIDATION);
}

#[test]
fn repeated_and_skipped_fields_are_all_kept_for_the_planner() {
    // J3, J4, J5: merging and conditions are the planner's, so nothing may be lost here.
    let source = "{ person @skip(if: true) { handle } person { _h: handle } }";
    let operation = open().operation(source, None).unwrap();
    assert_eq!(operation.selections.len(), 2);
}

#[test]
fn numbers_of_64_bits_are_read_for_long_and_refused_for_int() {
    // J7, J8.
    let schema = open();
    let operation = schema.operation("{ order_lines(query: {serial: 99999999999}) { qty } }", None).unwrap();
    let SelectionNode::Field(field) = &operation.selections[0] else { panic!("no field") };
    assert_eq!(
        field.arguments[0].1,
        ValueNode::Object(vec![("serial".into(), ValueNode::Int(99_999_999_999))])
    );
    assert!(
        schema
            .operation(
                "{ order_lines(query: {serial: \"7\", UnitPrice: 3, tags_in: [\"a\"]}) { qty } }",
                None
            )
            .is_ok()
    );
    assert_eq!(first(&schema, "{ order_lines(limit: 99999999999) { qty } }").0, code::VALIDATION);
    assert_eq!(first(&schema, "{ order_lines(limit: 99999999999999999999) { qty } }").0, code::PARSE);
}

#[test]
fn floods_are_refused_by_a_named_limit_and_fast() {
    let schema = open();
    let aliases = |count: usize| {
        let fields: String = (0..count).map(|n| format!("a{n}:person{{handle}} ")).collect();
        format!("{{{fields}}}")
    };
    let bomb: String =
        (0..20).map(|n| format!("fragment f{n} on Query {{ ...f{0} ...f{0} }} ", n + 1)).collect();
    let deep = |count: usize| format!("{}{}", "{ person ".repeat(count), "}".repeat(count));
    let cases = [
        (aliases(10_000), "graphql_tokens"),
        (aliases(1_000), "graphql_root_fields"),
        (deep(5_000), "graphql_depth"),
        (deep(30), "graphql_depth"),
        (format!("{{ people(query: {}", "{AND:[".repeat(5_000)), "graphql_depth"),
        (format!("{{ person {{ {} }} }}", "handle ".repeat(3_000)), "graphql_fields"),
        (format!("{{ ...f0 }} {bomb} fragment f20 on Query {{ __typename }}"), "graphql_"),
    ];
    for (source, limit) in cases {
        let started = Instant::now();
        let (code, message) = first(&schema, &source);
        let took = started.elapsed();
        assert_eq!(code, code::LIMIT, "{limit}: {message}");
        assert!(message.contains(limit), "{limit}: {message}");
        // Unoptimised and on a busy machine; optimised it is well below 5 ms.
        assert!(took < Duration::from_millis(250), "{limit}: {took:?}");
    }
    assert!(schema.operation(&aliases(50), None).is_ok());
}

#[test]
fn strings_and_comments_hide_their_brackets() {
    let schema = open();
    let braces = "{".repeat(500);
    for text in [
        format!("\"{braces}\""),
        format!("\"\"\"{braces} \\\"\"\" {braces}\"\"\""),
        format!("\"\\\"{braces}\""),
    ] {
        let source = format!("{{ person(query: {{handle: {text}}}) {{ handle }} }} # {braces}");
        assert!(schema.operation(&source, None).is_ok(), "{text}");
    }
}

#[test]
fn the_standard_introspection_query_is_answered() {
    let schema = open();
    let answer = introspected(&schema, INTROSPECTION, json!({})).unwrap();
    let types = answer["__schema"]["types"].as_array().unwrap();
    let named =
        |name: &str| types.iter().find(|ty| ty["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(answer["__schema"]["queryType"]["name"], "Query");
    assert_eq!(answer["__schema"]["mutationType"]["name"], "Mutation");
    assert_eq!(answer["__schema"]["subscriptionType"], Value::Null);
    for scalar in ["ObjectId", "Long", "DateTime", "Int", "Float", "String", "Boolean"] {
        assert_eq!(named(scalar)["kind"], "SCALAR");
    }
    let fields = named("Order_line")["fields"].as_array().unwrap();
    let buyer = fields.iter().find(|field| field["name"] == "buyer").unwrap();
    assert_eq!(buyer["type"]["kind"], "NON_NULL");
    assert_eq!(buyer["type"]["ofType"]["name"], "Person");
    let queries = named("Query")["fields"].as_array().unwrap();
    assert!(queries.iter().all(|field| !field["name"].as_str().unwrap().starts_with("__")));
    let lines = queries.iter().find(|field| field["name"] == "order_lines").unwrap();
    let limit = lines["args"].as_array().unwrap().iter().find(|arg| arg["name"] == "limit").unwrap();
    assert_eq!(limit["defaultValue"], "100");
    assert_eq!(named("Order_lineSortByInput")["enumValues"].as_array().unwrap().len(), 10);
    assert_eq!(named("PersonQueryInput")["kind"], "INPUT_OBJECT");
    assert!(types.iter().all(|ty| !ty["name"].as_str().unwrap().starts_with("_E")), "juniper's own markers");
    let again = introspected(&schema, INTROSPECTION, json!({})).unwrap();
    assert_eq!(answer, again);
}

#[test]
fn introspection_takes_aliases_variables_conditions_and_merges() {
    let source = "query($n: String!, $on: Boolean!) { a: __type(name: $n) { name k: kind @include(if: $on) } \
        a: __type(name: $n) { ...f } b: __type(name: \"No\\\"pe\") { name } c: __schema @skip(if: true) { queryType { name } } \
        d: __type(name: \"Person\") { ... @skip(if: $on) { name } name @skip(if: true) } } \
        fragment f on __Type { fields { name } }";
    let answer = introspected(&open(), source, json!({"n": "Person", "on": true})).unwrap();
    let expected = json!({
        "a": {"name": "Person", "k": "OBJECT", "fields": [{"name": "handle"}]},
        "b": null,
        "d": {},
    });
    assert_eq!(answer, expected);
    let keys: Vec<_> = answer["a"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys.len(), 3);
    let missing = introspected(&open(), source, json!({"n": "Person"})).unwrap_err();
    assert_eq!(missing[0].code, code::BAD_INPUT);
}

#[test]
fn with_introspection_off_nothing_of_the_schema_is_told() {
    let schema = schema(Introspection::Disabled);
    for source in [
        "{ __schema { queryType { name } } }",
        "{ x: __type(name: \"Person\") { name } }",
        "{ ... on Query { __type(name: \"Person\") { name } } }",
        "{ ...f } fragment f on Query { __schema { queryType { name } } }",
        "{ ... @include(if: false) { __schema { queryType { name } } } }",
    ] {
        assert_eq!(first(&schema, source).1, "introspection is disabled", "{source}");
    }
    for source in [
        "{ persn { handle } }",
        "mutation { insertOneOrder_line(data: {}) { qty } }",
        "{ order_lines(sortBy: NOPE) { qty } }",
        "{ person(query: {handle: 5}) { handle } }",
    ] {
        for error in errors(&schema, source) {
            assert_eq!(error.message, "the document does not fit the schema", "{source}");
        }
    }
    assert!(schema.operation("{ person { __typename handle } }", None).is_ok());
    let field =
        match open().operation("{ __schema { queryType { name } } }", None).unwrap().selections.remove(0) {
            SelectionNode::Field(field) => field,
            SelectionNode::Fragment { .. } => panic!("no field"),
        };
    assert!(schema.introspect(&[field], &Map::new()).is_err());
}

/// What graphql-js's `getIntrospectionQuery` gives with every option on.
const INTROSPECTION: &str = "query IntrospectionQuery { __schema { description queryType { name kind } mutationType { name kind } \
subscriptionType { name kind } types { ...FullType } directives { name description isRepeatable locations \
args(includeDeprecated: true) { ...InputValue } } } } \
fragment FullType on __Type { kind name description specifiedByURL isOneOf fields(includeDeprecated: true) { name description \
args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason } \
inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef } \
enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } } \
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason } \
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name \
ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";
