//! From collection schemas to the [`Catalog`] (app-services.md, sections 5.1 to 5.6).
//!
//! 1. A collection with at least one field that GraphQL can carry gets a type, its inputs and its root
//!    fields.
//! 2. Names are settled first for all collections, then for what is inside them, so that an embedded
//!    object never takes the name of a collection.
//! 3. Custom resolvers come last: they see every generated type, and no input is generated from their fields.
//! 4. A name that is taken gets a number; a field that is taken or that GraphQL cannot carry is left out.
//!    Both are warnings, and the rest serves: whatever the schemas hold, the catalog is well-formed.

mod custom;
mod inputs;
mod objects;
mod payloads;
mod registry;
mod relations;
mod resolvers;
mod roots;

use std::collections::{HashMap, HashSet};

use self::registry::Names;
pub(super) use self::resolvers::ARGUMENT;
use super::catalog::{Catalog, CollectionApi, CollectionIndex, ObjectIndex, ObjectType};
use super::names::{RootNames, type_name};
use crate::id::CollectionId;
use crate::report::Report;
use crate::schema::{CollectionSchema, CustomResolver, Relationship};

/// What the API of an app is generated from.
pub struct SchemaInput<'a> {
    /// The collections, in a stable order.
    pub collections: Vec<CollectionInput<'a>>,
    /// The custom resolvers.
    pub resolvers: &'a [CustomResolver],
    /// `use_natural_pluralization`.
    pub natural_pluralization: bool,
}

/// One collection.
pub struct CollectionInput<'a> {
    /// The collection.
    pub id: &'a CollectionId,
    /// Its schema.
    pub schema: &'a CollectionSchema,
    /// Its relationships.
    pub relationships: &'a [Relationship],
    /// The schema's file, for the report.
    pub file: &'a str,
}

impl Catalog {
    /// Generates the API; everything odd goes to the report and the rest is served.
    pub fn build(input: &SchemaInput<'_>, report: &mut Report) -> Self {
        let mut builder = Builder {
            input,
            report,
            catalog: Self::default(),
            names: Names::default(),
            origins: Vec::new(),
            sources: Vec::new(),
            roots: Vec::new(),
            by_id: HashMap::new(),
            visited: HashSet::new(),
        };
        for collection in &input.collections {
            builder.declare(collection);
        }
        builder.fill_roots();
        builder.add_inputs();
        builder.add_roots();
        builder.add_resolvers();
        builder.catalog
    }
}

/// Where an object type came from, for the report.
#[derive(Clone)]
struct Origin {
    file: String,
    pointer: String,
    /// What the names of the types inside it begin with.
    prefix: String,
}

struct Builder<'a, 'r> {
    input: &'a SchemaInput<'a>,
    report: &'r mut Report,
    catalog: Catalog,
    names: Names,
    /// One per object type of the catalog.
    origins: Vec<Origin>,
    /// One per collection of the catalog.
    sources: Vec<&'a CollectionInput<'a>>,
    /// One per collection of the catalog.
    roots: Vec<RootNames>,
    by_id: HashMap<&'a CollectionId, CollectionIndex>,
    /// Relationships that met their field: collection and source path.
    visited: HashSet<(usize, String)>,
}

impl<'a> Builder<'a, '_> {
    /// Gives a collection its type's name, or says why it has none.
    fn declare(&mut self, collection: &'a CollectionInput<'a>) {
        let root = &collection.schema.root;
        if root.properties.is_empty() {
            return;
        }
        if !objects::is_usable(root) {
            self.report.warn(collection.file, "", "no field of this schema has a GraphQL type");
            return;
        }
        if self.by_id.contains_key(collection.id) {
            self.report.warn(collection.file, "", format!("second schema of `{}` left out", collection.id));
            return;
        }
        let title = root.title.as_deref();
        let titled = title.and_then(type_name);
        if title.is_some() && titled.is_none() {
            let text = "no GraphQL name can be made of the title; the collection's name counts";
            self.report.warn(collection.file, "/title", text);
        }
        let Some(wanted) = titled.or_else(|| type_name(&collection.id.name)) else {
            let text = "no GraphQL name can be made of the collection's name; it is left out";
            self.report.warn(collection.file, "/title", text);
            return;
        };
        let taken = self.names.take_root(&wanted, self.input.natural_pluralization);
        if taken.one != wanted {
            let message = format!("the GraphQL name `{wanted}` is taken; `{}` is used", taken.one);
            self.report.warn(collection.file, "/title", message);
        }
        let (file, prefix) = (collection.file.to_owned(), taken.one.clone());
        let object = self.push_object(&taken.one, Origin { file, pointer: String::new(), prefix });
        self.by_id.insert(collection.id, CollectionIndex(self.catalog.collections.len()));
        self.catalog.collections.push(CollectionApi { id: collection.id.clone(), object });
        self.sources.push(collection);
        self.roots.push(taken);
    }

    fn push_object(&mut self, name: &str, origin: Origin) -> ObjectIndex {
        self.catalog.objects.push(ObjectType {
            name: name.to_owned(),
            fields: Vec::new(),
            by_name: HashMap::new(),
        });
        self.origins.push(origin);
        ObjectIndex(self.catalog.objects.len() - 1)
    }
}

/// Places by name, for a list that is sorted already.
fn positions<'n>(names: impl Iterator<Item = &'n str>) -> HashMap<String, usize> {
    names.enumerate().map(|(place, name)| (name.to_owned(), place)).collect()
}

#[cfg(test)]
pub(crate) mod tests;
