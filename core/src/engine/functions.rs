//! `POST …/functions/call`: a function of the app, or a call of a data service.
//!
//! Arguments come in canonical or relaxed extended JSON, results go in canonical.

use std::sync::Arc;

use bson::Bson;
use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode};
use serde_json::{Map, Value};

use super::App;
use crate::error::{Error, ErrorKind, Result};
use crate::functions::CallContext;
use crate::http::{self as wire, Body, json_object, peer_address, request_facts, required_string};
use crate::observe::Notes;

pub(super) async fn call(app: &App, head: &Parts, body: &Bytes) -> Result<Response<Body>> {
    let actor = app.authenticate(head).await?;
    let members = json_object(body)?;
    let name = required_string(&members, "name")?;
    let service = match members.get("service") {
        None | Some(Value::Null) => None,
        Some(Value::String(service)) if service.is_empty() => None,
        Some(Value::String(service)) => Some(service.as_str()),
        Some(_) => return Err(Error::new(ErrorKind::InvalidParameter, "`service` must be a string")),
    };
    let arguments = arguments(&members)?;
    let context = CallContext::detached(actor).in_request(Arc::new(request_facts(head)));
    let caller = (context, peer_address(head), Notes::of(head));
    let answer = app.call_from(caller, (service, name), arguments).await?;
    Ok(wire::json(StatusCode::OK, &answer.into_canonical_extjson()))
}

fn arguments(members: &Map<String, Value>) -> Result<Vec<Bson>> {
    match members.get("arguments") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(arguments)) => arguments.iter().cloned().map(value).collect(),
        Some(_) => Err(Error::new(ErrorKind::InvalidParameter, "`arguments` must be an array")),
    }
}

fn value(json: Value) -> Result<Bson> {
    Bson::try_from(current_spelling(json)).map_err(|error| {
        Error::new(ErrorKind::BadRequest, format!("`arguments` are no extended JSON: {error}"))
    })
}

/// Old clients write `{"$binary": "…", "$type": "00"}`, the first version of extended JSON.
fn current_spelling(json: Value) -> Value {
    match json {
        Value::Array(items) => Value::Array(items.into_iter().map(current_spelling).collect()),
        Value::Object(members) => match (members.len(), members.get("$binary"), members.get("$type")) {
            (2, Some(Value::String(bytes)), Some(Value::String(subtype))) => {
                serde_json::json!({ "$binary": { "base64": bytes, "subType": subtype } })
            }
            _ => Value::Object(
                members.into_iter().map(|(key, value)| (key, current_spelling(value))).collect(),
            ),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use bson::{Binary, spec::BinarySubtype};
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_are_canonical_relaxed_or_of_the_first_version() {
        let binary = || Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: vec![1, 2, 3] });
        for (json, expected) in [
            (json!(5), Bson::Int32(5)),
            (json!({"$numberInt": "5"}), Bson::Int32(5)),
            (json!({"$numberLong": "5"}), Bson::Int64(5)),
            (json!({"$binary": {"base64": "AQID", "subType": "00"}}), binary()),
            (json!([{"$binary": "AQID", "$type": "00"}]), Bson::Array(vec![binary()])),
        ] {
            assert_eq!(value(json.clone()).unwrap(), expected, "{json}");
        }
        assert_eq!(value(json!({"$numberInt": "x"})).unwrap_err().kind(), ErrorKind::BadRequest);
    }
}
