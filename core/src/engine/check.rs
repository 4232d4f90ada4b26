//! What can be found out about an app without an engine around it, and without a store.

use super::assemble::{self, ReadRules};
use crate::app::AppConfig;
use crate::auth::config::{Confirmation, NamedFunction, ProviderKind};
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
    let rules = assemble::read_rules(config, (has, &Limits::default()), report);
    missing_functions(config, has, report);
    what_tells(config, report);
    lint(&subjects(config, &rules), custom_data(config), report);
    let collections = config.collections.iter().zip(&rules.collections);
    let rules_of = |id: &CollectionId| {
        let mut default = config.default_rules.iter().zip(&rules.defaults).rev();
        default.find(|(default, _)| default.service == id.service).map(|(_, rules)| rules)
    };
    Checked {
        collections: collections
            .map(|(known, own)| checked(&known.id, own.as_ref(), rules_of(&known.id)))
            .collect(),
    }
}

fn checked(
    id: &CollectionId,
    own: Option<&CollectionRules>,
    default: Option<&CollectionRules>,
) -> CheckedCollection {
    let own_roles = own.filter(|rules| rules.has_roles());
    let deciding = own_roles.or(default.filter(|rules| rules.has_roles()));
    // The collection's own filters hold beside those of the default rules.
    let beside = own.filter(|_| own_roles.is_none() && deciding.is_some());
    let roles = deciding.iter().flat_map(|rules| rules.outline());
    let filters = deciding.into_iter().chain(beside).flat_map(CollectionRules::filter_names);
    CheckedCollection {
        id: id.clone(),
        roles: roles.map(|(name, closed)| CheckedRole { name: name.to_owned(), closed }).collect(),
        filters: filters.map(str::to_owned).collect(),
        default_rules: own_roles.is_none() && deciding.is_some(),
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
        let why = match config.functions.iter().any(|known| known == name) {
            true => "JavaScript is not run yet, and no native function of this name is registered",
            false => "no function of this name is there",
        };
        report.warn(file, pointer, format!("`{name}`: {why}; {without} answers FunctionNotFound"));
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
