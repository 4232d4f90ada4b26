//! juniper, for what it does well: parsing, validation, introspection and the SDL.
//!
//! The schema is built at run time from the [`Catalog`]. juniper never executes data: nodes have no
//! resolvers, only `__schema` and `__type` are ever run.

mod introspect;
mod nodes;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use juniper::{EmptySubscription, RootNode};

use self::introspect::Answers;
use self::nodes::{Node, NodeInfo};
use super::ast::{FieldNode, OperationNode};
use super::catalog::Catalog;
use super::document;
use super::error::{GraphqlError, code};
use super::scalars::Literal;
use crate::limits::Limits;

/// juniper's schema.
pub(super) type Root = RootNode<Node, Node, EmptySubscription<()>, Literal>;

/// Whether a client may ask for the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Introspection {
    /// It may.
    Enabled,
    /// `__schema` and `__type` are refused, and messages name nothing of the schema.
    Disabled,
}

/// The schema of one app.
pub(crate) struct Schema {
    root: Root,
    catalog: Arc<Catalog>,
    introspection: Introspection,
    limits: Limits,
    sdl: String,
    answers: Answers,
}

impl Schema {
    /// Builds the schema.
    pub(crate) fn new(catalog: Arc<Catalog>, introspection: Introspection, limits: &Limits) -> Self {
        let root = root(&catalog)
            .limit_depth(limits.graphql_depth + limits.value_depth)
            .limit_tokens(limits.graphql_tokens)
            .limit_fields(limits.graphql_fields);
        let sdl = print(&catalog, &root);
        Self { root, catalog, introspection, limits: limits.clone(), sdl, answers: Answers::default() }
    }

    /// The schema in the schema definition language; empty for an app without any field.
    pub(crate) fn sdl(&self) -> &str {
        &self.sdl
    }

    /// Whether a client may ask for the schema.
    pub(crate) fn introspection(&self) -> Introspection {
        self.introspection
    }

    /// Reads a document and picks its operation.
    ///
    /// Limits are checked before anything recursive or quadratic runs.
    pub(crate) fn operation(
        &self,
        source: &str,
        operation_name: Option<&str>,
    ) -> Result<OperationNode, Vec<GraphqlError>> {
        document::check_tokens(source, &self.limits).map_err(|error| vec![error])?;
        let reader = document::Reader {
            root: &self.root,
            catalog: &self.catalog,
            introspection: self.introspection,
            limits: &self.limits,
        };
        guarded(|| reader.read(source, operation_name))
    }

    /// Answers root fields `__schema` and `__type`, each under its response key.
    ///
    /// `variables` are the coerced ones, defaults included.
    pub(crate) fn introspect(
        &self,
        fields: &[FieldNode],
        variables: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Vec<introspect::Answer>, Vec<GraphqlError>> {
        if self.introspection == Introspection::Disabled {
            return Err(vec![document::introspection_refused()]);
        }
        guarded(|| introspect::answer(&self.root, &self.answers, fields, variables))
    }
}

/// The schema of a catalog in the schema definition language.
///
/// Sorted by kind, then name; empty when there is no field at all (decision 55).
pub(super) fn sdl(catalog: &Arc<Catalog>) -> String {
    print(catalog, &root(catalog))
}

fn print(catalog: &Catalog, root: &Root) -> String {
    if catalog.queries.is_empty() && catalog.mutations.is_empty() { String::new() } else { root.as_sdl() }
}

fn root(catalog: &Arc<Catalog>) -> Root {
    let query = NodeInfo::query(catalog);
    let mutation = NodeInfo::mutation(catalog);
    RootNode::new_with_info(Node, Node, EmptySubscription::new(), query, mutation, ())
}

/// Turns a panic inside juniper into an error: a document must never end a task.
fn guarded<T>(run: impl FnOnce() -> Result<T, Vec<GraphqlError>>) -> Result<T, Vec<GraphqlError>> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        tracing::error!("juniper panicked on a document");
        Err(vec![GraphqlError::request(code::INTERNAL, "the document cannot be processed")])
    })
}

#[cfg(test)]
mod tests;
