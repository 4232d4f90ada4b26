//! The official clients, unmodified, against an example that runs: `tests/clients`.
//!
//! Without Node, or before `npm ci` in `tests/clients`, these say so and pass, unless
//! `BACKSTITCH_REQUIRE_CLIENTS` is set.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::running::Running;
use crate::{ACCOUNTS_APP_ID, APP_ID, FUNCTIONS_APP_ID, JWT_SECRET};

/// A generation of the official clients.
#[derive(Clone, Copy, Debug)]
pub enum Client {
    /// `realm-web` 2.x.
    RealmWeb2,
    /// `realm-web` 1.x.
    RealmWeb1,
    /// `mongodb-stitch-server-sdk` 4.x.
    Stitch,
}

/// A whole visit with `realm-web` 2.x: log-in, GraphQL, refresh, log-out.
///
/// # Panics
/// When a step of the client goes wrong.
pub fn visit(server: &Running) {
    run(&["realm-web.mjs", &server.base, &server.app]);
}

/// Every account method that the client has, against each of the example's apps.
///
/// # Panics
/// When a step of the client goes wrong.
pub fn every_account_method(server: &Running, client: Client) {
    let script: &[&str] = match client {
        Client::RealmWeb2 => &["accounts-realm-web.mjs", "realm-web"],
        Client::RealmWeb1 => &["accounts-realm-web.mjs", "realm-web-1"],
        Client::Stitch => &["accounts-stitch.mjs"],
    };
    let without_mail = json!({});
    let by_token_alone = json!({ "passwords": false, "jwtSecret": JWT_SECRET });
    let everything = json!({
        "mailbox": format!("{}/_dev/mailbox", server.base),
        "jwtSecret": JWT_SECRET,
        "logIn": true,
        "apiKeys": true,
        "deletion": true,
        "linking": true,
        "functionsApp": FUNCTIONS_APP_ID,
    });
    for (app, offers) in
        [(APP_ID, without_mail), (ACCOUNTS_APP_ID, by_token_alone), (ACCOUNTS_APP_ID, everything)]
    {
        run(&[script, &[&server.base, app, &offers.to_string()]].concat());
    }
}

/// Runs a script of `tests/clients` and prints what it says.
fn run(arguments: &[&str]) {
    let Some(folder) = installed() else { return };
    let output = Command::new("node").args(arguments).current_dir(folder).output().expect("node runs");
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        panic!("{said}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    println!("{said}");
}

/// Where the scripts are, if they can be run.
fn installed() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients");
    let node = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    let packages = ["realm-web", "realm-web-1", "mongodb-stitch-server-sdk"];
    if node && packages.iter().all(|package| folder.join("node_modules").join(package).is_dir()) {
        return Some(folder);
    }
    let why = "no Node, or `npm ci` was not run in tests/clients";
    assert!(std::env::var_os("BACKSTITCH_REQUIRE_CLIENTS").is_none(), "{why}");
    println!("skipped: {why}");
    None
}
