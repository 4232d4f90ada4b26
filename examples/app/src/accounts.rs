//! Every way in: two apps that the official clients' tests run against.
//!
//! They differ in how an address is confirmed and a password reset: by mail, or by functions.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use backstitch::app::AppConfig;
use backstitch::auth::config::{
    Audience, Confirmation, CustomFunctionConfig, CustomTokenConfig, EmailPasswordConfig, MetadataField,
    PasswordReset, ProviderKind, TokenAlgorithm, TokenKeySource,
};
use backstitch::bson::{Bson, Document, doc};
use backstitch::builder::EngineBuilder;
use backstitch::functions::{FunctionCall, FunctionFailure};
use backstitch::id::AppId;
use backstitch::secret::Secret;

/// The client app id of [`accounts_app`].
pub const ACCOUNTS_APP_ID: &str = "accounts-abcde";
/// The client app id of [`functions_app`].
pub const FUNCTIONS_APP_ID: &str = "functions-abcde";
/// What the other service of `custom-token` signs with.
pub const JWT_SECRET: &str = "a-secret-that-is-long-enough-for-hs256-ok";

/// What opens a reset by function.
const WATCHWORD: &str = "open sesame";

/// An app with every provider that needs no other server; addresses are confirmed by mail.
pub fn accounts_app() -> AppConfig {
    let page = |name: &str| format!("https://accounts.example/{name}");
    let passwords = EmailPasswordConfig {
        confirmation: Confirmation::Email { url: page("confirm"), subject: None },
        reset: PasswordReset::Email { url: page("reset"), subject: None },
    };
    let tokens = CustomTokenConfig {
        keys: TokenKeySource::Keys { algorithm: TokenAlgorithm::Hs256, keys: vec![Secret::new(JWT_SECRET)] },
        audience: Audience::default(),
        metadata: vec![MetadataField {
            path: vec!["email".to_owned()],
            field_name: "email".to_owned(),
            required: false,
        }],
    };
    AppConfig::new("accounts")
        .with_id(AppId::new(ACCOUNTS_APP_ID))
        .provider(ProviderKind::Anonymous)
        .provider(ProviderKind::EmailPassword(passwords))
        .provider(ProviderKind::ApiKey)
        .provider(ProviderKind::CustomToken(tokens))
        .provider(ProviderKind::CustomFunction(CustomFunctionConfig { function: "logIn".to_owned() }))
}

/// An app whose addresses are confirmed, and whose passwords are reset, by functions.
pub fn functions_app() -> AppConfig {
    let passwords = EmailPasswordConfig {
        confirmation: Confirmation::Function { name: "confirmUser".to_owned() },
        reset: PasswordReset::Function { name: "resetPassword".to_owned() },
    };
    AppConfig::new("functions")
        .with_id(AppId::new(FUNCTIONS_APP_ID))
        .provider(ProviderKind::Anonymous)
        .provider(ProviderKind::EmailPassword(passwords))
}

/// Adds both apps with the functions that they name.
pub fn with_accounts(builder: EngineBuilder) -> EngineBuilder {
    let asked = Mutex::new(HashSet::new());
    builder
        .app(accounts_app())
        .app(functions_app())
        .function("logIn", async |call: FunctionCall| log_in(&call))
        .function("resetPassword", async |call: FunctionCall| Ok(reset(&call)))
        .function("confirmUser", move |call: FunctionCall| {
            let status = confirm(&call, &mut asked.lock().unwrap_or_else(PoisonError::into_inner));
            async move { status }
        })
}

fn log_in(call: &FunctionCall) -> Result<Bson, FunctionFailure> {
    match payload(call).get_str("username") {
        Ok(name) if name != "nobody" => Ok(name.into()),
        _ => Err(FunctionFailure::new("nobody of that name")),
    }
}

/// Addresses that begin with `refused` are never confirmed, those with `later` at the second call.
fn confirm(call: &FunctionCall, asked: &mut HashSet<String>) -> Result<Bson, FunctionFailure> {
    let email =
        payload(call).get_str("username").map_err(|_| FunctionFailure::new("no username"))?.to_owned();
    let status = match email.split('-').next() {
        Some("refused") => "fail",
        Some("later") if asked.insert(email.clone()) => "pending",
        _ => "success",
    };
    Ok(doc! { "status": status }.into())
}

fn reset(call: &FunctionCall) -> Bson {
    let status = match call.arguments.get(1).and_then(Bson::as_str) {
        Some(WATCHWORD) => "success",
        _ => "fail",
    };
    doc! { "status": status }.into()
}

fn payload(call: &FunctionCall) -> Document {
    call.arguments.first().and_then(Bson::as_document).cloned().unwrap_or_default()
}
