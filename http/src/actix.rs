//! A mount in actix-web 4.
//!
//! On every path that no route of the host takes:
//!
//! ```
//! # fn mount(engine: backstitch::engine::Engine) {
//! let app = actix_web::App::new().default_service(backstitch_http::actix::mount(engine));
//! # }
//! ```
//!
//! actix-web still speaks `http` 0.2; this file is the only place that knows of it.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::{self, Payload};
use actix_web::{HttpRequest, HttpResponse, Route};
use backstitch::engine::Engine;
use backstitch::http::{Body, PeerAddress};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{Request, Response};

/// The engine as a route: hand it to `default_service`, or to a scope's.
pub fn mount(engine: Engine) -> Route {
    web::route().to(move |request: HttpRequest, payload: Payload| {
        let engine = engine.clone();
        async move {
            let response = match convert_head(&request) {
                Some(head) => answer(&engine, head, payload).await,
                None => return HttpResponse::BadRequest().finish(),
            };
            convert_response(response)
        }
    })
}

/// The head of a request as the engine reads it, for [`App::authenticate`]; `None` for a URI that
/// `http` 1 cannot say.
///
/// [`App::authenticate`]: backstitch::engine::App::authenticate
pub fn parts_of(request: &HttpRequest) -> Option<Parts> {
    convert_head(request).map(|head| head.into_parts().0)
}

async fn answer(engine: &Engine, head: Request<()>, payload: Payload) -> Response<Body> {
    let (parts, ()) = head.into_parts();
    let limit = engine.limits().body;
    let announced =
        parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|announced| announced > limit) {
        return engine.refuse_large_body(&parts);
    }
    match read(payload, limit).await {
        Ok(bytes) => engine.handle(Request::from_parts(parts, bytes)).await,
        Err(Unread::TooLarge) => engine.refuse_large_body(&parts),
        Err(Unread::Broken) => engine.refuse_broken_body(&parts),
    }
}

enum Unread {
    TooLarge,
    Broken,
}

async fn read(mut payload: Payload, limit: usize) -> Result<Bytes, Unread> {
    let mut body = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|_| Unread::Broken)?;
        if body.len() + piece.len() > limit {
            return Err(Unread::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

/// `http` 0.2 to `http` 1; `None` for what cannot be said in it.
fn convert_head(request: &HttpRequest) -> Option<Request<()>> {
    let mut converted = Request::builder().method(request.method().as_str()).uri(request.uri().to_string());
    for (name, value) in request.headers() {
        converted = converted.header(name.as_str(), value.as_bytes());
    }
    if let Some(peer) = request.peer_addr() {
        converted = converted.extension(PeerAddress(peer.ip()));
    }
    converted.body(()).ok()
}

/// `http` 1 to `http` 0.2.
fn convert_response(response: Response<Body>) -> HttpResponse {
    let (parts, body) = response.into_parts();
    let status = StatusCode::from_u16(parts.status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut converted = HttpResponse::build(status);
    for (name, value) in &parts.headers {
        let name = HeaderName::from_bytes(name.as_str().as_bytes());
        let value = HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            converted.append_header((name, value));
        }
    }
    match body {
        Body::Bytes(bytes) => converted.body(bytes),
        Body::Stream(stream) => converted.streaming(stream.map(Ok::<_, actix_web::Error>)),
    }
}
