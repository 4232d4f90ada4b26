//! The two oldest layouts (2018 and 2020, `stitch.json` and `config.json`), seen as a current one.
//!
//! What an old export keeps together or elsewhere is laid out as the files that a current export would have, so that
//! nothing else knows of old layouts; what is found in such a file is reported of the file that is really there.
//!
//! | old | current |
//! |---|---|
//! | `auth_providers/<name>.json` | a member of `auth/providers.json` |
//! | `custom_user_data_config` of the root | `auth/custom_user_data.json` |
//! | `services/<s>/config.json` | `data_sources/<s>/config.json` |
//! | `services/<s>/rules/<db>.<coll>.json`, or any other name | `schema.json`, `rules.json`, `relationships.json` of the collection |
//! | `functions/<n>/config.json` | a member of `functions/config.json` |
//! | `functions/<n>/source.js` | `functions/<n>.js` |

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::report::Report;

/// The files that a current export would have, by their paths there.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct LaidOut {
    pub(super) json: BTreeMap<String, Value>,
    /// Text files: where they really are.
    pub(super) texts: BTreeMap<String, String>,
    /// Where the parts of laid-out files really are.
    origins: Vec<Origin>,
}

/// Where a part of a laid-out file really is.
#[derive(Debug, PartialEq)]
struct Origin {
    file: String,
    pointer: String,
    real_file: String,
    real_pointer: &'static str,
}

impl LaidOut {
    /// Lays an old export out.
    pub(super) fn of(path: &Path, root: &str, report: &mut Report) -> Self {
        let mut laid_out = Self::default();
        laid_out.providers(path, report);
        laid_out.user_data(path, root);
        laid_out.services(path, report);
        laid_out.functions(path, report);
        laid_out
    }

    /// The real place of what was reported of a laid-out file.
    pub(crate) fn origin(&self, file: &str, pointer: &str) -> Option<(String, String)> {
        if let Some(real) = self.texts.get(file) {
            return Some((real.clone(), pointer.to_owned()));
        }
        let found = self.origins.iter().filter(|origin| origin.file == file).find_map(|origin| {
            let rest = pointer.strip_prefix(&origin.pointer)?;
            (rest.is_empty() || rest.starts_with('/')).then_some((origin, rest))
        });
        found.map(|(origin, rest)| (origin.real_file.clone(), format!("{}{rest}", origin.real_pointer)))
    }

    /// The names right below a folder: of files, or of folders.
    pub(super) fn names(&self, folder: &str, folders: bool) -> Vec<String> {
        let folder = format!("{}/", folder.trim_end_matches('/'));
        let below = self.json.keys().chain(self.texts.keys()).filter_map(|path| path.strip_prefix(&folder));
        let mut names: Vec<String> = below
            .filter_map(|rest| match rest.split_once('/') {
                Some((name, _)) => folders.then(|| name.to_owned()),
                None => (!folders).then(|| rest.to_owned()),
            })
            .collect();
        names.sort();
        names.dedup();
        names
    }

    fn put(&mut self, file: String, json: Value, (real_file, real_pointer): (&str, &'static str)) {
        self.note(&file, String::new(), (real_file, real_pointer));
        self.json.insert(file, json);
    }

    fn note(&mut self, file: &str, pointer: String, (real_file, real_pointer): (&str, &'static str)) {
        let (file, real_file) = (file.to_owned(), real_file.to_owned());
        self.origins.push(Origin { file, pointer, real_file, real_pointer });
    }

    fn providers(&mut self, path: &Path, report: &mut Report) {
        const FILE: &str = "auth/providers.json";
        let mut providers = Map::new();
        for name in names(&path.join("auth_providers"), ".json") {
            let file = format!("auth_providers/{name}");
            let Some(json) = read(path, &file, report) else { continue };
            let stem = name.trim_end_matches(".json");
            let key = json.get("name").and_then(Value::as_str).unwrap_or(stem).to_owned();
            self.note(FILE, format!("/{key}"), (&file, ""));
            providers.insert(key, Value::Object(json));
        }
        self.json.insert(FILE.to_owned(), Value::Object(providers));
    }

    fn user_data(&mut self, path: &Path, root: &str) {
        // What is wrong with the root is reported where the root is read.
        let config = read(path, root, &mut Report::default())
            .and_then(|root| root.get("custom_user_data_config").cloned())
            .filter(Value::is_object);
        if let Some(mut config) = config {
            let members = config.as_object_mut();
            // A service is named by its id there, which says nothing outside of its server.
            if let Some(name) = members.and_then(|members| members.remove("mongo_service_id"))
                && config.get("mongo_service_name").is_none()
                && path.join("services").join(name.as_str().unwrap_or_default()).is_dir()
            {
                config["mongo_service_name"] = name;
            }
            self.put("auth/custom_user_data.json".to_owned(), config, (root, "/custom_user_data_config"));
        }
    }

    fn services(&mut self, path: &Path, report: &mut Report) {
        for service in names(&path.join("services"), "") {
            let folder = format!("services/{service}");
            let rules = names(&path.join(&folder).join("rules"), ".json");
            let config = read(path, &format!("{folder}/config.json"), report).unwrap_or_default();
            let kind = config.get("type").and_then(Value::as_str).unwrap_or_default();
            if rules.is_empty() && !["mongodb-atlas", "mongodb"].contains(&kind) {
                continue;
            }
            let (file, real) =
                (format!("data_sources/{service}/config.json"), format!("{folder}/config.json"));
            self.put(file, Value::Object(config), (&real, ""));
            for name in rules {
                let real = format!("{folder}/rules/{name}");
                if let Some(json) = read(path, &real, report) {
                    self.collection(&service, name.trim_end_matches(".json"), json, &real, report);
                }
            }
        }
    }

    /// One file that has everything of a collection.
    fn collection(
        &mut self,
        service: &str,
        stem: &str,
        mut json: Map<String, Value>,
        real: &str,
        report: &mut Report,
    ) {
        let named = |key: &str| {
            let name = json.get(key).and_then(Value::as_str).filter(|name| !name.is_empty());
            name.map(str::to_owned)
        };
        let by_stem = stem.split_once('.');
        let database = named("database").or_else(|| by_stem.map(|(database, _)| database.to_owned()));
        let collection = named("collection").or_else(|| by_stem.map(|(_, collection)| collection.to_owned()));
        let (Some(database), Some(collection)) = (database, collection) else {
            report.error(real, "", "says neither its database nor its collection; left out");
            return;
        };
        // What is no path stays none.
        let folder = |name: &str| name.replace(['/', '\\'], "_");
        let at = format!("data_sources/{service}/{}/{}", folder(&database), folder(&collection));
        // What the server called it says nothing here.
        json.remove("id");
        json.insert("database".to_owned(), database.into());
        json.insert("collection".to_owned(), collection.into());
        if let Some(schema) =
            json.remove("schema").filter(|schema| schema.as_object().is_none_or(|it| !it.is_empty()))
        {
            self.put(format!("{at}/schema.json"), schema, (real, "/schema"));
        }
        if let Some(relationships) = json.remove("relationships") {
            self.put(format!("{at}/relationships.json"), relationships, (real, "/relationships"));
        }
        self.put(format!("{at}/rules.json"), Value::Object(json), (real, ""));
    }

    fn functions(&mut self, path: &Path, report: &mut Report) {
        const MANIFEST: &str = "functions/config.json";
        let mut manifest = Vec::new();
        for name in names(&path.join("functions"), "") {
            let real = format!("functions/{name}/config.json");
            let mut config = read(path, &real, report).unwrap_or_default();
            config.entry("name").or_insert_with(|| json!(name));
            self.note(MANIFEST, format!("/{}", manifest.len()), (&real, ""));
            let function = config.get("name").and_then(Value::as_str).unwrap_or(&name).to_owned();
            manifest.push(Value::Object(config));
            let source = format!("functions/{name}/source.js");
            if path.join(&source).is_file() {
                self.texts.insert(format!("functions/{function}.js"), source);
            }
        }
        self.json.insert(MANIFEST.to_owned(), Value::Array(manifest));
    }
}

/// A JSON object that may be absent; what is wrong with it is reported.
fn read(path: &Path, file: &str, report: &mut Report) -> Option<Map<String, Value>> {
    let text = fs::read_to_string(path.join(file)).ok()?;
    match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(Value::Object(map)) => Some(map),
        Ok(_) => {
            report.error(file, "", "must be an object");
            None
        }
        Err(error) => {
            report.error(file, "", format!("not JSON: {error}"));
            None
        }
    }
}

/// The names of the files that end so, or with no ending of the folders, inside a folder; sorted.
fn names(folder: &Path, ending: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let is_wanted = |path: &Path, name: &str| match ending {
        "" => path.is_dir(),
        ending => path.is_file() && name.ends_with(ending),
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| Some((entry.path(), entry.file_name().into_string().ok()?)))
        .filter(|(path, name)| !name.starts_with('.') && is_wanted(path, name))
        .map(|(_, name)| name)
        .collect();
    names.sort();
    names
}
