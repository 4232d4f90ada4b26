//! Cross-origin rules (`allowed_request_origins`).
//!
//! 1. A request without an `Origin` header is not a browser's cross-origin request: it passes.
//! 2. With an empty list every origin passes.
//! 3. Otherwise the origin has to be in the list, compared as a whole.
//!
//! The answer names the origin and never `*`, since linking sends credentials (wire-protocol §7).

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ORIGIN,
    VARY,
};
use http::{HeaderMap, HeaderValue};

/// The origins that may come in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OriginList(Vec<String>);

impl OriginList {
    pub(crate) fn new(origins: &[String]) -> Self {
        Self(origins.iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect())
    }

    /// Whether the request may come in.
    pub(crate) fn admits(&self, request: &HeaderMap) -> bool {
        match request.get(ORIGIN) {
            None => true,
            Some(_) if self.0.is_empty() => true,
            Some(origin) => origin
                .to_str()
                .is_ok_and(|origin| self.0.iter().any(|known| known.eq_ignore_ascii_case(origin))),
        }
    }
}

/// Names the origin in the answer, so that the browser hands it on.
pub(crate) fn allow(request: &HeaderMap, response: &mut HeaderMap) {
    response.append(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = request.get(ORIGIN) {
        response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        response.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        response.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("x-baas-location, x-stitch-location"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(list: &[&str], origin: Option<&str>) -> bool {
        let list: Vec<String> = list.iter().map(ToString::to_string).collect();
        let mut headers = HeaderMap::new();
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        OriginList::new(&list).admits(&headers)
    }

    #[test]
    fn a_listed_origin_passes_and_a_longer_one_does_not() {
        assert!(admits(&[], Some("https://anywhere.example")));
        assert!(admits(&["https://a.example/"], Some("https://a.example")));
        assert!(admits(&["https://a.example"], None));
        assert!(!admits(&["https://a.example"], Some("https://a.example.evil.test")));
        assert!(!admits(&["https://a.example"], Some("http://a.example")));
        assert!(!admits(&["https://a.example"], Some("null")));
    }
}
