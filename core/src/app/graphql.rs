//! `graphql/config.json`, `graphql/validation_settings.json`, and custom resolvers.

use serde_json::{Map, Value};

use super::config::AppConfig;
use super::layout::AppDirectory;
use super::resolvers;
use crate::report::Report;
use crate::schema::{CustomResolver, NullHandling};

const CONFIG: &str = "graphql/config.json";
const VALIDATION: &str = "graphql/validation_settings.json";

/// How GraphQL is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphQlConfig {
    /// Plurals as English has them (`mice`); otherwise always with an `s`.
    pub natural_pluralization: bool,
    /// Whether clients may ask for the schema.
    pub introspection: bool,
    /// What becomes of a stored document that does not fit its schema.
    pub read_validation: ValidationAction,
    /// What becomes of a write that does not fit its schema.
    pub write_validation: ValidationAction,
    /// What becomes of an explicit null.
    pub nulls: NullHandling,
    /// Fields that functions answer.
    pub resolvers: Vec<CustomResolver>,
}

impl Default for GraphQlConfig {
    /// Writes are validated, reads are not.
    fn default() -> Self {
        Self {
            natural_pluralization: true,
            introspection: true,
            read_validation: ValidationAction::Off,
            write_validation: ValidationAction::Error,
            nulls: NullHandling::Refused,
            resolvers: Vec::new(),
        }
    }
}

/// What happens when a document does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidationAction {
    /// It is not even checked.
    Off,
    /// The log says so.
    Warn,
    /// The operation fails.
    Error,
}

/// Fills the app's GraphQL settings.
pub(super) fn read(app: &mut AppConfig, directory: &AppDirectory, report: &mut Report) {
    let config = directory.object(CONFIG, report).unwrap_or_default();
    app.graphql.natural_pluralization = config.get("use_natural_pluralization") != Some(&Value::Bool(false));
    app.graphql.introspection = config.get("disable_schema_introspection") != Some(&Value::Bool(true));
    if let Some(settings) = directory.object(VALIDATION, report) {
        app.graphql.read_validation = action(&settings, "read", report);
        app.graphql.write_validation = action(&settings, "write", report);
        let nulls = settings.get("null_type_schema_validation");
        if nulls.map(|nulls| nulls.get("enabled").unwrap_or(nulls)) == Some(&Value::Bool(true)) {
            app.graphql.nulls = NullHandling::AllowedWhereOptional;
        }
    }
    app.graphql.resolvers = resolvers::read(directory, report);
}

/// A file that is there is strict where it says nothing, as the original's template.
fn action(settings: &Map<String, Value>, side: &str, report: &mut Report) -> ValidationAction {
    let mut word = |what: &str, known: [&'static str; 2]| {
        let key = format!("{side}_validation_{what}");
        let Some(json) = settings.get(&key) else { return known[0] };
        let text = json.as_str().unwrap_or_default();
        known.into_iter().find(|known| known.eq_ignore_ascii_case(text)).unwrap_or_else(|| {
            report.warn(
                VALIDATION,
                &format!("/{key}"),
                format!("`{json}` is unknown; read as `{}`", known[0]),
            );
            known[0]
        })
    };
    match (word("level", ["STRICT", "OFF"]), word("action", ["ERROR", "WARN"])) {
        ("OFF", _) => ValidationAction::Off,
        (_, "WARN") => ValidationAction::Warn,
        _ => ValidationAction::Error,
    }
}
