//! `backstitch.json`: our own settings, which no export has.

use serde_json::{Map, Value};

use super::config::AppConfig;
use super::layout::AppDirectory;
use super::security;
use crate::auth::config::PasswordPolicy;
use crate::env::Egress;
use crate::filter::Direction;
use crate::id::CollectionId;
use crate::report::Report;
use crate::store::{IndexKey, IndexSpec};

pub(super) const FILE: &str = "backstitch.json";

/// Settings that are decided, but not obeyed yet.
const LATER: [&str; 2] = ["extensions", "lenientIds"];

/// An index that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredIndex {
    /// Of which collection.
    pub collection: CollectionId,
    /// The index.
    pub index: IndexSpec,
}

/// Obeys the settings.
pub(super) fn read(mut app: AppConfig, directory: &AppDirectory, report: &mut Report) -> AppConfig {
    let settings = directory.object(FILE, report).unwrap_or_default();
    match settings.get("dataGroup") {
        None => {}
        Some(Value::String(group)) if !group.is_empty() => app = app.with_data_group(group.as_str()),
        Some(_) => report.error(FILE, "/dataGroup", "must be a name; the app keeps its documents for itself"),
    }
    for (key, value) in &settings {
        match key.as_str() {
            // The first was obeyed above, the others are with log-in.
            "dataGroup" | "providers" | "userDocument" => {}
            "indexes" => app.indexes = indexes(&app, value, report),
            "passwords" => app.auth.passwords = passwords(value, report),
            "accessList" => app.access_list = Some(security::access_list(value, report)),
            "refreshTokenSeconds" => app.auth.refresh_lifetime = security::refresh_lifetime(value, report),
            "hideAccounts" => app.auth.hide_accounts = hide_accounts(value, report),
            "foldEmails" => app.auth.fold_emails = fold_emails(value, report),
            // It is read with the rules.
            "explain" => app.explain = Some(value.clone()),
            "egress" => app.egress = egress(value, report),
            later if LATER.contains(&later) => {
                if *value != Value::Bool(false) {
                    report.error(FILE, &format!("/{key}"), format!("`{key}` is not available yet"));
                }
            }
            _ => report.warn(FILE, &format!("/{key}"), format!("unknown setting `{key}`; ignored")),
        }
    }
    app
}

/// A policy that cannot be read must not leave weaker passwords through than its author meant.
fn passwords(json: &Value, report: &mut Report) -> PasswordPolicy {
    let mut policy = PasswordPolicy::default();
    let Some(settings) = json.as_object() else {
        report.error(FILE, "/passwords", "must be an object; common passwords are refused");
        return PasswordPolicy { forbid_common: true, ..policy };
    };
    for (key, value) in settings {
        let at = format!("/passwords/{key}");
        match (key.as_str(), value) {
            ("forbidCommon", Value::Bool(forbid)) => policy.forbid_common = *forbid,
            ("forbidCommon", _) => {
                report.error(FILE, &at, "must be true or false; common passwords are refused");
                policy.forbid_common = true;
            }
            ("minLength", value) => match value.as_u64().and_then(|min| usize::try_from(min).ok()) {
                Some(min) if (1..=64).contains(&min) => policy.min = min,
                _ => {
                    report.error(FILE, &at, "must be a number from 1 to 64; 15 is taken");
                    policy.min = 15;
                }
            },
            _ => report.warn(FILE, &at, format!("unknown setting `{key}`; ignored")),
        }
    }
    policy
}

/// A switch that cannot be read must not tell what its author meant to hide.
fn hide_accounts(json: &Value, report: &mut Report) -> bool {
    json.as_bool().unwrap_or_else(|| {
        report.error(FILE, "/hideAccounts", "must be true or false; accounts are hidden");
        true
    })
}

fn fold_emails(json: &Value, report: &mut Report) -> bool {
    json.as_bool().unwrap_or_else(|| {
        report.error(FILE, "/foldEmails", "must be true or false; addresses are compared letter by letter");
        false
    })
}

fn egress(json: &Value, report: &mut Report) -> Egress {
    let Some(hosts) = json.get("allow").and_then(Value::as_array) else {
        report.error(FILE, "/egress", "must be an object with a list `allow`; nothing private may be asked");
        return Egress::default();
    };
    let mut allowed = Vec::new();
    for (position, host) in hosts.iter().enumerate() {
        let port = host.as_str().and_then(|host| host.rsplit_once(':')?.1.parse::<u16>().ok());
        match (host, port) {
            (Value::String(host), Some(_)) => allowed.push(host.clone()),
            _ => report.error(FILE, &format!("/egress/allow/{position}"), "must be `host:port`"),
        }
    }
    Egress::allowing(allowed)
}

fn indexes(app: &AppConfig, json: &Value, report: &mut Report) -> Vec<ConfiguredIndex> {
    let mut indexes = Vec::new();
    let Some(map) = json.as_object() else {
        report.error(FILE, "/indexes", "must be an object");
        return indexes;
    };
    for (name, list) in map {
        let at = format!("/indexes/{}", name.replace('~', "~0").replace('/', "~1"));
        let (Some(collection), Some(list)) = (collection(app, name), list.as_array()) else {
            report.error(
                FILE,
                &at,
                format!("`{name}` must be `service/database.collection` and hold a list"),
            );
            continue;
        };
        for (position, json) in list.iter().enumerate() {
            match index(json) {
                Ok(index) => indexes.push(ConfiguredIndex { collection: collection.clone(), index }),
                Err(message) => report.error(FILE, &format!("{at}/{position}"), message),
            }
        }
    }
    indexes
}

fn collection(app: &AppConfig, name: &str) -> Option<CollectionId> {
    let (service, rest) = name.split_once('/')?;
    let (database, collection) = rest.split_once('.')?;
    let complete = ![service, database, collection].iter().any(|part| part.is_empty());
    complete.then(|| app.collection_id(service, database, collection))
}

fn index(json: &Value) -> Result<IndexSpec, String> {
    let fields = json.get("fields").and_then(Value::as_object).filter(|fields| !fields.is_empty());
    let fields = fields.ok_or("an index needs `fields`")?;
    let keys = fields.iter().map(|(path, direction)| {
        let direction = match direction.as_i64() {
            Some(1) => Direction::Ascending,
            Some(-1) => Direction::Descending,
            _ => return Err(format!("the direction of `{path}` must be 1 or -1")),
        };
        Ok(IndexKey { path: path.as_str().into(), direction })
    });
    Ok(IndexSpec { keys: keys.collect::<Result<_, _>>()?, unique: unique(json)? })
}

fn unique(json: &Value) -> Result<bool, String> {
    let empty = Map::new();
    match json.as_object().unwrap_or(&empty).get("unique") {
        None => Ok(false),
        Some(Value::Bool(unique)) => Ok(*unique),
        Some(_) => Err("`unique` must be true or false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Hidden, folded, and where the problems are.
    fn read(settings: &str) -> (bool, bool, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("root_config.json"), r#"{"name": "shop"}"#).unwrap();
        fs::write(folder.path().join(FILE), settings).unwrap();
        let (app, report) = AppConfig::import(folder.path()).unwrap();
        let places = report.problems().iter().map(|problem| problem.pointer.clone()).collect();
        (app.auth.hide_accounts, app.auth.fold_emails, places)
    }

    #[test]
    fn accounts_are_hidden_and_addresses_folded_if_the_settings_say_so() {
        let places = |places: &[&str]| places.iter().map(|place| (*place).to_owned()).collect::<Vec<_>>();
        for (settings, hides, folds, problems) in [
            ("{}", false, false, places(&[])),
            (r#"{"hideAccounts": true, "foldEmails": true}"#, true, true, places(&[])),
            (r#"{"hideAccounts": false, "foldEmails": false}"#, false, false, places(&[])),
            (
                r#"{"hideAccounts": "yes", "foldEmails": 1}"#,
                true,
                false,
                places(&["/hideAccounts", "/foldEmails"]),
            ),
        ] {
            assert_eq!(read(settings), (hides, folds, problems), "{settings}");
        }
    }
}
