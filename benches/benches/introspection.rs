//! The standard introspection query: answered from kept bytes, against copying them, and against juniper.

#![allow(clippy::expect_used, missing_docs, reason = "a bench fails by panicking")]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use backstitch::actor::Actor;
use backstitch::app::AppConfig;
use backstitch::engine::Engine;
use backstitch::graphql::GraphqlRequest;
use backstitch_benches::print_ratios;
use backstitch_storage_memory::MemoryStore;
use criterion::Criterion;
use tokio::runtime::Runtime;

/// What clients send, but for `INSIDE` and descriptions.
const QUERY: &str = "query IntrospectionQuery { __schema { queryType { name } mutationType { name } subscriptionType { name } \
types { ...FullType } directives { name locations args { ...InputValue } } INSIDE } } \
fragment FullType on __Type { kind name fields(includeDeprecated: true) { name args { ...InputValue } type { ...TypeRef } \
isDeprecated deprecationReason } inputFields { ...InputValue } interfaces { ...TypeRef } \
enumValues(includeDeprecated: true) { name isDeprecated deprecationReason } possibleTypes { ...TypeRef } } \
fragment InputValue on __InputValue { name type { ...TypeRef } defaultValue } \
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }";

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let mut criterion = Criterion::default().configure_from_args();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/movies");
    let (config, _) = AppConfig::import(&directory).expect("an app directory");
    let app = config.id.to_string();
    let builder = Engine::builder().store(Arc::new(MemoryStore::new())).public_url("http://bench.example");
    let engine = runtime.block_on(builder.app(config).build()).expect("the app is wired");
    let app = engine.app(&app).expect("just built");
    let system = Actor::system(app.id().clone());
    let ask = |inside: &str| {
        let request = GraphqlRequest::new(QUERY.replace("INSIDE", inside));
        runtime.block_on(app.graphql(&system, &request)).body
    };
    let answer = ask("").to_vec();
    println!("{} bytes", answer.len());

    let mut group = criterion.benchmark_group("introspection");
    group.bench_function("floor_copy", |bencher| bencher.iter(|| black_box(&answer).clone()));
    let known = GraphqlRequest::new(QUERY.replace("INSIDE", ""));
    group.bench_function("kept", |bencher| {
        bencher.iter(|| runtime.block_on(app.graphql(&system, black_box(&known))));
    });
    let mut count = 0_u64;
    group.sample_size(10).bench_function("first", |bencher| {
        bencher.iter(|| {
            count += 1;
            ask(&format!("a{count}: __typename"))
        });
    });
    group.finish();
    criterion.final_summary();
    print_ratios(&[
        ("introspection/kept", "introspection/floor_copy"),
        ("introspection/first", "introspection/kept"),
    ]);
}
