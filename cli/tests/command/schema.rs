//! `backstitch schema`: the SDL of a directory, always the same.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::running::{backstitch, root};

/// What is printed: the SDL, and what is told about the directory.
fn printed(directory: &Path) -> (String, String) {
    let output = backstitch(&["schema", directory.to_str().unwrap()], &root()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    assert!(output.status.success(), "{}", text(output.stderr));
    (text(output.stdout), text(output.stderr))
}

fn everything() -> PathBuf {
    root().join("tests/apps/everything")
}

/// Puts the entries of a folder in another order.
type Order = fn(&mut Vec<PathBuf>);

/// Copies a folder, its entries in this order.
fn copy(from: &Path, to: &Path, order: Order) {
    fs::create_dir_all(to).unwrap();
    let mut entries: Vec<PathBuf> = fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    order(&mut entries);
    for entry in entries {
        let target = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy(&entry, &target, order);
        } else {
            fs::copy(&entry, &target).unwrap();
        }
    }
}

#[test]
fn schema_prints_the_same_text_every_time() {
    let movies = root().join("examples/movies");
    let (sdl, _) = printed(&movies);
    assert_eq!(sdl, printed(&movies).0);
    for part in [
        "type Movie {",
        "movies(query: MovieQueryInput, limit: Int = 100, sortBy: MovieSortByInput): [Movie]!",
    ] {
        assert!(sdl.contains(part), "{part} in\n{sdl}");
    }
}

#[test]
fn schema_does_not_depend_on_the_order_in_which_the_files_were_made() {
    let folder = tempfile::tempdir().unwrap();
    let orders: [(&str, Order); 3] = [
        ("forth", |_| ()),
        ("back", |entries| entries.reverse()),
        ("turned", |entries| {
            let half = entries.len() / 2;
            entries.rotate_left(half);
        }),
    ];
    let expected = printed(&everything());
    assert!(expected.0.contains("type Mouse2 {"), "two collections of one name: the order would show");
    for (name, order) in orders {
        let directory = folder.path().join(name);
        copy(&everything(), &directory, order);
        assert_eq!(printed(&directory), expected, "{name}");
    }
}

#[test]
fn schema_does_not_depend_on_the_order_of_the_properties_where_no_names_clash() {
    fn reversed(value: Value) -> Value {
        match value {
            Value::Object(members) => Value::Object(
                members.into_iter().rev().map(|(name, value)| (name, reversed(value))).collect(),
            ),
            Value::Array(items) => items.into_iter().map(reversed).collect(),
            other => other,
        }
    }
    let folder = tempfile::tempdir().unwrap();
    copy(&root().join("examples/movies"), folder.path(), |_| ());
    let (expected, _) = printed(folder.path());
    let shop = folder.path().join("data_sources/mongodb-atlas");
    let mut changed = 0;
    for database in
        fs::read_dir(shop).unwrap().filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir())
    {
        for collection in fs::read_dir(database).unwrap() {
            let file = collection.unwrap().path().join("schema.json");
            let schema: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
            fs::write(&file, reversed(schema).to_string()).unwrap();
            changed += 1;
        }
    }
    assert!(changed > 3, "{changed}");
    assert_eq!(printed(folder.path()).0, expected);
}

#[test]
fn schema_tells_what_it_cannot_show_with_file_and_pointer_and_shows_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let collections = folder.path().join("data_sources/mongodb-atlas/shop");
    copy(&everything(), folder.path(), |_| ());
    let clashing = json!({ "title": "query", "bsonType": "object", "properties": {
        "_id": { "bsonType": "objectId" },
        "a b": { "bsonType": "string" }, "aB": { "bsonType": "string" }, "__x": { "bsonType": "int" },
        "bytes": { "bsonType": "binData" },
        "friend": { "bsonType": "string", "title": "aB" },
        "home": { "bsonType": "object", "title": "Person", "properties": { "x": { "bsonType": "int" } } }
    } });
    let relationships = json!({
        "friend": { "ref": "#/relationship/mongodb-atlas/shop/people", "source_key": "friend", "foreign_key": "handle", "is_list": false },
        "lost": { "ref": "#/relationship/mongodb-atlas/shop/nowhere", "source_key": "lost", "foreign_key": "_id", "is_list": false }
    });
    fs::create_dir(collections.join("clashes")).unwrap();
    fs::write(collections.join("clashes/schema.json"), clashing.to_string()).unwrap();
    fs::write(collections.join("clashes/relationships.json"), relationships.to_string()).unwrap();
    let rules = json!({ "database": "shop", "collection": "clashes", "roles": [] });
    fs::write(collections.join("clashes/rules.json"), rules.to_string()).unwrap();
    let (sdl, told) = printed(folder.path());
    let fields = "type Query2 {\n  _id: ObjectId\n  aB: String\n  friend: Person\n  home: Query2Home\n}";
    assert!(sdl.contains(fields) && sdl.contains("type Person {"), "{sdl}");
    let file = "data_sources/mongodb-atlas/shop/clashes/schema.json#";
    for line in [
        format!("{file}/title: the GraphQL name `Query` is taken; `Query2` is used"),
        format!("{file}/properties/__x: `__x` has no GraphQL name and is left out"),
        format!("{file}/properties/a b: the GraphQL field `aB` is there already; `a b` is left out"),
        format!("{file}/properties/bytes: the type of `bytes` has no GraphQL counterpart; it is left out"),
        format!("{file}/properties/friend: the GraphQL field `aB` is there already; `friend` keeps its name"),
        format!("{file}/properties/home: the GraphQL name `Person` is taken; `Query2Home` is used"),
        "data_sources/mongodb-atlas/shop/clashes/relationships.json#/lost: `mongodb-atlas/shop.nowhere` has no schema; left out"
            .to_owned(),
    ] {
        assert!(told.lines().any(|told| told == format!("warning: {line}")), "{line}\n{told}");
    }
}
