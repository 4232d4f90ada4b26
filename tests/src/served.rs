//! An engine behind a socket, on either mount, and the scripts that are run against it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backstitch::app::AppConfig;
use backstitch::engine::Engine;
use backstitch::limits::Limits;
use backstitch_http::tower::EngineService;
use backstitch_storage_memory::MemoryStore;
use tokio::process::Command;

/// The app directory that has every kind of field, and lets a guest read and write all of it.
pub fn everything() -> AppConfig {
    imported("apps/everything")
}

/// An app directory, by its path from the folder of the tests.
pub fn imported(directory: &str) -> AppConfig {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let (config, report) = AppConfig::import(&directory).expect("an app directory");
    assert!(!report.has_errors(), "{report}");
    config
}

/// An engine of one app, with the data of its directory, in memory.
pub async fn in_memory(config: AppConfig) -> Engine {
    in_memory_within(config, Limits::default()).await
}

/// The same with other limits.
pub async fn in_memory_within(config: AppConfig, limits: Limits) -> Engine {
    let app = config.id.to_string();
    let builder = Engine::builder().store(Arc::new(MemoryStore::new())).public_url("http://served.example");
    let engine = builder.limits(limits).app(config).build().await.expect("the app is wired");
    engine.app(&app).expect("just built").load_data(&mut |_| ()).await.expect("the data are good");
    engine
}

/// Serves in axum until the test ends; returns the base URL.
pub async fn in_axum(engine: Engine) -> String {
    let (listener, base) = free_port().await;
    in_axum_on(listener, engine);
    base
}

/// Takes a free port, for an engine that has to know its base URL before it is built.
pub async fn free_port() -> (tokio::net::TcpListener, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, base)
}

/// Serves in axum on a port that was taken, until the test ends.
pub fn in_axum_on(listener: tokio::net::TcpListener, engine: Engine) {
    let mount = EngineService::new(engine).with_peer(|extensions| {
        extensions.get::<axum::extract::ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
    });
    let router = axum::Router::new().fallback_service(mount);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
}

/// Serves in actix-web until the process ends; returns the base URL.
pub fn in_actix(engine: Engine) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            actix_web::HttpServer::new(move || {
                actix_web::App::new().default_service(backstitch_http::actix::mount(engine.clone()))
            })
            .workers(2)
            .listen(listener)
            .expect("a listener")
            .run()
            .await
        })
    });
    base
}

/// Runs one of the scripts in `clients`, which has to succeed, and returns what it said.
///
/// `None`, with a message, where Node or one of the packages is not there, unless
/// `BACKSTITCH_REQUIRE_CLIENTS` is set.
pub async fn node(script: &str, packages: &[&str], arguments: &[&str]) -> Option<String> {
    let clients = folder("clients");
    let installed = packages.iter().all(|package| clients.join("node_modules").join(package).is_dir());
    if !installed || !works("node", &["--version"]).await {
        let required = std::env::var_os("BACKSTITCH_REQUIRE_CLIENTS").is_some();
        assert!(!required, "no Node, or `npm ci` was not run");
        println!("skipped: no Node, or `npm ci` was not run in tests/clients");
        return None;
    }
    Some(run(Command::new("node").arg(script).args(arguments).current_dir(clients)).await)
}

/// Whether a command is there and succeeds.
pub async fn works(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().await.is_ok_and(|output| output.status.success())
}

/// Runs a command that has to succeed, and returns what it said.
pub async fn run(command: &mut Command) -> String {
    let output = command.output().await.expect("the command starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    println!("{said}");
    said
}

/// A folder of the tests.
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
