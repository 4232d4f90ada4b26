//! From a document's text to our own AST.
//!
//! 1. Tokens and brackets are counted before juniper's recursive parser sees the text.
//! 2. The picked operation is spread out under the limits of fields, depth and root fields before the
//!    validation rules run, some of which are quadratic.
//! 3. juniper validates; what it leaves out, and enum values against the catalog, is checked beside it.
//! 4. Only queries and mutations run. With introspection off, `__schema` and `__type` are refused wherever
//!    they stand, and no message names a part of the schema.

mod convert;
mod enums;
mod gaps;
mod tokens;

use juniper::parser::{ParseError, SourcePosition, Spanning, parse_document_source};
use juniper::validation::{RuleError, ValidatorContext, visit_all_rules};
use juniper::{Definition, OperationType};

use self::convert::Converter;
pub(super) use self::tokens::check_tokens;
use super::ast::{Location, OperationKind, OperationNode};
use super::catalog::Catalog;
use super::error::{GraphqlError, code};
use super::juniper::{Introspection, Root};
use super::scalars::Literal;
use super::variables::check_defaults;
use crate::limits::Limits;

/// Validation errors that are told; the rest says nothing new.
const MOST_ERRORS: usize = 20;

/// What a document is read against.
pub(super) struct Reader<'a> {
    pub(super) root: &'a Root,
    pub(super) catalog: &'a Catalog,
    pub(super) introspection: Introspection,
    pub(super) limits: &'a Limits,
}

impl Reader<'_> {
    /// Parses, picks the operation, checks the limits, validates.
    pub(super) fn read(&self, source: &str, name: Option<&str>) -> Result<OperationNode, Vec<GraphqlError>> {
        let mut document =
            parse_document_source(source, &self.root.schema).map_err(|error| vec![parse_error(&error)])?;
        let operation = self.convert(&document, name).map_err(|error| vec![error])?;
        gaps::drop_defaults(&mut document, |name| self.root.schema.concrete_type_by_name(name).is_some());
        let mut context = ValidatorContext::new(&self.root.schema, &document);
        visit_all_rules(&mut context, &document);
        let errors = context.into_errors();
        if !errors.is_empty() {
            return Err(errors.iter().take(MOST_ERRORS).map(|error| self.rule_error(error)).collect());
        }
        let mut errors = gaps::repeated_directives(&document);
        errors.extend(enums::check(self.catalog, &operation));
        if !errors.is_empty() {
            let told = errors.into_iter().take(MOST_ERRORS);
            return Err(told.map(|(message, at)| self.misfit(message).at(at)).collect());
        }
        check_defaults(&operation.variables, self.catalog, self.limits)?;
        Ok(operation)
    }

    fn convert(
        &self,
        document: &[Definition<'_, Literal>],
        name: Option<&str>,
    ) -> Result<OperationNode, GraphqlError> {
        let invalid = |message: &str| GraphqlError::request(code::VALIDATION, message);
        let mut found = None;
        for definition in document {
            let Definition::Operation(operation) = definition else { continue };
            match name {
                None if found.is_some() => {
                    return Err(invalid("the document has several operations; name one"));
                }
                Some(name) if operation.item.name.as_ref().map(|own| own.item) != Some(name) => {}
                _ => found = Some(operation),
            }
        }
        let operation = found.ok_or_else(|| match name {
            Some(name) => invalid(&format!("the document has no operation `{name}`")),
            None => invalid("the document has no operation"),
        })?;
        let at = location(operation.span.start);
        let kind = match operation.item.operation_type {
            OperationType::Query => OperationKind::Query,
            OperationType::Mutation if !self.catalog.mutations.is_empty() => OperationKind::Mutation,
            OperationType::Mutation => return Err(invalid("this app has no mutations").at(at)),
            OperationType::Subscription => {
                return Err(invalid("subscriptions are not supported").at(at));
            }
        };
        Converter::new(document, self.limits, self.introspection).operation(kind, &operation.item)
    }

    fn rule_error(&self, error: &RuleError) -> GraphqlError {
        let mut told = self.misfit(lower_first(error.message()));
        told.locations = error.locations().iter().map(|at| location(*at)).collect();
        told
    }

    fn misfit(&self, message: String) -> GraphqlError {
        match self.introspection {
            Introspection::Enabled => GraphqlError::request(code::VALIDATION, message),
            Introspection::Disabled => {
                GraphqlError::request(code::VALIDATION, "the document does not fit the schema")
            }
        }
    }
}

/// The refusal of `__schema` and `__type`.
pub(super) fn introspection_refused() -> GraphqlError {
    GraphqlError::request(code::VALIDATION, "introspection is disabled")
}

/// A passed limit; the message names it.
fn too_much(limit: &str, value: usize) -> GraphqlError {
    GraphqlError::request(code::LIMIT, format!("the document passes the limit `{limit}` ({value})"))
}

fn parse_error(error: &Spanning<ParseError>) -> GraphqlError {
    let told = match &error.item {
        ParseError::DepthLimitExceeded(value) => too_much("graphql_depth", *value),
        ParseError::TokenLimitExceeded(value) => too_much("graphql_tokens", *value),
        ParseError::FieldLimitExceeded(value) => too_much("graphql_fields", *value),
        other => GraphqlError::request(code::PARSE, lower_first(&other.to_string())),
    };
    told.at(location(error.span.start))
}

fn location(position: SourcePosition) -> Location {
    Location { line: position.line() + 1, column: position.column() + 1 }
}

fn lower_first(message: &str) -> String {
    let mut chars = message.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}", first.to_lowercase(), chars.as_str()))
}
