//! Output types: fields and embedded objects (app-services.md, sections 5.2 and 5.3).

use super::relations::Place;
use super::{Builder, Origin, positions};
use crate::filter::FieldPath;
use crate::graphql::catalog::{Field, ObjectIndex, Scalar, Shape};
use crate::graphql::names::{embedded_type_name, sanitize, type_name};
use crate::schema::{BsonType, ObjectSchema, Property, PropertyKind};

impl<'a> Builder<'a, '_> {
    /// Fills the types of all collections.
    pub(super) fn fill_roots(&mut self) {
        for (collection, source) in self.sources.clone().into_iter().enumerate() {
            let Some(object) = self.catalog.collections.get(collection).map(|api| api.object) else {
                continue;
            };
            let place = Place {
                collection: Some(collection),
                file: source.file,
                path: None,
                pointer: String::new(),
                in_array: false,
            };
            self.fill(object, &source.schema.root, &place);
            self.warn_of_unmet_relationships(collection, source);
        }
    }

    /// Fills a type with the fields of its schema.
    pub(super) fn fill(&mut self, object: ObjectIndex, schema: &ObjectSchema, place: &Place<'_>) {
        let mut fields: Vec<Field> = Vec::new();
        // Names that need no change come first: they keep their name when another becomes the same.
        let (exact, changed): (Vec<_>, Vec<_>) =
            schema.properties.iter().partition(|(raw, _)| sanitize(raw).as_deref() == Some(raw));
        for (raw, property) in exact.into_iter().chain(changed) {
            let place = place.child(raw);
            let Some(name) = sanitize(raw) else {
                self.warn(&place, format!("`{raw}` has no GraphQL name and is left out"));
                continue;
            };
            let relation = self.relation(property, &place);
            let renamed = relation.as_ref().and(property.title.as_deref()).and_then(sanitize);
            let name = renamed.unwrap_or(name);
            if fields.iter().any(|field| field.name == name) {
                self.warn(
                    &place,
                    format!("the GraphQL field `{name}` is there already; `{raw}` is left out"),
                );
                continue;
            }
            let shape = match relation {
                Some(relation) => Some(Shape::Relation(relation)),
                None => self.shape(property, object, &name, &place),
            };
            let Some(shape) = shape else {
                self.warn(&place, format!("the type of `{raw}` has no GraphQL counterpart; it is left out"));
                continue;
            };
            let required = !property.nullable && schema.required.contains(raw);
            fields.push(Field { name, stored: raw.clone(), shape, required });
        }
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(slot) = self.catalog.objects.get_mut(object.0) {
            slot.by_name = positions(fields.iter().map(|field| field.name.as_str()));
            slot.fields = fields;
        }
    }

    fn shape(
        &mut self,
        property: &Property,
        parent: ObjectIndex,
        field: &str,
        place: &Place<'_>,
    ) -> Option<Shape> {
        match &property.kind {
            PropertyKind::Scalar(bson) => scalar(*bson).map(Shape::Scalar),
            PropertyKind::Object(schema) if is_usable(schema) => {
                let title = schema.title.as_deref().or(property.title.as_deref());
                Some(Shape::Object(self.embedded(schema, title, (parent, field), place)))
            }
            PropertyKind::Array(items) if is_usable_property(items) => {
                let place = place.items();
                self.shape(items, parent, field, &place).map(|shape| Shape::List(Box::new(shape)))
            }
            PropertyKind::Object(_) | PropertyKind::Array(_) | PropertyKind::Any => None,
        }
    }

    fn embedded(
        &mut self,
        schema: &ObjectSchema,
        title: Option<&str>,
        (parent, field): (ObjectIndex, &str),
        place: &Place<'_>,
    ) -> ObjectIndex {
        let parent = self.origins.get(parent.0).map_or("", |origin| origin.prefix.as_str());
        let default = embedded_type_name(parent, field);
        let wishes: Vec<String> = title.and_then(type_name).into_iter().chain([default]).collect();
        let name = match place.collection {
            Some(_) => self.names.take_object(&wishes),
            None => self.names.take_single(&wishes),
        };
        if let Some(wanted) = wishes.first().filter(|wanted| **wanted != name) {
            self.warn(place, format!("the GraphQL name `{wanted}` is taken; `{name}` is used"));
        }
        let origin =
            Origin { file: place.file.to_owned(), pointer: place.pointer.clone(), prefix: name.clone() };
        let object = self.push_object(&name, origin);
        self.fill(object, schema, place);
        object
    }

    pub(super) fn warn(&mut self, place: &Place<'_>, message: String) {
        self.report.warn(place.file, &place.pointer, message);
    }
}

impl Place<'_> {
    /// The place of a property.
    pub(super) fn child(&self, raw: &str) -> Self {
        let path = match &self.path {
            Some(parent) => parent.child(raw),
            None => FieldPath::from(raw),
        };
        let escaped = raw.replace('~', "~0").replace('/', "~1");
        Self { path: Some(path), pointer: format!("{}/properties/{escaped}", self.pointer), ..self.clone() }
    }

    /// The place of an array's items; `[]` is how relationships.json writes it.
    pub(super) fn items(&self) -> Self {
        Self {
            path: self.path.as_ref().map(|path| path.child("[]")),
            pointer: format!("{}/items", self.pointer),
            in_array: true,
            ..self.clone()
        }
    }
}

/// Whether at least one property has a GraphQL name and type.
pub(super) fn is_usable(schema: &ObjectSchema) -> bool {
    schema.properties.iter().any(|(raw, property)| sanitize(raw).is_some() && is_usable_property(property))
}

pub(super) fn is_usable_property(property: &Property) -> bool {
    match &property.kind {
        PropertyKind::Scalar(bson) => scalar(*bson).is_some(),
        PropertyKind::Object(schema) => is_usable(schema),
        PropertyKind::Array(items) => is_usable_property(items),
        PropertyKind::Any => false,
    }
}

/// The GraphQL scalar of a BSON type; `None` where the original left the field out.
pub(super) fn scalar(bson: BsonType) -> Option<Scalar> {
    match bson {
        BsonType::String => Some(Scalar::String),
        BsonType::ObjectId => Some(Scalar::ObjectId),
        BsonType::Int => Some(Scalar::Int),
        BsonType::Long => Some(Scalar::Long),
        BsonType::Double | BsonType::Number => Some(Scalar::Float),
        BsonType::Decimal => Some(Scalar::Decimal),
        BsonType::Bool => Some(Scalar::Boolean),
        BsonType::Date => Some(Scalar::DateTime),
        BsonType::Timestamp => Some(Scalar::Timestamp),
        BsonType::Uuid
        | BsonType::BinData
        | BsonType::Regex
        | BsonType::Null
        | BsonType::Symbol
        | BsonType::Javascript
        | BsonType::MinKey
        | BsonType::MaxKey => None,
    }
}
