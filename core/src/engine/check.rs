//! What can be found out about an app without an engine around it, and without a store.

use std::collections::HashMap;

use super::assemble::{self, ReadRules};
use crate::app::{AppConfig, RulesSource};
use crate::auth::config::{Confirmation, NamedFunction, ProviderKind};
use crate::env::Env;
use crate::functions::{FunctionRuntime, Functions};
use crate::id::CollectionId;
use crate::limits::Limits;
use crate::report::Report;
use crate::rules::{CollectionRules, Scope, Subject, UserData, lint};

/// What rules an app has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// Each collection, in the order of the configuration.
    pub collections: Vec<CheckedCollection>,
}

/// The rules that hold for a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckedCollection {
    /// Which.
    pub id: CollectionId,
    /// The roles, in their order; without any, nobody may do anything.
    pub roles: Vec<CheckedRole>,
    /// The names of the filters.
    pub filters: Vec<String>,
    /// Whether the roles are those of the data source's default rules.
    pub default_rules: bool,
}

/// A role by name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckedRole {
    /// Its name.
    pub name: String,
    /// Whether it grants nothing, for a part of it is not understood or a function is not there.
    pub closed: bool,
}

/// Looks at a configuration as building an engine does, and also for rules that say what their author hardly meant.
///
/// `has` tells which functions there are. Everything that is found is added to the report: errors are what will be
/// closed or left out, warnings what is odd.
pub fn check(config: &AppConfig, has: &dyn Fn(&str) -> bool, report: &mut Report) -> Checked {
    problems_of_schemas(config, report);
    assemble::catalog(config, report);
    let functions_and_limits = (has, &Limits::default());
    let rules = assemble::read_rules(config, functions_and_limits, report);
    let mut odd = Report::default();
    lint(&subjects(config, &rules), custom_data(config), &mut odd);
    let collections = config.collections.iter().zip(&rules.collections).map(|(collection, own)| {
        let mut defaults = config.default_rules.iter().zip(&rules.defaults).rev();
        let default = defaults.find(|(default, _)| default.service == collection.id.service);
        let own = collection.rules.as_ref().zip(own.as_ref());
        checked(&collection.id, own, default.map(|(default, rules)| (&default.rules, rules)))
    });
    let collections = collections.collect();
    assemble::book_of(config, rules, functions_and_limits, report);
    missing_functions(config, has, report);
    what_tells(config, report);
    report.append(&odd);
    Checked { collections }
}

/// As [`check`], for a host that has no native functions and runs the export's own; sources that cannot be parsed are
/// reported.
pub fn check_with(config: &AppConfig, runtime: Option<&dyn FunctionRuntime>, report: &mut Report) -> Checked {
    let none = Functions::new(HashMap::new(), Env::system(), Limits::default().function);
    let functions = none.of_app(&config.id, (&config.functions, runtime), report);
    assemble::permits(config, &Limits::default(), report);
    let checked = check(config, &|name| functions.has(name), report);
    config.relocate(report);
    checked
}

/// Rules, and what they were read from.
type Sourced<'a> = (&'a RulesSource, &'a CollectionRules);

fn checked(id: &CollectionId, own: Option<Sourced<'_>>, default: Option<Sourced<'_>>) -> CheckedCollection {
    let with_roles = |(_, rules): &Sourced<'_>| rules.has_roles();
    let default_rules = !own.as_ref().is_some_and(with_roles) && default.as_ref().is_some_and(with_roles);
    let deciding = if default_rules { default } else { own.filter(with_roles) };
    // The collection's own filters hold beside those of the default rules.
    let filtering = deciding.into_iter().chain(own.filter(|_| default_rules));
    let roles = deciding.iter().flat_map(|(source, rules)| {
        let all = source.is_closed();
        rules
            .outline()
            .map(move |(name, closed)| CheckedRole { name: name.to_owned(), closed: closed || all })
    });
    CheckedCollection {
        id: id.clone(),
        roles: roles.collect(),
        filters: filtering.flat_map(|(_, rules)| rules.filter_names()).map(str::to_owned).collect(),
        default_rules,
    }
}

fn subjects<'a>(config: &'a AppConfig, rules: &'a ReadRules) -> Vec<Subject<'a>> {
    let collections = config.collections.iter().zip(&rules.collections).map(|(collection, own)| Subject {
        scope: Scope::Collection(&collection.id),
        rules: own.as_ref().unwrap_or(&rules.none),
        file: collection.rules.as_ref().map_or("", |rules| &rules.file),
        schema: collection.schema.as_ref().map(|schema| &schema.root),
    });
    let defaults = config.default_rules.iter().zip(&rules.defaults).map(|(default, rules)| Subject {
        scope: Scope::Service(&default.service),
        rules,
        file: &default.rules.file,
        schema: None,
    });
    collections.chain(defaults).collect()
}

fn custom_data(config: &AppConfig) -> Option<UserData<'_>> {
    let data = config.auth.custom_user_data.as_ref()?;
    Some(UserData { collection: &data.collection, user_id_field: &data.user_id_field })
}

/// What was odd about schemas that were given in code.
pub(crate) fn problems_of_schemas(config: &AppConfig, report: &mut Report) {
    for collection in &config.collections {
        report.append(&collection.problems);
    }
}

/// Functions that are named and not there. An exported app is served all the same, and what calls the function is
/// closed.
pub(crate) fn missing_functions(config: &AppConfig, has: &dyn Fn(&str) -> bool, report: &mut Report) {
    for resolver in config.graphql.resolvers.iter().filter(|resolver| !has(&resolver.function)) {
        let message = format!("there is no function `{}`: its field answers an error", resolver.function);
        report.warn(&resolver.file, "/function_name", message);
    }
    for function in config.auth.named_functions().into_iter().filter(|function| !has(function.name)) {
        let NamedFunction { name, file, pointer, without } = function;
        let why = match config.functions.iter().any(|known| known.name == name) {
            true => "no native function of this name is registered, and its source is not run here",
            false => "no function of this name is there",
        };
        report.warn(file, pointer, format!("`{name}`: {why}; {without} answers FunctionNotFound"));
    }
    missing_of_triggers(config, has, report);
}

/// Triggers whose function is not there.
fn missing_of_triggers(config: &AppConfig, has: &dyn Fn(&str) -> bool, report: &mut Report) {
    for trigger in config.triggers.iter().filter(|trigger| !has(&trigger.function)) {
        let text = format!(
            "there is no function `{}`: the trigger `{}` does nothing",
            trigger.function, trigger.name
        );
        report.warn(&trigger.file, "/event_processors", text);
    }
}

/// Where accounts are hidden, and something tells of them all the same.
pub(crate) fn what_tells(config: &AppConfig, report: &mut Report) {
    let automatic = config.auth.providers.iter().any(|provider| match &provider.kind {
        ProviderKind::EmailPassword(passwords) => passwords.confirmation == Confirmation::Automatic,
        _ => false,
    });
    if config.auth.hide_accounts && automatic {
        let text =
            "with automatic confirmation, a log-in after registering tells whether the address was taken";
        report.warn("backstitch.json", "/hideAccounts", text);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::app::CollectionConfig;

    fn checked(config: &AppConfig) -> (Checked, Vec<String>) {
        let mut report = Report::default();
        let checked = check(config, &|name| name == "there", &mut report);
        (checked, report.problems().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_holds_for_a_collection_is_told_by_name() {
        let calling = |name: &str| {
            let apply_when = json!({"%%true": {"%function": {"name": name}}});
            json!({"name": name, "apply_when": apply_when, "read": true})
        };
        let filter = |name: &str| json!({"name": name, "query": {"a": 1}});
        let config = AppConfig::new("app")
            .collection(CollectionConfig::new("own").rules(
                json!({"roles": [calling("there"), calling("gone")], "filters": [filter("f")]}),
            ))
            .collection(CollectionConfig::new("narrowed").rules(json!({"filters": [filter("mine")]})))
            .collection(CollectionConfig::within("other", "db", "bare").rules(json!({})))
            .default_rules(
                "mongodb-atlas",
                json!({"roles": [{"name": "all", "apply_when": {}, "read": true}], "filters": [filter("by_default")]}),
            );
        let (found, problems) = checked(&config);
        let shown: Vec<_> = found
            .collections
            .iter()
            .map(|collection| {
                let roles = collection.roles.iter().map(|role| (role.name.as_str(), role.closed));
                (
                    &*collection.id.name,
                    roles.collect::<Vec<_>>(),
                    collection.filters.join(" "),
                    collection.default_rules,
                )
            })
            .collect();
        let expected = [
            ("own", vec![("there", false), ("gone", true)], "f".to_owned(), false),
            ("narrowed", vec![("all", false)], "by_default mine".to_owned(), true),
            ("bare", vec![], String::new(), false),
        ];
        assert_eq!(shown, expected);
        assert_eq!(problems, ["error: there is no function `gone`: role `gone` is closed"]);
    }

    #[test]
    fn rules_are_looked_over_with_their_schemas_and_the_custom_user_data() {
        let notes = CollectionConfig::new("notes")
            .schema(&json!({"title": "Note", "properties": {
                "owner": {"bsonType": "objectId"}, "n": {"bsonType": "int", "validate": {"%%this": {"$odd": 1}}}
            }}))
            .rules(json!({"roles": [
                {"name": "own", "apply_when": {"owner": "%%user.id"}, "read": true, "write": true},
                {"name": "admin", "apply_when": {"%%user.custom_data.admin": true}, "read": true, "write": true},
            ]}));
        let people = CollectionConfig::new("people").rules(json!({"roles": [
            {"name": "self", "apply_when": {"uid": "%%user.id"}, "read": true, "write": true},
        ]}));
        let config = AppConfig::new("app").collection(notes).collection(people);
        let users = config.collection_id("mongodb-atlas", "app", "people");
        let (_, problems) = checked(&config.custom_user_data(users, "uid"));
        let errors: Vec<_> = problems.iter().filter(|problem| problem.starts_with("error")).collect();
        assert!(errors.len() == 2 && errors[1].contains("the value can never be written"), "{problems:#?}");
        let problems: Vec<_> = problems.iter().filter(|problem| problem.starts_with("warning")).collect();
        assert_eq!(problems.len(), 2, "{problems:#?}");
        assert!(problems[0].starts_with("warning: role `own`: `owner` (objectId)"), "{problems:#?}");
        assert!(problems[1].starts_with("warning: role `self` lets users write `admin`"), "{problems:#?}");
    }
}
