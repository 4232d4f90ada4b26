//! GraphQL errors: message, locations, path, and a code in the extensions.

use super::ast::Location;

/// One entry of `errors` (GraphQL, section 7.1.2).
#[derive(Clone, Debug, PartialEq)]
pub struct GraphqlError {
    /// The message: lower case, no full stop.
    pub message: String,
    /// `extensions.code`.
    pub code: &'static str,
    /// Where in the document.
    pub locations: Vec<Location>,
    /// Where in the answer.
    pub path: Vec<PathSegment>,
    /// Whether this is a request error: no `data` in the answer at all.
    pub request: bool,
}

/// One step of an error's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathSegment {
    /// A response key.
    Key(String),
    /// A place in a list.
    Index(usize),
}

impl GraphqlError {
    /// An error of a single field, or of the whole operation while it runs.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { message: message.into(), code, locations: Vec::new(), path: Vec::new(), request: false }
    }

    /// An error found before anything ran: syntax, validation, variables, limits.
    pub fn request(code: &'static str, message: impl Into<String>) -> Self {
        Self { request: true, ..Self::new(code, message) }
    }

    /// With a place in the answer, if it has none yet: the innermost one stands.
    #[must_use]
    pub(crate) fn below(mut self, response_key: &str) -> Self {
        if self.path.is_empty() {
            self.path.push(PathSegment::Key(response_key.to_owned()));
        }
        self
    }

    /// With a place in the document.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.locations.push(location);
        self
    }
}

/// The codes that `extensions.code` can have.
pub mod code {
    /// A mutation in a `GET`.
    pub const MUTATION_BY_GET: &str = "MUTATION_BY_GET";
    /// The document cannot be parsed.
    pub const PARSE: &str = "GRAPHQL_PARSE_FAILED";
    /// The document does not fit the schema.
    pub const VALIDATION: &str = "GRAPHQL_VALIDATION_FAILED";
    /// A variable or argument has a value that does not fit.
    pub const BAD_INPUT: &str = "BAD_USER_INPUT";
    /// A limit is passed; the message names it.
    pub const LIMIT: &str = "LIMIT_EXCEEDED";
    /// A field may not be read.
    pub const FIELD_NOT_READABLE: &str = "FIELD_NOT_READABLE";
    /// A write is denied.
    pub const NOT_PERMITTED: &str = "NOT_PERMITTED";
    /// The collection has no rules.
    pub const NO_RULE: &str = "NoMatchingRuleFound";
    /// A stored value does not fit its GraphQL type.
    pub const BAD_STORED_VALUE: &str = "STORED_VALUE_MISMATCH";
    /// A document does not fit its schema (write).
    pub const SCHEMA_WRITE: &str = "SchemaValidationFailedWrite";
    /// A document does not fit its schema (read).
    pub const SCHEMA_READ: &str = "SchemaValidationFailedRead";
    /// A unique key is taken.
    pub const DUPLICATE_KEY: &str = "DUPLICATE_KEY";
    /// The request or its transaction ran past its deadline; nothing was written.
    pub const TIMEOUT: &str = "ExecutionTimeLimitExceeded";
    /// A custom resolver's function is not there.
    pub const FUNCTION_NOT_FOUND: &str = "FunctionNotFound";
    /// A custom resolver's function failed, or gave what does not fit its type.
    pub const FUNCTION_FAILED: &str = "FunctionExecutionError";
    /// A defect of ours or of the machine.
    pub const INTERNAL: &str = "INTERNAL_SERVER_ERROR";
    /// A transient lack of resources: a retry may succeed.
    pub const UNAVAILABLE: &str = "SERVICE_UNAVAILABLE";
}
