//! The names of the functions of an export; functions themselves come later.

use std::collections::BTreeSet;

use serde_json::Value;

use super::config::AppConfig;
use super::layout::{AppDirectory, JsonFile};
use crate::report::Report;

const MANIFEST: &str = "functions/config.json";
const MAX_DEPTH: usize = 8;

/// Fills the app's list of functions, out of the manifest and the sources.
pub(super) fn read(app: &mut AppConfig, directory: &AppDirectory, report: &mut Report) {
    let mut names = BTreeSet::new();
    sources(directory, "", 0, &mut names);
    match directory.read(MANIFEST, report) {
        JsonFile::Read(Value::Array(manifest)) => {
            for (index, json) in manifest.iter().enumerate() {
                let Some(name) = json.get("name").and_then(Value::as_str) else { continue };
                // The manifest may leave out the folder that the source lies in.
                let found = names.iter().any(|known| known == name || base(known) == base(name));
                if !found {
                    report.warn(
                        MANIFEST,
                        &format!("/{index}"),
                        format!("the function `{name}` has no source"),
                    );
                }
                names.insert(name.to_owned());
            }
        }
        JsonFile::Read(_) => report.warn(MANIFEST, "", "must be a list; ignored"),
        JsonFile::Absent | JsonFile::Unreadable => {}
    }
    app.functions = names.into_iter().collect();
}

fn sources(directory: &AppDirectory, below: &str, depth: usize, names: &mut BTreeSet<String>) {
    let folder = format!("functions/{below}");
    for file in directory.files(&folder, ".js") {
        names.insert(format!("{below}{}", file.trim_end_matches(".js")));
    }
    for inner in directory.folders(&folder) {
        if inner != "node_modules" && depth < MAX_DEPTH {
            sources(directory, &format!("{below}{inner}/"), depth + 1, names);
        }
    }
}

fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
