//! Backstitch in an actix-web server, in memory: the engine's API, and one route of the host's own that it
//! protects.
//!
//! `cargo run -p backstitch-example-actix [ADDR:PORT]`

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, HttpServer, web};
use backstitch::engine::{App, Engine};
use backstitch::env::{DevMailbox, Env};
use backstitch_example_app::{APP_ID, notes_app, with_accounts};
use backstitch_http::actix::{mount, parts_of};
use backstitch_storage_memory::MemoryStore;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address)?;
    let base = format!("http://{}", listener.local_addr()?);

    // A server for others has a mailer that sends: this one shows every mail to whoever asks.
    let mailbox = DevMailbox::default();
    let env = Env { mailer: Arc::new(mailbox.clone()), ..Env::system() };
    let store = Arc::new(MemoryStore::new());
    let builder = Engine::builder().store(store).env(env).public_url(&base).app(notes_app());
    let engine = with_accounts(builder).build().await?;
    let app = engine.app(APP_ID).cloned().ok_or("the app was just built")?;

    // Expired sessions and the like are removed as long as this runs.
    let cleaner = engine.clone();
    actix_web::rt::spawn(async move { cleaner.maintenance().await });

    println!("ready {base} app {APP_ID}");
    HttpServer::new(move || {
        actix_web::App::new()
            .app_data(web::Data::new(app.clone()))
            .app_data(web::Data::new(mailbox.clone()))
            .route("/hello", web::get().to(hello))
            .route("/_dev/mailbox", web::get().to(mails))
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
            HttpResponse::build(status(error.kind().status().as_u16())).body(error.hint().to_owned())
        }
    }
}

/// Shows the newest mail that the query asks for.
async fn mails(request: HttpRequest, mailbox: web::Data<DevMailbox>) -> HttpResponse {
    let (head, body) = mailbox.answer(request.query_string()).into_parts();
    HttpResponse::build(status(head.status.as_u16())).content_type("application/json").body(body)
}

/// actix-web's own type of status.
fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
