//! `backstitch check`: what is wrong with a directory, and whether it can be served.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::running::{backstitch, root};

/// The exit code, standard output and standard error.
fn checked(arguments: &[&str]) -> (i32, String, String) {
    let output = backstitch(arguments, &root()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn write(folder: &Path, file: &str, content: &Value) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content.to_string()).unwrap();
}

const NOTES: &str = "data_sources/mongodb-atlas/app/notes";

/// An app with one collection that is nearly right, one whose rules cannot be read, and one without rules.
fn odd_app() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "root_config.json", &json!({"name": "odd"}));
    let schema = json!({"title": "Note", "bsonType": "object", "properties": {
        "_id": {"bsonType": "objectId"}, "owner": {"bsonType": "objectId"}
    }});
    let rules = json!({"database": "app", "collection": "notes", "roles": [
        {"name": "owner", "apply_when": {"owner": "%%user.id"}, "read": true, "write": true},
        {"name": "matching", "apply_when": {"owner": {"$regex": "x"}}, "read": true},
    ], "filters": [{"name": "open", "query": {"archived": false}}]});
    write(folder.path(), &format!("{NOTES}/schema.json"), &schema);
    write(folder.path(), &format!("{NOTES}/rules.json"), &rules);
    write(folder.path(), "data_sources/mongodb-atlas/app/broken/rules.json", &json!([]));
    write(folder.path(), "data_sources/mongodb-atlas/app/free/schema.json", &schema);
    folder
}

#[test]
fn check_finds_nothing_in_the_movies() {
    let (code, told, _) = checked(&["check", "examples/movies"]);
    assert_eq!(code, 0);
    assert!(told.starts_with("7 collections with rules, 0 without, 10 roles, 4 relationships\n"), "{told}");
    assert!(told.ends_with("0 errors, 0 warnings\n"), "{told}");
    assert!(!told.contains("need a callback") && !told.contains("missing"), "{told}");
}

#[test]
fn check_knows_the_oldest_layout_and_says_where_things_really_are() {
    let (code, told, _) = checked(&["check", "examples/notes-2018"]);
    assert_eq!(code, 0);
    assert_eq!(
        told,
        "warning: services/mongodb-atlas/rules/notes.notes.json#/schema/properties/public/bsonType: `boolean` is no BSON \
         type; read as `bool`\n\
         \n\
         2 collections with rules, 0 without, 3 roles, 1 relationship\n\
         log-in by: anon-user, local-userpass\n\
         log-in that is off: api-key\n\
         functions in JavaScript: countNotes, welcome (trigger welcome)\n\
         triggers: welcome (CREATE → welcome)\n\
         hint: `welcome` seems to do nothing but insert a document into notes.people; `userDocument` in backstitch.json \
         does that without JavaScript, before the first token is made\n\
         0 errors, 1 warning\n"
    );
}

#[test]
fn check_tells_each_oddity_of_real_exports_once_and_the_app_is_served() {
    let (code, told, _) = checked(&["check", "tests/apps/sloppy"]);
    assert_eq!(code, 0);
    for (oddity, file) in [
        ("unknown key `someKey`", "root_config.json#/someKey"),
        (
            "the secret `google_secret` is not known",
            "auth/providers.json#/oauth2-google/secret_config/clientSecret",
        ),
        ("`boolean` is no BSON type", "plain/schema.json#/properties/sold/bsonType"),
        ("`float` is no BSON type", "plain/schema.json#/properties/price/bsonType"),
        ("unknown keyword `minimun`", "plain/schema.json#/properties/unit price/minimun"),
        ("required field `neverDeclared` is not declared", "plain/schema.json#/required/1"),
        ("`mongodb-atlas/shop.twice` was already configured", "shop/second"),
        ("the secret `key_secret` is not known", "values/key.json#/value"),
        ("the function `sourceless` has no source", "functions/config.json#/1"),
        ("triggers of the type SCHEDULED do not run", "triggers/daily.json#/type"),
        ("the GraphQL name `Thing` is taken", "twice/schema.json#/title"),
        ("`__v` has no GraphQL name", "plain/schema.json#/properties/__v"),
        ("the type of `more` has no GraphQL counterpart", "plain/schema.json#/properties/more"),
        ("there is no generated type `Gone`", "custom_resolvers/lost.json#/payload_type"),
    ] {
        let lines: Vec<&str> = told.lines().filter(|line| line.contains(oddity)).collect();
        assert!(lines.len() == 1 && lines[0].contains(file), "{oddity}: {told}");
    }
    for line in [
        "2 collections with rules, 1 without, 2 roles",
        "closed: mongodb-atlas/shop.noRules has no rules: nobody may do anything",
        "log-in by: local-userpass, oauth2-google",
        "log-in that is off: anon-user",
        "functions that need a callback: sourceless",
        "secrets that are missing: key_secret",
    ] {
        assert!(told.lines().any(|told| told == line), "{line}: {told}");
    }
    let (_, json, _) = checked(&["check", "tests/apps/sloppy", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json["app"]["functions"][0],
        json!({"name": "nested", "kind": "javascript", "used_by": ["resolver Query.found", "resolver Query.lost"]})
    );
}

#[test]
fn check_tells_errors_first_and_what_is_closed_and_the_app_can_be_served() {
    let folder = odd_app();
    let (code, told, _) = checked(&["check", folder.path().to_str().unwrap()]);
    assert_eq!(code, 0, "{told}");
    let lines: Vec<&str> = told.lines().collect();
    let kinds: Vec<&str> =
        lines.iter().filter_map(|line| line.split_once(':')).map(|(kind, _)| kind).collect();
    let mut sorted = kinds.clone();
    sorted.sort_by_key(|kind| ["error", "warning", "closed"].iter().position(|known| known == kind));
    assert_eq!(kinds, sorted, "{told}");
    for line in [
        format!(
            "error: {NOTES}/rules.json#/roles/1/apply_when/owner/$regex: operator `$regex` is not supported"
        ),
        format!(
            "warning: {NOTES}/rules.json#/roles/0/apply_when: role `owner`: `owner` (objectId) is compared with \
             `%%user.id` (string): write {{\"%stringToOid\": \"%%user.id\"}}; the condition never holds"
        ),
        "2 collections with rules, 1 without, 3 roles".to_owned(),
        "closed: role `matching` of mongodb-atlas/app.notes grants nothing".to_owned(),
        "closed: role `closed` of mongodb-atlas/app.broken grants nothing".to_owned(),
        "closed: mongodb-atlas/app.free has no rules: nobody may do anything".to_owned(),
    ] {
        assert!(lines.contains(&line.as_str()), "{line}\n{told}");
    }
    assert!(lines.last().unwrap().starts_with("3 errors, "), "{told}");
}

#[cfg(feature = "js")]
#[test]
fn check_tells_which_functions_cannot_be_parsed_and_misses_only_those() {
    let folder = odd_app();
    fs::create_dir_all(folder.path().join("functions")).unwrap();
    fs::write(folder.path().join("functions/logIn.js"), "exports = (payload) => payload.name;").unwrap();
    fs::write(folder.path().join("functions/broken.js"), "exports = () => {\n  return 1 +;\n};").unwrap();
    let provider = json!({"name": "custom-function", "type": "custom-function", "config": {"authFunctionName": "logIn"}});
    write(folder.path(), "auth/providers.json", &json!({ "custom-function": provider }));
    let (code, told, _) = checked(&["check", folder.path().to_str().unwrap()]);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("error: functions/broken.js: line 2: "), "{told}");
    assert!(!told.contains("FunctionNotFound"), "{told}");
}

#[test]
fn check_answers_in_json_and_nothing_else() {
    let folder = odd_app();
    let (code, told, _) = checked(&["check", folder.path().to_str().unwrap(), "--json"]);
    assert_eq!(code, 0);
    let found: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(found["served"], true);
    let problem = &found["problems"][0];
    assert_eq!((&problem["severity"], problem["message"].is_string()), (&json!("error"), true), "{found}");
    assert!(problem["file"].as_str().unwrap().starts_with("data_sources/"), "{found}");
    let pointers = found["problems"].as_array().unwrap().iter().map(|problem| &problem["pointer"]);
    assert!(pointers.into_iter().any(|pointer| pointer == "/roles/0/apply_when"), "{found}");
    let notes = json!({"collection": "mongodb-atlas/app.notes", "roles": ["owner", "matching"],
        "closed_roles": ["matching"], "filters": ["open"], "default_rules": false});
    assert!(found["collections"].as_array().unwrap().contains(&notes), "{found}");
}

#[test]
fn check_refuses_what_cannot_be_imported() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "root_config.json", &json!({}));
    let directory = folder.path().to_str().unwrap();
    let (code, told, reason) = checked(&["check", directory]);
    assert_eq!(code, 1);
    assert!(told.starts_with("error: root_config.json"), "{told}");
    assert!(reason.contains("cannot be imported"), "{reason}");
    let (code, told, _) = checked(&["check", directory, "--json"]);
    let found: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, &found["served"], &found["collections"]), (1, &json!(false), &json!([])));
    assert_eq!(found["problems"][0]["severity"], "error");
}

#[test]
fn check_without_a_directory_is_wrong_usage() {
    for arguments in
        [&["check"][..], &["check", "examples/movies", "examples/movies"], &["check", "--yaml", "x"]]
    {
        let (code, told, reason) = checked(arguments);
        assert_eq!((code, told.as_str()), (2, ""), "{arguments:?}");
        assert!(reason.contains("Usage"), "{reason}");
    }
}
