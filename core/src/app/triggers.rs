//! `triggers/*.json`: functions that are told of log-ins and of users who come and go.

use serde_json::{Map, Value};

use super::config::AppConfig;
use super::layout::AppDirectory;
use crate::auth::UserEventKind;
use crate::report::Report;

const FOLDER: &str = "triggers";

/// A function that is told of log-ins and of users who come and go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthTrigger {
    /// What it is called.
    pub name: String,
    /// Of what it is told.
    pub kind: UserEventKind,
    /// Of events of these providers; all when empty.
    pub providers: Vec<String>,
    /// The function; it gets `{operationType, providers, user, time}`.
    pub function: String,
    /// The file, relative to the app directory; empty when there is none.
    pub file: String,
}

/// Fills the app's authentication triggers; the others are reported.
pub(super) fn read(app: &mut AppConfig, directory: &AppDirectory, report: &mut Report) {
    for name in directory.files(FOLDER, ".json") {
        let file = format!("{FOLDER}/{name}");
        let Some(json) = directory.object(&file, report) else { continue };
        if json.is_empty() || json.get("disabled") == Some(&Value::Bool(true)) {
            continue;
        }
        match json.get("type").and_then(Value::as_str) {
            Some("AUTHENTICATION") => app.triggers.extend(trigger(&json, file, report)),
            Some(other) => report.warn(&file, "/type", format!("triggers of the type {other} do not run")),
            None => report.warn(&file, "/type", "the trigger has no type; it does not run"),
        }
    }
}

fn trigger(json: &Map<String, Value>, file: String, report: &mut Report) -> Option<AuthTrigger> {
    let text = |pointer: &str| {
        let found = Value::Object(json.clone()).pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        found.filter(|text| !text.is_empty())
    };
    let newer = text("/event_processors/FUNCTION/config/function_name");
    let Some(function) = newer.or_else(|| text("/function_name")) else {
        report.warn(&file, "/event_processors", "the trigger names no function; it does not run");
        return None;
    };
    let kind = match text("/config/operation_type").as_deref() {
        Some("CREATE") => UserEventKind::Create,
        Some("LOGIN") => UserEventKind::LogIn,
        Some("DELETE") => UserEventKind::Delete,
        other => {
            let message =
                format!("`{}` is no operation of a trigger; it does not run", other.unwrap_or_default());
            report.warn(&file, "/config/operation_type", message);
            return None;
        }
    };
    let providers = json.get("config").and_then(|config| config.get("providers")).and_then(Value::as_array);
    let providers = providers.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let name = text("/name").unwrap_or_else(|| file.clone());
    Some(AuthTrigger { name, kind, providers, function, file })
}
