//! Backstitch in an actix-web server: the engine's API, and one route of the host's own that it protects.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, HttpServer, web};
use backstitch::engine::{App, Engine};
use backstitch_example_app::{APP_ID, notes_app};
use backstitch_http::actix::{mount, parts_of};
use backstitch_storage_memory::MemoryStore;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address)?;
    let base = format!("http://{}", listener.local_addr()?);

    let store = Arc::new(MemoryStore::new());
    let engine = Engine::builder().store(store).public_url(&base).app(notes_app()).build().await?;
    let app = engine.app(APP_ID).cloned().ok_or("the app was just built")?;

    println!("ready {base} app {APP_ID}");
    HttpServer::new(move || {
        actix_web::App::new()
            .app_data(web::Data::new(app.clone()))
            .route("/hello", web::get().to(hello))
            .default_service(mount(engine.clone()))
    })
    .listen(listener)?
    .run()
    .await?;
    Ok(())
}

/// A route of the host: only for those who have logged in.
async fn hello(request: HttpRequest, app: web::Data<App>) -> HttpResponse {
    let Some(parts) = parts_of(&request) else { return HttpResponse::BadRequest().finish() };
    match app.authenticate(&parts).await {
        Ok(actor) => {
            let name = actor.acting_user().map(|acting| acting.user.id.to_hex()).unwrap_or_default();
            HttpResponse::Ok().body(format!("hello, {name}\n"))
        }
        Err(error) => {
            let status = StatusCode::from_u16(error.kind().status().as_u16())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            HttpResponse::build(status).body(error.hint().to_owned())
        }
    }
}
