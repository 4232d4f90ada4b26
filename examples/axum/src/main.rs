//! Backstitch in an axum server on SQLite: the engine's API, and one route of the host's own that it protects.
//!
//! `cargo run -p backstitch-example-axum [ADDR:PORT] [FILE.db]`

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, RawQuery, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::get;
use backstitch::engine::{App, Engine};
use backstitch::env::{DevMailbox, Env};
use backstitch_example_app::{APP_ID, notes_app, with_accounts};
use backstitch_http::tower::EngineService;
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let file = arguments.next().unwrap_or_else(|| "example.db".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    let base = format!("http://{}", listener.local_addr()?);

    // A server for others has a mailer that sends: this one shows every mail to whoever asks.
    let mailbox = DevMailbox::default();
    let env = Env { mailer: Arc::new(mailbox.clone()), ..Env::system() };
    let store = SqliteStore::open(SqliteConfig::new(file, env.executor.clone(), env.clock.clone()))?;
    let builder = Engine::builder().store(Arc::new(store)).env(env).public_url(&base).app(notes_app());
    let engine = with_accounts(builder).build().await?;
    let app = engine.app(APP_ID).cloned().ok_or("the app was just built")?;

    // Expired sessions and the like are removed as long as this runs.
    let cleaner = engine.clone();
    tokio::spawn(async move { cleaner.maintenance().await });

    // The mount: every path that no route of the host takes.
    let mount = EngineService::new(engine)
        .with_peer(|extensions| extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip()));
    let mails = async move |RawQuery(query): RawQuery| mailbox.answer(&query.unwrap_or_default());
    let router = Router::new()
        .route("/hello", get(hello))
        .with_state(app)
        .route("/_dev/mailbox", get(mails))
        .fallback_service(mount);

    println!("ready {base} app {APP_ID}");
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

/// A route of the host: only for those who have logged in.
async fn hello(State(app): State<App>, parts: Parts) -> Result<String, (StatusCode, String)> {
    let actor =
        app.authenticate(&parts).await.map_err(|error| (error.kind().status(), error.hint().to_owned()))?;
    let name = actor.acting_user().map(|acting| acting.user.id.to_hex()).unwrap_or_default();
    Ok(format!("hello, {name}\n"))
}
