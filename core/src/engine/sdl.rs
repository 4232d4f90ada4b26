//! The schema of a configuration, without an engine around it.

use crate::app::AppConfig;
use crate::graphql::{Graphql, Introspection};
use crate::limits::Limits;
use crate::report::Report;

/// The SDL that an app of this configuration serves; empty when it has no GraphQL field.
///
/// What could not be generated, and why, is added to the report.
pub fn sdl(config: &AppConfig, report: &mut Report) -> String {
    let catalog = super::catalog(config, report);
    Graphql::new(catalog, Introspection::Enabled, &Limits::default()).sdl().to_owned()
}
