//! `data_sources/<service>/<database>/<collection>/`: schemas, rules, relationships, default rules.

use std::collections::HashSet;

use serde_json::Value;

use super::config::{AppConfig, CollectionConfig, DefaultRules, RulesSource};
use super::layout::{AppDirectory, JsonFile};
use super::relationships;
use crate::report::Report;
use crate::schema::CollectionSchema;

const FOLDER: &str = "data_sources";

/// Fills the app's collections and default rules.
pub(super) fn read(app: &mut AppConfig, directory: &AppDirectory, report: &mut Report) {
    for folder in directory.folders(FOLDER) {
        let path = format!("{FOLDER}/{folder}");
        let service = service_name(directory, &path, report).unwrap_or(folder);
        if let Some(rules) = rules(directory, format!("{path}/default_rule.json"), report) {
            app.default_rules.push(DefaultRules { service: service.as_str().into(), rules });
        }
        for database in directory.folders(&path) {
            for name in directory.folders(&format!("{path}/{database}")) {
                let at = format!("{path}/{database}/{name}");
                let collection = CollectionConfig::within(service.as_str(), database.as_str(), name);
                let collection = read_collection(app, collection, directory, (&at, report));
                add(app, collection, &at, report);
            }
        }
    }
    drop_untyped_relationships(app, report);
}

/// The data source's name; its folder has the same one, as a rule.
fn service_name(directory: &AppDirectory, path: &str, report: &mut Report) -> Option<String> {
    let config = directory.object(&format!("{path}/config.json"), report)?;
    config.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()).map(str::to_owned)
}

fn read_collection(
    app: &AppConfig,
    mut collection: CollectionConfig,
    directory: &AppDirectory,
    (at, report): (&str, &mut Report),
) -> CollectionConfig {
    let file = format!("{at}/schema.json");
    if let JsonFile::Read(json) = directory.read(&file, report) {
        collection.schema = CollectionSchema::parse(&json, &file, report);
    }
    collection.rules = rules(directory, format!("{at}/rules.json"), report);
    if let Some(json) = collection.rules.as_ref().map(|rules| &rules.json) {
        // The folder's name may be mangled; what the file says is the name.
        let named = |key: &str| json.get(key).and_then(Value::as_str).filter(|name| !name.is_empty());
        if let Some(database) = named("database") {
            collection.id.database = database.into();
        }
        if let Some(name) = named("collection") {
            collection.id.name = name.into();
        }
    }
    let file = format!("{at}/relationships.json");
    if let Some(json) = directory.object(&file, report) {
        collection.relationships = relationships::parse(app, &json, &file, report);
    }
    collection
}

fn add(app: &mut AppConfig, collection: CollectionConfig, at: &str, report: &mut Report) {
    let mut collection = collection;
    collection.id.group = app.data_group.clone();
    if app.collections.iter().any(|other| other.id == collection.id) {
        report.warn(at, "", format!("`{}` was already configured; the last one wins", collection.id));
        app.collections.retain(|other| other.id != collection.id);
    }
    app.collections.push(collection);
}

/// The rules of a file; closed when it cannot be read.
fn rules(directory: &AppDirectory, file: String, report: &mut Report) -> Option<RulesSource> {
    match directory.read(&file, report) {
        JsonFile::Absent => None,
        JsonFile::Unreadable => Some(RulesSource::closed(file)),
        JsonFile::Read(json @ Value::Object(_)) => Some(RulesSource { json, file }),
        JsonFile::Read(_) => {
            report.error(&file, "", "rules must be an object; everything is denied");
            Some(RulesSource::closed(file))
        }
    }
}

fn drop_untyped_relationships(app: &mut AppConfig, report: &mut Report) {
    let typed: HashSet<_> = app
        .collections
        .iter()
        .filter(|collection| collection.schema.is_some())
        .map(|collection| collection.id.clone())
        .collect();
    for collection in &mut app.collections {
        let id = &collection.id;
        collection.relationships.retain(|relationship| {
            let known = typed.contains(&relationship.target);
            if !known {
                let file = format!("{FOLDER}/{}/{}/{}/relationships.json", id.service, id.database, id.name);
                let message = format!("`{}` has no schema; left out", relationship.target);
                report.warn(&file, &format!("/{}", relationship.source), message);
            }
            known
        });
    }
}
