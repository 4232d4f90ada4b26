//! `"userDocument"` in `backstitch.json`: a document for everybody who signs up.

use serde_json::{Map, Value};

use super::config::AppConfig;
use super::layout::AppDirectory;
use super::settings::FILE;
use crate::auth::UserDocument;
use crate::report::Report;

/// Obeys the setting: `true`, or `{"collection"?, "document"?, "providers"?}`.
///
/// Without a collection it is the one of the custom user data, and without a document one that names the user there.
pub(super) fn read(app: &mut AppConfig, directory: &AppDirectory, report: &mut Report) {
    let settings = directory.object(FILE, &mut Report::default()).unwrap_or_default();
    if let Some(json) = settings.get("userDocument") {
        app.user_document = user_document(app, json, report);
    }
}

fn user_document(app: &AppConfig, json: &Value, report: &mut Report) -> Option<UserDocument> {
    let nothing = Map::new();
    let settings = match json {
        Value::Bool(true) => &nothing,
        Value::Bool(false) | Value::Null => return None,
        Value::Object(settings) => settings,
        _ => return fail(report, "", "must be true or an object"),
    };
    let data = app.auth.custom_user_data.as_ref();
    let collection = match settings.get("collection") {
        None => match data {
            Some(data) => data.collection.clone(),
            None => return fail(report, "", "needs a `collection`: the app has no custom user data"),
        },
        Some(Value::String(name)) => match app.named_collection(name) {
            Some(collection) => collection,
            None => return fail(report, "/collection", "must be `service/database.collection`"),
        },
        Some(_) => return fail(report, "/collection", "must be `service/database.collection`"),
    };
    let naming_the_user;
    let template = match (settings.get("document"), data) {
        (Some(Value::Object(template)), _) => template,
        (None, Some(data)) if data.collection == collection => {
            let mut template = Map::new();
            template.insert(data.user_id_field.clone(), Value::from("%%user.id"));
            naming_the_user = template;
            &naming_the_user
        }
        (None, _) => return fail(report, "", "needs a `document`"),
        (Some(_), _) => return fail(report, "/document", "must be an object"),
    };
    let providers = match settings.get("providers") {
        None => Vec::new(),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(_) => return fail(report, "/providers", "must be a list of names"),
    };
    for key in settings.keys().filter(|key| !["collection", "document", "providers"].contains(&key.as_str()))
    {
        report.warn(FILE, &format!("/userDocument/{key}"), format!("unknown setting `{key}`; ignored"));
    }
    match UserDocument::parse(collection, template) {
        Ok(document) => Some(document.providers(providers)),
        Err((pointer, problem)) => fail(report, &format!("/document{pointer}"), &problem),
    }
}

fn fail<T>(report: &mut Report, pointer: &str, problem: &str) -> Option<T> {
    report.error(FILE, &format!("/userDocument{pointer}"), format!("{problem}; no document is made"));
    None
}
