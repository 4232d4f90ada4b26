//! What an app's configuration comes to: its rule book and its catalog.

use std::collections::HashMap;

use bson::{Bson, Document, doc};
use serde_json::Value;

use crate::app::{AppConfig, ConfigValue, RulesSource};
use crate::functions::Functions;
use crate::graphql::build::{CollectionInput, SchemaInput};
use crate::graphql::catalog::Catalog;
use crate::id::CollectionId;
use crate::limits::Limits;
use crate::report::Report;
use crate::rules::{CollectionRules, Permit, RuleBook, SchemaRules};

/// The rules of a configuration, in its order.
pub(crate) struct ReadRules {
    /// Of each collection; `None` where it has none of its own.
    pub(crate) collections: Vec<Option<CollectionRules>>,
    /// Of each data source that has default rules.
    pub(crate) defaults: Vec<CollectionRules>,
    /// What stands for none.
    pub(crate) none: CollectionRules,
}

/// Reads all rules.
///
/// What calls a function that is not there is closed, and reported.
pub(crate) fn read_rules(
    config: &AppConfig,
    (has, limits): (&dyn Fn(&str) -> bool, &Limits),
    report: &mut Report,
) -> ReadRules {
    let mut read = |rules: &RulesSource| {
        let mut read = CollectionRules::parse_within(&rules.json, &rules.file, limits, report);
        read.close_without(has, &rules.file, report);
        read
    };
    ReadRules {
        collections: config
            .collections
            .iter()
            .map(|collection| collection.rules.as_ref().map(&mut read))
            .collect(),
        defaults: config.default_rules.iter().map(|default| read(&default.rules)).collect(),
        none: CollectionRules::default(),
    }
}

/// The rules of every collection, and of every data source for the collections without roles.
pub(crate) fn rule_book(
    config: &AppConfig,
    (functions, limits): (&Functions, &Limits),
    report: &mut Report,
) -> RuleBook {
    let has = |name: &str| functions.has(name);
    let read = read_rules(config, (&has, limits), report);
    book_of(config, read, (&has, limits), report)
}

/// The book of rules that have been read.
pub(crate) fn book_of(
    config: &AppConfig,
    read: ReadRules,
    (has, limits): (&dyn Fn(&str) -> bool, &Limits),
    report: &mut Report,
) -> RuleBook {
    let mut book = RuleBook::new(values(config)).with_environment(environment(config));
    for (collection, rules) in config.collections.iter().zip(read.collections) {
        if let Some(rules) = rules {
            book.insert(collection.id.clone(), rules);
        }
    }
    for (default, rules) in config.default_rules.iter().zip(read.defaults) {
        book.insert_default(default.service.clone(), rules);
    }
    for collection in &config.collections {
        let Some(schema) = &collection.schema else { continue };
        let file = schema_file(&collection.id);
        let rules = SchemaRules::parse(schema, &file, (limits, has), report);
        if let Some(rules) = rules {
            book.insert_validation(collection.id.clone(), rules);
        }
    }
    if let Some(explain) = &config.explain {
        book.explain_to(explain, limits, report);
    }
    book
}

/// Who may call the functions that say so.
pub(crate) fn permits(
    config: &AppConfig,
    limits: &Limits,
    report: &mut Report,
) -> HashMap<String, Option<Permit>> {
    let mut permits = HashMap::new();
    for function in &config.functions {
        let Some(json) = &function.settings.can_evaluate else { continue };
        let pointer = format!("/{}/can_evaluate", function.name.replace('/', "~1"));
        let permit = Permit::parse(json, ("functions/config.json", &pointer), limits, report);
        permits.insert(function.name.clone(), permit.clone());
        permits.extend(function.path_name().map(|name| (name.to_owned(), permit)));
    }
    permits
}

/// The generated API.
pub(crate) fn catalog(config: &AppConfig, report: &mut Report) -> Catalog {
    let files: Vec<String> =
        config.collections.iter().map(|collection| schema_file(&collection.id)).collect();
    let collections = config.collections.iter().zip(&files).filter_map(|(collection, file)| {
        Some(CollectionInput {
            id: &collection.id,
            schema: collection.schema.as_ref()?,
            relationships: &collection.relationships,
            file,
        })
    });
    let input = SchemaInput {
        collections: collections.collect(),
        resolvers: &config.graphql.resolvers,
        natural_pluralization: config.graphql.natural_pluralization,
    };
    Catalog::build(&input, report)
}

/// Where the schema of a collection stands in an export.
fn schema_file(id: &CollectionId) -> String {
    format!("data_sources/{}/{}/{}/schema.json", id.service, id.database, id.name)
}

/// What `%%environment` stands for.
fn environment(config: &AppConfig) -> Document {
    let values = Bson::try_from(Value::Object(config.environment_values.clone())).unwrap_or(Bson::Null);
    doc! { "tag": &config.environment, "values": values }
}

/// What `%%values` stands for.
fn values(config: &AppConfig) -> Document {
    config
        .values
        .iter()
        .filter_map(|(name, value)| match value {
            ConfigValue::Plain(json) => Some((name.clone(), Bson::try_from(json.clone()).ok()?)),
            ConfigValue::Secret(secret) => Some((name.clone(), Bson::String(secret.expose().to_owned()))),
            ConfigValue::Missing { .. } => None,
        })
        .collect()
}
