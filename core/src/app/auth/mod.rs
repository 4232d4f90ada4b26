//! `auth/providers.json` and `auth/custom_user_data.json`.

mod custom_token;
mod oauth;

use bson::oid::ObjectId;
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value};

use super::config::AppConfig;
use super::layout::AppDirectory;
use super::values::Secrets;
use crate::auth::config::{
    Confirmation, CustomFunctionConfig, CustomUserDataConfig, EmailPasswordConfig, PasswordReset,
    ProviderConfig, ProviderKind,
};
use crate::id::AppId;
use crate::report::Report;

const PROVIDERS: &str = "auth/providers.json";
const USER_DATA: &str = "auth/custom_user_data.json";

/// A provider with the id that its app always gives it.
pub(super) fn provider(app: &AppId, kind: ProviderKind, disabled: bool) -> ProviderConfig {
    let id = provider_id(app, kind.type_name());
    ProviderConfig { kind, id, disabled }
}

/// The id that a provider of this type has in an app.
pub(crate) fn provider_id(app: &AppId, type_name: &str) -> ObjectId {
    let hash = digest(&SHA256, format!("{app}/{type_name}").as_bytes());
    let mut bytes = [0_u8; 12];
    for (slot, byte) in bytes.iter_mut().zip(hash.as_ref()) {
        *slot = *byte;
    }
    ObjectId::from_bytes(bytes)
}

/// Fills the app's log-in.
pub(super) fn read(app: &mut AppConfig, directory: &AppDirectory, secrets: &Secrets, report: &mut Report) {
    for (name, json) in directory.object(PROVIDERS, report).unwrap_or_default() {
        let at = format!("/{name}");
        let Some(json) = json.as_object() else {
            report.warn(PROVIDERS, &at, "a provider must be an object; ignored");
            continue;
        };
        let disabled = is_disabled(json);
        let kind = match oauth::type_name(&name, json) {
            "anon-user" => ProviderKind::Anonymous,
            "local-userpass" => ProviderKind::EmailPassword(email_password(json)),
            "custom-token" => match custom_token::read(json, &at, secrets, report) {
                Some(config) => ProviderKind::CustomToken(config),
                None => continue,
            },
            known if oauth::is_one(known) => {
                match oauth::read(known, json, secrets, (PROVIDERS, &at), report) {
                    Some(config) => ProviderKind::OAuth(Box::new(config)),
                    None => continue,
                }
            }
            "api-key" => ProviderKind::ApiKey,
            "custom-function" => match custom_function(json, &at, report) {
                Some(config) => ProviderKind::CustomFunction(config),
                None => continue,
            },
            unknown => {
                report.warn(PROVIDERS, &at, format!("unknown provider `{unknown}`; ignored"));
                continue;
            }
        };
        app.auth.providers.push(provider(&app.id, kind, disabled));
    }
    oauth::read_own(app, directory, secrets, report);
    let user_data = directory.object(USER_DATA, report);
    app.auth.user_creation_function =
        user_data.as_ref().and_then(|json| text(json, "on_user_creation_function_name"));
    app.auth.custom_user_data = user_data.and_then(|json| custom_user_data(app, &json, report));
}

/// A switch of an odd type closes rather than opens.
fn is_disabled(json: &Map<String, Value>) -> bool {
    !matches!(json.get("disabled"), None | Some(Value::Bool(false)))
}

fn custom_function(json: &Map<String, Value>, at: &str, report: &mut Report) -> Option<CustomFunctionConfig> {
    let function =
        json.get("config").and_then(Value::as_object).and_then(|config| text(config, "authFunctionName"));
    if function.is_none() && !is_disabled(json) {
        let message = "`authFunctionName` is missing: log-in with it answers 404";
        report.error(PROVIDERS, &format!("{at}/config/authFunctionName"), message);
    }
    Some(CustomFunctionConfig { function: function? })
}

fn email_password(json: &Map<String, Value>) -> EmailPasswordConfig {
    let empty = Map::new();
    let config = json.get("config").and_then(Value::as_object).unwrap_or(&empty);
    let on = |key: &str| config.get(key) == Some(&Value::Bool(true));
    let confirmation = match text(config, "confirmationFunctionName") {
        _ if on("autoConfirm") => Confirmation::Automatic,
        Some(name) if on("runConfirmationFunction") => Confirmation::Function { name },
        _ => Confirmation::Email {
            url: page(config, "emailConfirmationUrl").unwrap_or_default(),
            subject: text(config, "confirmEmailSubject"),
        },
    };
    let reset = match (text(config, "resetFunctionName"), page(config, "resetPasswordUrl")) {
        (Some(name), _) if on("runResetFunction") => PasswordReset::Function { name },
        (_, Some(url)) if !on("runResetFunction") => {
            PasswordReset::Email { url, subject: text(config, "resetPasswordSubject") }
        }
        _ => PasswordReset::Unavailable,
    };
    EmailPasswordConfig { confirmation, reset }
}

fn custom_user_data(
    app: &AppConfig,
    json: &Map<String, Value>,
    report: &mut Report,
) -> Option<CustomUserDataConfig> {
    if json.get("enabled") != Some(&Value::Bool(true)) {
        return None;
    }
    let mut needed = |key: &str| {
        let value = text(json, key);
        if value.is_none() {
            report.error(
                USER_DATA,
                &format!("/{key}"),
                format!("`{key}` is missing: custom user data are off"),
            );
        }
        value
    };
    let parts = (needed("database_name"), needed("collection_name"), needed("user_id_field"));
    let (Some(database), Some(collection), Some(user_id_field)) = parts else { return None };
    let service = text(json, "mongo_service_name").unwrap_or_else(|| "mongodb-atlas".to_owned());
    Some(CustomUserDataConfig { collection: app.collection_id(service, database, collection), user_id_field })
}

fn text(map: &Map<String, Value>, key: &str) -> Option<String> {
    map.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

/// A page's address; `https://` with nothing behind it is a form that nobody filled in.
fn page(map: &Map<String, Value>, key: &str) -> Option<String> {
    text(map, key).filter(|url| !url.trim_end_matches('/').ends_with(':'))
}
