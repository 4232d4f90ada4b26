//! What rules may know of a request: `%%request`.
//!
//! 1. Header names are written as the original wrote them: `X-Forwarded-For`.
//! 2. Headers that carry a credential are left out: rules hand `%%request` to functions.

use bson::{Bson, Document, doc};
use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, REFERER, USER_AGENT};
use http::request::Parts;

use super::peer_address;

/// Headers of credentials, beside those of the standard.
const CREDENTIALS: [&str; 5] = ["apikey", "api-key", "email", "password", "jwttokenstring"];

/// `{httpMethod, httpReferrer, httpUserAgent, rawQueryString, remoteIPAddress, requestHeaders}`.
pub(crate) fn request_facts(head: &Parts) -> Document {
    let mut facts = doc! { "httpMethod": head.method.as_str() };
    let mut put = |name: &str, value: Option<String>| {
        facts.extend(value.map(|value| (name.to_owned(), Bson::String(value))));
    };
    put("httpReferrer", text(&head.headers, &REFERER));
    put("httpUserAgent", text(&head.headers, &USER_AGENT));
    put("rawQueryString", Some(head.uri.query().unwrap_or_default().to_owned()));
    put("remoteIPAddress", peer_address(head).map(|address| address.to_string()));
    facts.insert("requestHeaders", headers(&head.headers));
    facts
}

fn headers(headers: &HeaderMap) -> Document {
    let mut shown = Document::new();
    for name in headers.keys() {
        if [AUTHORIZATION, COOKIE].contains(name) || CREDENTIALS.contains(&name.as_str()) {
            continue;
        }
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        shown.insert(canonical(name.as_str()), values.map(Bson::from).collect::<Vec<_>>());
    }
    shown
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// `x-forwarded-for` as `X-Forwarded-For`.
fn canonical(name: &str) -> String {
    let mut begins = true;
    name.chars()
        .map(|letter| {
            let shown = if begins { letter.to_ascii_uppercase() } else { letter };
            begins = letter == '-';
            shown
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::PeerAddress;

    #[test]
    fn rules_know_the_request_and_no_credential() {
        let mut request = http::Request::builder()
            .method("POST")
            .uri("/graphql?a=1&b=2")
            .header("user-agent", "curl")
            .header("referer", "https://x.example")
            .header("x-tenant", "red")
            .header("x-tenant", "blue")
            .header("authorization", "Bearer secret")
            .header("cookie", "secret")
            .header("apiKey", "secret")
            .header("api-key", "secret")
            .header("password", "secret")
            .header("jwtTokenString", "secret")
            .body(())
            .unwrap();
        request.extensions_mut().insert(PeerAddress([192, 0, 2, 1].into()));
        let facts = request_facts(&request.into_parts().0);
        assert_eq!(
            facts,
            doc! {
                "httpMethod": "POST", "httpReferrer": "https://x.example", "httpUserAgent": "curl",
                "rawQueryString": "a=1&b=2", "remoteIPAddress": "192.0.2.1",
                "requestHeaders": {
                    "User-Agent": ["curl"], "Referer": ["https://x.example"], "X-Tenant": ["red", "blue"],
                },
            }
        );
    }
}
