//! The example as a program: the official client, unmodified, and the host's own protected route.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::Path;

use backstitch_example_app::running::{Running, realm_web};

#[test]
fn the_official_client_works_against_the_example() {
    let server = Running::start(Path::new(env!("CARGO_BIN_EXE_backstitch-example-axum")));
    realm_web(&server);
}

#[test]
fn the_hosts_own_route_is_for_those_who_have_logged_in() {
    let server = Running::start(Path::new(env!("CARGO_BIN_EXE_backstitch-example-axum")));
    assert_eq!(server.curl(&format!("{}/hello", server.base)), "must authenticate first");
    let login = server.curl(&format!("-X POST {}/auth/providers/anon-user/login", server.app_url()));
    let login: serde_json::Value = serde_json::from_str(&login).unwrap();
    let bearer = login["access_token"].as_str().unwrap();
    let hello = server.curl(&format!("-H 'authorization: Bearer {bearer}' {}/hello", server.base));
    assert_eq!(hello, format!("hello, {}", login["user_id"].as_str().unwrap()));
}
