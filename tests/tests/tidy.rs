//! The habits of the house, as a test: who may depend on whom, how long files and functions are,
//! and that time, randomness and the network come only from `env`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Code lines of a file (before its test module, without blanks and comments).
const MAX_FILE: usize = 500;
/// Lines of a function. One function in a hundred may be longer, up to `LONGEST_FUNCTION`.
const MAX_FUNCTION: usize = 60;
const LONGEST_FUNCTION: usize = 80;

/// Crates that are held to the rules.
const SOURCES: &[&str] = &[
    "core",
    "conformance",
    "storage-memory",
    "storage-sqlite",
    "storage-postgres",
    "functions-js",
    "http",
    "cli",
    "examples/axum",
    "examples/actix",
];

/// Crate → workspace crates that it may depend on (other than for tests).
const CRATES: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("conformance", &["backstitch"]),
    ("storage-memory", &["backstitch"]),
    ("storage-sqlite", &["backstitch"]),
    ("storage-postgres", &["backstitch"]),
    ("functions-js", &["backstitch"]),
    ("http", &["backstitch"]),
];

/// What core must not know: frameworks, drivers, runtimes.
const FOREIGN_TO_CORE: &[&str] =
    &["tokio", "axum", "hyper", "tower", "actix-web", "rusqlite", "tokio-postgres", "reqwest", "lettre"];

/// Module of core → modules of core that it may use.
const MODULES: &[(&str, &[&str])] = &[
    ("env", &["error", "env", "id", "secret"]),
    ("filter", &["filter", "store"]),
    ("schema", &["schema", "filter", "id", "report"]),
    ("rules", &["rules", "filter", "schema", "actor", "id", "report", "store", "limits"]),
    ("store", &["store", "filter", "rules", "id", "secret"]),
];

/// Word → where it may stand.
const PLACES: &[(&str, &[&str])] = &[
    ("juniper", &["core/src/graphql/"]),
    ("rusqlite", &["storage-sqlite/"]),
    ("tokio_postgres", &["storage-postgres/"]),
    ("rquickjs", &["functions-js/"]),
    ("actix_web", &["http/src/actix.rs", "examples/actix/"]),
    ("SystemTime::now", &["core/src/env/"]),
    ("Instant::now", &["core/src/env/", "cli/", "conformance/src/mounts/"]),
    ("Utc::now", &["core/src/env/"]),
    ("DateTime::now", &["core/src/env/"]),
    ("ObjectId::new", &["core/src/env/"]),
    ("SystemRandom::new", &["core/src/env/"]),
    ("TcpStream", &["cli/", "conformance/src/mounts/"]),
    ("TcpListener", &["cli/", "examples/"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Files of every crate's `src`, by their path from the root.
fn sources() -> Vec<(PathBuf, String)> {
    SOURCES
        .iter()
        .flat_map(|name| rust_files(&root().join(name).join("src")))
        // Test modules in files of their own.
        .filter(|path| !["tests.rs", "attacks.rs", "properties.rs"].iter().any(|name| path.ends_with(name)))
        .map(|path| (path.strip_prefix(root()).unwrap().to_path_buf(), fs::read_to_string(&path).unwrap()))
        .collect()
}

/// The text before the test module at the foot.
fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod ").map_or(text, |end| &text[..end])
}

fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    without_tests(text).lines().filter(|line| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with("//")
    })
}

/// Whether `word` stands in the line as a whole word.
fn names(line: &str, word: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(is_letter) && !line[at + word.len()..].starts_with(is_letter))
}

fn assert_none(problems: &[String], rule: &str) {
    assert!(problems.is_empty(), "{rule}:\n  {}", problems.join("\n  "));
}

#[test]
fn crates_depend_only_in_the_allowed_directions() {
    let mut problems = Vec::new();
    for (name, allowed) in CRATES {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        let own = manifest.split("[dev-dependencies]").next().unwrap();
        let dependencies = own.split("[dependencies]").nth(1).unwrap();
        for line in dependencies.lines() {
            let dependency = line.split(['.', ' ', '=']).next().unwrap();
            if dependency.starts_with("backstitch") && !allowed.contains(&dependency) {
                problems.push(format!("{name} depends on {dependency}"));
            }
            if *name == "core" && FOREIGN_TO_CORE.contains(&dependency) {
                problems.push(format!("core depends on {dependency}"));
            }
        }
    }
    assert_none(&problems, "a crate knows more than it may (ARCHITECTURE.md, who may know whom)");
}

#[test]
fn modules_of_core_depend_only_in_the_allowed_directions() {
    let allowed: BTreeMap<&str, &[&str]> = MODULES.iter().copied().collect();
    let mut problems = Vec::new();
    for (path, text) in sources() {
        let Ok(inside) = path.strip_prefix("core/src") else { continue };
        let module = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        for line in code_lines(&text) {
            for (at, word) in line.match_indices("crate::") {
                let used =
                    line[at + word.len()..].split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                let exists = root().join("core/src").join(used).exists()
                    || root().join("core/src").join(format!("{used}.rs")).exists();
                if exists && allowed.get(module).is_some_and(|list| !list.contains(&used)) {
                    problems.push(format!("{} uses {used}", path.display()));
                }
                if used == "engine" && !["engine", "builder", "lib"].contains(&module) {
                    problems.push(format!("{} knows the engine", path.display()));
                }
            }
        }
    }
    assert_none(&problems, "a module of core knows more than it may (ARCHITECTURE.md, who may know whom)");
}

#[test]
fn foreign_names_stay_in_their_places() {
    let mut problems = Vec::new();
    for (path, text) in sources() {
        let shown = path.to_str().unwrap();
        for line in code_lines(&text) {
            for (word, allowed) in PLACES {
                if names(line, word) && !allowed.iter().any(|place| shown.starts_with(place)) {
                    problems.push(format!("{shown}: {}", line.trim()));
                }
            }
        }
    }
    assert_none(&problems, "a name outside its place (ARCHITECTURE.md, who may know whom)");
}

#[test]
fn files_and_functions_stay_short() {
    let mut long_files = Vec::new();
    let mut functions = 0_usize;
    let mut long = Vec::new();
    for (path, text) in sources() {
        let count = code_lines(&text).count();
        if count > MAX_FILE {
            long_files.push(format!("{}: {count} code lines", path.display()));
        }
        for (name, length) in function_lengths(without_tests(&text)) {
            functions += 1;
            if length > MAX_FUNCTION {
                long.push((length, format!("{}: {name}, {length} lines", path.display())));
            }
        }
    }
    assert_none(&long_files, "a file holds more than one concept");
    assert!(functions > 200, "the count of functions is broken: {functions}");
    let shown: Vec<&str> = long.iter().map(|(_, text)| text.as_str()).collect();
    let within = long.len() * 100 <= functions && long.iter().all(|(length, _)| *length <= LONGEST_FUNCTION);
    assert!(within, "{} of {functions} functions are too long:\n  {}", long.len(), shown.join("\n  "));
}

/// Name and length of every function of several lines, by the indentation that rustfmt gives.
fn function_lengths(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let words: Vec<&str> = code.split(' ').take_while(|word| !word.contains('(')).collect();
        let qualifiers = ["pub", "pub(crate)", "pub(super)", "const", "async", "fn"];
        let is_function =
            code.split(' ').any(|word| word == "fn") && qualifiers.iter().any(|q| code.starts_with(q));
        if !is_function || code.ends_with(['}', ';']) {
            continue;
        }
        let end = format!("{}}}", &line[..line.len() - code.len()]);
        if let Some(length) = lines[start..].iter().position(|line| *line == end) {
            let name = code.split("fn ").nth(1).unwrap_or(words.last().unwrap_or(&"?"));
            found.push((name.split(['(', '<']).next().unwrap().to_owned(), length + 1));
        }
    }
    found
}

#[test]
fn tables_of_contents_stay_short() {
    let problems: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| path.ends_with("lib.rs") || path.ends_with("mod.rs"))
        .map(|(path, text)| (path, code_lines(text).count()))
        .filter(|(path, count)| *count > if path.ends_with("lib.rs") { 80 } else { 150 })
        .map(|(path, count)| format!("{}: {count} code lines", path.display()))
        .collect();
    assert_none(&problems, "lib.rs and mod.rs are tables of contents");
}

/// The numbers of the attacks that are tests on every store.
fn tested_attacks() -> BTreeSet<u32> {
    let files = rust_files(&root().join("tests/tests/attacks"));
    let texts: Vec<String> = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    texts
        .iter()
        .flat_map(|text| text.split("attack!(").skip(1))
        .filter_map(|test| test.trim_start().strip_prefix("attack_")?.split('_').next()?.parse().ok())
        .collect()
}

#[test]
fn every_attack_of_the_list_is_a_test_or_a_line_of_the_security_policy() {
    let policy = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let lines: BTreeSet<u32> = policy
        .lines()
        .filter_map(|line| line.strip_prefix("- Attack ")?.split_once(':')?.0.parse().ok())
        .collect();
    let tested = tested_attacks();
    assert!(lines.len() > 5 && tested.len() > 40, "the lists cannot be read: {lines:?} {tested:?}");
    let all: BTreeSet<u32> = (1..=88).collect();
    let known: BTreeSet<u32> = tested.union(&lines).copied().collect();
    assert_eq!(known, all, "an attack is lost, or has a number that the list has not");
}
