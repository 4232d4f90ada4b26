//! The official clients, unmodified, over real sockets: every account method that they have.
//!
//! Without Node, or before `npm ci` in `tests/clients`, these say so and pass, unless
//! `BACKSTITCH_REQUIRE_CLIENTS` is set.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::routing::get;
use backstitch::auth::PasswordCost;
use backstitch::builder::EngineBuilder;
use backstitch::engine::Engine;
use backstitch::env::{Env, Mail, Mailer};
use backstitch_example_app::{
    ACCOUNTS_APP_ID, APP_ID, FUNCTIONS_APP_ID, JWT_SECRET, notes_app, with_accounts,
};
use backstitch_http::tower::EngineService;
use backstitch_storage_memory::MemoryStore;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;

/// A mailbox with the same answers as `backstitch serve --dev-mailbox`.
#[derive(Clone, Default)]
struct Mailbox(Arc<Mutex<Vec<Mail>>>);

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, mail: Mail) -> backstitch::error::Result<()> {
        self.0.lock().unwrap().push(mail);
        Ok(())
    }
}

async fn newest(State(mailbox): State<Mailbox>, RawQuery(query): RawQuery) -> (StatusCode, String) {
    let query = query.unwrap_or_default();
    let wanted = |name: &str, value: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.all(|(key, text)| key != name || percent_decode_str(text).decode_utf8_lossy() == value)
    };
    let mails = mailbox.0.lock().unwrap();
    let found = mails.iter().rev().find(|mail| {
        wanted("app", mail.app.as_str()) && wanted("kind", mail.kind.as_str()) && wanted("email", &mail.to)
    });
    let Some(mail) = found else { return (StatusCode::NOT_FOUND, String::new()) };
    let token = mail.token.as_ref();
    let shown = json!({
        "kind": mail.kind.as_str(),
        "email": mail.to,
        "token": token.map(|token| token.token.expose()),
        "tokenId": token.map(|token| &token.token_id),
        "link": token.map(|token| &token.link),
    });
    (StatusCode::OK, shown.to_string())
}

/// Serves until the test ends; returns the base URL.
async fn serve(apps: impl FnOnce(EngineBuilder) -> EngineBuilder) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let mailbox = Mailbox::default();
    let builder = Engine::builder()
        .store(Arc::new(MemoryStore::new()))
        .env(Env { mailer: Arc::new(mailbox.clone()), ..Env::system() })
        .password_cost(PasswordCost { memory_kib: 64, passes: 1, lanes: 1 })
        .public_url(base.as_str());
    let engine = apps(builder).build().await.unwrap();
    let router = axum::Router::new().route("/_dev/mailbox", get(newest)).with_state(mailbox);
    let router = router.fallback_service(EngineService::new(engine));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    base
}

/// Runs one script: its file and, where it needs one, the client's package.
async fn run(script: &[&str], base: &str, app: &str, offers: &Value) {
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    let node =
        Command::new("node").arg("--version").output().await.is_ok_and(|output| output.status.success());
    let installed = ["realm-web", "realm-web-1", "mongodb-stitch-server-sdk"]
        .iter()
        .all(|package| clients.join("node_modules").join(package).is_dir());
    if !node || !installed {
        assert!(std::env::var_os("BACKSTITCH_REQUIRE_CLIENTS").is_none(), "no Node, or `npm ci` was not run");
        println!("skipped: no Node, or `npm ci` was not run in tests/clients");
        return;
    }
    let mut command = Command::new("node");
    command.args(script).args([base, app, &offers.to_string()]).current_dir(clients);
    let output = command.output().await.unwrap();
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
    println!("{said}");
}

const SCRIPTS: [&[&str]; 3] = [
    &["accounts-realm-web.mjs", "realm-web"],
    &["accounts-realm-web.mjs", "realm-web-1"],
    &["accounts-stitch.mjs"],
];

#[tokio::test(flavor = "multi_thread")]
async fn guests_and_passwords_without_confirmation_work_in_every_generation() {
    let base = serve(|builder| builder.app(notes_app())).await;
    for script in SCRIPTS {
        run(script, &base, APP_ID, &json!({})).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_another_service_work_in_every_generation() {
    let base = serve(with_accounts).await;
    for script in SCRIPTS {
        run(script, &base, ACCOUNTS_APP_ID, &json!({ "passwords": false, "jwtSecret": JWT_SECRET })).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_account_method_works_in_every_generation() {
    let base = serve(with_accounts).await;
    let offers = json!({
        "mailbox": format!("{base}/_dev/mailbox"),
        "jwtSecret": JWT_SECRET,
        "logIn": true,
        "apiKeys": true,
        "deletion": true,
        "linking": true,
        "functionsApp": FUNCTIONS_APP_ID,
    });
    for script in SCRIPTS {
        run(script, &base, ACCOUNTS_APP_ID, &offers).await;
    }
}
