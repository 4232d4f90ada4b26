//! Relation fields (app-services.md, section 5.7).
//!
//! A relationship that cannot be followed is left out with a warning, and its field shows the stored key.

use std::sync::Arc;

use super::objects::{scalar, shown};
use super::{Builder, CollectionInput};
use crate::filter::FieldPath;
use crate::graphql::catalog::{Relation, Scalar};
use crate::schema::{ObjectSchema, Property, PropertyKind, Relationship};

/// Where in the schemas the builder stands.
#[derive(Clone)]
pub(super) struct Place<'a> {
    /// The collection; `None` in the types of custom resolvers.
    pub(super) collection: Option<usize>,
    pub(super) file: &'a str,
    /// From the document's root; `None` at the root.
    pub(super) path: Option<FieldPath>,
    pub(super) pointer: String,
    pub(super) in_array: bool,
}

impl<'a> Builder<'a, '_> {
    /// The relation of a field, if it has one that can be followed.
    pub(super) fn relation(&mut self, property: &Property, place: &Place<'_>) -> Option<Arc<Relation>> {
        let (collection, path) = (place.collection?, place.path.clone()?);
        let source = *self.sources.get(collection)?;
        let relationship = source.relationships.iter().find(|relationship| relationship.source == path)?;
        self.visited.insert((collection, path.as_str().to_owned()));
        match self.follow(relationship, property, place) {
            Ok(relation) => Some(Arc::new(relation)),
            Err(reason) => {
                self.warn(place, format!("relationship `{path}` is left out: {reason}"));
                None
            }
        }
    }

    fn follow(
        &mut self,
        relationship: &Relationship,
        property: &Property,
        place: &Place<'_>,
    ) -> Result<Relation, String> {
        if place.in_array {
            return Err("GraphQL does not follow relationships inside arrays of objects".into());
        }
        if relationship.source.as_str() == "_id" {
            return Err("`_id` cannot be a relationship".into());
        }
        let (own, is_list) = match shown(&property.kind) {
            PropertyKind::Array(items) => (key_of(items), true),
            _ => (key_of(property), false),
        };
        let own = own.ok_or("the field does not hold keys")?;
        if is_list != relationship.is_list {
            return Err("`is_list` does not agree with the field's type".into());
        }
        let target = self.by_id.get(&relationship.target).copied();
        let target = target.ok_or_else(|| format!("`{}` has no GraphQL type", relationship.target))?;
        let foreign = &relationship.foreign;
        let schema = self.sources.get(target.0).map(|source| &source.schema.root);
        let key = match schema.and_then(|schema| property_at(schema, foreign)) {
            Some(property) => key_of(property).ok_or("the foreign key is not a scalar")?,
            // A schema need not list `_id`; every document has one.
            None if foreign.as_str() == "_id" => own,
            None => return Err(format!("the foreign key `{foreign}` is not in its schema")),
        };
        if key != own {
            let (own, key) = (own.name(), key.name());
            self.warn(place, format!("relationship joins {own} keys with {key} values"));
        }
        let (source, foreign) = (relationship.source.clone(), foreign.clone());
        Ok(Relation { target, source, foreign, key, is_list })
    }

    /// Warns of relationships whose source is not a field of the schema.
    pub(super) fn warn_of_unmet_relationships(&mut self, collection: usize, source: &CollectionInput<'_>) {
        for relationship in source.relationships {
            let path = relationship.source.as_str();
            if !self.visited.contains(&(collection, path.to_owned())) {
                let message = format!("relationship `{path}` is left out: the schema has no such field");
                self.report.warn(source.file, "/properties", message);
            }
        }
    }
}

fn key_of(property: &Property) -> Option<Scalar> {
    match shown(&property.kind) {
        PropertyKind::Scalar(bson) => scalar(*bson),
        _ => None,
    }
}

fn property_at<'s>(schema: &'s ObjectSchema, path: &FieldPath) -> Option<&'s Property> {
    let mut properties = &schema.properties;
    let mut found = None;
    for segment in path.segments() {
        let (_, property) = properties.iter().find(|(name, _)| name == segment)?;
        found = Some(property);
        properties = match shown(&property.kind) {
            PropertyKind::Object(schema) => &schema.properties,
            _ => const { &Vec::new() },
        };
    }
    found
}
