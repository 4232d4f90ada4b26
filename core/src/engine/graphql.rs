//! GraphQL over HTTP (the working draft of the GraphQL Foundation): methods, media types, status codes, batches.
//!
//! 1. `POST` takes a JSON object, or a list of them up to [`Limits::graphql_batch`]; `GET` takes a query in its
//!    parameters, and no mutation.
//! 2. The answer is `application/json` unless the client prefers `application/graphql-response+json`.
//! 3. Under the former every well-formed request is 200, as the original had it; under the latter what did not run
//!    is 400.
//! 4. A body has to say that it is JSON; browsers then ask first when another site's page sends it.

use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, CONTENT_TYPE, VARY};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde_json::{Map, Value};

use super::App;
use crate::actor::Actor;
use crate::error::{Error, ErrorKind, Result};
use crate::graphql::{GraphqlRequest, GraphqlResponse, code};
use crate::http::{self as wire, Body};
use crate::limits::Limits;
use crate::observe::Notes;

const JSON: &str = "application/json";
const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

/// What the client wants to be answered in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MediaType {
    Json,
    GraphqlResponse,
}

/// `GET` and `POST …/graphql`.
pub(super) async fn answer(app: &App, head: &Parts, body: &Bytes) -> Result<Response<Body>> {
    let actor = app.authenticate_by_any(head).await?;
    let caller = Caller { app, actor: &actor, head };
    let media_type = MediaType::of(&head.headers);
    let mut response = if head.method == Method::GET {
        let request = from_query(head.uri.query().unwrap_or_default())?;
        one(caller, &request, media_type).await
    } else if !is_json(&head.headers) {
        return Err(Error::new(ErrorKind::UnsupportedMediaType, "the body must be sent as application/json"));
    } else {
        match from_body(body, app.limits())? {
            Asked::One(request) => one(caller, &request, media_type).await,
            Asked::Several(requests) => several(caller, &requests).await,
        }
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type.name()));
    headers.append(VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

/// Who asks which app, and from where.
#[derive(Clone, Copy)]
struct Caller<'a> {
    app: &'a App,
    actor: &'a Actor,
    head: &'a Parts,
}

impl Caller<'_> {
    async fn ask(&self, request: &GraphqlRequest) -> GraphqlResponse {
        self.app.graphql_from(self.actor, request, (Some(self.head), Notes::of(self.head))).await
    }
}

async fn one(caller: Caller<'_>, request: &GraphqlRequest, media_type: MediaType) -> Response<Body> {
    let GraphqlResponse { body, refused, .. } = caller.ask(request).await;
    let status = match refused {
        Some(code::MUTATION_BY_GET) => StatusCode::METHOD_NOT_ALLOWED,
        Some(_) if media_type == MediaType::GraphqlResponse => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    let mut response = wire::json_bytes(status, body);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// One after the other, so that a batch takes no more of the machine at once than one request.
async fn several(caller: Caller<'_>, requests: &[GraphqlRequest]) -> Response<Body> {
    let mut body = b"[".to_vec();
    for (position, request) in requests.iter().enumerate() {
        if position > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&caller.ask(request).await.body);
    }
    body.push(b']');
    wire::json_bytes(StatusCode::OK, body.into())
}

/// Whether the body is said to be JSON: `application/json` or a type that is made of it, whatever its parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type == JSON || media_type.starts_with("application/") && media_type.ends_with("+json")
}

enum Asked {
    One(GraphqlRequest),
    Several(Vec<GraphqlRequest>),
}

fn from_body(body: &Bytes, limits: &Limits) -> Result<Asked> {
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        Error::new(ErrorKind::BadRequest, format!("the request body is not valid JSON: {error}"))
    })?;
    match value {
        Value::Array(list) if list.is_empty() => {
            Err(Error::new(ErrorKind::BadRequest, "a batch must have at least one request"))
        }
        Value::Array(list) if list.len() > limits.graphql_batch => {
            let text = format!("the batch passes the limit `graphql_batch` ({})", limits.graphql_batch);
            Err(Error::new(ErrorKind::BadRequest, text))
        }
        Value::Array(list) => {
            let requests = list.into_iter().map(GraphqlRequest::from_json);
            Ok(Asked::Several(requests.collect::<Result<_>>()?))
        }
        value => Ok(Asked::One(GraphqlRequest::from_json(value)?)),
    }
}

/// A query in the parameters of a URL; `variables` and `extensions` are JSON there.
fn from_query(query: &str) -> Result<GraphqlRequest> {
    let mut members = Map::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode(value);
        let member = match name {
            "query" | "operationName" => Value::String(value),
            "variables" | "extensions" if value.is_empty() => Value::Null,
            "variables" | "extensions" => serde_json::from_str(&value)
                .map_err(|_| Error::new(ErrorKind::BadRequest, format!("`{name}` is not valid JSON")))?,
            _ => continue,
        };
        if members.insert(name.to_owned(), member).is_some() {
            return Err(Error::new(ErrorKind::BadRequest, format!("`{name}` comes twice")));
        }
    }
    if members.get("operationName") == Some(&Value::String(String::new())) {
        members.remove("operationName");
    }
    Ok(GraphqlRequest { read_only: true, ..GraphqlRequest::from_json(Value::Object(members))? })
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

impl MediaType {
    /// What the `Accept` header prefers (RFC 9110 §12.5.1); JSON where it does not care, and where it takes neither.
    fn of(headers: &HeaderMap) -> Self {
        let mut best = (Self::Json, 0.0);
        for value in headers.get_all(ACCEPT) {
            for range in value.to_str().unwrap_or_default().split(',') {
                let mut parts = range.split(';').map(str::trim);
                let media_type = match parts.next().map(str::to_ascii_lowercase).as_deref() {
                    Some(GRAPHQL_RESPONSE) => Self::GraphqlResponse,
                    Some(JSON | "application/*" | "*/*") => Self::Json,
                    _ => continue,
                };
                let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
                let quality = quality.unwrap_or(1.0);
                if quality > best.1 {
                    best = (media_type, quality);
                }
            }
        }
        best.0
    }

    fn name(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_media_type_is_found() {
        for (accept, expected) in [
            ("", MediaType::Json),
            ("*/*", MediaType::Json),
            ("application/json", MediaType::Json),
            ("application/graphql-response+json", MediaType::GraphqlResponse),
            (
                "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8",
                MediaType::GraphqlResponse,
            ),
            ("application/json, application/graphql-response+json", MediaType::Json),
            ("application/json;q=0.9, application/graphql-response+json", MediaType::GraphqlResponse),
            ("application/graphql-response+json;q=0", MediaType::Json),
            ("text/html", MediaType::Json),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            assert_eq!(MediaType::of(&headers), expected, "{accept}");
        }
    }

    #[test]
    fn a_query_is_read_from_parameters_and_nothing_comes_twice() {
        let read = from_query("query=%7Ba+b%7D&variables=%7B%22a%22%3A1%7D&operationName=&other=1").unwrap();
        assert_eq!((read.query.as_str(), read.read_only, read.operation_name), ("{a b}", true, None));
        assert_eq!(Value::Object(read.variables), serde_json::json!({ "a": 1 }));
        for (query, said) in [
            ("", "`query` must be a string"),
            ("query={a}&query={b}", "`query` comes twice"),
            ("query={a}&variables={", "`variables` is not valid JSON"),
            ("query={a}&variables=[1]", "`variables` must be an object or null"),
        ] {
            assert_eq!(from_query(query).unwrap_err().hint(), said, "{query}");
        }
    }

    #[test]
    fn a_batch_is_bounded() {
        let limits = Limits { graphql_batch: 2, ..Limits::default() };
        let read = |count: usize| {
            let list = vec![r#"{"query":"{a}"}"#; count].join(",");
            from_body(&Bytes::from(format!("[{list}]")), &limits)
        };
        assert!(matches!(read(2), Ok(Asked::Several(requests)) if requests.len() == 2));
        for (count, said) in [(0, "at least one"), (3, "`graphql_batch` (2)")] {
            let error = read(count).err().unwrap();
            assert!(error.hint().contains(said), "{error}");
        }
    }
}
