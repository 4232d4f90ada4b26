//! Log-in by redirect in headless Chromium, against `oauth2-mock-server`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Html;
use axum::routing::get;
use backstitch::app::AppConfig;
use backstitch::auth::config::{MetadataField, OAuthConfig, ProviderKind};
use backstitch::engine::Engine;
use backstitch::env::{Egress, Env};
use backstitch::secret::Secret;
use backstitch::store::Store;
use backstitch_http::client::HttpsClient;
use backstitch_http::tower::EngineService;
use backstitch_tests::every_store;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

/// The page that an app has for the end of a log-in; it shows what a client would read.
const PAGE: &str = "<!doctype html><p id=fragment></p>\
    <script>document.getElementById('fragment').textContent = location.hash</script>";
/// The test's longest wait for the browser.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_goes_to_the_service_and_comes_back_logged_in_or_linked_on_every_store() {
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    let Some(chromium) = ready(&clients).await else { return };
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        browse(&clients, &chromium, store).await;
    }
}

async fn browse(clients: &Path, chromium: &str, store: Arc<dyn Store>) {
    let mut script = Command::new("node")
        .args(["oauth-browser.mjs", chromium])
        .current_dir(clients)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(script.stdout.take().unwrap()).lines();
    let first = lines.next_line().await.unwrap().expect("the service starts");
    let issuer = first.strip_prefix("issuer ").expect("its issuer");

    let (base, app) = serve(issuer, store).await;
    let mut input = script.stdin.take().unwrap();
    input.write_all(format!("{base} {app}\n").as_bytes()).await.unwrap();
    let status = tokio::time::timeout(PATIENCE, script.wait()).await.expect("the browser is done").unwrap();
    let mut rest = Vec::new();
    while let Ok(Some(line)) = lines.next_line().await {
        rest.push(line);
    }
    assert!(status.success(), "{}", rest.join("\n"));
}

/// Where Chromium is, if everything is there.
async fn ready(clients: &Path) -> Option<String> {
    let mut found = None;
    for name in ["chromium", "chromium-browser", "google-chrome"] {
        let output = Command::new("sh").args(["-c", &format!("command -v {name}")]).output().await;
        let path = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        found = found.or(path.ok().filter(|path| !path.is_empty()));
    }
    let node =
        Command::new("node").arg("--version").output().await.is_ok_and(|output| output.status.success());
    let installed = clients.join("node_modules/puppeteer-core").is_dir();
    if let (Some(chromium), true, true) = (found, node, installed) {
        return Some(chromium);
    }
    let why = "no Chromium, no Node, or `npm ci` was not run in tests/clients";
    assert!(std::env::var_os("BACKSTITCH_REQUIRE_CLIENTS").is_none(), "{why}");
    println!("skipped: {why}");
    None
}

/// Serves an app that logs in there, and gives its base URL and id.
async fn serve(issuer: &str, store: Arc<dyn Store>) -> (String, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let field = |name: &str| MetadataField {
        path: vec![name.to_owned()],
        field_name: name.to_owned(),
        required: false,
    };
    let mut config = AppConfig::new("club").provider(ProviderKind::Anonymous);
    for type_name in ["oidc-corp", "oauth2-google"] {
        config = config.provider(ProviderKind::OAuth(Box::new(OAuthConfig {
            type_name: type_name.to_owned(),
            client_id: "client-1".to_owned(),
            client_secret: Some(Secret::new("hush")),
            public_client: false,
            other_client_ids: Vec::new(),
            redirect_uris: vec![format!("{base}/signed-in")],
            domain_restrictions: Vec::new(),
            metadata: vec![field("email"), field("first_name")],
            open_id: false,
            issuer: Some(issuer.to_owned()),
        })));
    }
    config.egress = Egress::allowing([issuer.trim_start_matches("http://").to_owned()]);
    let app = config.id.to_string();
    let env = Env { http: Arc::new(HttpsClient::new().unwrap()), ..Env::system() };
    let engine =
        Engine::builder().store(store).env(env).public_url(base.as_str()).app(config).build().await.unwrap();
    let page = get(async || Html(PAGE));
    let router = axum::Router::new().route("/signed-in", page).fallback_service(EngineService::new(engine));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (base, app)
}
