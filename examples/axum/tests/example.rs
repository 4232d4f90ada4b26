//! The example as a program: the official clients, unmodified, and the host's own protected route.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use backstitch_example_app::clients::{Client, every_account_method, visit};
use backstitch_example_app::running::Running;

/// Starts the example for one test: log-ins from one address are counted.
fn with_server(story: impl FnOnce(&Running)) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("example.db");
    story(&Running::start(env!("CARGO_BIN_EXE_backstitch-example-axum"), &[file.to_str().unwrap()]));
}

#[test]
fn realm_web_2_visits() {
    with_server(visit);
}

#[test]
fn every_account_method_of_realm_web_2_works() {
    with_server(|server| every_account_method(server, Client::RealmWeb2));
}

#[test]
fn every_account_method_of_realm_web_1_works() {
    with_server(|server| every_account_method(server, Client::RealmWeb1));
}

#[test]
fn every_account_method_of_stitch_works() {
    with_server(|server| every_account_method(server, Client::Stitch));
}

#[test]
fn the_hosts_own_route_is_for_those_who_have_logged_in() {
    with_server(|server| {
        assert_eq!(server.curl(&format!("{}/hello", server.base)), "must authenticate first");
        let login = server.curl(&format!("-X POST {}/auth/providers/anon-user/login", server.app_url()));
        let login: serde_json::Value = serde_json::from_str(&login).unwrap();
        let bearer = login["access_token"].as_str().unwrap();
        let hello = server.curl(&format!("-H 'authorization: Bearer {bearer}' {}/hello", server.base));
        assert_eq!(hello, format!("hello, {}", login["user_id"].as_str().unwrap()));
    });
}
