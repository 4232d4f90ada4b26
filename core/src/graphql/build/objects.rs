//! Output types: fields and embedded objects (app-services.md, sections 5.2 and 5.3).

use std::sync::Arc;

use super::relations::Place;
use super::{Builder, Origin, positions};
use crate::filter::FieldPath;
use crate::graphql::catalog::{Field, ObjectIndex, Relation, Scalar, Shape};
use crate::graphql::names::{embedded_type_name, sanitize, type_name};
use crate::schema::{BsonType, ObjectSchema, Property, PropertyKind};

/// A property, and the name that it wants.
struct Wish<'s, 'p> {
    raw: &'s String,
    property: &'s Property,
    place: Place<'p>,
    relation: Option<Arc<Relation>>,
    /// Its name without a title.
    own: String,
    name: String,
}

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
        let wished = schema.properties.iter().filter_map(|(raw, property)| self.wish(raw, property, place));
        let (exact, changed): (Vec<_>, Vec<_>) = wished.partition(|wish| *wish.raw == wish.name);
        for Wish { raw, property, place, relation, own, mut name } in exact.into_iter().chain(changed) {
            let is_taken = |name: &str| fields.iter().any(|field| field.name == name);
            if is_taken(&name) {
                let instead = if is_taken(&own) { "is left out" } else { "keeps its name" };
                let message = format!("the GraphQL field `{name}` is there already; `{raw}` {instead}");
                self.warn(&place, message);
                if is_taken(&own) {
                    continue;
                }
                name = own;
            }
            let shape = match relation {
                Some(relation) => Some(Shape::Relation(relation)),
                None => self.shape(property, object, &name, &place),
            };
            let Some(shape) = shape else {
                self.warn(&place, format!("the type of `{raw}` has no GraphQL counterpart; it is left out"));
                continue;
            };
            let required = is_required(schema, raw, property);
            fields.push(Field { name, stored: raw.clone(), shape, required });
        }
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(slot) = self.catalog.objects.get_mut(object.0) {
            slot.by_name = positions(fields.iter().map(|field| field.name.as_str()));
            slot.fields = fields;
        }
    }

    /// What a property wants to be called; `None` where GraphQL has no name for it.
    fn wish<'s, 'p>(
        &mut self,
        raw: &'s String,
        property: &'s Property,
        parent: &Place<'p>,
    ) -> Option<Wish<'s, 'p>> {
        let place = parent.child(raw);
        let Some(own) = sanitize(raw) else {
            self.warn(&place, format!("`{raw}` has no GraphQL name and is left out"));
            return None;
        };
        let relation = self.relation(property, &place);
        let title = relation.as_ref().and(property.title.as_deref());
        let name = match title.map(sanitize) {
            Some(Some(renamed)) => renamed,
            Some(None) => {
                self.warn(&place, format!("no GraphQL name can be made of the title; `{own}` is used"));
                own.clone()
            }
            None => own.clone(),
        };
        Some(Wish { raw, property, place, relation, own, name })
    }

    fn shape(
        &mut self,
        property: &Property,
        parent: ObjectIndex,
        field: &str,
        place: &Place<'_>,
    ) -> Option<Shape> {
        match shown(&property.kind) {
            PropertyKind::Scalar(bson) => scalar(*bson).map(Shape::Scalar),
            PropertyKind::Object(schema) if is_usable(schema) => {
                let title = schema.title.as_deref().or(property.title.as_deref());
                Some(Shape::Object(self.embedded(schema, title, (parent, field), place)))
            }
            PropertyKind::Array(items) if is_usable_property(items) => {
                let place = place.items();
                self.shape(items, parent, field, &place).map(|shape| Shape::List(Box::new(shape)))
            }
            PropertyKind::Object(_) | PropertyKind::Array(_) | PropertyKind::OneOf(_) | PropertyKind::Any => {
                None
            }
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
        let titled = title.and_then(type_name);
        if title.is_some() && titled.is_none() {
            self.warn(place, format!("no GraphQL name can be made of the title; `{default}` is used"));
        }
        let wishes: Vec<String> = titled.into_iter().chain([default]).collect();
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
        Self { path: Some(path), pointer: property_pointer(&self.pointer, raw), ..self.clone() }
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

/// Where a property stands in an object schema (RFC 6901: `~` and `/` are escaped).
pub(super) fn property_pointer(object: &str, raw: &str) -> String {
    format!("{object}/properties/{}", raw.replace('~', "~0").replace('/', "~1"))
}

/// Whether at least one property has a GraphQL name and type.
pub(super) fn is_usable(schema: &ObjectSchema) -> bool {
    schema.properties.iter().any(|(raw, property)| sanitize(raw).is_some() && is_usable_property(property))
}

pub(super) fn is_usable_property(property: &Property) -> bool {
    is_usable_kind(&property.kind)
}

fn is_usable_kind(kind: &PropertyKind) -> bool {
    match kind {
        PropertyKind::Scalar(bson) => scalar(*bson).is_some(),
        PropertyKind::Object(schema) => is_usable(schema),
        PropertyKind::Array(items) => is_usable_property(items),
        PropertyKind::OneOf(kinds) => kinds.iter().any(is_usable_kind),
        PropertyKind::Any => false,
    }
}

/// What GraphQL shows of a kind: of several the first that it can carry.
pub(super) fn shown(kind: &PropertyKind) -> &PropertyKind {
    match kind {
        PropertyKind::OneOf(kinds) => kinds.iter().find(|kind| is_usable_kind(kind)).unwrap_or(kind),
        kind => kind,
    }
}

/// Whether a field is never null. One of several types is, where it holds another one than is shown.
pub(super) fn is_required(schema: &ObjectSchema, raw: &String, property: &Property) -> bool {
    let may_be_null = property.nullable || matches!(property.kind, PropertyKind::OneOf(_));
    !may_be_null && schema.required.contains(raw)
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
