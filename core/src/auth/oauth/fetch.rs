//! Asking the service, and writing what RFC 6749 puts into URLs and forms.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Request, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::auth::provider::ProviderContext;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// What has to be escaped: all but the unreserved characters (RFC 3986 §2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Pairs as `application/x-www-form-urlencoded`; a space is `%20`, which both forms and URLs know.
pub(crate) fn form_encode(pairs: &[(&str, &str)]) -> String {
    let encoded = pairs.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    encoded.collect::<Vec<_>>().join("&")
}

/// A URL with these pairs in its query, which keeps what it has (RFC 6749 §3.1).
pub(super) fn with_query(url: &str, pairs: &[(&str, &str)]) -> String {
    let joint = match (url.contains('?'), url.ends_with(['?', '&'])) {
        (false, _) => "?",
        (true, true) => "",
        (true, false) => "&",
    };
    format!("{url}{joint}{}", form_encode(pairs))
}

pub(super) fn escape(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, ESCAPED)
}

/// Gets a JSON object, whatever its status.
pub(super) async fn get(
    cx: &ProviderContext<'_>,
    url: &str,
    authorization: Option<&Secret>,
) -> Result<(StatusCode, Map<String, Value>)> {
    send(cx, Request::get(url).header(ACCEPT, "application/json"), authorization, Bytes::new()).await
}

/// Posts a form and reads a JSON object, whatever its status.
pub(super) async fn post(
    cx: &ProviderContext<'_>,
    url: &str,
    form: &[(&str, &str)],
    authorization: Option<&Secret>,
) -> Result<(StatusCode, Map<String, Value>)> {
    let request = Request::post(url)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    send(cx, request, authorization, form_encode(form).into()).await
}

async fn send(
    cx: &ProviderContext<'_>,
    mut request: http::request::Builder,
    authorization: Option<&Secret>,
    body: Bytes,
) -> Result<(StatusCode, Map<String, Value>)> {
    if let Some(value) = authorization {
        request = request.header(AUTHORIZATION, value.expose());
    }
    let request = request.body(body).map_err(|cause| nonsense().with_cause(cause))?;
    let response = cx.egress.send(cx.env, request, cx.limits.fetched).await?;
    match serde_json::from_slice(response.body()) {
        Ok(Value::Object(members)) => Ok((response.status(), members)),
        // Some services answer errors in HTML; the status is what counts then.
        _ if !response.status().is_success() => Ok((response.status(), Map::new())),
        _ => Err(nonsense().with_cause("an answer that is no JSON object")),
    }
}

/// The service cannot be worked with.
pub(super) fn nonsense() -> Error {
    Error::new(ErrorKind::AuthError, "the log-in service gave an answer that is not understood")
}

/// The service, or we, refuse the proof.
pub(super) fn refused(hint: &'static str) -> Error {
    Error::new(ErrorKind::AuthError, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_escaped_and_a_query_is_kept() {
        assert_eq!(form_encode(&[("a b", "c&d=é$")]), "a%20b=c%26d%3D%C3%A9%24");
        for (url, expected) in [
            ("https://x/a", "https://x/a?b=1"),
            ("https://x/a?", "https://x/a?b=1"),
            ("https://x/a?tenant=t", "https://x/a?tenant=t&b=1"),
        ] {
            assert_eq!(with_query(url, &[("b", "1")]), expected);
        }
    }
}
