//! A GraphQL response as bytes (GraphQL, section 7.1).

use bytes::Bytes;
use serde_json::{Value, json};

use super::error::{GraphqlError, PathSegment, code};

/// A response, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphqlResponse {
    /// The JSON.
    pub body: Bytes,
    /// Why nothing ran, by the code of the first error; the body then has no `data`.
    pub refused: Option<&'static str>,
    /// The code of the first error.
    pub error_code: Option<&'static str>,
}

impl GraphqlResponse {
    /// Nothing ran, for these reasons.
    pub fn refused(errors: &[GraphqlError]) -> Self {
        let mut body = b"{".to_vec();
        write_errors(&mut body, errors);
        body.push(b'}');
        let code = Some(errors.first().map_or(code::VALIDATION, |error| error.code));
        Self { body: body.into(), refused: code, error_code: code }
    }

    /// It ran. `body` begins with `{"data":…` and lacks the errors and the closing brace.
    pub(crate) fn finish(mut body: Vec<u8>, errors: &[GraphqlError]) -> Self {
        if !errors.is_empty() {
            body.push(b',');
            write_errors(&mut body, errors);
        }
        body.push(b'}');
        let error_code = errors.first().map(|error| error.code);
        Self { body: body.into(), refused: None, error_code }
    }

    /// The same with more members in `extensions`, a JSON object.
    #[must_use]
    pub(crate) fn with_extensions(mut self, extensions: &Value) -> Self {
        let mut body = self.body.to_vec();
        // The closing brace.
        body.pop();
        body.extend_from_slice(b",\"extensions\":");
        body.extend_from_slice(extensions.to_string().as_bytes());
        body.push(b'}');
        self.body = body.into();
        self
    }

    /// It ran and came to nothing: `data` is null.
    pub(crate) fn null(errors: &[GraphqlError]) -> Self {
        Self::finish(br#"{"data":null"#.to_vec(), errors)
    }
}

fn write_errors(body: &mut Vec<u8>, errors: &[GraphqlError]) {
    let list: Vec<Value> = errors.iter().map(error_json).collect();
    body.extend_from_slice(b"\"errors\":");
    body.extend_from_slice(Value::Array(list).to_string().as_bytes());
}

fn error_json(error: &GraphqlError) -> Value {
    let mut value = json!({ "message": error.message, "extensions": { "code": error.code } });
    if let Value::Object(members) = &mut value {
        if !error.locations.is_empty() {
            let places: Vec<Value> =
                error.locations.iter().map(|at| json!({ "line": at.line, "column": at.column })).collect();
            members.insert("locations".to_owned(), Value::Array(places));
        }
        if !error.path.is_empty() {
            let steps: Vec<Value> = error
                .path
                .iter()
                .map(|step| match step {
                    PathSegment::Key(key) => Value::from(key.as_str()),
                    PathSegment::Index(index) => Value::from(*index),
                })
                .collect();
            members.insert("path".to_owned(), Value::Array(steps));
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::ast::Location;

    fn text(response: &GraphqlResponse) -> Value {
        serde_json::from_slice(&response.body).unwrap()
    }

    #[test]
    fn a_refused_request_has_no_data_and_a_failed_one_has_null() {
        let mut error = GraphqlError::new("X", "no").at(Location { line: 1, column: 2 });
        error.path = vec![PathSegment::Key("a".into()), PathSegment::Index(3)];
        let refused = GraphqlResponse::refused(std::slice::from_ref(&error));
        let expected = json!([{
            "message": "no", "locations": [{"line": 1, "column": 2}], "path": ["a", 3],
            "extensions": {"code": "X"},
        }]);
        assert_eq!(refused.refused, Some("X"));
        assert_eq!(text(&refused), json!({ "errors": expected }));
        let failed = GraphqlResponse::null(&[error]);
        assert_eq!(failed.refused, None);
        assert_eq!(text(&failed), json!({ "data": null, "errors": expected }));
    }
}
