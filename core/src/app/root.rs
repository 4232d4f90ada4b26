//! `root_config.json` and its older kin, environments, and folders that are not read.

use serde_json::{Map, Value};

use super::config::AppConfig;
use super::layout::{AppDirectory, JsonFile};
use crate::id::AppId;
use crate::report::Report;

/// Keys that are read, or that say nothing to us.
const KNOWN: [&str; 12] = [
    "app_id",
    "name",
    "config_version",
    "environment",
    "allowed_request_origins",
    "deployment_model",
    "location",
    "provider_region",
    "security",
    "custom_user_data_config",
    "sync",
    "hosting",
];

/// Folders of features that come later.
const UNREAD: [(&str, &str); 6] = [
    ("http_endpoints", "HTTP endpoints are not served yet"),
    ("https_endpoints", "HTTPS endpoints are not served yet"),
    ("services", "services other than data sources are not available yet"),
    ("sync", "device sync is not available"),
    ("hosting", "hosting is not available"),
    ("log_forwarders", "log forwarders are not available"),
];

/// Reads the name and the id, and loads the environment's values into the directory.
pub(super) fn read(directory: &mut AppDirectory, file: &str, report: &mut Report) -> Option<AppConfig> {
    let root = directory.object(file, report)?;
    let Some(name) = text(&root, "name") else {
        report.error(file, "/name", "the app has no name");
        return None;
    };
    for key in root.keys().filter(|key| !KNOWN.contains(&key.as_str())) {
        report.warn(file, &format!("/{key}"), format!("unknown key `{key}`; ignored"));
    }
    let mut app = AppConfig::new(name);
    if let Some(id) = text(&root, "app_id") {
        app = app.with_id(AppId::new(id));
    }
    app.allowed_request_origins = match root.get("security").and_then(Value::as_object) {
        Some(security) if directory.is_old() => origins(security, (file, "/security"), report),
        _ => origins(&root, (file, ""), report),
    };
    app.environment = text(&root, "environment").unwrap_or_default().to_owned();
    app.environment_values = environment(directory, &app.environment, report);
    directory.environment = app.environment_values.clone();
    Some(app)
}

/// Reports what the export has and we do not run.
pub(super) fn report_unread_folders(directory: &AppDirectory, report: &mut Report) {
    for (folder, why) in UNREAD {
        for name in directory.files(folder, ".json") {
            let file = format!("{folder}/{name}");
            // Empty lists and objects are what every export has there.
            let empty = match directory.read(&file, report) {
                JsonFile::Read(Value::Array(list)) => list.is_empty(),
                JsonFile::Read(Value::Object(map)) => {
                    map.is_empty()
                        || ["disabled", "development_mode_enabled"]
                            .iter()
                            .any(|key| map.get(*key) == Some(&Value::Bool(*key == "disabled")))
                }
                _ => true,
            };
            if !empty {
                report.warn(&file, "", why);
            }
        }
        if folder == "services" {
            let sources = if directory.is_old() { directory.folders("data_sources") } else { Vec::new() };
            for name in directory.folders(folder) {
                if !sources.contains(&name) {
                    report.warn(&format!("{folder}/{name}"), "", why);
                }
                let hooks = format!("{folder}/{name}/incoming_webhooks");
                for hook in directory.folders(&hooks) {
                    report.warn(&format!("{hooks}/{hook}"), "", "incoming webhooks are not served");
                }
            }
        }
    }
}

fn text<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    map.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
}

fn origins(root: &Map<String, Value>, (file, at): (&str, &str), report: &mut Report) -> Vec<String> {
    match root.get("allowed_request_origins") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(_) => {
            report.warn(file, &format!("{at}/allowed_request_origins"), "must be a list of origins; ignored");
            Vec::new()
        }
    }
}

/// The values of the environment's file; without a tag (or a file for it), of `no-environment.json`.
fn environment(directory: &AppDirectory, tag: &str, report: &mut Report) -> Map<String, Value> {
    // INVARIANT: the tag becomes part of a path, so it may not leave the folder.
    let named = (!tag.is_empty() && !tag.contains(['/', '\\'])).then(|| format!("environments/{tag}.json"));
    let file = named
        .filter(|file| directory.path().join(file).is_file())
        .unwrap_or_else(|| "environments/no-environment.json".to_owned());
    let Some(mut json) = directory.object(&file, report) else { return Map::new() };
    match json.remove("values") {
        Some(Value::Object(values)) => values,
        None | Some(Value::Null) => Map::new(),
        Some(_) => {
            report.warn(&file, "/values", "must be an object; ignored");
            Map::new()
        }
    }
}
