//! The types that custom resolvers bring along, out of JSON schemas.

use super::inputs::{finish, list};
use super::objects::{is_required, is_usable, is_usable_property, scalar, shown};
use super::relations::Place;
use super::{Builder, Origin};
use crate::graphql::catalog::{InputField, InputIndex, InputType, Meaning, Shape};
use crate::graphql::names::{embedded_type_name, sanitize, type_name};
use crate::schema::{ObjectSchema, Property, PropertyKind};

/// The names that a custom type wants.
pub(super) struct Named {
    /// The first that is free; to the last a number may be added.
    wishes: Vec<String>,
    /// What the names of the types inside it begin with; the type's own name when there is none.
    prefix: Option<String>,
}

impl Named {
    /// The name for a title; `None` when no GraphQL name can be made of it.
    pub(super) fn by_title(title: &str) -> Option<Self> {
        type_name(title).map(|name| Self { wishes: vec![name], prefix: None })
    }

    /// The name of the elements of an array of this name.
    fn items(&self, items: &Property) -> Self {
        let array = self.wishes.last().cloned().unwrap_or_default();
        let prefix = self.prefix.clone().unwrap_or(array);
        let own = items.title.as_deref().and_then(type_name);
        Self { wishes: own.into_iter().chain([format!("{prefix}Item")]).collect(), prefix: Some(prefix) }
    }
}

impl Builder<'_, '_> {
    /// The shape of a payload; `None` when GraphQL can carry nothing of it.
    pub(super) fn custom_payload(
        &mut self,
        property: &Property,
        named: &Named,
        place: &Place<'_>,
    ) -> Option<Shape> {
        match shown(&property.kind) {
            PropertyKind::Scalar(bson) => scalar(*bson).map(Shape::Scalar),
            PropertyKind::Object(schema) if is_usable(schema) => {
                let name = self.take(named, place);
                let prefix = named.prefix.clone().unwrap_or_else(|| name.clone());
                let (file, pointer) = (place.file.to_owned(), place.pointer.clone());
                let object = self.push_object(&name, Origin { file, pointer, prefix });
                self.fill(object, schema, place);
                Some(Shape::Object(object))
            }
            PropertyKind::Array(items) => {
                let items = self.custom_payload(items, &named.items(items), &place.items())?;
                Some(Shape::List(Box::new(items)))
            }
            PropertyKind::Object(_) | PropertyKind::OneOf(_) | PropertyKind::Any => None,
        }
    }

    /// The type of an input; `None` when GraphQL can carry nothing of it.
    pub(super) fn custom_input(
        &mut self,
        property: &Property,
        named: &Named,
        place: &Place<'_>,
    ) -> Option<InputType> {
        match shown(&property.kind) {
            PropertyKind::Scalar(bson) => scalar(*bson).map(InputType::Scalar),
            PropertyKind::Object(schema) if is_usable(schema) => {
                let name = self.take(named, place);
                let fields = self.members(schema, named.prefix.as_ref().unwrap_or(&name), place);
                let index = InputIndex(self.catalog.inputs.len());
                self.catalog.inputs_by_name.insert(name.clone(), index);
                self.catalog.inputs.push(finish(name, fields));
                Some(InputType::Object(index))
            }
            PropertyKind::Array(items) => {
                self.custom_input(items, &named.items(items), &place.items()).map(list)
            }
            PropertyKind::Object(_) | PropertyKind::OneOf(_) | PropertyKind::Any => None,
        }
    }

    /// The fields of an input object; its embedded objects become inputs of their own.
    fn members(&mut self, schema: &ObjectSchema, parent: &str, place: &Place<'_>) -> Vec<InputField> {
        let mut fields: Vec<InputField> = Vec::with_capacity(schema.properties.len());
        for (raw, property) in &schema.properties {
            let place = place.child(raw);
            let Some(name) = sanitize(raw) else {
                self.warn(&place, format!("`{raw}` has no GraphQL name and is left out"));
                continue;
            };
            if fields.iter().any(|field| field.name == name) {
                let message = format!("the GraphQL field `{name}` is there already; `{raw}` is left out");
                self.warn(&place, message);
                continue;
            }
            if !is_usable_property(property) {
                self.warn(&place, format!("the type of `{raw}` has no GraphQL counterpart; it is left out"));
                continue;
            }
            let own = inner_title(property).and_then(type_name);
            let wishes = own.into_iter().chain([embedded_type_name(parent, &name)]).collect();
            let Some(ty) = self.member(property, Named { wishes, prefix: None }, &place) else { continue };
            let ty = if is_required(schema, raw, property) { InputType::NonNull(Box::new(ty)) } else { ty };
            fields.push(InputField { name, ty, meaning: Meaning::Member });
        }
        fields
    }

    /// The type of a member: the elements of its arrays have the name that an object would have.
    fn member(&mut self, property: &Property, named: Named, place: &Place<'_>) -> Option<InputType> {
        match shown(&property.kind) {
            PropertyKind::Array(items) => self.member(items, named, &place.items()).map(list),
            _ => self.custom_input(property, &named, place),
        }
    }

    fn take(&mut self, named: &Named, place: &Place<'_>) -> String {
        let name = self.names.take_single(&named.wishes);
        if let Some(wanted) = named.wishes.first().filter(|wanted| **wanted != name) {
            self.warn(place, format!("the GraphQL name `{wanted}` is taken; `{name}` is used"));
        }
        name
    }
}

/// The title of the objects in a property, through its arrays.
fn inner_title(property: &Property) -> Option<&str> {
    match shown(&property.kind) {
        PropertyKind::Object(schema) => schema.title.as_deref().or(property.title.as_deref()),
        PropertyKind::Array(items) => inner_title(items),
        PropertyKind::Scalar(_) | PropertyKind::OneOf(_) | PropertyKind::Any => None,
    }
}
