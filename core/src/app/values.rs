//! `values/*.json`, plain or out of a secret, and the secrets file.

use std::collections::BTreeMap;

use serde_json::Value;

use super::config::AppConfig;
use super::layout::AppDirectory;
use crate::report::Report;
use crate::secret::Secret;

/// A named value.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigValue {
    /// It stands in the configuration.
    Plain(Value),
    /// It was taken out of a secret.
    Secret(Secret),
    /// It is in a secret that nobody has handed in; who asks for it is refused.
    Missing {
        /// The secret's name.
        secret: String,
    },
}

/// Secrets by name, and by their names in an environment: exports name them, but never hold them.
#[derive(Clone, Debug, Default)]
pub struct Secrets(BTreeMap<String, Secret>, BTreeMap<String, Secret>);

/// What the names of variables that hold secrets begin with.
const VARIABLE: &str = "BACKSTITCH_SECRET_";

impl Secrets {
    /// Reads a secrets file: one JSON object, name → text.
    ///
    /// # Errors
    /// What is wrong with the text; its content is not quoted.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let map: BTreeMap<String, String> = serde_json::from_str(text).map_err(without_content)?;
        Ok(Self(map.into_iter().map(|(name, secret)| (name, Secret::new(secret))).collect(), BTreeMap::new()))
    }

    /// Adds a secret.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, secret: Secret) -> Self {
        self.0.insert(name.into(), secret);
        self
    }

    /// Also those that an environment holds as `BACKSTITCH_SECRET_<NAME>`: the secret's name in capitals, and `_` for
    /// whatever is neither letter nor digit. Those that are there already stay.
    #[must_use]
    pub fn with_environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        for (name, value) in variables {
            if let Some(name) = name.strip_prefix(VARIABLE) {
                self.1.entry(name.to_owned()).or_insert_with(|| Secret::new(value));
            }
        }
        self
    }

    /// The secret of this name.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        let in_capitals = || {
            let capital =
                |char: char| if char.is_ascii_alphanumeric() { char.to_ascii_uppercase() } else { '_' };
            name.chars().map(capital).collect::<String>()
        };
        self.0.get(name).or_else(|| self.1.get(&in_capitals()))
    }
}

/// Fills the app's values.
pub(super) fn read(app: &mut AppConfig, directory: &AppDirectory, secrets: &Secrets, report: &mut Report) {
    for name in directory.files("values", ".json") {
        let file = format!("values/{name}");
        let Some(mut json) = directory.object(&file, report) else { continue };
        let stem = name.trim_end_matches(".json").to_owned();
        let name = json.get("name").and_then(Value::as_str).map_or(stem, str::to_owned);
        let value = json.remove("value").unwrap_or(Value::Null);
        if json.get("from_secret") != Some(&Value::Bool(true)) {
            app.values.insert(name, ConfigValue::Plain(value));
            continue;
        }
        let secret = value.as_str().unwrap_or_default();
        match secrets.get(secret) {
            Some(found) => drop(app.values.insert(name, ConfigValue::Secret(found.clone()))),
            None => {
                let text =
                    format!("the secret `{secret}` is not known: who asks for the value `{name}` is refused");
                report.warn(&file, "/value", text);
                app.values.insert(name, ConfigValue::Missing { secret: secret.to_owned() });
            }
        }
    }
}

/// serde's message may quote a value, which may be a secret: only its place is kept.
fn without_content(error: serde_json::Error) -> serde_json::Error {
    let place = format!("line {}, column {}", error.line(), error.column());
    serde::de::Error::custom(format!("not an object of texts ({place})"))
}
