//! HTTP requests as scripts ask for them, and answers as they are told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bson::{Binary, Bson, Document, doc};
use bytes::Bytes;
use http::{Request, Response};

/// The request of a method, an address and `[headers, body]`.
pub(crate) fn request(method: &str, url: &str, arguments: &[Bson]) -> Result<Request<Bytes>, String> {
    let mut building = Request::builder().method(method).uri(url);
    let headers = arguments.first().and_then(Bson::as_array).map(Vec::as_slice).unwrap_or_default();
    for header in headers {
        if let Some([Bson::String(name), Bson::String(value)]) = header.as_array().map(Vec::as_slice) {
            building = building.header(name, value);
        }
    }
    let body = match arguments.get(1) {
        Some(Bson::String(text)) => Bytes::from(text.clone()),
        Some(Bson::Binary(binary)) => Bytes::from(binary.bytes.clone()),
        _ => Bytes::new(),
    };
    building.body(body).map_err(|error| format!("the HTTP request cannot be sent: {error}"))
}

/// `{status, statusCode, contentLength, headers, body}`, with headers as lists under the names that the original spells.
pub(crate) fn response(response: Response<Bytes>) -> Bson {
    let (parts, body) = response.into_parts();
    let mut headers = Document::new();
    for (name, value) in &parts.headers {
        let text = Bson::from(String::from_utf8_lossy(value.as_bytes()).into_owned());
        match headers.entry(canonical(name.as_str())).or_insert_with(|| Bson::Array(Vec::new())) {
            Bson::Array(values) => values.push(text),
            _ => continue,
        }
    }
    let length = i64::try_from(body.len()).unwrap_or(i64::MAX);
    Bson::from(doc! {
        "status": parts.status.to_string(),
        "statusCode": i32::from(parts.status.as_u16()),
        "contentLength": i32::try_from(length).map_or(Bson::Int64(length), Bson::Int32),
        "headers": headers,
        "body": Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: body.to_vec() },
    })
}

/// `content-type` is `Content-Type`.
fn canonical(name: &str) -> String {
    let mut start = true;
    name.chars()
        .map(|letter| {
            let shown = if start { letter.to_ascii_uppercase() } else { letter };
            start = letter == '-';
            shown
        })
        .collect()
}

/// Bytes as they go into a realm.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Bytes as they come out of one.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_lists_under_the_names_that_the_original_spells() {
        let answer = Response::builder().status(201).header("set-cookie", "a=1").header("set-cookie", "b=2");
        let told = response(answer.body(Bytes::from_static(b"hi")).unwrap());
        let told = told.as_document().unwrap();
        assert_eq!(told.get_document("headers").unwrap(), &doc! { "Set-Cookie": ["a=1", "b=2"] });
        assert_eq!(told.get_str("status").unwrap(), "201 Created");
        assert_eq!(told.get_i32("statusCode").unwrap(), 201);
        assert_eq!(told.get_binary_generic("body").unwrap(), b"hi");
    }

    #[test]
    fn a_request_that_http_cannot_say_is_refused() {
        for (method, url, header) in [
            ("GET", "no address", "X"),
            ("GET", "http://a.example", "no header"),
            ("G T", "http://a.example", "X"),
        ] {
            let headers = Bson::Array(vec![Bson::Array(vec![header.into(), "1".into()])]);
            assert!(request(method, url, &[headers]).is_err(), "{method} {url} {header}");
        }
    }
}
