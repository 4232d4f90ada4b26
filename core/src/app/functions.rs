//! The functions of an export: `functions/config.json` and the sources below `functions/`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::config::AppConfig;
use super::layout::{AppDirectory, JsonFile};
use crate::functions::{FunctionSettings, FunctionSource};
use crate::report::Report;

const MANIFEST: &str = "functions/config.json";
const MAX_DEPTH: usize = 8;

/// Fills the app's functions, out of the manifest and the sources.
pub(super) fn read(app: &mut AppConfig, directory: &AppDirectory, report: &mut Report) {
    let mut files = BTreeMap::new();
    sources(directory, "", 0, &mut files);
    let mut functions = BTreeMap::new();
    match directory.read(MANIFEST, report) {
        JsonFile::Read(Value::Array(manifest)) => {
            for (index, json) in manifest.iter().enumerate() {
                let Some(name) = json.get("name").and_then(Value::as_str) else { continue };
                // The manifest may leave out the folder that the source lies in.
                let found = files.get_key_value(name);
                let found = found.or_else(|| files.iter().find(|(path, _)| base(path) == base(name)));
                let source = found.map(|(path, file)| (path.clone(), file.clone()));
                if source.is_none() {
                    report.warn(
                        MANIFEST,
                        &format!("/{index}"),
                        format!("the function `{name}` has no source"),
                    );
                }
                let file = source.map(|(path, file)| {
                    files.remove(&path);
                    file
                });
                let code = file.as_ref().and_then(|file| directory.text(file, report));
                let (name, file) = (name.to_owned(), file.unwrap_or_default());
                let settings = settings(json);
                functions.insert(name.clone(), FunctionSource { name, file, code, settings });
            }
        }
        JsonFile::Read(_) => report.warn(MANIFEST, "", "must be a list; ignored"),
        JsonFile::Absent | JsonFile::Unreadable => {}
    }
    for (name, file) in files {
        let code = directory.text(&file, report);
        let settings = FunctionSettings::default();
        functions.entry(name.clone()).or_insert(FunctionSource { name, file, code, settings });
    }
    app.functions = functions.into_values().collect();
}

fn settings(json: &Value) -> FunctionSettings {
    let is_on = |key: &str| json.get(key) == Some(&Value::Bool(true));
    FunctionSettings {
        private: is_on("private"),
        run_as_system: is_on("run_as_system"),
        run_as_user: json
            .get("run_as_user_id")
            .and_then(Value::as_str)
            .filter(|id| !id.is_empty())
            .map(str::to_owned),
        can_evaluate: json.get("can_evaluate").filter(|expression| !expression.is_null()).cloned(),
    }
}

/// Path below the folder, without the ending → file.
fn sources(directory: &AppDirectory, below: &str, depth: usize, files: &mut BTreeMap<String, String>) {
    let folder = format!("functions/{below}");
    for file in directory.files(&folder, ".js") {
        files.insert(format!("{below}{}", file.trim_end_matches(".js")), format!("functions/{below}{file}"));
    }
    for inner in directory.folders(&folder) {
        if inner != "node_modules" && depth < MAX_DEPTH {
            sources(directory, &format!("{below}{inner}/"), depth + 1, files);
        }
    }
}

fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
