//! Data and users in and out of a store, by the command.

use std::fs;
use std::io::Write as _;

use bson::{Binary, Bson, DateTime, Decimal128, Document, doc, oid::ObjectId, spec::BinarySubtype};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::operate::World;

const ITEMS: &str = "mongodb-atlas/shop.items";

/// One document of every kind of value that matters.
fn documents() -> Vec<Document> {
    let every = doc! {
        "_id": ObjectId::from_bytes([1; 12]), "long": 1_i64 << 40, "int": 7, "double": 0.5, "text": "Grüße, \"[{",
        "decimal": "1.10".parse::<Decimal128>().unwrap(), "before": DateTime::from_millis(-86_400_000),
        "bytes": Binary { subtype: BinarySubtype::Generic, bytes: vec![0, 255] }, "list": [1, { "a": Bson::Null }],
    };
    let more = (0..2500).map(|n| doc! { "_id": n, "n": i64::from(n) });
    std::iter::once(every).chain(more).collect()
}

fn json_lines(documents: &[Document]) -> String {
    let line =
        |document: &Document| Bson::Document(document.clone()).into_canonical_extjson().to_string() + "\n";
    documents.iter().map(line).collect()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bson_dump(documents: &[Document]) -> Vec<u8> {
    documents.iter().flat_map(|document| document.to_vec().unwrap()).collect()
}

impl World {
    fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    fn import(&self, namespace: &str, file: &str) -> Value {
        let lines = self.lines(&format!("data import --namespace {namespace} {file}"));
        lines.into_iter().next().unwrap()
    }

    /// What a namespace holds, as BSON.
    fn exported(&self, namespace: &str) -> Vec<Document> {
        let file = self.folder.path().join("out.bson").display().to_string();
        self.lines(&format!("data export --namespace {namespace} {file}"));
        let (bytes, mut documents) = (fs::read(file).unwrap(), Vec::new());
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            documents.push(Document::from_reader(&mut rest).unwrap());
        }
        documents
    }
}

#[test]
fn every_format_goes_in_and_comes_out_as_it_was() {
    let world = World::movies();
    let documents = documents();
    let lines = json_lines(&documents);
    let array = format!("[\n{}\n]", lines.trim_end().replace('\n', ",\n"));
    let dump = bson_dump(&documents);
    for (number, (name, content)) in [
        ("items.jsonl", lines.clone().into_bytes()),
        ("items.json", array.into_bytes()),
        ("items.bson", dump.clone()),
        ("items.bson.gz", gzipped(&dump)),
        ("items.json.gz", gzipped(lines.as_bytes())),
    ]
    .into_iter()
    .enumerate()
    {
        let namespace = format!("mongodb-atlas/shop.items{number}");
        let file = world.file(name, &content);
        assert_eq!(
            world.import(&namespace, &file),
            json!({"imported": 2501, "skipped": 0, "bad": 0}),
            "{name}"
        );
        assert_eq!(world.exported(&namespace), documents, "{name}");
        // Once more changes nothing: that is how an interrupted import goes on.
        assert_eq!(
            world.import(&namespace, &file),
            json!({"imported": 0, "skipped": 2501, "bad": 0}),
            "{name}"
        );
    }
    for name in ["back.json", "back.json.gz"] {
        let file = world.folder.path().join(name).display().to_string();
        let told = world.lines(&format!("data export --namespace mongodb-atlas/shop.items0 {file}"));
        assert_eq!(told, [json!({"exported": 2501})]);
        world.import("mongodb-atlas/shop.again", &file);
        assert_eq!(world.exported("mongodb-atlas/shop.again"), documents);
    }
    world.server.end();
}

#[test]
fn a_bad_line_is_told_by_its_number_and_what_was_begun_goes_on() {
    let world = World::movies();
    let content = "{\"n\": 1}\n\nnonsense\n{\"n\": 2}\n[3]\n{\"_id\": {\"$oid\": \"x\"}}\n{\"n\": 2}\n";
    let file = world.file("odd.jsonl", content.as_bytes());
    let import = format!("data import --namespace {ITEMS} {file}");
    let strict = world.run(&format!("{import} --strict"));
    assert_eq!(strict.code, 1);
    assert!(strict.complaint.contains("line 3: not JSON"), "{strict:?}");
    assert_eq!(strict.lines, [json!({"imported": 1, "skipped": 0, "bad": 1})]);
    let outcome = world.run(&import);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    // The first was imported before, under the id that it is given again.
    assert_eq!(outcome.lines, [json!({"imported": 2, "skipped": 1, "bad": 3})]);
    for told in ["line 3: not JSON", "line 5: it is no document", "line 6: no extended JSON"] {
        assert!(outcome.complaint.contains(told), "{outcome:?}");
    }
    assert_eq!(world.exported(ITEMS).len(), 3);
    let cut = world.file("cut.bson", &bson_dump(&[doc! {"_id": 1}, doc! {"_id": 2}])[..20]);
    let outcome = world.run(&format!("data import --namespace mongodb-atlas/shop.cut {cut}"));
    assert!(outcome.code == 1 && outcome.complaint.contains("document 2: the file ends"), "{outcome:?}");
    assert_eq!(outcome.lines, [json!({"imported": 1, "skipped": 0, "bad": 0})]);
    for (words, code, complaint) in [
        ("data import --namespace nowhere x.json", 2, "`nowhere` is no namespace"),
        ("data import --namespace a/b.c x.json", 1, "cannot read `x.json`"),
        ("data import --namespace a/b.c x.json --format xml", 2, "unknown format `xml`"),
    ] {
        let outcome = world.run(words);
        assert!(outcome.code == code && outcome.complaint.contains(complaint), "{words}: {outcome:?}");
    }
    world.server.end();
}

#[test]
fn users_move_with_their_ids_and_passwords() {
    let (from, to) = (World::movies(), World::movies());
    let user = from.person();
    let file = from.folder.path().join("users.jsonl").display().to_string();
    from.lines(&format!("users export {file} --with-hashes"));
    assert!(fs::read_to_string(&file).unwrap().contains("argon2"));
    assert_eq!(to.lines(&format!("users import {file}")), [json!({"imported": 1, "skipped": 0, "bad": 0})]);
    assert_eq!(to.lines(&format!("users import {file}")), [json!({"imported": 0, "skipped": 1, "bad": 0})]);
    assert_eq!(to.person(), user, "the same user by the same password");
    from.lines(&format!("users export {file}"));
    assert!(!fs::read_to_string(&file).unwrap().contains("argon2"), "no hash unless it is asked for");

    // As the original's Admin API lists them: without hashes, so that a new password is needed.
    let listed = json!({
        "_id": "64b000000000000000000001", "type": "normal", "creation_date": 1_600_000_000, "disabled": false,
        "identities": [{"id": "64b000000000000000000002", "provider_type": "local-userpass", "provider_id": "x"}],
        "data": {"email": "bob@example.test"},
    });
    let odd = "{\"_id\": \"nobody\", \"identities\": []}";
    let file = to.file("listed.jsonl", format!("{listed}\n{odd}\n").as_bytes());
    let outcome = to.run(&format!("users import {file}"));
    assert_eq!(outcome.lines, [json!({"imported": 1, "skipped": 0, "bad": 1})], "{outcome:?}");
    assert!(outcome.complaint.contains("line 2: its `_id` is no user id"), "{outcome:?}");
    let shown = to.lines("users show 64b000000000000000000001");
    assert_eq!(shown[0]["data"]["email"], "bob@example.test");
    let link = to.run("users reset-link bob@example.test --page https://shop.example/reset");
    assert!(
        link.lines[0]["link"].as_str().unwrap().starts_with("https://shop.example/reset?token="),
        "{link:?}"
    );
    let token = to.lines("users reset-link bob@example.test");
    assert!(token[0]["token"].is_string() && token[0]["tokenId"].is_string(), "{token:?}");
    from.server.end();
    to.server.end();
}
