//! The worked example, every row of the tables, and the collisions.

mod collisions;
mod properties;
mod rows;

use std::sync::Arc;

use super::*;
use crate::graphql::catalog::{InputType, Meaning, QueryOperator, Scalar, Shape};
use crate::graphql::sdl::sdl;
use crate::schema::{BsonType, ObjectSchema, Property, PropertyKind};

/// A collection of a test app.
pub(crate) struct Sample {
    id: CollectionId,
    schema: CollectionSchema,
    relationships: Vec<Relationship>,
}

pub(crate) fn sample(
    name: &str,
    title: &str,
    properties: Vec<(&str, Property)>,
    required: &[&str],
) -> Sample {
    let mut root = object(properties);
    root.title = (!title.is_empty()).then(|| title.to_owned());
    root.required = required.iter().map(|name| (*name).to_owned()).collect();
    Sample { id: id(name), schema: CollectionSchema::shown(root), relationships: Vec::new() }
}

impl Sample {
    pub(crate) fn relation(mut self, source: &str, target: &str, foreign: &str, is_list: bool) -> Self {
        let (source, foreign) = (source.into(), foreign.into());
        self.relationships.push(Relationship { source, target: id(target), foreign, is_list });
        self
    }
}

fn id(name: &str) -> CollectionId {
    CollectionId::new("app", "mongodb-atlas", "shop", name)
}

pub(crate) fn of(kind: PropertyKind) -> Property {
    Property { title: None, kind, nullable: false, rule: None }
}

pub(crate) fn scalar(bson: BsonType) -> Property {
    of(PropertyKind::Scalar(bson))
}

pub(crate) fn array(items: Property) -> Property {
    of(PropertyKind::Array(Box::new(items)))
}

pub(crate) fn object(properties: Vec<(&str, Property)>) -> ObjectSchema {
    let properties = properties.into_iter().map(|(name, property)| (name.to_owned(), property)).collect();
    ObjectSchema { properties, ..ObjectSchema::default() }
}

fn embedded(properties: Vec<(&str, Property)>) -> Property {
    of(PropertyKind::Object(object(properties)))
}

fn titled(title: &str, property: Property) -> Property {
    Property { title: Some(title.into()), ..property }
}

pub(crate) fn build(samples: &[Sample]) -> (Arc<Catalog>, Report) {
    build_with(samples, &[], true)
}

/// As [`build`], with custom resolvers.
pub(crate) fn build_resolved(samples: &[Sample], resolvers: &[CustomResolver]) -> (Arc<Catalog>, Report) {
    build_with(samples, resolvers, true)
}

fn build_with(
    samples: &[Sample],
    resolvers: &[CustomResolver],
    natural_pluralization: bool,
) -> (Arc<Catalog>, Report) {
    let collections = samples
        .iter()
        .map(|sample| CollectionInput {
            id: &sample.id,
            schema: &sample.schema,
            relationships: &sample.relationships,
            file: "schema.json",
        })
        .collect();
    let mut report = Report::default();
    let catalog = Catalog::build(&SchemaInput { collections, resolvers, natural_pluralization }, &mut report);
    (Arc::new(catalog), report)
}

/// The app of the worked example (app-services.md, section 14).
pub(crate) fn shop() -> Vec<Sample> {
    let properties = vec![
        ("_id", scalar(BsonType::ObjectId)),
        ("qty", scalar(BsonType::Int)),
        ("serial", scalar(BsonType::Long)),
        ("Unit price", scalar(BsonType::Double)),
        ("gift", scalar(BsonType::Bool)),
        ("tags", array(scalar(BsonType::String))),
        ("box", embedded(vec![("w", scalar(BsonType::Int))])),
        ("notes", array(embedded(vec![("by", scalar(BsonType::String))]))),
        ("buyer", scalar(BsonType::String)),
    ];
    vec![
        sample("order_lines", "order_line", properties, &["qty", "buyer"])
            .relation("buyer", "people", "handle", false),
        sample("people", "person", vec![("handle", scalar(BsonType::String))], &[]),
    ]
}

fn members(catalog: &Catalog, input: &str) -> Vec<String> {
    let input = &catalog.inputs[catalog.inputs_by_name[input].0];
    input.fields.iter().map(|field| format!("{}: {}", field.name, shown(catalog, &field.ty))).collect()
}

fn shown(catalog: &Catalog, ty: &InputType) -> String {
    match ty {
        InputType::Scalar(scalar) => scalar.name().into(),
        InputType::Enum(place) => catalog.enums[*place].name.clone(),
        InputType::Object(place) => catalog.inputs[place.0].name.clone(),
        InputType::List(items) => format!("[{}]", shown(catalog, items)),
        InputType::NonNull(inner) => format!("{}!", shown(catalog, inner)),
    }
}

fn with_prefix(all: Vec<String>, prefix: &str) -> Vec<String> {
    all.into_iter().filter(|member| member.starts_with(prefix)).collect()
}

/// One collection `things` with a single field.
fn one(name: &str, property: Property) -> (Arc<Catalog>, Report) {
    build(&[sample("things", "thing", vec![(name, property)], &[])])
}

#[test]
fn the_worked_example_gives_the_whole_sdl() {
    let (catalog, report) = build(&shop());
    assert_eq!(report.problems(), &[]);
    insta::assert_snapshot!(sdl(&catalog));
}

#[test]
fn the_worked_example_holds_member_by_member() {
    let (catalog, _) = build(&shop());
    let types: Vec<_> = catalog.objects.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(types, ["Order_line", "Person", "Order_lineBox", "Order_lineNote"]);
    let text = sdl(&catalog);
    let fields = "type Order_line {\n  UnitPrice: Float\n  _id: ObjectId\n  box: Order_lineBox\n  \
        buyer: Person!\n  gift: Boolean\n  notes: [Order_lineNote]\n  qty: Int!\n  serial: Long\n  tags: [String]\n}";
    assert!(text.contains(fields), "{text}");
    let queries: Vec<_> = catalog.queries.iter().map(|query| query.name.as_str()).collect();
    assert_eq!(queries, ["order_line", "order_lines", "people", "person"]);
    assert!(text.contains(
        "order_lines(query: Order_lineQueryInput, limit: Int = 100, sortBy: Order_lineSortByInput): [Order_line]!"
    ));
    let mutations: Vec<_> = catalog.mutations.iter().map(|mutation| mutation.name.as_str()).collect();
    assert_eq!(mutations[..2], ["deleteManyOrder_lines", "deleteManyPeople"]);
    let query = |prefix: &str| with_prefix(members(&catalog, "Order_lineQueryInput"), prefix);
    assert_eq!(query("gift"), ["gift: Boolean", "gift_exists: Boolean", "gift_ne: Boolean"]);
    assert_eq!(query("buyer"), ["buyer: PersonQueryInput", "buyer_exists: Boolean"]);
    assert_eq!(
        query("tags"),
        ["tags: [String]", "tags_exists: Boolean", "tags_in: [String]", "tags_nin: [String]"]
    );
    assert_eq!(query("box"), ["box: Order_lineBoxQueryInput", "box_exists: Boolean"]);
    let notes = "[Order_lineNoteQueryInput]";
    assert_eq!(
        query("notes"),
        [
            format!("notes: {notes}"),
            "notes_exists: Boolean".into(),
            format!("notes_in: {notes}"),
            format!("notes_nin: {notes}")
        ]
    );
    let insert = members(&catalog, "Order_lineInsertInput");
    let required: Vec<_> = insert.iter().filter(|member| member.ends_with('!')).collect();
    assert_eq!(required, ["buyer: Order_lineBuyerRelationInput!", "qty: Int!"]);
    assert_eq!(
        members(&catalog, "Order_lineBuyerRelationInput"),
        ["create: PersonInsertInput", "link: String"]
    );
    let update = members(&catalog, "Order_lineUpdateInput");
    let increments: Vec<_> = update.iter().filter(|member| member.contains("_inc")).collect();
    assert_eq!(increments, ["UnitPrice_inc: Float", "qty_inc: Int"]);
    assert_eq!(update.iter().filter(|member| member.ends_with("_unset: Boolean")).count(), 9);
    assert!(update.contains(&"notes: [Order_lineNoteUpdateInput]".into()));
    let sort = &catalog.enums[catalog.enums_by_name["Order_lineSortByInput"]];
    let values: Vec<_> = sort.values.iter().map(|(name, ..)| name.as_str()).collect();
    let expected = [
        "BUYER_ASC",
        "BUYER_DESC",
        "QTY_ASC",
        "QTY_DESC",
        "SERIAL_ASC",
        "SERIAL_DESC",
        "UNITPRICE_ASC",
        "UNITPRICE_DESC",
        "_ID_ASC",
        "_ID_DESC",
    ];
    assert_eq!(values, expected);
    assert!(
        sort.values.iter().any(|(name, path, _)| name == "UNITPRICE_ASC" && path.as_str() == "Unit price")
    );
}

#[test]
fn root_fields_have_the_arguments_and_types_of_the_original() {
    let text = sdl(&build(&[sample("c", "history_incident", vec![("a", scalar(BsonType::Int))], &[])]).0);
    for line in [
        "history_incident(query: History_incidentQueryInput): History_incident",
        "insertOneHistory_incident(data: History_incidentInsertInput!): History_incident",
        "insertManyHistory_incidents(data: [History_incidentInsertInput!]!): InsertManyPayload",
        "updateOneHistory_incident(query: History_incidentQueryInput, set: History_incidentUpdateInput!): History_incident",
        "updateManyHistory_incidents(query: History_incidentQueryInput, set: History_incidentUpdateInput!): UpdateManyPayload",
        "upsertOneHistory_incident(query: History_incidentQueryInput, data: History_incidentInsertInput!): History_incident",
        "replaceOneHistory_incident(query: History_incidentQueryInput, data: History_incidentInsertInput!): History_incident",
        "deleteOneHistory_incident(query: History_incidentQueryInput!): History_incident",
        "deleteManyHistory_incidents(query: History_incidentQueryInput): DeleteManyPayload",
        "insertedIds: [ObjectId]!",
        "matchedCount: Int!",
        "modifiedCount: Int!",
        "deletedCount: Int!",
    ] {
        assert!(text.lines().any(|found| found.trim() == line), "{line}\n{text}");
    }
}

#[test]
fn every_bson_type_has_its_scalar_or_is_left_out() {
    let cases = [
        (BsonType::ObjectId, Some("ObjectId")),
        (BsonType::String, Some("String")),
        (BsonType::Bool, Some("Boolean")),
        (BsonType::Int, Some("Int")),
        (BsonType::Long, Some("Long")),
        (BsonType::Double, Some("Float")),
        (BsonType::Number, Some("Float")),
        (BsonType::Decimal, Some("Float")),
        (BsonType::Date, Some("DateTime")),
        (BsonType::Timestamp, Some("DateTime")),
        (BsonType::Uuid, None),
        (BsonType::BinData, None),
        (BsonType::Regex, None),
        (BsonType::Null, None),
        (BsonType::Symbol, None),
        (BsonType::Javascript, None),
        (BsonType::MinKey, None),
        (BsonType::MaxKey, None),
    ];
    for (bson, name) in cases {
        for (wrap, required) in [(false, false), (true, false), (false, true), (true, true)] {
            let property = if wrap { array(scalar(bson)) } else { scalar(bson) };
            let fields = vec![("f", property), ("other", scalar(BsonType::Int))];
            let (catalog, report) =
                build(&[sample("things", "", fields, if required { &["f"] } else { &[] })]);
            let line = name.map(|name| {
                let inner = if wrap { format!("[{name}]") } else { name.to_owned() };
                format!("  f: {inner}{}\n", if required { "!" } else { "" })
            });
            let text = sdl(&catalog);
            match line {
                Some(line) => assert!(text.contains(&line), "{bson:?} {line}\n{text}"),
                None => {
                    assert!(!text.contains("  f: "), "{bson:?}");
                    assert_eq!(report.problems()[0].pointer, "/properties/f");
                }
            }
        }
    }
}

#[test]
fn free_form_objects_and_mixed_fields_are_left_out() {
    for property in
        [of(PropertyKind::Any), embedded(vec![]), array(of(PropertyKind::Any)), array(embedded(vec![]))]
    {
        let (catalog, report) = one("f", property);
        assert!(catalog.objects.is_empty() && sdl(&catalog).is_empty());
        assert_eq!(report.problems().len(), 1);
    }
}

#[test]
fn a_nullable_required_field_is_nullable() {
    let property = Property { nullable: true, ..scalar(BsonType::Int) };
    let (catalog, _) = build(&[sample("things", "", vec![("f", property)], &["f"])]);
    assert!(!catalog.objects[0].fields[0].required);
}

#[test]
fn embedded_objects_nest_and_are_named_after_their_path_or_title() {
    let deep = embedded(vec![("item_fields", embedded(vec![("x", scalar(BsonType::Int))]))]);
    let address = titled("Address", embedded(vec![("city", scalar(BsonType::String))]));
    let table = array(array(scalar(BsonType::Int)));
    let fields = vec![("field_list", array(deep)), ("home", address), ("table", table)];
    let (catalog, _) = build(&[sample("taxa", "taxa", fields, &[])]);
    let names: Vec<_> = catalog.objects.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(names, ["Taxa", "TaxaField_list", "TaxaField_listItem_field", "Address"]);
    assert!(sdl(&catalog).contains("  table: [[Int]]\n"));
}

#[test]
fn every_field_kind_has_exactly_its_operators() {
    let comparable = ["f", "f_exists", "f_gt", "f_gte", "f_in", "f_lt", "f_lte", "f_ne", "f_nin"];
    let cases: Vec<(Property, &[&str])> = vec![
        (scalar(BsonType::String), &comparable),
        (scalar(BsonType::Int), &comparable),
        (scalar(BsonType::Long), &comparable),
        (scalar(BsonType::Double), &comparable),
        (scalar(BsonType::ObjectId), &comparable),
        (scalar(BsonType::Date), &comparable),
        (scalar(BsonType::Bool), &["f", "f_exists", "f_ne"]),
        (array(scalar(BsonType::Int)), &["f", "f_exists", "f_in", "f_nin"]),
        (embedded(vec![("x", scalar(BsonType::Int))]), &["f", "f_exists"]),
        (array(embedded(vec![("x", scalar(BsonType::Int))])), &["f", "f_exists", "f_in", "f_nin"]),
    ];
    for (property, expected) in cases {
        let (catalog, _) = one("f", property.clone());
        let input = &catalog.inputs[catalog.inputs_by_name["ThingQueryInput"].0];
        let names: Vec<_> = input.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names[..2], ["AND", "OR"]);
        assert_eq!(&names[2..], expected, "{property:?}");
        assert_eq!(members(&catalog, "ThingQueryInput")[0], "AND: [ThingQueryInput!]");
    }
}

#[test]
fn to_many_relations_have_list_operators_and_list_inputs() {
    let movies = vec![("cast", array(scalar(BsonType::Int))), ("title", scalar(BsonType::String))];
    let actors = vec![("number", scalar(BsonType::Int))];
    let (catalog, report) = build(&[
        sample("movies", "movie", movies, &["cast"]).relation("cast", "actors", "number", true),
        sample("actors", "actor", actors, &[]),
    ]);
    assert_eq!(report.problems(), &[]);
    assert!(sdl(&catalog).contains("  cast: [Actor]!\n"));
    let list = "[ActorQueryInput]";
    assert_eq!(
        with_prefix(members(&catalog, "MovieQueryInput"), "cast"),
        [
            format!("cast: {list}"),
            "cast_exists: Boolean".into(),
            format!("cast_in: {list}"),
            format!("cast_nin: {list}")
        ]
    );
    assert_eq!(members(&catalog, "MovieCastRelationInput"), ["create: [ActorInsertInput]", "link: [Int]"]);
    assert!(members(&catalog, "MovieInsertInput").contains(&"cast: MovieCastRelationInput!".into()));
    let update = members(&catalog, "MovieUpdateInput");
    assert!(
        update.contains(&"cast: MovieCastRelationInput".into()) && !update.iter().any(|m| m.contains("_inc"))
    );
    let sort = &catalog.enums[catalog.enums_by_name["MovieSortByInput"]];
    assert!(sort.values.iter().all(|(name, ..)| !name.starts_with("CAST")));
    let input = &catalog.inputs[catalog.inputs_by_name["MovieQueryInput"].0];
    let operator = |name: &str| input.fields[input.by_name[name]].meaning.clone();
    assert!(matches!(operator("cast"), Meaning::Query { operator: QueryOperator::EachRelated(_), .. }));
    assert!(matches!(operator("cast_in"), Meaning::Query { operator: QueryOperator::AnyRelated(_), .. }));
    assert!(matches!(operator("cast_nin"), Meaning::Query { operator: QueryOperator::NoRelated(_), .. }));
}

#[test]
fn a_relation_keeps_its_key_type_its_title_and_its_place_in_the_document() {
    let pet = embedded(vec![("toy", titled("favourite toy", scalar(BsonType::Int)))]);
    let (catalog, report) = build(&[
        sample("owners", "owner", vec![("pet", pet)], &[]).relation("pet.toy", "toys", "sku", false),
        sample("toys", "toy", vec![("sku", scalar(BsonType::Int))], &[]),
    ]);
    assert_eq!(report.problems(), &[]);
    assert!(sdl(&catalog).contains("type OwnerPet {\n  favouriteToy: Toy\n}"));
    let link = members(&catalog, "OwnerPetFavouriteToyRelationInput");
    assert_eq!(link, ["create: ToyInsertInput", "link: Int"]);
    let Shape::Relation(relation) = &catalog.objects[2].fields[0].shape else { panic!("not a relation") };
    assert_eq!((relation.source.as_str(), relation.foreign.as_str()), ("pet.toy", "sku"));
    assert_eq!(relation.key, Scalar::Int);
}

#[test]
fn a_relation_that_cannot_be_followed_is_left_out_with_a_warning() {
    let people = || {
        sample(
            "people",
            "person",
            vec![("handle", scalar(BsonType::String)), ("blob", scalar(BsonType::Uuid))],
            &[],
        )
    };
    let string = || scalar(BsonType::String);
    let cases = [
        (string(), "f", "nowhere", "_id", false, "has no GraphQL type"),
        (string(), "f", "people", "missing", false, "not in its schema"),
        (string(), "f", "people", "blob", false, "not a scalar"),
        (string(), "f", "people", "handle", true, "is_list"),
        (array(string()), "f", "people", "handle", false, "is_list"),
        (embedded(vec![("x", string())]), "f", "people", "handle", false, "does not hold keys"),
        (array(embedded(vec![("x", string())])), "f.[].x", "people", "handle", false, "inside arrays"),
        (string(), "g", "people", "handle", false, "no such field"),
    ];
    for (property, source, target, foreign, is_list, expected) in cases {
        let things = sample("things", "thing", vec![("f", property)], &[]);
        let (catalog, report) = build(&[things.relation(source, target, foreign, is_list), people()]);
        let messages: Vec<_> = report.problems().iter().map(|problem| problem.message.as_str()).collect();
        assert!(messages.iter().any(|message| message.contains(expected)), "{expected}: {messages:?}");
        assert!(!catalog.inputs.iter().any(|input| input.name.ends_with("RelationInput")), "{expected}");
        assert!(sdl(&catalog).contains("type Thing {\n  f: "), "{expected}");
    }
}

#[test]
fn a_target_need_not_list_its_id() {
    let (catalog, report) = build(&[
        sample("things", "", vec![("owner", scalar(BsonType::ObjectId))], &[])
            .relation("owner", "people", "_id", false),
        sample("people", "", vec![("handle", scalar(BsonType::String))], &[]),
    ]);
    assert_eq!(report.problems(), &[]);
    assert!(sdl(&catalog).contains("  owner: Person\n"));
}

#[test]
fn equal_titles_get_numbers_and_everything_serves() {
    let user = |name: &str, title: &str| sample(name, title, vec![("a", scalar(BsonType::Int))], &[]);
    let (catalog, report) =
        build(&[user("a", "user"), user("b", "User"), user("c", "users"), user("d", "query")]);
    let names: Vec<_> = catalog.objects.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(names, ["User", "User2", "User3", "Query2"]);
    assert_eq!(report.problems().len(), 3);
    assert_eq!(report.problems()[0].pointer, "/title");
    assert!(sdl(&catalog).contains("user2s(query"));
}

#[test]
fn clashing_fields_are_left_out_with_a_warning() {
    let int = || scalar(BsonType::Int);
    let fields = vec![
        ("a b", int()),
        ("aB", int()),
        ("Case", int()),
        ("case", int()),
        ("qty", int()),
        ("qty_in", int()),
        ("qty_unset", int()),
        ("AND", int()),
        ("__v", int()),
        ("_", int()),
        ("日本", int()),
        ("x/y~z", int()),
    ];
    let (catalog, report) = build(&[sample("things", "thing", fields, &[])]);
    let names: Vec<_> = catalog.objects[0].fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["AND", "Case", "_", "aB", "case", "qty", "qty_in", "qty_unset", "xYZ"]);
    assert_eq!(catalog.objects[0].fields[3].stored, "aB");
    let query = members(&catalog, "ThingQueryInput");
    assert!(query.contains(&"qty_in: Int".into()) && query.contains(&"AND: [ThingQueryInput!]".into()));
    assert!(members(&catalog, "ThingUpdateInput").contains(&"qty_unset: Int".into()));
    let pointers: Vec<_> = report.problems().iter().map(|problem| problem.pointer.as_str()).collect();
    assert!(pointers.contains(&"/properties/__v") && pointers.contains(&"/properties/a b"));
    assert!(!sdl(&catalog).contains(" __"));
}

#[test]
fn a_title_of_an_embedded_object_gives_way_to_a_collection() {
    let address = || titled("Address", embedded(vec![("city", scalar(BsonType::String))]));
    let (catalog, report) = build(&[
        sample("people", "person", vec![("home", address()), ("work", address())], &[]),
        sample("addresses", "address", vec![("city", scalar(BsonType::String))], &[]),
    ]);
    let names: Vec<_> = catalog.objects.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(names, ["Person", "Address", "PersonHome", "PersonWork"]);
    assert_eq!(report.problems().len(), 2);
}

#[test]
fn without_natural_plurals_an_s_is_appended() {
    let mouse = sample("mouse", "mouse", vec![("a", scalar(BsonType::Int))], &[]);
    let (catalog, _) = build_with(&[mouse], &[], false);
    assert_eq!(catalog.queries[1].name, "mouses");
    assert!(catalog.mutations.iter().any(|mutation| mutation.name == "insertManyMouses"));
}

#[test]
fn an_app_without_any_field_prints_nothing() {
    assert_eq!(sdl(&build(&[]).0), "");
    assert_eq!(sdl(&build(&[sample("c", "", vec![], &[])]).0), "");
}
