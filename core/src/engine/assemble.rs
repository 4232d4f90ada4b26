//! What an app's configuration comes to: its rule book and its catalog.

use bson::{Bson, Document};

use crate::app::{AppConfig, ConfigValue};
use crate::graphql::build::{CollectionInput, SchemaInput};
use crate::graphql::catalog::Catalog;
use crate::limits::Limits;
use crate::report::Report;
use crate::rules::{CollectionRules, RuleBook};

/// The rules of every collection, and of every data source for the collections without roles.
pub(crate) fn rule_book(config: &AppConfig, limits: &Limits, report: &mut Report) -> RuleBook {
    let mut book = RuleBook::new(values(config));
    for collection in &config.collections {
        if let Some(rules) = &collection.rules {
            let rules = CollectionRules::parse_within(&rules.json, &rules.file, limits, report);
            book.insert(collection.id.clone(), rules);
        }
    }
    for default in &config.default_rules {
        let rules = &default.rules;
        let rules = CollectionRules::parse_within(&rules.json, &rules.file, limits, report);
        book.insert_default(default.service.clone(), rules);
    }
    book
}

/// The generated API.
pub(crate) fn catalog(config: &AppConfig, report: &mut Report) -> Catalog {
    let files: Vec<String> = config
        .collections
        .iter()
        .map(|collection| {
            let id = &collection.id;
            format!("data_sources/{}/{}/{}/schema.json", id.service, id.database, id.name)
        })
        .collect();
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
