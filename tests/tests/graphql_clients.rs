//! GraphQL as others understand it: graphql-js, the audit of GraphQL over HTTP, Apollo Client and urql,
//! all over real sockets.
//!
//! Without Node, or before `npm ci` in `tests/clients`, these say so and pass, unless
//! `BACKSTITCH_REQUIRE_CLIENTS` is set.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use backstitch::engine::{Engine, sdl};
use backstitch::report::Report;
use backstitch_storage_memory::MemoryStore;
use backstitch_tests::Things;
use backstitch_tests::served::{everything, imported, in_axum, in_memory, node};

/// The engine's only app.
fn app_of(engine: &Engine) -> String {
    engine.apps().next().expect("an app").id().to_string()
}

/// Compares the schema that an engine serves with the one that it prints.
async fn introspect(engine: Engine) {
    let app = app_of(&engine);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, engine.app(&app).unwrap().sdl()).unwrap();
    let base = in_axum(engine).await;
    let arguments = [base.as_str(), &app, file.path().to_str().unwrap()];
    node("introspection.mjs", &["graphql"], &arguments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn introspection_gives_the_schema_of_the_movies() {
    introspect(in_memory(imported("../examples/movies")).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn introspection_gives_the_schema_of_the_things() {
    introspect(Things::on(Arc::new(MemoryStore::new())).await.engine).await;
}

#[test]
fn a_configuration_prints_the_schema_that_it_serves() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for config in [everything(), imported("../examples/movies")] {
        let printed = sdl(&config, &mut Report::default());
        let engine = runtime.block_on(in_memory(config));
        assert_eq!(engine.app(&app_of(&engine)).unwrap().sdl(), printed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn introspection_gives_the_schema_of_everything_with_either_kind_of_plurals() {
    for natural_pluralization in [true, false] {
        let mut config = everything();
        config.graphql.natural_pluralization = natural_pluralization;
        introspect(in_memory(config).await).await;
    }
}
