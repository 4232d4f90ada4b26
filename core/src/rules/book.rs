//! All rules of an app, and the access that an actor has by them.

use std::collections::HashMap;
use std::sync::Arc;

use bson::{Document, RawDocument};
use serde_json::Value;

use super::answers::Answers;
use super::bind::{Facts, bind};
use super::bound::BoundRules;
use super::condition::Condition;
use super::expr::Expression;
use super::lazily::Lazily;
use super::parse::{Parser, Place};
use super::role::CollectionRules;
use super::validation::SchemaRules;
use crate::actor::Actor;
use crate::id::CollectionId;
use crate::limits::Limits;
use crate::report::Report;
use crate::rules::Access;
use crate::schema::Violation;

/// The rules of every collection of an app.
///
/// 1. Where a collection's own rules define a role, the default rule is never consulted.
/// 2. Otherwise the default rule of its data source holds, and the collection's own filters beside it.
/// 3. Where that is missing too, nothing is allowed.
#[derive(Clone, Debug, Default)]
pub struct RuleBook {
    collections: HashMap<CollectionId, Arc<CollectionRules>>,
    defaults: HashMap<Arc<str>, Arc<CollectionRules>>,
    values: Arc<Document>,
    environment: Arc<Document>,
    validations: HashMap<CollectionId, Arc<SchemaRules>>,
    /// To whom requests may explain the rules.
    explain_to: Option<Expression>,
}

/// Under which circumstances rules are asked.
#[derive(Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub(crate) actor: &'a Actor,
    /// What `%%request` stands for; asked for only by rules that name it.
    pub(crate) request: &'a Lazily<'a>,
    /// What functions have answered.
    pub(crate) answers: &'a Answers,
}

impl RuleBook {
    /// A book without rules; `values` is what `%%values` stands for.
    pub fn new(values: Document) -> Self {
        Self { values: Arc::new(values), ..Self::default() }
    }

    /// What `%%environment` stands for: `{tag, values}`.
    #[must_use]
    pub fn with_environment(mut self, environment: Document) -> Self {
        self.environment = Arc::new(environment);
        self
    }

    /// What `%%values` stands for.
    pub(crate) fn values(&self) -> &Document {
        &self.values
    }

    /// What `%%environment` stands for.
    pub(crate) fn environment(&self) -> &Document {
        &self.environment
    }

    /// Takes the rules of a collection.
    pub fn insert(&mut self, collection: CollectionId, rules: CollectionRules) {
        self.collections.insert(collection, Arc::new(rules));
    }

    /// Takes the default rule of a data source.
    pub fn insert_default(&mut self, service: impl Into<Arc<str>>, rules: CollectionRules) {
        self.defaults.insert(service.into(), Arc::new(rules));
    }

    /// Takes the `validate` expressions of a collection's schema.
    pub(crate) fn insert_validation(&mut self, collection: CollectionId, rules: SchemaRules) {
        self.validations.insert(collection, Arc::new(rules));
    }

    /// The first value of a new image that a `validate` expression does not allow.
    pub(crate) fn violation(
        &self,
        circumstances: Circumstances<'_>,
        collection: &CollectionId,
        (before, after): (Option<&RawDocument>, &RawDocument),
    ) -> Option<Violation> {
        self.validations.get(collection)?.violation((before, after), self.facts(circumstances))
    }

    /// Explains rules to these actors; to nobody where the expression is not understood, which the report says.
    pub(crate) fn explain_to(&mut self, json: &Value, limits: &Limits, report: &mut Report) {
        let mut parser = Parser::new("backstitch.json", report, limits.expression_depth);
        self.explain_to = parser.within(Place::Filter, |parser| parser.expression(json, "/explain"));
    }

    /// Whether rules may be explained to the actor. The system may know everything.
    pub(crate) fn explains_to(&self, circumstances: Circumstances<'_>) -> bool {
        let explain = self.explain_to.as_ref();
        circumstances.actor.is_system()
            || explain.is_some_and(|explain| bind(explain, self.facts(circumstances)) == Condition::Always)
    }

    /// What this actor may see and do in this collection, outside of any request; nothing where no rule covers it.
    /// A rule that calls a function permits nothing here: functions are called only where requests are answered.
    pub fn access(&self, actor: &Actor, collection: &CollectionId) -> Access {
        let (request, answers) = (Lazily::new(&Document::new), Answers::default());
        self.access_under(Circumstances { actor, request: &request, answers: &answers }, collection)
    }

    /// As [`access`](Self::access), in a request.
    pub(crate) fn access_under(&self, circumstances: Circumstances<'_>, collection: &CollectionId) -> Access {
        if circumstances.actor.is_system() {
            return Access::system(collection.clone());
        }
        let Some((rules, more)) = self.rules_of(collection) else {
            return Access::uncovered(collection.clone());
        };
        let bound = BoundRules::bind(rules, more, self.facts(circumstances));
        Access::under(collection.clone(), bound, circumstances.answers)
    }

    /// What is known before any document is.
    pub(super) fn facts<'a>(&'a self, circumstances: Circumstances<'a>) -> Facts<'a> {
        let Circumstances { actor, request, answers } = circumstances;
        Facts { actor, values: &self.values, environment: &self.environment, request, answers }
    }

    /// Whether the collection has roles of its own.
    pub(super) fn has_roles(&self, collection: &CollectionId) -> bool {
        self.collections.get(collection).is_some_and(|rules| rules.has_roles())
    }

    /// The rules whose roles decide, and those whose filters narrow beside them.
    pub(super) fn rules_of(
        &self,
        collection: &CollectionId,
    ) -> Option<(&CollectionRules, Option<&CollectionRules>)> {
        let own = self.collections.get(collection).map(|rules| &**rules);
        match own {
            Some(rules) if rules.has_roles() => Some((rules, None)),
            own => {
                let default = self.defaults.get(&collection.service).filter(|rules| rules.has_roles())?;
                Some((default, own))
            }
        }
    }
}
