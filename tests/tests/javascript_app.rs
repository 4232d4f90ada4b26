//! An exported app whose log-in, confirmation, reset, user creation, trigger, rule and resolvers are JavaScript, brought
//! back unchanged: by realm-web and Apollo Client, unmodified, on every store.
//!
//! Without Node, or before `npm ci` in `tests/clients`, this says so and passes, unless
//! `BACKSTITCH_REQUIRE_CLIENTS` is set.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use backstitch::engine::Engine;
use backstitch::env::Env;
use backstitch_functions_js::{JsFunctions, Settings};
use backstitch_tests::every_store;
use backstitch_tests::served::{free_port, imported, in_axum_on, node};

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_all_javascript_comes_back_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        let (listener, base) = free_port().await;
        let (config, env) = (imported("apps/javascript"), Env::system());
        let app = config.id.to_string();
        let functions = JsFunctions::new(Settings::default(), &env);
        let builder = Engine::builder().store(store).env(env).public_url(&base).runtime(functions);
        let engine = builder.app(config).build().await.unwrap();
        let report = engine.app(&app).unwrap().report();
        assert!(!report.has_errors(), "{report}");
        let maintenance = tokio::spawn({
            let engine = engine.clone();
            async move { engine.maintenance().await }
        });
        in_axum_on(listener, engine);
        let packages = ["realm-web", "@apollo/client"];
        if let Some(said) = node("javascript-app.mjs", &packages, &[&base, &app]).await {
            assert!(said.contains("as expected"), "{said}");
        }
        maintenance.abort();
    }
}
