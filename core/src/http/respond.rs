//! Writing responses, exactly as the official clients want them (wire-protocol, ten rules).
//!
//! 1. JSON carries the content type `application/json` and nothing behind it.
//! 2. An empty success carries no content type.
//! 3. An error is `{"error", "error_code"}`; the code is left out where the original sent none.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL,
    CONTENT_TYPE, RETRY_AFTER,
};
use http::{HeaderValue, Method, Response, StatusCode};
use serde::Serialize;

use super::Body;
use crate::error::{Error, ErrorKind};

/// A JSON answer. It may carry tokens, so no cache keeps it.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    match serde_json::to_vec(value) {
        Ok(bytes) => json_bytes(status, bytes.into()),
        Err(cause) => error(&Error::internal(cause)),
    }
}

/// A JSON answer whose bytes are ready.
pub(crate) fn json_bytes(status: StatusCode, bytes: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::Bytes(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// An error's answer. What only the log may know is logged here, in one place.
pub(crate) fn error(error: &Error) -> Response<Body> {
    #[derive(Serialize)]
    struct ErrorBody<'a> {
        error: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        error_code: Option<&'static str>,
    }

    let status = error.kind().status();
    if status.is_server_error() {
        let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
        let causes: Vec<String> = causes.map(ToString::to_string).collect();
        tracing::error!(kind = ?error.kind(), causes = causes.join(": "), "{error}");
    }
    let body = ErrorBody { error: error.hint(), error_code: error.kind().code() };
    let mut response = match serde_json::to_vec(&body) {
        Ok(bytes) => json_bytes(status, bytes.into()),
        Err(_) => empty(StatusCode::INTERNAL_SERVER_ERROR),
    };
    if let Some(seconds) = error.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The answer to a method that the path does not take.
pub(crate) fn method_not_allowed(methods: &[Method]) -> Response<Body> {
    let mut response = error(&Error::new(ErrorKind::MethodNotAllowed, "method not allowed"));
    if let Some(allowed) = method_list(methods) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

/// The answer to a preflight whose origin is allowed.
pub(crate) fn preflight(methods: &[Method]) -> Response<Body> {
    let mut response = empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    if let Some(allowed) = method_list(methods) {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, allowed);
    }
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("authorization, content-type, accept, x-baas-request-id"),
    );
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
    response
}

/// The answer of the health route.
pub(crate) fn health() -> Response<Body> {
    json_bytes(StatusCode::OK, Bytes::from_static(b"{\"status\":\"ok\"}"))
}

fn method_list(methods: &[Method]) -> Option<HeaderValue> {
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    HeaderValue::from_str(&names.join(", ")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(response: &Response<Body>) -> String {
        String::from_utf8(response.body().as_bytes().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn an_error_is_json_of_the_exact_type() {
        let response = error(&Error::new(ErrorKind::InvalidPassword, "unauthorized"));
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(text(&response), r#"{"error":"unauthorized","error_code":"InvalidPassword"}"#);
    }

    #[test]
    fn an_internal_error_tells_the_client_nothing() {
        let response = error(&Error::internal("disk 7 is on fire"));
        assert_eq!(response.status(), 500);
        assert!(!text(&response).contains("fire"));
    }

    #[test]
    fn an_empty_answer_has_no_content_type() {
        assert!(empty(StatusCode::NO_CONTENT).headers().get(CONTENT_TYPE).is_none());
    }
}
