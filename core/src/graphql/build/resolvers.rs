//! Custom resolvers: their fields and the types of their own (app-services.md, section 5.8).
//!
//! 1. A field takes the place of a generated one of the same name; inputs and sort keys stay as they were.
//! 2. A custom type is named by its title, what is inside it by its parent and the field, as embedded objects
//!    are. An array titled `RisksPayload` has elements of the type `RisksPayloadItem`, inside of which types
//!    begin with `RisksPayload`.
//! 3. Two resolvers may share one custom type: the same schema is one type.
//! 4. A resolver whose type or parent is not known is left out with a warning.

use serde_json::Value;

use super::custom::Named;
use super::payloads::{DEFAULT, DEFAULT_PAYLOAD, Payloads};
use super::relations::Place;
use super::{Builder, positions};
use crate::graphql::catalog::{
    Field, InputType, ObjectIndex, Resolution, Resolver, ResolverIndex, RootField, Scalar, Shape,
};
use crate::graphql::names::sanitize;
use crate::schema::{CustomResolver, Property, ResolverType};

/// The only argument that a custom resolver has.
pub(crate) const ARGUMENT: &str = "input";

/// The type that a field is added to.
#[derive(Clone, Copy)]
enum Parent {
    Query,
    Mutation,
    Object(ObjectIndex),
}

/// How much of the catalog is generated, and the custom types that were made.
struct Types<'a> {
    objects: usize,
    inputs: usize,
    payloads: Payloads,
    custom_inputs: Vec<(&'a Value, InputType)>,
    custom_payloads: Vec<(&'a Value, Shape)>,
}

/// Why a resolver is left out: where in its file, and what.
type Problem = (&'static str, String);

impl<'a> Builder<'a, '_> {
    /// Adds the fields of custom resolvers.
    pub(super) fn add_resolvers(&mut self) {
        let mut types = Types {
            objects: self.catalog.objects.len(),
            inputs: self.catalog.inputs.len(),
            payloads: Payloads::default(),
            custom_inputs: Vec::new(),
            custom_payloads: Vec::new(),
        };
        for (place, resolver) in self.input.resolvers.iter().enumerate() {
            let earlier = self.input.resolvers.iter().take(place);
            let is_taken = earlier
                .clone()
                .any(|other| other.on_type == resolver.on_type && other.field == resolver.field);
            let added = if is_taken {
                Err((
                    "/field_name",
                    format!("`{}` has a resolver `{}` already", resolver.on_type, resolver.field),
                ))
            } else {
                self.add_resolver(resolver, &mut types)
            };
            if let Err((pointer, problem)) = added {
                let message = format!("{problem}; the custom resolver is left out");
                self.report.warn(&resolver.file, pointer, message);
            }
        }
        self.catalog.queries.sort_by(|a, b| a.name.cmp(&b.name));
        self.catalog.mutations.sort_by(|a, b| a.name.cmp(&b.name));
    }

    fn add_resolver(&mut self, resolver: &'a CustomResolver, types: &mut Types<'a>) -> Result<(), Problem> {
        if sanitize(&resolver.field).as_ref() != Some(&resolver.field) {
            return Err(("/field_name", format!("`{}` is no GraphQL name", resolver.field)));
        }
        let parent = self.parent(&resolver.on_type, types)?;
        let input = match &resolver.input {
            Some(input) => Some(self.resolver_input(resolver, input, types)?),
            None => None,
        };
        let (payload, is_default) = match &resolver.payload {
            Some(payload) if !matches!(payload, ResolverType::Generated(name) if name == DEFAULT_PAYLOAD) => {
                (self.resolver_payload(resolver, payload, types)?, false)
            }
            _ => (Shape::Object(self.payload(&DEFAULT, &mut types.payloads)), true),
        };
        let index = ResolverIndex(self.catalog.resolvers.len());
        let function = resolver.function.clone();
        self.catalog.resolvers.push(Resolver { function, input: input.clone(), payload, is_default });
        self.attach(parent, &resolver.field, (index, input));
        Ok(())
    }

    fn parent(&self, name: &str, types: &Types<'_>) -> Result<Parent, Problem> {
        match name {
            "Query" => Ok(Parent::Query),
            "Mutation" => Ok(Parent::Mutation),
            name => {
                let found = self.generated_object(name, types).map(Parent::Object);
                found.ok_or_else(|| ("/on_type", format!("there is no generated type `{name}`")))
            }
        }
    }

    fn generated_object(&self, name: &str, types: &Types<'_>) -> Option<ObjectIndex> {
        let generated = self.catalog.objects.iter().take(types.objects);
        generated.clone().position(|object| object.name == name).map(ObjectIndex)
    }

    fn attach(&mut self, parent: Parent, name: &str, (index, input): (ResolverIndex, Option<InputType>)) {
        let root = RootField {
            name: name.to_owned(),
            resolution: Resolution::Custom(index),
            arguments: input.into_iter().map(|ty| (ARGUMENT, ty, None)).collect(),
        };
        match parent {
            Parent::Query => replace_root(&mut self.catalog.queries, root),
            Parent::Mutation => replace_root(&mut self.catalog.mutations, root),
            Parent::Object(object) => {
                let Some(object) = self.catalog.objects.get_mut(object.0) else { return };
                object.fields.retain(|field| field.name != name);
                let (name, stored) = (name.to_owned(), name.to_owned());
                object.fields.push(Field { name, stored, shape: Shape::Computed(index), required: false });
                object.fields.sort_by(|a, b| a.name.cmp(&b.name));
                object.by_name = positions(object.fields.iter().map(|field| field.name.as_str()));
            }
        }
    }

    fn resolver_input(
        &mut self,
        resolver: &'a CustomResolver,
        ty: &'a ResolverType,
        types: &mut Types<'a>,
    ) -> Result<InputType, Problem> {
        let problem = |message: String| ("/input_type", message);
        let (is_list, one) = match ty {
            ResolverType::Custom(json) => {
                if let Some((_, made)) = types.custom_inputs.iter().find(|(known, _)| *known == json) {
                    return Ok(made.clone());
                }
                let (property, named, place) = self.custom(resolver, json, "/input_type").map_err(problem)?;
                let made = self.custom_input(&property, &named, &place);
                let made = made.ok_or_else(|| problem("no property has a GraphQL type".to_owned()))?;
                types.custom_inputs.push((json, made.clone()));
                return Ok(made);
            }
            ResolverType::Scalar(name) | ResolverType::ScalarList(name) => {
                (is_list(ty), InputType::Scalar(scalar(name).map_err(problem)?))
            }
            ResolverType::Generated(name) | ResolverType::GeneratedList(name) => {
                let bare = bare(name);
                let input = self.catalog.inputs_by_name.get(bare).filter(|index| index.0 < types.inputs);
                let found = input.map(|index| InputType::Object(*index));
                let found =
                    found.or_else(|| self.catalog.enums_by_name.get(bare).map(|at| InputType::Enum(*at)));
                (is_list(ty), found.ok_or_else(|| problem(format!("there is no generated input `{bare}`")))?)
            }
        };
        Ok(if is_list { super::inputs::list(one) } else { one })
    }

    fn resolver_payload(
        &mut self,
        resolver: &'a CustomResolver,
        ty: &'a ResolverType,
        types: &mut Types<'a>,
    ) -> Result<Shape, Problem> {
        let problem = |message: String| ("/payload_type", message);
        let one = match ty {
            ResolverType::Custom(json) => {
                if let Some((_, made)) = types.custom_payloads.iter().find(|(known, _)| *known == json) {
                    return Ok(made.clone());
                }
                let (property, named, place) =
                    self.custom(resolver, json, "/payload_type").map_err(problem)?;
                let made = self.custom_payload(&property, &named, &place);
                let made = made.ok_or_else(|| problem("no property has a GraphQL type".to_owned()))?;
                types.custom_payloads.push((json, made.clone()));
                return Ok(made);
            }
            ResolverType::Scalar(name) | ResolverType::ScalarList(name) => {
                Shape::Scalar(scalar(name).map_err(problem)?)
            }
            ResolverType::Generated(name) | ResolverType::GeneratedList(name) => {
                let name = bare(name);
                let found = match self.payload_named(name) {
                    Some(payload) => Some(self.payload(payload, &mut types.payloads)),
                    None => self.generated_object(name, types),
                };
                found
                    .map(Shape::Object)
                    .ok_or_else(|| problem(format!("there is no generated type `{name}`")))?
            }
        };
        Ok(if is_list(ty) { Shape::List(Box::new(one)) } else { one })
    }

    /// A custom type's schema, the name that it wants, and where it stands.
    fn custom(
        &mut self,
        resolver: &'a CustomResolver,
        json: &Value,
        pointer: &str,
    ) -> Result<(Property, Named, Place<'a>), String> {
        let property = Property::parse(json, (&resolver.file, pointer), self.report);
        let named = property.title.as_deref().and_then(Named::by_title);
        let named = named.ok_or("a custom type needs a `title` that gives a GraphQL name")?;
        let (file, pointer) = (resolver.file.as_str(), pointer.to_owned());
        Ok((property, named, Place { collection: None, file, path: None, pointer, in_array: false }))
    }
}

fn replace_root(fields: &mut Vec<RootField>, root: RootField) {
    fields.retain(|field| field.name != root.name);
    fields.push(root);
}

/// Whether a type is a list: by its format, or because its name is written as one.
fn is_list(ty: &ResolverType) -> bool {
    match ty {
        ResolverType::Scalar(name) | ResolverType::Generated(name) => name.starts_with('['),
        ResolverType::ScalarList(_) | ResolverType::GeneratedList(_) => true,
        ResolverType::Custom(_) => false,
    }
}

/// A type's name without list brackets, which exports have in lists.
fn bare(name: &str) -> &str {
    name.trim_matches(|c| matches!(c, '[' | ']' | '!' | ' '))
}

/// A scalar by its name in BSON schemas, or in GraphQL.
fn scalar(name: &str) -> Result<Scalar, String> {
    match bare(name) {
        "string" | "String" => Ok(Scalar::String),
        "int" | "integer" | "Int" => Ok(Scalar::Int),
        "long" | "Long" => Ok(Scalar::Long),
        "double" | "number" | "float" | "Float" => Ok(Scalar::Float),
        "decimal" => Ok(Scalar::Decimal),
        "bool" | "boolean" | "Boolean" => Ok(Scalar::Boolean),
        "objectId" | "ObjectId" => Ok(Scalar::ObjectId),
        "date" | "DateTime" => Ok(Scalar::DateTime),
        "timestamp" => Ok(Scalar::Timestamp),
        other => Err(format!("`{other}` is no scalar of GraphQL")),
    }
}

#[cfg(test)]
mod tests;
