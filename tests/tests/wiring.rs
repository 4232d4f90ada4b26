//! What building an engine finds: functions that log-in names and nobody has.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use backstitch::app::AppConfig;
use backstitch::auth::config::{
    Confirmation, CustomFunctionConfig, EmailPasswordConfig, PasswordReset, ProviderKind,
};
use backstitch::builder::EngineBuilder;
use backstitch::engine::Engine;
use backstitch::functions::FunctionCall;
use backstitch::id::AppId;
use backstitch::report::Severity;
use backstitch_storage_memory::MemoryStore;
use backstitch_tests::Client;
use bson::Bson;
use serde_json::json;

const APP: &str = "wiring-abcde";
const PROVIDERS: &str = r#"{
    "anon-user": { "name": "anon-user", "type": "anon-user", "disabled": false },
    "custom-function": {
        "name": "custom-function", "type": "custom-function", "disabled": false,
        "config": { "authFunctionName": "logIn" }
    },
    "local-userpass": {
        "name": "local-userpass", "type": "local-userpass", "disabled": false,
        "config": {
            "autoConfirm": false,
            "runConfirmationFunction": true, "confirmationFunctionName": "confirmUser",
            "runResetFunction": true, "resetFunctionName": "resetPassword"
        }
    }
}"#;
const USER_DATA: &str = r#"{ "enabled": false, "on_user_creation_function_name": "newUser" }"#;

fn builder() -> EngineBuilder {
    Engine::builder().store(Arc::new(MemoryStore::new())).public_url("https://api.example")
}

fn exported(folder: &Path) -> AppConfig {
    let root = format!(r#"{{ "name": "wiring", "app_id": "{APP}" }}"#);
    for (file, text) in [
        ("root_config.json", root.as_str()),
        ("auth/providers.json", PROVIDERS),
        ("auth/custom_user_data.json", USER_DATA),
        ("functions/confirmUser.js", "exports = () => ({ status: 'success' })"),
    ] {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    AppConfig::import(folder).unwrap().0
}

#[tokio::test]
async fn an_exported_app_is_served_and_says_which_functions_are_missing_and_where_they_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let log_in = async |_: FunctionCall| Ok(Bson::from("ada"));
    let engine = builder().function("logIn", log_in).app(exported(folder.path())).build().await.unwrap();
    let report = engine.app(APP).unwrap().report();
    let places: Vec<_> = report.problems().iter().map(|p| (p.file.as_str(), p.pointer.as_str())).collect();
    let passwords = "/local-userpass/config";
    let expected = [
        ("auth/providers.json", format!("{passwords}/confirmationFunctionName")),
        ("auth/providers.json", format!("{passwords}/resetFunctionName")),
        ("auth/custom_user_data.json", "/on_user_creation_function_name".to_owned()),
    ];
    assert_eq!(places, expected.each_ref().map(|(file, pointer)| (*file, pointer.as_str())));
    assert!(report.problems().iter().all(|problem| problem.severity == Severity::Warning));
    let messages = report.to_string();
    assert!(
        messages.contains(
            "`confirmUser`: no native function of this name is registered, and its source is not run here"
        ),
        "{messages}"
    );
    assert!(messages.contains("`newUser`: no function of this name is there"), "{messages}");

    let client = Client::new(&engine, APP);
    let body = json!({ "email": "ada@x.test", "password": "correct horse" });
    let register = "/app/{app}/auth/providers/local-userpass/register";
    let refused = client.send("POST", register, None, Some(body)).await;
    assert_eq!((refused.status, refused.json()["error_code"].as_str()), (404, Some("FunctionNotFound")));
    let guest = client.send("POST", "/app/{app}/auth/providers/anon-user/login", None, None).await;
    assert_eq!(guest.status, 404, "no user is made whom the function has not seen: {guest:?}");
}

#[tokio::test]
async fn an_app_written_in_rust_is_not_built_without_its_functions() {
    let passwords = EmailPasswordConfig {
        confirmation: Confirmation::Function { name: "confirmUser".to_owned() },
        reset: PasswordReset::Function { name: "resetPassword".to_owned() },
    };
    let function = CustomFunctionConfig { function: "logIn".to_owned() };
    let mut config = AppConfig::new("wiring")
        .with_id(AppId::new(APP))
        .provider(ProviderKind::CustomFunction(function))
        .provider(ProviderKind::EmailPassword(passwords));
    config.auth.user_creation_function = Some("newUser".to_owned());
    let mut open = config.clone();
    let error = builder().app(config).build().await.unwrap_err().to_string();
    for name in ["logIn", "confirmUser", "resetPassword", "newUser"] {
        assert!(error.contains(&format!("`{APP}` needs the function `{name}`")), "{error}");
    }

    open.auth.providers.iter_mut().for_each(|provider| provider.disabled = true);
    open.auth.user_creation_function = None;
    builder().app(open).build().await.expect("what is disabled calls nothing");
}
