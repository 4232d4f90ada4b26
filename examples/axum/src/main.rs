//! Backstitch in an axum server: the engine's API, and one route of the host's own that it protects.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::get;
use backstitch::engine::{App, Engine};
use backstitch_example_app::{APP_ID, notes_app};
use backstitch_http::tower::EngineService;
use backstitch_storage_memory::MemoryStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    let base = format!("http://{}", listener.local_addr()?);

    let store = Arc::new(MemoryStore::new());
    let engine = Engine::builder().store(store).public_url(&base).app(notes_app()).build().await?;
    let app = engine.app(APP_ID).cloned().ok_or("the app was just built")?;

    // The mount: every path that no route of the host takes.
    let mount = EngineService::new(engine)
        .with_peer(|extensions| extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip()));
    let router = Router::new().route("/hello", get(hello)).with_state(app).fallback_service(mount);

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
