//! `backstitch data import` of many documents, as the command runs: documents a second and the most memory it took, against
//! the floor: the same lines read, and the same bytes inserted with rusqlite alone, in transactions as large.
//!
//! The command has to be there first: `cargo build --release -p backstitch-cli && cargo bench -p backstitch-benches --bench
//! import`. A hundred thousand documents and a million are imported, so that it is seen whether the memory is flat.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a bench fails by panicking"
)]

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use backstitch_benches::bare;
use bson::Bson;
use rusqlite::params;

const SIZES: [usize; 2] = [100_000, 1_000_000];
const APP: &str = "imports-abcde";
/// Documents in a transaction, as the command has it.
const BATCH: usize = 2000;

fn main() {
    // `cargo test --benches` and the like only want to know that it is there.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/backstitch");
    assert!(program.is_file(), "build the command first: cargo build --release -p backstitch-cli");
    let folder = tempfile::tempdir().expect("a folder");
    for size in SIZES {
        let file = folder.path().join(format!("{size}.jsonl"));
        write_lines(&file, size);
        let (taken, peak) = imported(&program, folder.path(), &file, size);
        let floor = floor(&folder.path().join(format!("floor-{size}.db")), &file);
        println!(
            "{size} documents: {:.0} a second, at most {peak} MiB; the floor {:.0} a second; ratio {:.2}",
            size as f64 / taken.as_secs_f64(),
            size as f64 / floor.as_secs_f64(),
            taken.as_secs_f64() / floor.as_secs_f64(),
        );
    }
}

fn write_lines(file: &Path, size: usize) {
    let mut output = BufWriter::new(File::create(file).expect("a file"));
    for number in 0..size {
        let line = format!(
            r#"{{"_id":{{"$oid":"{number:024x}"}},"name":"item {number}","price":{{"$numberDouble":"{}.5"}},"stock":{},"tags":["a","b{}"],"made":{{"$date":{{"$numberLong":"{}"}}}},"maker":{{"name":"maker {}","country":"DE"}}}}"#,
            number % 100,
            number % 1000,
            number % 7,
            1_600_000_000_000_u64 + number as u64,
            number % 500,
        );
        writeln!(output, "{line}").expect("it can be written");
    }
    output.flush().expect("it can be written");
}

/// How long the command takes, and the most memory it had, in MiB.
fn imported(program: &Path, folder: &Path, file: &Path, size: usize) -> (Duration, u64) {
    let app = folder.join(format!("app-{size}"));
    std::fs::create_dir(&app).expect("a folder");
    std::fs::write(app.join("realm_config.json"), format!(r#"{{"name": "imports", "app_id": "{APP}"}}"#))
        .expect("a file");
    let store = format!("sqlite:{}", folder.join(format!("{size}.db")).display());
    serve_once(program, &store, &app);
    let began = Instant::now();
    let mut import = Command::new(program)
        .args(["data", "import", "--namespace", "mongodb-atlas/shop.items", "--store", &store, "--app", APP])
        .arg(file)
        .stdout(Stdio::null())
        .spawn()
        .expect("the command starts");
    let status: PathBuf = format!("/proc/{}/status", import.id()).into();
    let mut peak = 0;
    while import.try_wait().expect("its state").is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let found = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = found.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
        peak = peak.max(kibibytes.unwrap_or(0) / 1024);
        std::thread::sleep(Duration::from_millis(5));
    }
    (began.elapsed(), peak)
}

/// The app is in a store once it was served from it.
fn serve_once(program: &Path, store: &str, app: &Path) {
    let mut server = Command::new(program)
        .args(["serve", "--listen", "127.0.0.1:0", "--store", store])
        .arg(app)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("a pipe")).read_line(&mut line).expect("it becomes ready");
    server.kill().expect("it can be ended");
    server.wait().expect("it has ended");
}

fn floor(database: &Path, file: &Path) -> Duration {
    let connection = bare(database);
    let table =
        "CREATE TABLE docs (seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, body BLOB NOT NULL) STRICT";
    connection.execute_batch(table).expect("a table");
    let began = Instant::now();
    let mut lines = BufReader::new(File::open(file).expect("a file")).lines().peekable();
    while lines.peek().is_some() {
        connection.execute_batch("BEGIN").expect("a transaction");
        for line in lines.by_ref().take(BATCH) {
            let json: serde_json::Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
            let Ok(Bson::Document(document)) = Bson::try_from(json) else { panic!("a document") };
            let id = document.get_object_id("_id").expect("an id").bytes();
            let sql = "INSERT INTO docs (id, body) VALUES (?1, ?2)";
            let mut statement = connection.prepare_cached(sql).expect("SQL");
            statement.execute(params![id, document.to_vec().expect("BSON")]).expect("it is inserted");
        }
        connection.execute_batch("COMMIT").expect("it is stored");
    }
    began.elapsed()
}
