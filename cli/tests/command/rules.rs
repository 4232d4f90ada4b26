//! `backstitch explain` and `backstitch test`: what the rules of a directory say.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::running::{backstitch, root};

fn run(arguments: &[&str], folder: &Path) -> Output {
    backstitch(arguments, folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with these files.
fn files(files: &[(&str, Value)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content.to_string()).unwrap();
    }
    folder
}

/// An app with one collection, `notes`.
fn notes(rules: &Value, more: &[(&str, Value)]) -> tempfile::TempDir {
    let at = "data_sources/mongodb-atlas/app/notes";
    let mut all = vec![
        ("root_config.json".to_owned(), json!({ "name": "notes" })),
        (format!("{at}/rules.json"), json!({ "database": "app", "collection": "notes", "roles": rules })),
    ];
    all.extend(more.iter().map(|(name, content)| ((*name).to_owned(), content.clone())));
    let all: Vec<(&str, Value)> =
        all.iter().map(|(name, content)| (name.as_str(), content.clone())).collect();
    files(&all)
}

fn owner() -> Value {
    json!([{ "name": "owner", "apply_when": { "owner": "%%user.id" }, "read": true, "write": true, "delete": false }])
}

#[test]
fn the_rule_tests_of_the_movies_pass() {
    let output = run(&["test", "examples/movies"], &root());
    assert!(output.status.success(), "{}", text(&output.stdout));
    let printed = text(&output.stdout);
    assert!(printed.ends_with("17 rule tests, 0 failed\n"), "{printed}");
    let output = run(&["test", "examples/movies", "--json"], &root());
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&printed["failed"], printed["tests"].as_array().unwrap().len()), (&json!(0), 17));
}

#[test]
fn a_rule_test_that_fails_says_what_differs_and_why() {
    let tests = json!({
        "collection": "notes",
        "documents": [{ "_id": 1, "owner": "ada" }, { "_id": 2, "owner": "bob" }],
        "tests": [
            { "name": "sees", "user": { "id": "ada" }, "action": "read", "expect": { "visible": [2] } },
            { "name": "deletes", "user": { "id": "ada" }, "action": "delete", "id": 1, "expect": { "allowed": true } },
            { "name": "is", "user": { "id": "ada" }, "action": "update", "id": 1, "set": { "a.b": 1 },
              "expect": { "role": "editor", "allowed": true } },
            { "name": "right", "user": { "id": "bob" }, "action": "read", "query": { "owner": "bob" },
              "expect": { "documents": [{ "id": 2, "role": "owner", "fields": ["_id", "owner"] }] } },
        ],
    });
    let folder = notes(&owner(), &[("rule_tests/notes.json", tests)]);
    let output = run(&["test", "."], folder.path());
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output.stdout);
    for part in [
        "FAILED  rule_tests/notes.json: sees\n        visible: 1 is seen\n        visible: 2 is not seen\n",
        "FAILED  rule_tests/notes.json: deletes\n        allowed: expected true, got false\n",
        "        | denied: `delete` does not hold\n",
        "FAILED  rule_tests/notes.json: is\n        role: expected \"editor\", got \"owner\"\n",
        "ok      rule_tests/notes.json: right\n",
        "\n4 rule tests, 3 failed\n",
    ] {
        assert!(printed.contains(part), "{part}\nin\n{printed}");
    }
}

#[test]
fn rule_tests_that_cannot_be_run_are_wrong_usage() {
    let test = |test: Value| json!({ "collection": "notes", "documents": [], "tests": [test] });
    let expected = json!({ "allowed": true });
    for (tests, said) in [
        (
            test(json!({ "name": "a", "user": {}, "action": "read", "expect": {} })),
            "test `a` expects nothing",
        ),
        (
            test(json!({ "name": "a", "user": {}, "action": "read", "expects": {} })),
            "unknown field `expects`",
        ),
        (
            test(json!({ "name": "a", "user": "x", "action": "read", "expect": expected })),
            "there is no user `x`",
        ),
        (
            test(json!({ "name": "a", "user": {}, "action": "peek", "expect": expected })),
            "there is no such action",
        ),
        (
            test(json!({ "name": "a", "user": {}, "action": "delete", "id": 1, "expect": expected })),
            "no document of this `id`",
        ),
        (
            test(json!({ "name": "a", "user": { "role": 1 }, "action": "read", "expect": expected })),
            "`role` is nothing that rules know",
        ),
        (json!({ "collection": "others", "tests": [] }), "there is no collection `others`"),
    ] {
        let folder = notes(&owner(), &[("rule_tests/a.json", tests)]);
        let output = run(&["test", "."], folder.path());
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(text(&output.stderr).contains(said), "{said} in {}", text(&output.stderr));
    }
    let folder = notes(&owner(), &[]);
    assert_eq!(run(&["test", "."], folder.path()).status.code(), Some(2));
}

#[test]
fn an_explanation_is_printed_and_its_exit_code_is_the_answer() {
    let folder = notes(
        &owner(),
        &[
            ("ada.json", json!({ "id": "ada" })),
            ("system.json", json!({ "type": "system" })),
            ("mine.json", json!({ "_id": 1, "owner": "ada" })),
            ("theirs.json", json!({ "_id": 1, "owner": "bob" })),
            ("query.json", json!({ "owner": { "$in": ["bob", "eve"] } })),
        ],
    );
    let explain = |more: &[&str]| {
        let mut arguments = vec!["explain", ".", "--collection", "app.notes"];
        arguments.extend(more);
        let output = run(&arguments, folder.path());
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    };
    let (code, printed, _) = explain(&["--user", "ada.json", "--action", "read"]);
    assert_eq!(code, 0);
    assert_eq!(
        printed,
        "read mongodb-atlas/app.notes\nrules: the collection's own\nrole `owner` decides on some documents\n  \
         ?   owner = %%user.id   [owner = \"ada\"]\nasked of the store: owner = \"ada\"\ndepends on the document\n"
    );
    let ada = ["--user", "ada.json"];
    let asked = |more: &[&'static str]| [&ada[..], more].concat();
    for (arguments, expected, said) in [
        (asked(&["--action", "read", "--document", "mine.json"]), 0, "\nallowed\n"),
        (asked(&["--action", "read", "--document", "theirs.json"]), 1, "\ndenied: no role applies\n"),
        (asked(&["--action", "delete", "--document", "mine.json"]), 1, "\ndenied: `delete` does not hold\n"),
        (
            asked(&["--action", "update", "--before", "mine.json", "--document", "theirs.json"]),
            0,
            "\nallowed\n",
        ),
        (
            asked(&["--action", "read", "--query", "query.json"]),
            0,
            "asked of the store: (owner = \"ada\" and owner in [\"bob\", \"eve\"])\n",
        ),
        (vec!["--user", "system.json", "--action", "delete", "--document", "mine.json"], 0, "\nallowed\n"),
    ] {
        let (code, printed, told) = explain(&arguments);
        assert_eq!(code, expected, "{arguments:?}: {printed}{told}");
        assert!(printed.contains(said), "{said} in {printed}");
    }
    let (_, printed, _) =
        explain(&["--user", "ada.json", "--action", "read", "--document", "theirs.json", "--json"]);
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed["roles"][0]["apply_when"]["values"], r#""bob" = "ada""#);
    assert_eq!(printed["allowed"], false);
    for (arguments, said) in [
        (
            asked(&["--action", "update", "--document", "mine.json"]),
            "an update takes --before and --document",
        ),
        (asked(&["--action", "peek"]), "possible values"),
        (vec!["--user", "none.json", "--action", "read"], "none.json"),
        (
            asked(&["--action", "read", "--query", "ada.json", "--collection", "x"]),
            "cannot be used multiple times",
        ),
    ] {
        let (code, _, told) = explain(&arguments);
        assert_eq!(code, 2, "{arguments:?}");
        assert!(told.contains(said), "{said} in {told}");
    }
}

/// The code blocks of the README that are marked so and begin so.
fn shown(kind: &str, begin: &str) -> String {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut blocks = readme.split("```").skip(1).step_by(2);
    let block = blocks
        .find(|block| block.strip_prefix(kind).is_some_and(|rest| rest.trim_start().starts_with(begin)));
    block.unwrap_or_else(|| panic!("{begin}")).strip_prefix(kind).unwrap().trim().to_owned()
}

#[test]
fn what_the_readme_shows_of_rules_is_true() {
    let tests: Value = serde_json::from_str(&shown("json", "{\n    \"collection\"")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copied = Path::new("data_sources/mongodb-atlas/movies/watchlists/rules.json");
    fs::create_dir_all(folder.path().join(copied).parent().unwrap()).unwrap();
    fs::copy(root().join("examples/movies").join(copied), folder.path().join(copied)).unwrap();
    fs::create_dir_all(folder.path().join("rule_tests")).unwrap();
    fs::write(folder.path().join("rule_tests/shown.json"), tests.to_string()).unwrap();
    fs::write(folder.path().join("root_config.json"), json!({ "name": "shown" }).to_string()).unwrap();
    let output = run(&["test", "."], folder.path());
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));

    let lines = shown("sh", "echo '{\"id\"");
    let (user, command) = lines.split_once('\n').unwrap();
    fs::write(folder.path().join("user.json"), user.split('\'').nth(1).unwrap()).unwrap();
    let user = folder.path().join("user.json");
    let arguments = command.split(" -- ").nth(1).unwrap().replace("/tmp/user.json", user.to_str().unwrap());
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let output = run(&arguments, &root());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("role `moderator` decides"), "{}", text(&output.stdout));
}
