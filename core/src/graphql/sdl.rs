//! The schema in the schema definition language, for `backstitch schema`.

use std::sync::Arc;

use super::catalog::Catalog;
use super::juniper;

/// The SDL of a catalog: stable, sorted by kind and then by name; empty for an app without any field.
pub fn sdl(catalog: &Arc<Catalog>) -> String {
    juniper::sdl(catalog)
}
