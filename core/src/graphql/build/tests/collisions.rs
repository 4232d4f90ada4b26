//! Names that clash, and names that GraphQL cannot carry: each a warning with its file and pointer, and the rest
//! serves.

use super::*;
use crate::schema::ResolverType;

fn int() -> Property {
    scalar(BsonType::Int)
}

/// Pointer and message of each warning.
fn warned(report: &Report) -> Vec<(&str, &str)> {
    assert!(report.problems().iter().all(|problem| problem.file == "schema.json"), "{report}");
    report.problems().iter().map(|problem| (problem.pointer.as_str(), problem.message.as_str())).collect()
}

fn type_names(catalog: &Catalog) -> Vec<&str> {
    catalog.objects.iter().map(|object| object.name.as_str()).collect()
}

fn field_names(catalog: &Catalog, object: usize) -> Vec<&str> {
    catalog.objects[object].fields.iter().map(|field| field.name.as_str()).collect()
}

#[test]
fn collections_of_one_name_are_numbered_in_their_order() {
    // The third has another singular, but the plural of the first.
    let titles =
        [("mice", ""), ("more_mice", "mouse"), ("mices", "Mice"), ("news", "news"), ("newss", "newss")];
    let samples: Vec<_> =
        titles.iter().map(|(name, title)| sample(name, title, vec![("a", int())], &[])).collect();
    let (catalog, report) = build(&samples);
    assert_eq!(type_names(&catalog), ["Mouse", "Mouse2", "Mouse3", "News", "Newss2"]);
    let queries: Vec<_> = catalog.queries.iter().map(|query| query.name.as_str()).collect();
    assert_eq!(queries.len(), queries.iter().collect::<HashSet<_>>().len(), "{queries:?}");
    let expected = [
        ("/title", "the GraphQL name `Mouse` is taken; `Mouse2` is used"),
        ("/title", "the GraphQL name `Mouse` is taken; `Mouse3` is used"),
    ];
    assert_eq!(warned(&report)[..2], expected);
}

#[test]
fn a_title_that_is_reserved_gets_a_number() {
    let reserved = [
        "query",
        "Mutation",
        "subscription",
        "ObjectId",
        "DateTime",
        "Long",
        "string",
        "Int",
        "Float",
        "boolean",
        "ID",
        "insertManyPayload",
        "updateManyPayload",
        "deleteManyPayload",
        "defaultPayload",
    ];
    for title in reserved {
        let (catalog, report) = build(&[sample("things", title, vec![("a", int())], &[])]);
        let name = type_names(&catalog)[0];
        assert!(name.ends_with('2'), "{title}: {name}");
        assert_eq!(warned(&report)[0].0, "/title");
        assert!(sdl(&catalog).contains(&format!("type {name} {{\n  a: Int\n}}")), "{title}");
    }
}

#[test]
fn a_title_that_gives_no_name_gives_way_to_the_collections_name() {
    for (title, name) in
        [("123", Some("Thing")), ("日本", Some("Thing")), ("__x", Some("Thing")), ("", Some("Thing"))]
    {
        let (catalog, report) = build(&[sample("things", title, vec![("a", int())], &[])]);
        assert_eq!(type_names(&catalog).first().copied(), name, "{title}");
        let told = [("/title", "no GraphQL name can be made of the title; the collection's name counts")];
        assert_eq!(warned(&report), if title.is_empty() { &[][..] } else { &told[..] }, "{title}");
    }
    let (catalog, report) = build(&[
        sample("日本", "123", vec![("a", int())], &[]),
        sample("things", "", vec![("a", int())], &[]),
    ]);
    assert_eq!(type_names(&catalog), ["Thing"]);
    assert_eq!(
        warned(&report),
        [
            ("/title", "no GraphQL name can be made of the title; the collection's name counts"),
            ("/title", "no GraphQL name can be made of the collection's name; it is left out"),
        ]
    );
}

#[test]
fn an_embedded_title_gives_way_and_the_default_name_gets_a_number() {
    let home = |title: &str| titled(title, embedded(vec![("x", int())]));
    // The titles of two embedded objects, of a collection, of an input, and what the default name clashes with.
    let fields = vec![
        ("a", home("Home")),
        ("b", home("homes")),
        ("c", home("Person")),
        ("d", home("PersonQueryInput")),
        ("e", home("123")),
        ("item", embedded(vec![("x", int())])),
        ("items", array(embedded(vec![("y", int())]))),
    ];
    let (catalog, report) =
        build(&[sample("things", "thing", fields, &[]), sample("people", "person", vec![("x", int())], &[])]);
    assert_eq!(
        type_names(&catalog),
        ["Thing", "Person", "Home", "ThingB", "ThingC", "ThingD", "ThingE", "ThingItem", "ThingItem2"]
    );
    assert_eq!(
        warned(&report),
        [
            ("/properties/b", "the GraphQL name `Home` is taken; `ThingB` is used"),
            ("/properties/c", "the GraphQL name `Person` is taken; `ThingC` is used"),
            ("/properties/d", "the GraphQL name `PersonQueryInput` is taken; `ThingD` is used"),
            ("/properties/e", "no GraphQL name can be made of the title; `ThingE` is used"),
            ("/properties/items/items", "the GraphQL name `ThingItem` is taken; `ThingItem2` is used"),
        ]
    );
}

#[test]
fn fields_of_one_name_keep_the_one_that_needs_no_change() {
    let fields = vec![
        ("unit price", int()),
        ("unitPrice", scalar(BsonType::String)),
        ("unit-price", int()),
        ("3d", int()),
        ("d", scalar(BsonType::String)),
        ("página", int()),
        ("pgina", scalar(BsonType::String)),
        ("__typename", int()),
        ("42", int()),
        ("日本", int()),
    ];
    let (catalog, report) = build(&[sample("things", "thing", fields, &[])]);
    assert!(sdl(&catalog).contains("type Thing {\n  d: String\n  pgina: String\n  unitPrice: String\n}"));
    let pointers: Vec<_> = warned(&report).into_iter().map(|(pointer, _)| pointer).collect();
    let left_out = ["__typename", "42", "日本", "unit price", "unit-price", "3d", "página"];
    assert_eq!(pointers, left_out.map(|name| format!("/properties/{name}")));
}

#[test]
fn a_relation_that_is_renamed_onto_another_field_keeps_its_name() {
    let fields = vec![
        ("owner", titled("name", scalar(BsonType::String))),
        ("name", scalar(BsonType::String)),
        ("keeper", titled("__x", scalar(BsonType::String))),
    ];
    let (catalog, report) = build(&[
        sample("things", "thing", fields, &[])
            .relation("owner", "people", "handle", false)
            .relation("keeper", "people", "handle", false),
        sample("people", "person", vec![("handle", scalar(BsonType::String))], &[]),
    ]);
    // A title that gives no name renames nothing.
    assert_eq!(field_names(&catalog, 0), ["keeper", "name", "owner"]);
    let text = sdl(&catalog);
    assert!(text.contains("type Thing {\n  keeper: Person\n  name: String\n  owner: Person\n}"), "{text}");
    assert_eq!(
        warned(&report),
        [
            ("/properties/keeper", "no GraphQL name can be made of the title; `keeper` is used"),
            ("/properties/owner", "the GraphQL field `name` is there already; `owner` keeps its name"),
        ]
    );
}

#[test]
fn an_operator_that_is_named_like_a_field_is_left_out_of_the_input() {
    let fields = vec![("a", int()), ("a_in", int()), ("a_unset", int()), ("a_inc", int()), ("AND", int())];
    let (catalog, report) = build(&[sample("things", "thing", fields, &[])]);
    let query = members(&catalog, "ThingQueryInput");
    assert!(query.contains(&"a_in: Int".to_owned()) && query.contains(&"AND: [ThingQueryInput!]".to_owned()));
    let update = members(&catalog, "ThingUpdateInput");
    assert!(update.contains(&"a_unset: Int".to_owned()) && update.contains(&"a_inc: Int".to_owned()));
    assert_eq!(
        warned(&report),
        [
            ("/properties/AND", "`AND` of `ThingQueryInput` has no free GraphQL name and is left out"),
            ("/properties/a", "`a_in` of `ThingQueryInput` has no free GraphQL name and is left out"),
            ("/properties/a", "`a_unset` of `ThingUpdateInput` has no free GraphQL name and is left out"),
            ("/properties/a", "`a_inc` of `ThingUpdateInput` has no free GraphQL name and is left out"),
        ]
    );
}

#[test]
fn sort_keys_that_differ_in_case_alone_keep_the_first() {
    let (catalog, report) = build(&[sample("things", "thing", vec![("name", int()), ("Name", int())], &[])]);
    let sort = &catalog.enums[0];
    assert_eq!(sort.values.len(), 2);
    assert_eq!(sort.values[0].1.as_str(), "Name");
    assert_eq!(warned(&report), [("/properties/name", "cannot sort by `name`: `NAME` is taken")]);
}

#[test]
fn a_relation_input_of_a_taken_name_gets_a_number() {
    let key = || scalar(BsonType::String);
    let (catalog, report) = build(&[
        sample("things", "thing", vec![("owner", key())], &[]).relation("owner", "people", "handle", false),
        sample("people", "person", vec![("handle", key())], &[]),
        sample("odd", "thingOwnerRelationInput", vec![("a", int())], &[]),
    ]);
    assert!(sdl(&catalog).contains("owner: ThingOwnerRelationInput2"));
    assert_eq!(
        warned(&report),
        [(
            "/properties/owner",
            "the GraphQL name `ThingOwnerRelationInput` is taken; `ThingOwnerRelationInput2` is used"
        )]
    );
}

#[test]
fn a_resolver_of_a_generated_name_takes_its_place_and_custom_types_give_way() {
    let people = || sample("people", "person", vec![("a", int())], &[]);
    let schema = serde_json::json!({ "title": "Person", "bsonType": "object", "properties": { "a": { "bsonType": "int" } } });
    let resolver =
        |file: &str| CustomResolver { file: file.into(), ..CustomResolver::new("Query", "people", "f") };
    let custom = ResolverType::Custom(schema);
    let first = resolver("schema.json").payload(custom);
    let (catalog, report) = build_resolved(&[people()], &[first, resolver("schema.json")]);
    assert!(sdl(&catalog).contains("  people: Person2\n"));
    assert_eq!(
        warned(&report),
        [
            ("/payload_type", "the GraphQL name `Person` is taken; `Person2` is used"),
            ("/field_name", "`Query` has a resolver `people` already; the custom resolver is left out"),
        ]
    );
}
