//! The rows of the specification's tables that the worked example does not have (app-services.md, sections 5.2 to
//! 5.7).

use super::*;

fn several(kinds: &[BsonType]) -> Property {
    of(PropertyKind::OneOf(kinds.iter().map(|bson| PropertyKind::Scalar(*bson)).collect()))
}

fn sort_values(catalog: &Catalog, name: &str) -> Vec<String> {
    let place = catalog.enums_by_name.get(name);
    let values = place.map(|place| catalog.enums[*place].values.clone()).unwrap_or_default();
    values.into_iter().map(|(name, ..)| name).collect()
}

#[test]
fn of_several_types_the_first_that_graphql_can_carry_is_shown_and_may_be_null() {
    use BsonType::{Int, String, Uuid};
    let fields = vec![
        ("a", several(&[String, Int])),
        ("b", several(&[Uuid, Int, String])),
        ("c", array(several(&[Int, String]))),
        (
            "d",
            of(PropertyKind::OneOf(vec![
                PropertyKind::Object(object(vec![("x", scalar(Int))])),
                PropertyKind::Scalar(String),
            ])),
        ),
        ("e", several(&[Uuid, BsonType::Regex])),
    ];
    let (catalog, report) = build(&[sample("things", "thing", fields, &["a", "b", "c", "d", "e"])]);
    let text = sdl(&catalog);
    assert!(text.contains("type Thing {\n  a: String\n  b: Int\n  c: [Int]!\n  d: ThingD\n}"), "{text}");
    let insert = members(&catalog, "ThingInsertInput");
    assert_eq!(insert, ["a: String", "b: Int", "c: [Int]!", "d: ThingDInsertInput"]);
    assert_eq!(report.problems().len(), 1);
    assert_eq!(report.problems()[0].pointer, "/properties/e");
}

#[test]
fn every_type_is_carried_at_every_depth() {
    let types = [
        (BsonType::ObjectId, "ObjectId"),
        (BsonType::String, "String"),
        (BsonType::Bool, "Boolean"),
        (BsonType::Int, "Int"),
        (BsonType::Long, "Long"),
        (BsonType::Double, "Float"),
        (BsonType::Number, "Float"),
        (BsonType::Decimal, "Float"),
        (BsonType::Date, "DateTime"),
        (BsonType::Timestamp, "DateTime"),
    ];
    for (bson, name) in types {
        let leaf = || scalar(bson);
        let fields = vec![
            ("nested", array(array(leaf()))),
            ("object", embedded(vec![("leaf", leaf()), ("list", array(leaf()))])),
            ("rows", array(embedded(vec![("leaf", leaf()), ("inner", embedded(vec![("leaf", leaf())]))]))),
            ("deep", embedded(vec![("a", embedded(vec![("b", embedded(vec![("c", leaf())]))]))])),
        ];
        let (catalog, report) = build(&[sample("things", "thing", fields, &["nested"])]);
        assert_eq!(report.problems(), &[], "{bson:?}");
        let text = sdl(&catalog);
        for part in [
            format!(
                "type Thing {{\n  deep: ThingDeep\n  nested: [[{name}]]!\n  object: ThingObject\n  rows: [ThingRow]\n}}"
            ),
            format!("type ThingObject {{\n  leaf: {name}\n  list: [{name}]\n}}"),
            format!("type ThingDeepAB {{\n  c: {name}\n}}"),
        ] {
            assert!(text.contains(&part), "{part}\n{text}");
        }
        for input in ["ThingDeepABQueryInput", "ThingDeepABInsertInput", "ThingDeepABUpdateInput"] {
            assert!(members(&catalog, input).contains(&format!("c: {name}")), "{input}");
        }
    }
}

#[test]
fn every_scalar_has_exactly_its_operators_with_its_type() {
    let cases = [
        (BsonType::String, "String", true),
        (BsonType::Int, "Int", true),
        (BsonType::Long, "Long", true),
        (BsonType::Double, "Float", true),
        (BsonType::Number, "Float", true),
        (BsonType::Decimal, "Float", true),
        (BsonType::ObjectId, "ObjectId", true),
        (BsonType::Date, "DateTime", true),
        (BsonType::Timestamp, "DateTime", true),
        (BsonType::Bool, "Boolean", false),
    ];
    for (bson, name, is_ordered) in cases {
        let (catalog, _) = one("f", scalar(bson));
        let mut expected = vec![format!("f: {name}"), "f_exists: Boolean".to_owned()];
        if is_ordered {
            for operator in ["gt", "gte", "lt", "lte"] {
                expected.push(format!("f_{operator}: {name}"));
            }
            expected.extend([format!("f_in: [{name}]"), format!("f_nin: [{name}]")]);
        }
        expected.push(format!("f_ne: {name}"));
        expected.extend(["AND: [ThingQueryInput!]".to_owned(), "OR: [ThingQueryInput!]".to_owned()]);
        let mut found = members(&catalog, "ThingQueryInput");
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{bson:?}");
        let increments = matches!(name, "Int" | "Float");
        let mut update = vec![format!("f: {name}"), "f_unset: Boolean".to_owned()];
        update.extend(increments.then(|| format!("f_inc: {name}")));
        update.sort();
        assert_eq!(members(&catalog, "ThingUpdateInput"), update, "{bson:?}");
        let sorts = sort_values(&catalog, "ThingSortByInput");
        assert_eq!(sorts, if is_ordered { vec!["F_ASC", "F_DESC"] } else { vec![] }, "{bson:?}");
    }
}

#[test]
fn arrays_and_objects_have_their_operators_inputs_and_no_sort() {
    let object = || embedded(vec![("x", scalar(BsonType::Int)), ("long", scalar(BsonType::Long))]);
    let fields = vec![
        ("list", array(scalar(BsonType::Int))),
        ("nested", array(array(scalar(BsonType::Int)))),
        ("grid", array(array(object()))),
        ("object", object()),
        ("objects", array(object())),
    ];
    let (catalog, _) = build(&[sample("things", "thing", fields, &["object", "objects"])]);
    let query = |prefix: &str| with_prefix(members(&catalog, "ThingQueryInput"), prefix);
    assert_eq!(query("list"), ["list: [Int]", "list_exists: Boolean", "list_in: [Int]", "list_nin: [Int]"]);
    assert_eq!(query("grid"), ["grid_exists: Boolean"]);
    assert_eq!(query("nested")[0], "nested: [[Int]]");
    let insert = members(&catalog, "ThingInsertInput");
    assert!(insert.contains(&"object: ThingObjectInsertInput!".into()), "{insert:?}");
    let update = members(&catalog, "ThingUpdateInput");
    assert!(update.contains(&"object: ThingObjectUpdateInput".into()), "{update:?}");
    assert_eq!(
        members(&catalog, "ThingObjectUpdateInput"),
        ["long: Long", "long_unset: Boolean", "x: Int", "x_inc: Int", "x_unset: Boolean"]
    );
    assert!(members(&catalog, "ThingObjectQueryInput").contains(&"AND: [ThingObjectQueryInput!]".into()));
    assert!(update.iter().all(|member| !member.contains("_inc")), "{update:?}");
    assert_eq!(sort_values(&catalog, "ThingSortByInput"), Vec::<String>::new());
    assert!(sdl(&catalog).contains("things(query: ThingQueryInput, limit: Int = 100): [Thing]!"));
}

#[test]
fn a_relation_input_is_of_the_foreign_keys_type() {
    let types = [
        (BsonType::String, "String"),
        (BsonType::Int, "Int"),
        (BsonType::Long, "Long"),
        (BsonType::Double, "Float"),
        (BsonType::ObjectId, "ObjectId"),
        (BsonType::Date, "DateTime"),
        (BsonType::Bool, "Boolean"),
    ];
    for (bson, name) in types {
        let fields = vec![("one", scalar(bson)), ("incident_ids", array(scalar(bson)))];
        let people = vec![("key", scalar(bson)), ("name", scalar(BsonType::String))];
        let (catalog, report) = build(&[
            sample("things", "thing", fields, &["one", "incident_ids"])
                .relation("one", "people", "key", false)
                .relation("incident_ids", "people", "key", true),
            sample("people", "person", people, &["name"]),
        ]);
        assert_eq!(report.problems(), &[], "{bson:?}");
        let one = members(&catalog, "ThingOneRelationInput");
        assert_eq!(one, ["create: PersonInsertInput".to_owned(), format!("link: {name}")]);
        let many = members(&catalog, "ThingIncident_idsRelationInput");
        assert_eq!(many, ["create: [PersonInsertInput]".to_owned(), format!("link: [{name}]")]);
        assert_eq!(
            members(&catalog, "ThingInsertInput"),
            ["incident_ids: ThingIncident_idsRelationInput!", "one: ThingOneRelationInput!"]
        );
        // No operator and no increment works on the stored key; one key can be sorted by, a list cannot.
        assert_eq!(
            members(&catalog, "ThingUpdateInput"),
            [
                "incident_ids: ThingIncident_idsRelationInput",
                "incident_ids_unset: Boolean",
                "one: ThingOneRelationInput",
                "one_unset: Boolean"
            ]
        );
        let query = with_prefix(members(&catalog, "ThingQueryInput"), "one");
        assert_eq!(query, ["one: PersonQueryInput", "one_exists: Boolean"]);
        assert_eq!(sort_values(&catalog, "ThingSortByInput"), ["ONE_ASC", "ONE_DESC"]);
        assert!(sdl(&catalog).contains("type Thing {\n  incident_ids: [Person]!\n  one: Person!\n}"));
    }
}

#[test]
fn an_id_is_never_a_relation_and_never_null_only_where_it_is_required() {
    let ids = || vec![("_id", scalar(BsonType::ObjectId)), ("x", scalar(BsonType::Int))];
    for (required, line) in [(&[][..], "  _id: ObjectId\n"), (&["_id"][..], "  _id: ObjectId!\n")] {
        let things = sample("things", "thing", ids(), required).relation("_id", "people", "_id", false);
        let (catalog, report) = build(&[things, sample("people", "person", ids(), &[])]);
        assert!(sdl(&catalog).contains(line), "{line}");
        assert!(report.problems()[0].message.contains("`_id` cannot be a relationship"));
    }
}
