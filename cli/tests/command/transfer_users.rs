//! Users in and out of a store, by the command.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::operate::{EMAIL, PASSWORD, USERPASS, World};

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

fn lines_of(file: impl AsRef<Path>) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn whoever_never_logged_in_moves_too_and_server_keys_do_not() {
    let (from, to) = (World::movies(), World::movies());
    let made = from.run_with(&format!("users create {EMAIL}"), "BACKSTITCH_PASSWORD", PASSWORD);
    assert_eq!(made.code, 0, "{made:?}");
    let key = from.lines("api-keys create backend").remove(0);
    assert_eq!(from.server.log_in("api-key", &json!({ "key": key["key"] })).0, 200);
    let guest = from.server.log_in("anon-user", &json!({})).1["user_id"].clone();

    let file = from.folder.path().join("users.jsonl").display().to_string();
    assert_eq!(from.lines(&format!("users export {file} --with-hashes")), [json!({"exported": 2})]);
    let exported = lines_of(&file);
    assert_eq!(
        (&exported[0]["_id"], &exported[0]["identities"][0]["provider_type"]),
        (&guest, &json!("anon-user"))
    );
    assert_eq!(
        (exported[1].get("_id"), &exported[1]["identities"][0]["data"]["email"]),
        (None, &json!(EMAIL))
    );

    let import = format!("users import {file} --strict");
    assert_eq!(to.lines(&import), [json!({"imported": 2, "skipped": 0, "bad": 0})]);
    assert_eq!(to.lines(&import), [json!({"imported": 0, "skipped": 2, "bad": 0})]);
    let (status, tokens) = to.log_in(EMAIL, PASSWORD);
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(to.lines(&import), [json!({"imported": 0, "skipped": 2, "bad": 0})]);
    from.server.end();
    to.server.end();
}

#[test]
fn an_address_of_somebody_else_is_told_and_not_taken_for_the_same_user() {
    let (from, to) = (World::movies(), World::movies());
    let user = from.person();
    let other = to.person();
    assert_ne!(user, other);
    let file = from.folder.path().join("users.jsonl.gz").display().to_string();
    from.lines(&format!("users export {file} --with-hashes"));
    assert!(fs::read(&file).unwrap().starts_with(&[0x1f, 0x8b]), "gzipped, as its name says");
    let outcome = to.run(&format!("users import {file}"));
    let complaint = "line 1: another account has the address, or a way in";
    assert_eq!((outcome.code, outcome.complaint.as_str()), (0, complaint));
    assert_eq!(outcome.lines, [json!({"imported": 0, "skipped": 0, "bad": 1})]);
    let strict = to.run(&format!("users import {file} --strict"));
    assert_eq!((strict.code, strict.complaint.as_str()), (1, complaint));
    assert_eq!(to.person(), other, "who was there logs in as before");
    from.server.end();
    to.server.end();
}

#[test]
fn a_user_without_a_hash_sets_a_password_by_the_link_and_keeps_their_id() {
    let (from, to) = (World::movies(), World::movies());
    let user = from.person();
    let file = from.folder.path().join("users.jsonl").display().to_string();
    from.lines(&format!("users export {file}"));
    to.lines(&format!("users import {file}"));
    assert_eq!(to.log_in(EMAIL, PASSWORD).0, 401, "no password, no log-in");
    assert_eq!(to.log_in(EMAIL, "$none$").0, 401);
    let token = to.lines(&format!("users reset-link {EMAIL}")).remove(0);
    let body = json!({ "token": token["token"], "tokenId": token["tokenId"], "password": "battery staple" });
    let reset = format!("POST /app/{{app}}/auth/providers/{USERPASS}/reset");
    assert_eq!(to.server.send(&reset, "", &body).0, 200);
    let (status, tokens) = to.log_in(EMAIL, "battery staple");
    assert_eq!((status, tokens["user_id"].as_str()), (200, Some(user.as_str())));
    assert_ne!(to.server.send(&reset, "", &body).0, 200, "it works once");
    from.server.end();
    to.server.end();
}

#[test]
fn a_disabled_user_arrives_disabled_and_an_odd_line_says_what_is_odd() {
    let (from, to) = (World::movies(), World::movies());
    let user = from.person();
    from.done(&format!("users disable {user}"));
    let file = from.folder.path().join("users.jsonl").display().to_string();
    from.lines(&format!("users export {file} --with-hashes"));
    to.lines(&format!("users import {file}"));
    let (status, answer) = to.log_in(EMAIL, PASSWORD);
    assert_eq!((status, &answer["error_code"]), (401, &json!("UserDisabled")));
    to.done(&format!("users enable {user}"));
    assert_eq!(to.person(), user);

    let id = "64b000000000000000000001";
    let own = json!({"id": "x", "provider_type": USERPASS, "data": {"email": "b@example.test"}});
    let lines = [
        (
            json!({"_id": id, "type": "server", "identities": [own]}),
            "only users of the type `normal` are imported",
        ),
        (json!({"_id": id}), "it has no `identities`"),
        (json!({"_id": id, "identities": []}), "a user without identities cannot log in"),
        (json!({"_id": id, "identities": [{"id": "x"}]}), "an identity has no `provider_type`"),
        (json!({"_id": id, "identities": [{"id": "x", "provider_type": USERPASS}]}), "needs an `email`"),
        (json!({"_id": 7, "identities": [own]}), "its `_id` is no user id"),
        (
            json!({"identities": [{"id": "x", "provider_type": "anon-user"}]}),
            "without an id there may be one",
        ),
        (json!({"_id": id, "identities": [own, own]}), "at most one `local-userpass` identity"),
        (json!({"_id": id, "identities": [own], "password_hash": "md5$1"}), "of no supported make"),
    ];
    let content: String = lines.iter().map(|(line, _)| format!("{line}\n")).collect();
    let file = to.file("odd.jsonl", content.as_bytes());
    let outcome = to.run(&format!("users import {file}"));
    assert_eq!(outcome.lines, [json!({"imported": 0, "skipped": 0, "bad": lines.len()})]);
    for (told, ((_, expected), number)) in outcome.complaint.lines().zip(lines.iter().zip(1..)) {
        assert!(told.starts_with(&format!("line {number}: ")) && told.contains(expected), "{told}");
    }
    from.server.end();
    to.server.end();
}

#[cfg(unix)]
#[test]
fn a_file_of_users_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::movies();
    world.person();
    let file = world.folder.path().join("users.jsonl");
    world.lines(&format!("users export {} --with-hashes", file.display()));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    world.server.end();
}
