//! Reading requests: the bearer token and JSON bodies.

use bytes::Bytes;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, Result};

/// The bearer token (RFC 6750, section 2.1).
///
/// # Errors
/// Without the header: [`ErrorKind::MissingAuthReq`]. With another scheme, several headers or bytes
/// that are no text: [`ErrorKind::InvalidSession`], so that clients refresh and never loop.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Result<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(Error::new(ErrorKind::MissingAuthReq, "must authenticate first"));
    };
    let invalid = || Error::new(ErrorKind::InvalidSession, "invalid session: no bearer token");
    if values.next().is_some() {
        return Err(invalid());
    }
    let text = value.to_str().map_err(|_| invalid())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(invalid)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(invalid());
    }
    Ok(token.trim_matches(' '))
}

/// A body that is a JSON object; an empty body is an empty object.
///
/// The content type is not looked at: clients send `application/json` with and without a charset, and
/// `text/plain` from old ones. A browser form cannot carry the bearer token that matters.
pub(crate) fn json_object(body: &Bytes) -> Result<Map<String, Value>> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Error::new(ErrorKind::BadRequest, "the body must be a JSON object")),
        Err(error) => Err(Error::new(ErrorKind::BadRequest, format!("the body is not JSON: {error}"))),
    }
}

/// A member that has to be there as a string.
pub(crate) fn required_string<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str> {
    match members.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Error::new(ErrorKind::InvalidParameter, format!("`{name}` must be a string"))),
        None => Err(Error::new(ErrorKind::MissingParameter, format!("`{name}` is missing"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(values: &[&str]) -> std::result::Result<String, ErrorKind> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        bearer_token(&headers).map(str::to_owned).map_err(|error| error.kind())
    }

    #[test]
    fn only_one_bearer_header_is_a_token() {
        assert_eq!(token(&["Bearer abc"]), Ok("abc".to_owned()));
        assert_eq!(token(&["bearer  abc"]), Ok("abc".to_owned()));
        assert_eq!(token(&[]), Err(ErrorKind::MissingAuthReq));
        for bad in [&["Basic abc"][..], &["Bearer"], &["Bearer a", "Bearer b"]] {
            assert_eq!(token(bad), Err(ErrorKind::InvalidSession), "{bad:?}");
        }
    }

    #[test]
    fn an_empty_body_is_an_empty_object_and_a_list_is_refused() {
        assert_eq!(json_object(&Bytes::from_static(b" \n")).unwrap(), Map::new());
        assert_eq!(json_object(&Bytes::from_static(b"[]")).unwrap_err().kind(), ErrorKind::BadRequest);
        assert!(json_object(&Bytes::from_static(b"{\"a\":")).unwrap_err().hint().contains("line 1"));
    }

    #[test]
    fn deep_nesting_is_refused_and_not_overflowed() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(json_object(&Bytes::from(deep)).unwrap_err().kind(), ErrorKind::BadRequest);
    }
}
