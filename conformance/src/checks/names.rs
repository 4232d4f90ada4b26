//! Names, sizes and identifiers off the beaten track.

use backstitch::filter::Direction::Ascending;
use backstitch::filter::Filter;
use backstitch::id::CollectionId;
use backstitch::rules::Query;
use bson::oid::ObjectId;
use bson::{Bson, bson, doc};

use crate::factory::StoreFactory;
use crate::world::{World, collection, delete, filtered, index, object_id, replace, sorted};

pub(super) async fn collections_differ_by_each_of_their_four_parts(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let parts = [
        ["a", "s", "d", "n"],
        ["b", "s", "d", "n"],
        ["a", "t", "d", "n"],
        ["a", "s", "e", "n"],
        ["a", "s", "d", "o"],
        ["a", "s", "d.n", "n"],
        ["a", "s", "d", "n.n"],
        ["A", "s", "d", "n"],
        ["a", "s", "d", "N"],
    ];
    let ids = parts.map(|[group, service, database, name]| CollectionId::new(group, service, database, name));
    for (number, id) in ids.iter().enumerate() {
        world.with(id, vec![index(&[("n", Ascending)])], &[doc! {"_id": 1, "n": number as i64}]).await;
    }
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(world.all(id).await, [doc! {"_id": 1, "n": number as i64}], "{id:?}");
    }
}

pub(super) async fn collections_may_have_any_name(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for name in
        ["it's", "say \"hi\"", "a.b.c", "Bücher 📚", "select", "x; drop table y --", "sqlite_x", "%_[]", ""]
    {
        let id = collection(name);
        world.with(&id, vec![index(&[("a", Ascending)])], &[doc! {"_id": 1, "a": name}]).await;
        assert_eq!(world.find(&id, filtered(Filter::eq("a", name))).await.len(), 1, "{name}");
    }
}

pub(super) async fn fields_may_have_any_name(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for (number, name) in
        ["it's", "a \"b\"", "ü📚", "$ref", "[0]", "select", "a b", "%", "\\"].iter().enumerate()
    {
        let id = collection(&format!("fields{number}"));
        let documents =
            [doc! {"_id": 1, *name: 2}, doc! {"_id": 2, *name: 1}, doc! {"_id": 3, "x": {*name: 1}}];
        world.with(&id, vec![index(&[(name, Ascending)])], &documents).await;
        assert_eq!(world.find(&id, filtered(Filter::eq(*name, 1))).await, documents[1..2], "{name}");
        assert_eq!(world.find(&id, sorted(&[(name, Ascending)])).await[2], documents[0], "{name}");
        assert_eq!(
            world.find(&id, filtered(Filter::eq(format!("x.{name}"), 1))).await,
            documents[2..],
            "{name}"
        );
    }
}

pub(super) async fn a_document_of_a_megabyte_reads_back(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    let large = doc! {"_id": 1, "text": "ü".repeat(500_000), "list": (0..1000).collect::<Vec<i32>>()};
    world.with(&id, vec![index(&[("list", Ascending)])], std::slice::from_ref(&large)).await;
    assert!(world.find(&id, filtered(Filter::eq("list", 999))).await == [large]);
}

pub(super) async fn documents_come_back_with_types_and_field_order_as_written(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    let odd = doc! {"z": 1_i32, "y": 1_i64, "x": 1.0, "_id": "last", "d": "1.50".parse::<bson::Decimal128>().unwrap(),
    "t": bson::Timestamp { time: 1, increment: 2 }, "n": Bson::Null, "e": {}, "l": [], "m": Bson::MinKey,
    "b": bson::Binary { subtype: bson::spec::BinarySubtype::Uuid, bytes: vec![7; 16] }};
    world.with(&id, vec![], std::slice::from_ref(&odd)).await;
    assert_eq!(world.all(&id).await, std::slice::from_ref(&odd));
    let names: Vec<_> = world.all(&id).await[0].keys().cloned().collect();
    assert_eq!(names, odd.keys().cloned().collect::<Vec<_>>());
}

pub(super) async fn an_id_may_be_of_any_type_but_array(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let id = collection("books");
    world.prepare(&id, vec![]).await.unwrap();
    let keys = [
        bson!("text"),
        bson!(1),
        bson!(2_i64),
        bson!(2.5),
        Bson::Null,
        bson!(true),
        bson!({"a": 1, "b": [2]}),
        bson!({"b": [2], "a": 1}),
        Bson::ObjectId(object_id(1)),
        Bson::ObjectId(ObjectId::from_bytes([0; 12])),
        bson!(""),
        Bson::DateTime(bson::DateTime::from_millis(1)),
        Bson::MinKey,
        Bson::MaxKey,
        Bson::Binary(bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: vec![0, 1] }),
    ];
    for key in &keys {
        world
            .insert(&id, &[doc! {"_id": key.clone(), "n": 1}])
            .await
            .unwrap_or_else(|e| panic!("{key}: {e}"));
        world.write(&[replace(&id, &doc! {"_id": key.clone(), "n": 2})]).await.unwrap();
        let found = world.find(&id, filtered(Filter::eq("_id", key.clone()))).await;
        assert_eq!(found, [doc! {"_id": key.clone(), "n": 2}]);
    }
    assert_eq!(world.ids(&id, Query::default()).await, keys);
    for key in &keys {
        world.write(&[delete(&id, key.clone())]).await.unwrap();
    }
    assert!(world.all(&id).await.is_empty());
}
