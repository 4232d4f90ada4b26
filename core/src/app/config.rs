//! The typed configuration of one app.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::graphql::GraphQlConfig;
use super::oldest::LaidOut;
use super::settings::ConfiguredIndex;
use super::triggers::AuthTrigger;
use super::values::ConfigValue;
use super::{app_id, auth};
use crate::auth::UserDocument;
use crate::auth::config::{AuthConfig, CustomUserDataConfig, MailTemplate, ProviderKind};
use crate::env::{Egress, MailKind};
use crate::functions::FunctionSource;
use crate::http::Network;
use crate::id::{AppId, CollectionId};
use crate::report::Report;
use crate::schema::{CollectionSchema, CustomResolver, Relationship};
use crate::store::IndexSpec;

/// One app: who may log in, which collections there are, and what their rules are.
///
/// An exported app directory gives one with [`AppConfig::import`]; a host may as well write it down:
///
/// ```
/// use backstitch::app::{AppConfig, CollectionConfig};
/// use backstitch::auth::config::ProviderKind;
/// use serde_json::json;
///
/// let notes = CollectionConfig::new("notes")
///     .schema(&json!({
///         "title": "Note",
///         "required": ["owner"],
///         "properties": {
///             "_id": { "bsonType": "objectId" },
///             "owner": { "bsonType": "string" },
///             "text": { "bsonType": "string", "maxLength": 500 }
///         }
///     }))
///     .rules(json!({
///         "roles": [{ "name": "owner", "apply_when": { "owner": "%%user.id" }, "read": true, "write": true }]
///     }));
/// let app = AppConfig::new("notes").provider(ProviderKind::Anonymous).collection(notes);
///
/// assert!(app.id.as_str().starts_with("notes-"));
/// // Owners are compared with the user, so their field gets an index.
/// assert_eq!(app.collection_specs()[0].indexes[0].keys[0].path.as_str(), "owner");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct AppConfig {
    /// The name.
    pub name: String,
    /// The client app id, as it stands in URLs.
    pub id: AppId,
    /// The group that collections are stored under: the app's id, unless apps share documents.
    pub data_group: Arc<str>,
    /// The environment's tag; empty when there is none.
    pub environment: String,
    /// The values of that environment (`%%environment.values`).
    pub environment_values: Map<String, Value>,
    /// The origins that browsers may come from; empty means all.
    pub allowed_request_origins: Vec<String>,
    /// The addresses that requests may come from; `None` means all, an empty list nobody. With a list, a
    /// request whose address the mount does not tell is refused.
    pub access_list: Option<Vec<Network>>,
    /// Log-in.
    pub auth: AuthConfig,
    /// The collections.
    pub collections: Vec<CollectionConfig>,
    /// The rules of collections without roles of their own, per data source.
    pub default_rules: Vec<DefaultRules>,
    /// GraphQL.
    pub graphql: GraphQlConfig,
    /// Named values (`%%values`).
    pub values: BTreeMap<String, ConfigValue>,
    /// The functions that the export has, and how they are to be run.
    pub functions: Vec<FunctionSource>,
    /// The functions that are told of log-ins and of users who come and go.
    pub triggers: Vec<AuthTrigger>,
    /// The document that is made for everybody who signs up.
    pub user_document: Option<UserDocument>,
    /// The indexes that were asked for.
    pub indexes: Vec<ConfiguredIndex>,
    /// The servers at private addresses that may be asked.
    pub egress: Egress,
    /// Whose GraphQL requests may ask to have the rules explained: an expression on the actor; `None` is nobody.
    pub explain: Option<Value>,
    /// The app's directory, if it came from one.
    pub directory: Option<PathBuf>,
    /// Where the parts of an export of an old layout are.
    pub(crate) laid_out: Option<Arc<LaidOut>>,
}

impl AppConfig {
    /// An empty, closed app. Its id is derived from the name.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        let id = app_id::derived(&name);
        Self {
            data_group: id.as_str().into(),
            id,
            name,
            environment: String::new(),
            environment_values: Map::new(),
            allowed_request_origins: Vec::new(),
            access_list: None,
            auth: AuthConfig::default(),
            collections: Vec::new(),
            default_rules: Vec::new(),
            graphql: GraphQlConfig::default(),
            values: BTreeMap::new(),
            functions: Vec::new(),
            triggers: Vec::new(),
            user_document: None,
            indexes: Vec::new(),
            egress: Egress::default(),
            explain: None,
            directory: None,
            laid_out: None,
        }
    }

    /// Gives the app this id instead of the derived one.
    #[must_use]
    pub fn with_id(mut self, id: AppId) -> Self {
        if *self.data_group == *self.id.as_str() {
            self = self.with_data_group(id.as_str());
        }
        self.id = id;
        self
    }

    /// Stores documents under this name, which other apps may use too.
    #[must_use]
    pub fn with_data_group(mut self, group: impl Into<Arc<str>>) -> Self {
        self.data_group = group.into();
        let group = &self.data_group;
        self.collections.iter_mut().for_each(|collection| collection.regroup(group));
        self.indexes.iter_mut().for_each(|index| index.collection.group = Arc::clone(group));
        if let Some(data) = &mut self.auth.custom_user_data {
            data.collection.group = Arc::clone(group);
        }
        if let Some(document) = &mut self.user_document {
            document.collection.group = Arc::clone(group);
        }
        self
    }

    /// Adds an enabled provider, in the place of one of the same kind.
    #[must_use]
    pub fn provider(mut self, kind: ProviderKind) -> Self {
        let provider = auth::provider(&self.id, kind, false);
        let name = provider.kind.type_name();
        self.auth.providers.retain(|other| other.kind.type_name() != name);
        self.auth.providers.push(provider);
        self
    }

    /// Adds a collection, in the place of one of the same name.
    #[must_use]
    pub fn collection(mut self, mut collection: CollectionConfig) -> Self {
        collection.regroup(&self.data_group);
        self.collections.retain(|other| other.id != collection.id);
        self.collections.push(collection);
        self
    }

    /// Adds a field that a function answers, in the place of one of the same type and name.
    #[must_use]
    pub fn resolver(mut self, resolver: CustomResolver) -> Self {
        let is_same =
            |other: &CustomResolver| other.on_type == resolver.on_type && other.field == resolver.field;
        self.graphql.resolvers.retain(|other| !is_same(other));
        self.graphql.resolvers.push(resolver);
        self
    }

    /// Rules for the collections of a data source that have no roles of their own.
    #[must_use]
    pub fn default_rules(mut self, service: impl Into<Arc<str>>, rules: Value) -> Self {
        let service = service.into();
        self.default_rules.retain(|other| other.service != service);
        self.default_rules.push(DefaultRules { service, rules: RulesSource::new(rules) });
        self
    }

    /// Where users' own data are kept: `collection`, in whose `user_id_field` the user's id stands.
    #[must_use]
    pub fn custom_user_data(mut self, collection: CollectionId, user_id_field: impl Into<String>) -> Self {
        self.auth.custom_user_data =
            Some(CustomUserDataConfig { collection, user_id_field: user_id_field.into() });
        self
    }

    /// Tells nobody but its owner whether an address has an account. Registering a taken address, and a resend or
    /// a reset for an unknown one, answer as for any other, and take at least
    /// [`Limits::hidden_answer`](crate::limits::Limits::hidden_answer); the owner of a taken address is mailed.
    #[must_use]
    pub fn hide_accounts(mut self) -> Self {
        self.auth.hide_accounts = true;
        self
    }

    /// Takes e-mail addresses for the same that differ only in the case of letters, in spaces around them or in
    /// how Unicode composes them. Accounts that were registered before keep their spelling, are found by it
    /// alone, and are merged with no other.
    #[must_use]
    pub fn fold_emails(mut self) -> Self {
        self.auth.fold_emails = true;
        self
    }

    /// Lets the GraphQL requests of these actors ask, by `"extensions": {"explain": true}`, to have the rules
    /// explained in the answer's `extensions`. The expression knows the actor and no document: `json!(true)` is
    /// everybody, `json!({ "%%user.type": "server" })` the holders of server keys. Explanations show the rules and,
    /// of documents that rules deny, values: they are for those who write rules.
    #[must_use]
    pub fn explain_to(mut self, expression: Value) -> Self {
        self.explain = Some(expression);
        self
    }

    /// What the mails of a kind say.
    #[must_use]
    pub fn mail(mut self, kind: MailKind, template: MailTemplate) -> Self {
        self.auth.mails.insert(kind, template);
        self
    }

    /// Adds a named value (`%%values.<name>`).
    #[must_use]
    pub fn value(mut self, name: impl Into<String>, value: Value) -> Self {
        self.values.insert(name.into(), ConfigValue::Plain(value));
        self
    }

    /// Makes a document for everybody who signs up.
    #[must_use]
    pub fn user_document(mut self, document: UserDocument) -> Self {
        self.user_document = Some(document);
        self
    }

    /// Has a function told of log-ins, or of users who come and go.
    #[must_use]
    pub fn trigger(mut self, trigger: AuthTrigger) -> Self {
        self.triggers.push(trigger);
        self
    }

    /// Adds an index.
    #[must_use]
    pub fn index(mut self, collection: CollectionId, index: IndexSpec) -> Self {
        self.indexes.push(ConfiguredIndex { collection, index });
        self
    }

    /// The collection of this name: `service/database.collection`, `database.collection`, or `collection` alone where
    /// that says which. Of the first two forms the collection need not be configured; without a service it is then
    /// one of `mongodb-atlas`.
    pub fn named_collection(&self, name: &str) -> Option<CollectionId> {
        let id = |collection: &CollectionConfig| collection.id.clone();
        let (service, namespace) = match name.split_once('/') {
            Some((service, namespace)) => (Some(service), namespace),
            None => (None, name),
        };
        let is_meant = |collection: &&CollectionConfig| {
            service.is_none_or(|service| *collection.id.service == *service)
                && (collection.id.namespace() == namespace
                    || service.is_none() && *collection.id.name == *namespace)
        };
        let mut meant = self.collections.iter().filter(is_meant);
        match (meant.next(), meant.next()) {
            (Some(one), None) => Some(id(one)),
            (Some(_), Some(_)) => None,
            (None, _) => {
                let (database, collection) = namespace.split_once('.')?;
                Some(self.collection_id(service.unwrap_or("mongodb-atlas"), database, collection))
            }
        }
    }

    /// Says of what was found in files that a current export would have where it is in the old one.
    pub(crate) fn relocate(&self, report: &mut Report) {
        if let Some(laid_out) = &self.laid_out {
            report.relocate(|file, pointer| laid_out.origin(file, pointer));
        }
    }

    /// The id of a collection of this app.
    pub fn collection_id(
        &self,
        service: impl Into<Arc<str>>,
        database: impl Into<Arc<str>>,
        name: impl Into<Arc<str>>,
    ) -> CollectionId {
        CollectionId::new(Arc::clone(&self.data_group), service, database, name)
    }
}

/// One collection.
#[derive(Clone, Debug, PartialEq)]
pub struct CollectionConfig {
    /// Which; its group is the app's as soon as it is added to one.
    pub id: CollectionId,
    /// Its schema; without one it has no GraphQL type.
    pub schema: Option<CollectionSchema>,
    /// Its relationships.
    pub relationships: Vec<Relationship>,
    /// Its own rules; without roles there, the data source's default rules count.
    pub rules: Option<RulesSource>,
    /// What is odd about a schema that was given in code; building the engine reports it.
    pub problems: Report,
}

impl CollectionConfig {
    /// A collection of the data source `mongodb-atlas` and the database `app`, without schema and rules:
    /// closed.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self::within("mongodb-atlas", "app", name)
    }

    /// A collection of this data source and database.
    pub fn within(
        service: impl Into<Arc<str>>,
        database: impl Into<Arc<str>>,
        name: impl Into<Arc<str>>,
    ) -> Self {
        let id = CollectionId::new("", service, database, name);
        Self { id, schema: None, relationships: Vec::new(), rules: None, problems: Report::default() }
    }

    /// Gives it a schema, as `schema.json` would hold it. Oddities are kept as `problems`.
    #[must_use]
    pub fn schema(mut self, json: &Value) -> Self {
        self.schema = CollectionSchema::parse(json, &format!("schema of {}", self.id), &mut self.problems);
        self
    }

    /// Gives it rules, as `rules.json` would hold them.
    #[must_use]
    pub fn rules(mut self, json: Value) -> Self {
        self.rules = Some(RulesSource::new(json));
        self
    }

    /// Adds a relationship.
    #[must_use]
    pub fn relationship(mut self, relationship: Relationship) -> Self {
        self.relationships.push(relationship);
        self
    }

    fn regroup(&mut self, group: &Arc<str>) {
        self.id.group = Arc::clone(group);
        for relationship in &mut self.relationships {
            relationship.target.group = Arc::clone(group);
        }
    }
}

/// The default rules of a data source.
#[derive(Clone, Debug, PartialEq)]
pub struct DefaultRules {
    /// The data source.
    pub service: Arc<str>,
    /// The rules.
    pub rules: RulesSource,
}

/// Rules as written, and where they stand.
#[derive(Clone, Debug, PartialEq)]
pub struct RulesSource {
    /// What `rules.json` holds.
    pub json: Value,
    /// The file, relative to the app directory; empty when there is none.
    pub file: String,
}

impl RulesSource {
    /// Rules that were written in code.
    pub fn new(json: Value) -> Self {
        Self { json, file: String::new() }
    }

    /// One role that everybody has and that permits nothing: for files that cannot be read.
    ///
    /// No rules at all would not do: the default rules would open what the broken file may have closed.
    pub(super) fn closed(file: String) -> Self {
        let json = json!({ "roles": [{
            "name": "closed", "apply_when": {},
            "read": false, "write": false, "insert": false, "delete": false, "search": false
        }]});
        Self { json, file }
    }

    /// Whether these stand for a file that cannot be read.
    pub(crate) fn is_closed(&self) -> bool {
        self.json == Self::closed(String::new()).json
    }
}
