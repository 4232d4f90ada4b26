//! Whatever names and shapes a schema has, the catalog is well-formed.

use proptest::prelude::*;

use super::*;

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("Query"),
        Just("query"),
        Just("_"),
        Just("__v"),
        Just("_x"),
        Just("AND"),
        Just("a"),
        Just("A"),
        Just("a_in"),
        Just("a_unset"),
        Just("a b"),
        Just("data"),
        Just("datum"),
        Just("3d"),
        Just("página"),
        Just("user"),
        Just("Users"),
        Just("userQueryInput"),
        Just("UserInsertInput"),
        Just("a.b"),
        Just("String"),
        Just("insertManyPayload"),
        Just("日"),
        Just(""),
        Just("$c"),
        Just("_id"),
        Just("news"),
        Just("_emptyMutation"),
    ]
    .prop_map(str::to_owned)
}

fn properties() -> impl Strategy<Value = Property> {
    let kinds = prop_oneof![
        Just(BsonType::String),
        Just(BsonType::ObjectId),
        Just(BsonType::Int),
        Just(BsonType::Long),
        Just(BsonType::Double),
        Just(BsonType::Bool),
        Just(BsonType::Date),
        Just(BsonType::Uuid),
    ];
    let leaf = prop_oneof![4 => kinds.prop_map(scalar), 1 => Just(of(PropertyKind::Any))];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(array),
            (prop::option::of(names()), prop::collection::vec((names(), inner), 0..4)).prop_map(
                |(title, properties)| {
                    of(PropertyKind::Object(ObjectSchema { title, properties, ..ObjectSchema::default() }))
                }
            ),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_schema_makes_the_registry_panic(
        collections in prop::collection::vec(
            (prop::option::of(names()), prop::collection::vec((names(), properties()), 0..5), names(), 0_usize..4, any::<bool>()),
            0..4,
        ),
    ) {
        let samples: Vec<_> = collections.into_iter().enumerate().map(|(place, (title, properties, source, target, is_list))| {
            let mut one = sample(&format!("c{place}"), "", vec![], &["a", "user"]);
            one.schema.root.title = title;
            one.schema.root.properties = properties;
            one.relation(&source, &format!("c{target}"), "_id", is_list)
        }).collect();
        let (catalog, _) = build(&samples);
        let text = sdl(&catalog);
        prop_assert_eq!(text.is_empty(), catalog.queries.is_empty());
    }
}
