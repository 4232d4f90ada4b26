//! Custom resolvers in the catalog: every format, the names of their types, and what is left out.

use std::sync::Arc;

use serde_json::json;

use crate::graphql::build::tests::{build_resolved, shop};
use crate::graphql::catalog::{Catalog, Shape};
use crate::graphql::sdl::sdl;
use crate::report::Report;
use crate::schema::{CustomResolver, ResolverType};

fn on(on_type: &str, field: &str) -> CustomResolver {
    CustomResolver::new(on_type, field, "f")
}

fn scalar(name: &str) -> ResolverType {
    ResolverType::Scalar(name.into())
}

fn generated(name: &str) -> ResolverType {
    ResolverType::Generated(name.into())
}

fn custom(schema: serde_json::Value) -> ResolverType {
    ResolverType::Custom(schema)
}

fn built(resolvers: &[CustomResolver]) -> (Arc<Catalog>, Report) {
    build_resolved(&shop(), resolvers)
}

/// File, pointer and message of each problem.
fn problems(report: &Report) -> Vec<(&str, &str, &str)> {
    report.problems().iter().map(|p| (p.file.as_str(), p.pointer.as_str(), p.message.as_str())).collect()
}

/// The definition of a type in the SDL.
fn printed(sdl: &str, head: &str) -> String {
    let start = sdl.find(head).unwrap_or_else(|| panic!("no `{head}` in\n{sdl}"));
    let end = sdl[start..].find('}').unwrap();
    sdl[start..=start + end].split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_format_is_printed_as_the_original_prints_it() {
    let risks = json!({ "title": "RisksPayload", "type": "array", "items": { "type": "object", "properties": {
        "tag": { "type": "string" },
        "precedents": { "type": "array", "items": { "type": "object", "properties": {
            "incident_id": { "bsonType": "int" }, "tags": { "type": "array", "items": { "type": "string" } }
        }}}
    }}});
    let translations = json!({ "title": "ReportTranslations", "type": "object", "required": ["title"],
        "properties": { "title": { "type": "string" }, "on time": { "bsonType": "date" } } });
    let variant = json!({ "title": "CreateVariantInput", "bsonType": "object", "required": ["id"], "properties": {
        "id": { "bsonType": "long" }, "variant": { "bsonType": "object", "properties": {
            "links": { "bsonType": "array", "items": { "bsonType": "object", "properties": {
                "url": { "bsonType": "string" } } } } } } } });
    let (catalog, report) = built(&[
        on("Query", "risks")
            .input(custom(json!({ "title": "RisksInput", "type": "object",
                "properties": { "tags": { "type": "array", "items": { "type": "string" } } } })))
            .payload(custom(risks)),
        on("Query", "names").input(ResolverType::ScalarList("string".into())).payload(scalar("int")),
        on("Query", "buyers").payload(ResolverType::GeneratedList("[Person]".into())),
        on("Query", "sorted").input(generated("PersonSortByInput")).payload(generated("Order_lineBox")),
        on("Mutation", "ping"),
        on("Mutation", "pingTwice"),
        on("Mutation", "orders")
            .input(ResolverType::GeneratedList("Order_lineInsertInput".into()))
            .payload(ResolverType::ScalarList("objectId".into())),
        on("Mutation", "createVariant").input(custom(variant)).payload(generated("DefaultPayload")),
        on("Order_line", "translations").input(scalar("string")).payload(custom(translations)),
        on("Order_lineBox", "volume").payload(scalar("double")),
        on("Order_lineNote", "author").input(scalar("boolean")).payload(generated("Person")),
    ]);
    assert_eq!(problems(&report), []);
    let (plain, text) = (sdl(&built(&[]).0), sdl(&catalog));
    let is_new = |definition: &&str| !plain.split("\n\n").any(|other| other.trim() == definition.trim());
    insta::assert_snapshot!(text.split("\n\n").filter(is_new).collect::<Vec<_>>().join("\n\n"));
}

#[test]
fn a_resolver_takes_the_place_of_a_generated_field_and_inputs_stay_as_they_were() {
    let before = sdl(&built(&[]).0);
    let (catalog, report) = built(&[
        on("Query", "people").payload(scalar("string")),
        on("Mutation", "deleteOnePerson"),
        on("Order_line", "qty").payload(scalar("string")),
        on("Order_line", "buyer").payload(scalar("string")),
    ]);
    let after = sdl(&catalog);
    assert_eq!(problems(&report), []);
    assert!(printed(&after, "type Query ").contains(" people: String "));
    assert!(printed(&after, "type Mutation ").contains(" deleteOnePerson: DefaultPayload "));
    let line = printed(&after, "type Order_line ");
    assert!(line.contains(" qty: String ") && line.contains(" buyer: String "), "{line}");
    for input in ["input Order_lineInsertInput", "input Order_lineQueryInput", "enum Order_lineSortByInput"] {
        assert_eq!(printed(&after, input), printed(&before, input));
    }
    let object = &catalog.objects[catalog.collections[0].object.0];
    assert!(matches!(object.fields[object.by_name["qty"]].shape, Shape::Computed(_)));
    assert!(object.fields.iter().zip(1..).all(|(field, place)| object.by_name[&field.name] + 1 == place));
}

#[test]
fn what_cannot_be_served_is_left_out_with_its_place() {
    let title = |title: &str| json!({ "title": title, "properties": { "a": { "bsonType": "int" } } });
    let cases = [
        (on("Querry", "a"), "/on_type", "there is no generated type `Querry`"),
        (on("Query", "a b"), "/field_name", "`a b` is no GraphQL name"),
        (on("Query", "__a"), "/field_name", "`__a` is no GraphQL name"),
        (on("Query", "a").input(scalar("uuid")), "/input_type", "`uuid` is no scalar of GraphQL"),
        (on("Query", "a").payload(scalar("Person")), "/payload_type", "`Person` is no scalar of GraphQL"),
        (on("Query", "a").input(generated("Person")), "/input_type", "there is no generated input `Person`"),
        (on("Query", "a").payload(generated("Lost")), "/payload_type", "there is no generated type `Lost`"),
        (
            on("Query", "a").payload(custom(json!({ "properties": { "a": { "bsonType": "int" } } }))),
            "/payload_type",
            "a custom type needs a `title` that gives a GraphQL name",
        ),
        (
            on("Query", "a").payload(custom(json!({ "title": "P", "bsonType": "object", "properties": {} }))),
            "/payload_type",
            "no property has a GraphQL type",
        ),
        (
            on("Query", "a").input(custom(json!({ "title": "P", "bsonType": "array", "items": {} }))),
            "/input_type",
            "no property has a GraphQL type",
        ),
    ];
    let plain = sdl(&built(&[]).0);
    for (resolver, pointer, said) in cases {
        let (catalog, report) = built(std::slice::from_ref(&resolver));
        let message = format!("{said}; the custom resolver is left out");
        let last = problems(&report).pop().unwrap();
        assert_eq!(last, (resolver.file.as_str(), pointer, message.as_str()));
        assert!(catalog.resolvers.is_empty() && sdl(&catalog) == plain, "{resolver:?}");
    }
    let twice = [
        on("Query", "a"),
        CustomResolver { file: "b.json".into(), ..on("Query", "a").input(custom(title("I"))) },
    ];
    let (catalog, report) = built(&twice);
    assert_eq!(catalog.resolvers.len(), 1);
    let said = "`Query` has a resolver `a` already; the custom resolver is left out";
    assert_eq!(problems(&report), [("b.json", "/field_name", said)]);
}

#[test]
fn a_title_that_is_taken_gets_a_number_and_one_schema_is_one_type() {
    let schema = |bson: &str| {
        custom(
            json!({ "title": "Person", "bsonType": "object", "properties": { "a": { "bsonType": bson } } }),
        )
    };
    let (catalog, report) = built(&[
        on("Query", "a").input(schema("int")).payload(schema("int")),
        on("Query", "b").input(schema("int")).payload(schema("int")),
        on("Query", "c").payload(schema("string")),
    ]);
    let query = printed(&sdl(&catalog), "type Query ");
    for field in ["a(input: Person2): Person3", "b(input: Person2): Person3", "c: Person4"] {
        assert!(query.contains(field), "{query}");
    }
    let messages: Vec<_> = problems(&report).into_iter().map(|(_, at, message)| (at, message)).collect();
    assert_eq!(
        messages,
        [
            ("/input_type", "the GraphQL name `Person` is taken; `Person2` is used"),
            ("/payload_type", "the GraphQL name `Person` is taken; `Person3` is used"),
            ("/payload_type", "the GraphQL name `Person` is taken; `Person4` is used"),
        ]
    );
}

#[test]
fn members_that_graphql_cannot_carry_are_left_out_of_custom_types() {
    let schema = |title: &str| {
        custom(json!({ "title": title, "bsonType": "object", "required": ["b c", "any"], "properties": {
            "__x": { "bsonType": "int" }, "b c": { "bsonType": "int" }, "bC": { "bsonType": "string" },
            "any": { "bsonType": "uuid" }, "deep": { "title": "Deep", "bsonType": "object",
                "properties": { "x": { "bsonType": "int" } } } } }))
    };
    let (catalog, report) = built(&[on("Query", "a").input(schema("In")).payload(schema("Out"))]);
    let text = sdl(&catalog);
    assert_eq!(printed(&text, "input In "), "input In { bC: Int! deep: Deep }");
    assert_eq!(printed(&text, "type Out "), "type Out { bC: String deep: OutDeep }");
    let pointers: Vec<_> = problems(&report).into_iter().map(|(_, at, _)| at).collect();
    assert!(pointers.contains(&"/input_type/properties/any"), "{pointers:?}");
    assert!(pointers.contains(&"/payload_type/properties/b c"), "{pointers:?}");
}

#[test]
fn the_payloads_of_mutations_may_be_answered_too() {
    let asked = [
        on("Mutation", "insert").payload(generated("InsertManyPayload")),
        on("Query", "update").payload(generated("UpdateManyPayload")),
        on("Mutation", "delete").payload(ResolverType::GeneratedList("DeleteManyPayload".into())),
        on("Mutation", "ping").payload(generated("DefaultPayload")),
    ];
    let (catalog, report) = built(&asked);
    assert_eq!(problems(&report), []);
    let (plain, text) = (sdl(&built(&[]).0), sdl(&catalog));
    let mutation = printed(&text, "type Mutation ");
    for field in [" insert: InsertManyPayload ", " delete: [DeleteManyPayload] ", " ping: DefaultPayload "] {
        assert!(mutation.contains(field), "{mutation}");
    }
    assert!(printed(&text, "type Query ").contains(" update: UpdateManyPayload "));
    for payload in ["InsertManyPayload", "UpdateManyPayload", "DeleteManyPayload"] {
        let head = format!("type {payload} ");
        assert_eq!(printed(&text, &head), printed(&plain, &head));
        assert_eq!(text.matches(&head).count(), 1);
    }
    // Without a collection nothing is generated.
    let (catalog, report) = build_resolved(&[], &asked[..1]);
    assert!(catalog.resolvers.is_empty());
    assert_eq!(problems(&report)[0].1, "/payload_type");
}

#[test]
fn an_app_of_resolvers_alone_has_a_schema() {
    let (catalog, _) = build_resolved(&[], &[on("Mutation", "ping")]);
    let text = sdl(&catalog);
    assert_eq!(printed(&text, "type Mutation "), "type Mutation { ping: DefaultPayload }");
    assert_eq!(printed(&text, "type Query "), "type Query { _empty: Boolean }");
    assert!(!text.contains("InsertManyPayload"), "{text}");
}
