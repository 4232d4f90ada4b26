//! Data in and out of a store, by the command.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use bson::{
    Binary, Bson, DateTime, Decimal128, Document, JavaScriptCodeWithScope, Regex, Timestamp, Uuid, doc,
    oid::ObjectId, spec::BinarySubtype,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::operate::World;

const ITEMS: &str = "mongodb-atlas/shop.items";

/// A value of every type, each in a document of its own.
fn of_every_type() -> Vec<Document> {
    let regex = Regex { pattern: "^a\"/".try_into().unwrap(), options: "im".try_into().unwrap() };
    let with_scope = JavaScriptCodeWithScope { code: "f()".to_owned(), scope: doc! { "a": 1_i64 } };
    let binary = |subtype, bytes: &[u8]| Bson::Binary(Binary { subtype, bytes: bytes.to_vec() });
    let values = [
        Bson::Double(f64::NAN),
        Bson::Double(f64::INFINITY),
        Bson::Double(f64::NEG_INFINITY),
        Bson::Double(-0.0),
        Bson::Double(3.0),
        Bson::Double(f64::MIN_POSITIVE),
        Bson::Double(5e-324),
        Bson::Double(0.1 + 0.2),
        Bson::Double(9_007_199_254_740_993.0),
        Bson::Int32(i32::MIN),
        Bson::Int64(1),
        Bson::Int64(i64::MIN),
        Bson::Int64(i64::MAX),
        Bson::Decimal128("1.10".parse().unwrap()),
        Bson::Decimal128("-0E+3".parse().unwrap()),
        Bson::Decimal128("9.999999999999999999999999999999999E+6144".parse().unwrap()),
        Bson::Decimal128("NaN".parse().unwrap()),
        Bson::DateTime(DateTime::from_millis(-1)),
        Bson::DateTime(DateTime::from_millis(1_600_000_000_123)),
        Bson::DateTime(DateTime::from_millis(i64::MAX)),
        Bson::DateTime(DateTime::from_millis(i64::MIN)),
        binary(BinarySubtype::Generic, &[]),
        binary(BinarySubtype::Generic, &[0, 255, 16]),
        binary(BinarySubtype::UserDefined(0x80), b"own"),
        binary(BinarySubtype::Md5, &[7; 16]),
        Bson::Binary(Uuid::from_bytes([9; 16]).into()),
        Bson::Timestamp(Timestamp { time: u32::MAX, increment: 1 }),
        Bson::RegularExpression(regex),
        Bson::JavaScriptCode("exports = 1".to_owned()),
        Bson::JavaScriptCodeWithScope(with_scope),
        Bson::Symbol("sym".to_owned()),
        Bson::ObjectId(ObjectId::from_bytes([0xAB; 12])),
        Bson::MinKey,
        Bson::MaxKey,
        Bson::Undefined,
        Bson::Null,
        Bson::Boolean(true),
        Bson::String("\u{0}\u{1F600}\u{2028} \"\\/".to_owned()),
        Bson::Document(doc! { "z": 1, "a": {}, "": [] , "1": { "$plain": "text" } }),
        Bson::Array(vec![Bson::Int64(1), Bson::Double(1.0), Bson::Int32(1), Bson::Array(vec![])]),
    ];
    values.into_iter().zip(0_i64..).map(|(value, id)| doc! { "_id": id, "value": value }).collect()
}

/// More than a batch of documents.
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
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// Exports a namespace and reads what was written.
    fn export(&self, namespace: &str, words: &str, name: &str) -> Vec<u8> {
        let file = self.folder.path().join(name).display().to_string();
        self.lines(&format!("data export --namespace {namespace} {file}{words}"));
        fs::read(file).unwrap()
    }

    fn import(&self, namespace: &str, file: &str) -> Value {
        let lines = self.lines(&format!("data import --namespace {namespace} {file}"));
        lines.into_iter().next().unwrap()
    }

    /// What a namespace holds, as BSON.
    fn exported(&self, namespace: &str) -> Vec<Document> {
        let (bytes, mut documents) = (self.export(namespace, "", "out.bson"), Vec::new());
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
fn values_of_every_type_are_the_same_bytes_afterwards_in_every_format() {
    let world = World::movies();
    let dump = bson_dump(&of_every_type());
    world.import("mongodb-atlas/types.first", &world.file("types.bson", &dump));
    assert_eq!(world.export("mongodb-atlas/types.first", "", "first.bson"), dump);
    for name in ["canonical.jsonl", "canonical.json.gz", "again.bson.gz"] {
        let namespace = format!("mongodb-atlas/types.{}", name.replace('.', "_"));
        world.export("mongodb-atlas/types.first", "", name);
        let told = world.import(&namespace, &world.folder.path().join(name).display().to_string());
        assert_eq!((&told["bad"], &told["skipped"]), (&json!(0), &json!(0)), "{name}: {told}");
        assert!(world.export(&namespace, "", "compared.bson") == dump, "{name}");
    }
    // The format may be said where the name does not: the standard output has no name.
    let output = |words: &str| world.command(words).output().unwrap().stdout;
    let export = "data export --namespace mongodb-atlas/types.first";
    assert_eq!(output(&format!("{export} - --format bson")), dump);
    assert_eq!(
        output(&format!("{export} -")),
        fs::read(world.folder.path().join("canonical.jsonl")).unwrap()
    );
    world.server.end();
}

#[test]
fn relaxed_json_is_plain_to_read_and_keeps_all_but_the_width_of_numbers() {
    let world = World::movies();
    let document = doc! {
        "_id": "a", "n": 5_i64, "wide": 1_i64 << 40, "half": 0.5, "third": 1.0 / 3.0, "one": 1.0, "tiny": 5e-324,
        "at": DateTime::from_millis(0), "before": DateTime::from_millis(-1), "id": ObjectId::from_bytes([1; 12]),
    };
    world.import(ITEMS, &world.file("one.bson", &bson_dump(std::slice::from_ref(&document))));
    let relaxed = world.export(ITEMS, " --relaxed", "relaxed.jsonl");
    let text = String::from_utf8(relaxed).unwrap();
    for part in [r#""n":5,"wide":1099511627776,"half":0.5,"#, r#""at":{"$date":"1970-01-01T00:00:00Z"}"#] {
        assert!(text.contains(part), "{text}");
    }
    world.import("mongodb-atlas/shop.back", &world.file("back.jsonl", text.as_bytes()));
    let expected = Document::from_iter(
        document
            .into_iter()
            .map(|(key, value)| if key == "n" { (key, Bson::Int32(5)) } else { (key, value) }),
    );
    assert_eq!(world.exported("mongodb-atlas/shop.back"), [expected]);
    world.server.end();
}

#[test]
fn an_import_that_is_killed_goes_on_by_the_same_command() {
    let world = World::movies();
    let lines: String = (0..20_000).map(|n| format!("{{\"n\": {n}, \"even\": {}}}\n", n % 2 == 0)).collect();
    let mut import = world.command(&format!("data import --namespace {ITEMS} -"));
    let mut import = import.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    // It has read all but what a pipe and its buffers hold, and waits for more.
    import.stdin.as_mut().unwrap().write_all(lines.as_bytes()).unwrap();
    import.kill().unwrap();
    import.wait().unwrap();

    let file = world.file("all.jsonl", lines.as_bytes());
    let told = world.import(ITEMS, &file);
    let skipped = told["skipped"].as_u64().unwrap();
    assert!(skipped >= 2000 && skipped.is_multiple_of(2000), "whole batches were kept: {told}");
    assert_eq!(told, json!({"imported": 20_000 - skipped, "skipped": skipped, "bad": 0}));
    let numbers: Vec<i32> =
        world.exported(ITEMS).iter().map(|document| document.get_i32("n").unwrap()).collect();
    assert_eq!(numbers, (0..20_000).collect::<Vec<_>>());
    world.server.end();
}

#[test]
fn elements_of_an_array_are_told_apart_and_what_is_wrong_in_one_is_told_by_its_line() {
    let world = World::movies();
    let file = world.file("alike.json", br#"[{"a":1},{"a":1}, {"a":1}]"#);
    assert_eq!(world.import(ITEMS, &file), json!({"imported": 3, "skipped": 0, "bad": 0}));
    assert_eq!(world.import(ITEMS, &file), json!({"imported": 0, "skipped": 3, "bad": 0}));
    let pretty = "\n[\n  {\n    \"_id\": 1\n  },\n  {\n    \"_id\": nothing\n  },\n  { \"_id\": 2 }\n]\n";
    let odd = "mongodb-atlas/shop.odd";
    let outcome =
        world.run(&format!("data import --namespace {odd} {}", world.file("pretty.json", pretty.as_bytes())));
    assert_eq!(outcome.lines, [json!({"imported": 2, "skipped": 0, "bad": 1})]);
    assert!(outcome.complaint.starts_with("line 6: not JSON"), "{outcome:?}");
    for (content, complaint) in [
        ("[{\"_id\": 3}]\n[{\"_id\": 4}]", "line 2: something follows the end of the array"),
        ("[{\"_id\": 5},\n", "line 2: the array does not end"),
        ("[{\"_id\": 6}, {\"_id\": ", "line 1: the array does not end"),
    ] {
        let outcome =
            world.run(&format!("data import --namespace {odd} {}", world.file("x.json", content.as_bytes())));
        assert_eq!((outcome.code, outcome.complaint.as_str()), (1, complaint), "{content}");
        assert_eq!(outcome.lines, [json!({"imported": 1, "skipped": 0, "bad": 0})], "{content}");
    }
    let empty = world.file("empty.json", b" [ ] ");
    assert_eq!(world.import(odd, &empty), json!({"imported": 0, "skipped": 0, "bad": 0}));
    world.server.end();
}

#[test]
fn a_document_that_breaks_a_unique_index_is_bad_and_the_others_of_its_batch_come_in() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("club");
    let collection = directory.join("data_sources/mongodb-atlas/club/people");
    fs::create_dir_all(&collection).unwrap();
    fs::write(directory.join("root_config.json"), r#"{"name": "club"}"#).unwrap();
    fs::write(collection.join("rules.json"), r#"{"database": "club", "collection": "people", "roles": []}"#)
        .unwrap();
    let indexes =
        json!({"indexes": {"mongodb-atlas/club.people": [{"fields": {"seat": 1}, "unique": true}]}});
    fs::write(directory.join("backstitch.json"), indexes.to_string()).unwrap();
    let world = World::serve(folder, directory.to_str().unwrap());

    // The 100th has the seat of the 10th, the 2000th is the 5th once more.
    let line = |n: u32| match n {
        100 => "{\"_id\": 100, \"seat\": 10}\n".to_owned(),
        2000 => "{\"_id\": 5, \"seat\": 5}\n".to_owned(),
        _ => format!("{{\"_id\": {n}, \"seat\": {n}}}\n"),
    };
    let file = world.file("people.jsonl", (1..=2500).map(line).collect::<String>().as_bytes());
    let import = format!("data import --namespace mongodb-atlas/club.people {file}");
    let expected = "line 100: another document has this key in a unique index";
    for (imported, skipped) in [(2498, 1), (0, 2499)] {
        let outcome = world.run(&import);
        assert_eq!((outcome.code, outcome.complaint.as_str()), (0, expected));
        assert_eq!(outcome.lines, [json!({"imported": imported, "skipped": skipped, "bad": 1})]);
    }
    let strict = world.run(&format!("{import} --strict"));
    assert_eq!((strict.code, strict.complaint.as_str()), (1, expected));
    world.server.end();
}

#[cfg(target_os = "linux")]
#[test]
fn an_export_onto_a_full_disk_fails_also_where_its_end_alone_does_not_fit() {
    let world = World::movies();
    world.import(ITEMS, &world.file("one.jsonl", b"{\"_id\": 1}"));
    for name in ["full.jsonl", "full.jsonl.gz", "full.bson"] {
        let file = world.folder.path().join(name);
        std::os::unix::fs::symlink("/dev/full", &file).unwrap();
        let outcome = world.run(&format!("data export --namespace {ITEMS} {}", file.display()));
        assert_eq!(outcome.code, 1, "{name}: {outcome:?}");
        assert!(outcome.complaint.starts_with("cannot write"), "{outcome:?}");
        assert!(outcome.lines.is_empty(), "{outcome:?}");
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
