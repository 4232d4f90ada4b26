//! The schema of a configuration, without an engine around it.

use std::sync::Arc;

use crate::app::AppConfig;
use crate::graphql;
use crate::report::Report;

/// The SDL that an app of this configuration serves; empty when it has no GraphQL field.
///
/// What could not be generated, and why, is added to the report.
pub fn sdl(config: &AppConfig, report: &mut Report) -> String {
    graphql::sdl::sdl(&Arc::new(super::catalog(config, report)))
}
