//! What an app's configuration comes to: its rule book and its catalog.

use bson::{Bson, Document, doc};
use serde_json::Value;

use crate::app::{AppConfig, ConfigValue, RulesSource};
use crate::functions::Functions;
use crate::graphql::build::{CollectionInput, SchemaInput};
use crate::graphql::catalog::Catalog;
use crate::id::CollectionId;
use crate::limits::Limits;
use crate::report::Report;
use crate::rules::{CollectionRules, RuleBook, SchemaRules};

/// The rules of every collection, and of every data source for the collections without roles.
///
/// What calls a function that is not there is closed, and reported.
pub(crate) fn rule_book(
    config: &AppConfig,
    (functions, limits): (&Functions, &Limits),
    report: &mut Report,
) -> RuleBook {
    let mut read = |rules: &RulesSource| {
        let mut read = CollectionRules::parse_within(&rules.json, &rules.file, limits, report);
        read.close_without(&|name| functions.has(name), &rules.file, report);
        read
    };
    let mut book = RuleBook::new(values(config)).with_environment(environment(config));
    for collection in &config.collections {
        if let Some(rules) = &collection.rules {
            book.insert(collection.id.clone(), read(rules));
        }
    }
    for default in &config.default_rules {
        book.insert_default(default.service.clone(), read(&default.rules));
    }
    for collection in &config.collections {
        let Some(schema) = &collection.schema else { continue };
        let file = schema_file(&collection.id);
        let rules = SchemaRules::parse(schema, &file, (limits, &|name| functions.has(name)), report);
        if let Some(rules) = rules {
            book.insert_validation(collection.id.clone(), rules);
        }
    }
    if let Some(explain) = &config.explain {
        book.explain_to(explain, limits, report);
    }
    book
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
        })
        .collect()
}
