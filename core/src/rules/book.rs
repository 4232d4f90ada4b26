//! All rules of an app, and the access that an actor has by them.

use std::collections::HashMap;
use std::sync::Arc;

use bson::Document;

use super::CollectionRules;
use super::bind::Facts;
use crate::actor::Actor;
use crate::id::CollectionId;
use crate::rules::Access;

/// The rules of every collection of an app.
///
/// 1. Where a collection's own rules define a role, the default rule is never consulted.
/// 2. Otherwise the default rule of its data source holds.
/// 3. Where that is missing too, nothing is allowed.
#[derive(Clone, Debug, Default)]
pub struct RuleBook {
    collections: HashMap<CollectionId, Arc<CollectionRules>>,
    defaults: HashMap<Arc<str>, Arc<CollectionRules>>,
    values: Arc<Document>,
}

impl RuleBook {
    /// A book without rules; `values` is what `%%values` stands for.
    pub fn new(values: Document) -> Self {
        Self { values: Arc::new(values), ..Self::default() }
    }

    /// Takes the rules of a collection.
    pub fn insert(&mut self, collection: CollectionId, rules: CollectionRules) {
        self.collections.insert(collection, Arc::new(rules));
    }

    /// Takes the default rule of a data source.
    pub fn insert_default(&mut self, service: impl Into<Arc<str>>, rules: CollectionRules) {
        self.defaults.insert(service.into(), Arc::new(rules));
    }

    /// What this actor may see and do in this collection; nothing where no rule covers it.
    pub fn access(&self, actor: &Actor, collection: &CollectionId) -> Access {
        if actor.is_system() {
            return Access::system(collection.clone());
        }
        let own = self.collections.get(collection).filter(|rules| rules.has_roles());
        let default = || self.defaults.get(&collection.service).filter(|rules| rules.has_roles());
        let rules = own.or_else(default);
        match rules {
            Some(rules) => {
                let nobody = Document::new();
                let facts = Facts { user: &|| actor.document().unwrap_or(&nobody), values: &self.values };
                Access::of_roles(collection.clone(), rules, facts)
            }
            None => Access::uncovered(collection.clone()),
        }
    }
}
