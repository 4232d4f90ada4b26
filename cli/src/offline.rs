//! An app directory without a server: to ask its rules.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use backstitch::actor::Actor;
use backstitch::app::AppConfig;
use backstitch::engine::{App, Engine};
use backstitch::env::Env;
use backstitch_storage_memory::MemoryStore;
use bson::{Bson, Document, RawDocumentBuf, doc};
use serde_json::Value;

use crate::Failure;
use crate::functions::with_functions;
use crate::serve::read_secrets;

/// The app of a directory over an empty store. What is odd about it goes to standard error.
pub(crate) fn with_app<T>(
    directory: &Path,
    secrets: Option<&Path>,
    ask: impl AsyncFnOnce(&App) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let (config, report) =
        AppConfig::import_with(directory, &read_secrets(secrets)?).map_err(Failure::negative)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::negative)?;
    runtime.block_on(async {
        let env = Env::system();
        let builder = with_functions(Engine::builder(), &env).env(env);
        let builder = builder.store(Arc::new(MemoryStore::new())).public_url("http://offline.invalid");
        let engine = builder.app(config).build().await.map_err(Failure::negative)?;
        let app = engine.apps().next().ok_or_else(|| Failure::negative("there is no app"))?;
        for problem in report.problems().iter().chain(app.report().problems()) {
            eprintln!("{problem}");
        }
        ask(app).await
    })
}

/// The JSON of a file.
pub(crate) fn read_json(file: &Path) -> Result<Value, Failure> {
    let told = |error: &dyn std::fmt::Display| Failure::usage(format!("`{}`: {error}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| told(&error))?;
    serde_json::from_str(&text).map_err(|error| told(&error))
}

/// A document in extended JSON; `what` names it in the error.
pub(crate) fn document(json: &Value, what: &str) -> Result<Document, Failure> {
    match Bson::try_from(json.clone()) {
        Ok(Bson::Document(document)) => Ok(document),
        Ok(_) => Err(Failure::usage(format!("{what}: a document is a JSON object"))),
        Err(error) => Err(Failure::usage(format!("{what}: {error}"))),
    }
}

/// The same as bytes.
pub(crate) fn raw(document: &Document, what: &str) -> Result<RawDocumentBuf, Failure> {
    RawDocumentBuf::try_from(document).map_err(|error| Failure::usage(format!("{what}: {error}")))
}

/// Somebody as rules know them. What is not said is what a user without anything has.
pub(crate) fn actor(app: &App, json: &Value, what: &str) -> Result<Actor, Failure> {
    let given = document(json, what)?;
    let known = ["id", "type", "data", "custom_data", "identities"];
    if let Some(unknown) = given.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(Failure::usage(format!("{what}: `{unknown}` is nothing that rules know of a user")));
    }
    if given.get_str("type").is_ok_and(|kind| kind == "system") {
        return Ok(Actor::system(app.id().clone()));
    }
    let mut user = doc! { "id": "", "type": "normal", "data": {}, "custom_data": {}, "identities": [] };
    user.extend(given);
    Ok(Actor::imagined(app.id().clone(), user))
}
