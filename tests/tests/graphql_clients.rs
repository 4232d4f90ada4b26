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
use backstitch::limits::Limits;
use backstitch::report::Report;
use backstitch_storage_memory::MemoryStore;
use backstitch_tests::Things;
use backstitch_tests::served::{
    everything, folder, imported, in_actix, in_axum, in_memory, in_memory_within, node,
};
use tempfile::NamedTempFile;

/// The engine's only app.
fn app_of(engine: &Engine) -> String {
    engine.apps().next().expect("an app").id().to_string()
}

/// The SDL of an engine's only app, as a file.
fn sdl_file(engine: &Engine) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(&file, engine.apps().next().unwrap().sdl()).unwrap();
    file
}

/// Compares the schema that an engine serves with the one that it prints.
async fn introspect(engine: Engine) {
    let (app, file) = (app_of(&engine), sdl_file(&engine));
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

/// Runs a script that compares an engine with graphql-js on the same data, for each of the seeds.
async fn compare(script: &str, cases: &str, seeds: &[&str]) {
    // The generated documents are dear, their data are few.
    let limits = Limits { graphql_cost: u64::MAX, ..Limits::default() };
    let engine = in_memory_within(everything(), limits).await;
    let (app, file) = (app_of(&engine), sdl_file(&engine));
    let base = in_axum(engine).await;
    let directory = folder("apps/everything");
    for seed in seeds {
        let paths = [directory.to_str().unwrap(), file.path().to_str().unwrap()];
        node(script, &["graphql"], &[&base, &app, paths[0], paths[1], cases, seed]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn generated_documents_answer_as_in_graphql_js() {
    compare("differential.mjs", "500", &["1", "2"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_with_a_mistake_are_refused_where_graphql_js_refuses_them() {
    compare("validity.mjs", "1000", &["4", "6"]).await;
}

/// All of the audit's points, as the script says them.
async fn audit(base: &str, app: &str) {
    let said = node("graphql-over-http.mjs", &["graphql", "graphql-http"], &[base, app]).await;
    assert!(said.is_none_or(|said| said.contains("61 of 61 audits ok")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tower_mount_in_axum_passes_the_audit_of_graphql_over_http() {
    let engine = in_memory(everything()).await;
    let app = app_of(&engine);
    audit(&in_axum(engine).await, &app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_actix_mount_passes_the_audit_of_graphql_over_http() {
    let engine = in_memory(everything()).await;
    let app = app_of(&engine);
    audit(&in_actix(engine), &app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn apollo_client_and_urql_work_as_they_are() {
    let engine = in_memory(everything()).await;
    let app = app_of(&engine);
    let base = in_axum(engine).await;
    node("apollo.mjs", &["@apollo/client", "graphql", "rxjs"], &[&base, &app]).await;
    node("urql.mjs", &["@urql/core", "graphql"], &[&base, &app]).await;
}
