//! A GraphQL request, read strictly.
//!
//! 1. The body is a JSON object with a string `query`.
//! 2. `operationName`, `variables` and `extensions` may be missing or null.
//! 3. Variables and extensions of any other shape than an object are refused (GraphQL over HTTP, section 5.3).
//! 4. Unknown members are ignored.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, Result};

/// A request: a document, its variables, and which operation of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GraphqlRequest {
    /// The document.
    pub query: String,
    /// The variables' values as sent.
    pub variables: Map<String, Value>,
    /// Which operation, when the document has several.
    pub operation_name: Option<String>,
    /// What the client adds for the engine itself; unknown members are ignored.
    pub extensions: Map<String, Value>,
    /// Whether mutations are refused, as in a `GET`.
    pub read_only: bool,
}

impl GraphqlRequest {
    /// A document without variables.
    pub fn new(query: impl Into<String>) -> Self {
        Self { query: query.into(), ..Self::default() }
    }

    /// Sets one variable.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: Value) -> Self {
        self.variables.insert(name.into(), value);
        self
    }

    /// Sets all variables.
    #[must_use]
    pub fn with_variables(mut self, variables: Map<String, Value>) -> Self {
        self.variables = variables;
        self
    }

    /// Reads a JSON body.
    ///
    /// # Errors
    /// `BadRequest` that names the member with the wrong shape.
    pub fn parse(body: &[u8]) -> Result<Self> {
        Self::from_json(
            serde_json::from_slice(body).map_err(|_| refused("the request body is not valid JSON"))?,
        )
    }

    /// Reads a parsed body.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn from_json(value: Value) -> Result<Self> {
        let Value::Object(mut members) = value else {
            return Err(refused("the request body must be a JSON object"));
        };
        let Some(Value::String(query)) = members.remove("query") else {
            return Err(refused("`query` must be a string"));
        };
        let operation_name = match members.remove("operationName") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name),
            Some(_) => return Err(refused("`operationName` must be a string or null")),
        };
        let variables = object_or_null("variables", members.remove("variables"))?;
        let extensions = object_or_null("extensions", members.remove("extensions"))?;
        Ok(Self { query, variables, operation_name, extensions, read_only: false })
    }
}

fn object_or_null(name: &str, value: Option<Value>) -> Result<Map<String, Value>> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(members)) => Ok(members),
        Some(_) => Err(refused(format!("`{name}` must be an object or null"))),
    }
}

fn refused(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::BadRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_members_and_unknown_ones_are_no_error() {
        let body = br#"{"query":"{a}","variables":null,"operationName":null,"extensions":null,"x":1}"#;
        assert_eq!(GraphqlRequest::parse(body).unwrap(), GraphqlRequest::new("{a}"));
    }

    #[test]
    fn wrong_shapes_are_refused_by_name() {
        for (body, message) in [
            ("", "the request body is not valid JSON"),
            ("[]", "the request body must be a JSON object"),
            ("{}", "`query` must be a string"),
            (r#"{"query":1}"#, "`query` must be a string"),
            (r#"{"query":"","variables":[1]}"#, "`variables` must be an object or null"),
            (r#"{"query":"","variables":"{}"}"#, "`variables` must be an object or null"),
            (r#"{"query":"","extensions":1}"#, "`extensions` must be an object or null"),
            (r#"{"query":"","operationName":{}}"#, "`operationName` must be a string or null"),
        ] {
            let error = GraphqlRequest::parse(body.as_bytes()).unwrap_err();
            assert_eq!(error.hint(), message);
            assert_eq!(error.kind(), ErrorKind::BadRequest);
        }
    }
}
