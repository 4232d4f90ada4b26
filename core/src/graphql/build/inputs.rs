//! Input types (app-services.md, sections 5.5 and 5.6).
//!
//! Every object type has three: query, insert and update. They are built after all objects are known, so
//! that their places follow from the object's place. Relation inputs come behind them.

use std::sync::Arc;

use super::objects::property_pointer;
use super::{Builder, positions};
use crate::graphql::catalog::{
    Field, InputField, InputIndex, InputObject, InputType, Meaning, ObjectIndex, ObjectType, QueryOperator,
    Relation, Scalar, Shape,
};
use crate::graphql::names::relation_input_name;

/// The place of an object's query input.
pub(super) fn query_input(object: ObjectIndex) -> InputIndex {
    InputIndex(object.0 * 3)
}

/// The place of an object's insert input.
pub(super) fn insert_input(object: ObjectIndex) -> InputIndex {
    InputIndex(object.0 * 3 + 1)
}

/// The place of an object's update input.
pub(super) fn update_input(object: ObjectIndex) -> InputIndex {
    InputIndex(object.0 * 3 + 2)
}

impl Builder<'_, '_> {
    /// Adds the inputs of all object types.
    pub(super) fn add_inputs(&mut self) {
        let objects = self.catalog.objects.clone();
        let mut relations = RelationInputs { first: objects.len() * 3, made: Vec::new() };
        for (index, object) in objects.iter().enumerate() {
            let at = ObjectIndex(index);
            let stores = self.store_fields(at, object, &mut relations);
            let query = self.query_fields(at, &object.fields);
            let update = update_fields(&object.fields, &stores);
            self.push_input(at, format!("{}QueryInput", object.name), query);
            self.push_input(
                at,
                format!("{}InsertInput", object.name),
                stores.iter().map(Store::insert).collect(),
            );
            self.push_input(at, format!("{}UpdateInput", object.name), update);
        }
        for (name, relation) in relations.made {
            let input = self.relation_input(name, &relation);
            self.catalog.inputs.push(input);
        }
        let names = self.catalog.inputs.iter().enumerate();
        self.catalog.inputs_by_name =
            names.map(|(place, input)| (input.name.clone(), InputIndex(place))).collect();
    }

    /// Pushes an input, its fields sorted. Of two fields with one name the earlier stays.
    fn push_input(&mut self, object: ObjectIndex, name: String, fields: Vec<InputField>) {
        let mut kept: Vec<InputField> = Vec::with_capacity(fields.len());
        let mut seen = std::collections::HashSet::new();
        for field in fields {
            // Names starting `__` belong to introspection (`_` with `_exists`).
            if !field.name.starts_with("__") && seen.insert(field.name.clone()) {
                kept.push(field);
            } else if let Some(origin) = self.origins.get(object.0) {
                let message =
                    format!("`{}` of `{name}` has no free GraphQL name and is left out", field.name);
                self.report.warn(&origin.file, &pointer_of(&field.meaning, &origin.pointer), message);
            }
        }
        self.catalog.inputs.push(finish(name, kept));
    }

    /// What each field takes in insert and update inputs.
    fn store_fields(
        &mut self,
        at: ObjectIndex,
        object: &ObjectType,
        relations: &mut RelationInputs,
    ) -> Vec<Store> {
        let mut stores = Vec::with_capacity(object.fields.len());
        for field in &object.fields {
            let relation = match &field.shape {
                Shape::Relation(relation) => Some(relation.clone()),
                _ => None,
            };
            let types = match &relation {
                Some(relation) => {
                    let name = self.relation_input_name(at, &object.name, field);
                    let input = InputType::Object(relations.add(name, relation.clone()));
                    (input.clone(), input)
                }
                None => (input_type(&field.shape, insert_input), input_type(&field.shape, update_input)),
            };
            stores.push(Store { field: field.clone(), relation, insert: types.0, update: types.1 });
        }
        stores
    }

    fn relation_input_name(&mut self, at: ObjectIndex, object: &str, field: &Field) -> String {
        let wanted = [relation_input_name(object, &field.name)];
        let name = self.names.take_single(&wanted);
        if let Some(origin) = self.origins.get(at.0)
            && let [wanted] = &wanted
            && *wanted != name
        {
            let message = format!("the GraphQL name `{wanted}` is taken; `{name}` is used");
            let pointer = property_pointer(&origin.pointer, &field.stored);
            self.report.warn(&origin.file, &pointer, message);
        }
        name
    }

    fn query_fields(&self, object: ObjectIndex, fields: &[Field]) -> Vec<InputField> {
        let own = list(InputType::NonNull(Box::new(InputType::Object(query_input(object)))));
        let mut all = vec![
            InputField { name: "AND".into(), ty: own.clone(), meaning: Meaning::And },
            InputField { name: "OR".into(), ty: own, meaning: Meaning::Or },
        ];
        // A stored key with a dot cannot be asked for: a path would read it as nesting.
        let askable = || fields.iter().filter(|field| !field.stored.contains('.'));
        let operators: Vec<_> = askable().map(|field| (field, self.operators(&field.shape))).collect();
        // Plain names first, so that a field `a_in` wins over the operator `in` of a field `a`.
        for is_plain in [true, false] {
            for (field, operators) in &operators {
                for (suffix, operator, ty) in
                    operators.iter().filter(|(suffix, ..)| suffix.is_empty() == is_plain)
                {
                    all.push(InputField {
                        name: format!("{}{suffix}", field.name),
                        ty: ty.clone(),
                        meaning: Meaning::Query { stored: field.stored.clone(), operator: operator.clone() },
                    });
                }
            }
        }
        all
    }

    /// The operators of a field, with the suffix of their name and their type.
    fn operators(&self, shape: &Shape) -> Vec<(&'static str, QueryOperator, InputType)> {
        let exists = ("_exists", QueryOperator::Exists, InputType::Scalar(Scalar::Boolean));
        let mut operators = match shape {
            Shape::Scalar(scalar) => scalar_operators(*scalar),
            Shape::Object(object) => {
                vec![("", QueryOperator::Embedded, InputType::Object(query_input(*object)))]
            }
            Shape::Relation(relation) => self.relation_operators(relation),
            Shape::List(items) => list_operators(items),
            Shape::Computed(_) => return Vec::new(),
        };
        operators.push(exists);
        operators
    }

    fn relation_operators(&self, relation: &Arc<Relation>) -> Vec<(&'static str, QueryOperator, InputType)> {
        let Some(query) = self.target(relation).map(query_input).map(InputType::Object) else {
            return Vec::new();
        };
        if !relation.is_list {
            return vec![("", QueryOperator::Related(relation.clone()), query)];
        }
        vec![
            ("", QueryOperator::EachRelated(relation.clone()), list(query.clone())),
            ("_in", QueryOperator::AnyRelated(relation.clone()), list(query.clone())),
            ("_nin", QueryOperator::NoRelated(relation.clone()), list(query)),
        ]
    }

    fn relation_input(&self, name: String, relation: &Relation) -> InputObject {
        let many = |ty: InputType| if relation.is_list { list(ty) } else { ty };
        let create = self.target(relation).map(|object| InputField {
            name: "create".into(),
            ty: many(InputType::Object(insert_input(object))),
            meaning: Meaning::Create,
        });
        let link = InputField {
            name: "link".into(),
            ty: many(InputType::Scalar(relation.key)),
            meaning: Meaning::Link,
        };
        finish(name, create.into_iter().chain([link]).collect())
    }

    fn target(&self, relation: &Relation) -> Option<ObjectIndex> {
        self.catalog.collections.get(relation.target.0).map(|collection| collection.object)
    }
}

/// Where the property of an input's field stands.
fn pointer_of(meaning: &Meaning, object: &str) -> String {
    match meaning {
        Meaning::Query { stored, .. }
        | Meaning::Set { stored, .. }
        | Meaning::Unset { stored }
        | Meaning::Increment { stored } => property_pointer(object, stored),
        Meaning::And | Meaning::Or | Meaning::Create | Meaning::Link | Meaning::Member => object.to_owned(),
    }
}

/// Relation inputs, to be put behind the inputs of the objects.
struct RelationInputs {
    first: usize,
    made: Vec<(String, Arc<Relation>)>,
}

impl RelationInputs {
    fn add(&mut self, name: String, relation: Arc<Relation>) -> InputIndex {
        self.made.push((name, relation));
        InputIndex(self.first + self.made.len() - 1)
    }
}

/// What a field takes when it is stored.
struct Store {
    field: Field,
    relation: Option<Arc<Relation>>,
    insert: InputType,
    update: InputType,
}

impl Store {
    fn insert(&self) -> InputField {
        let ty = self.insert.clone();
        let ty = if self.field.required { InputType::NonNull(Box::new(ty)) } else { ty };
        self.set(ty)
    }

    fn set(&self, ty: InputType) -> InputField {
        let meaning = Meaning::Set { stored: self.field.stored.clone(), relation: self.relation.clone() };
        InputField { name: self.field.name.clone(), ty, meaning }
    }
}

fn update_fields(fields: &[Field], stores: &[Store]) -> Vec<InputField> {
    let mut all: Vec<InputField> = stores.iter().map(|store| store.set(store.update.clone())).collect();
    for field in fields {
        let stored = field.stored.clone();
        all.push(InputField {
            name: format!("{}_unset", field.name),
            ty: InputType::Scalar(Scalar::Boolean),
            meaning: Meaning::Unset { stored: stored.clone() },
        });
        // Not for `Long`: the original has none.
        if let Shape::Scalar(scalar @ (Scalar::Int | Scalar::Float | Scalar::Decimal)) = field.shape {
            all.push(InputField {
                name: format!("{}_inc", field.name),
                ty: InputType::Scalar(scalar),
                meaning: Meaning::Increment { stored },
            });
        }
    }
    all
}

fn scalar_operators(scalar: Scalar) -> Vec<(&'static str, QueryOperator, InputType)> {
    let ty = InputType::Scalar(scalar);
    let mut operators = vec![("", QueryOperator::Eq, ty.clone()), ("_ne", QueryOperator::Ne, ty.clone())];
    // The original has no ranges and no lists for `Boolean`.
    if scalar != Scalar::Boolean {
        operators.extend([
            ("_gt", QueryOperator::Gt, ty.clone()),
            ("_gte", QueryOperator::Gte, ty.clone()),
            ("_lt", QueryOperator::Lt, ty.clone()),
            ("_lte", QueryOperator::Lte, ty.clone()),
            ("_in", QueryOperator::In, list(ty.clone())),
            ("_nin", QueryOperator::Nin, list(ty)),
        ]);
    }
    operators
}

/// Operators of a list: whole-array equality and overlap for values, element matches for objects.
/// A list of lists of objects has none but `_exists`: the original gives them no meaning.
fn list_operators(items: &Shape) -> Vec<(&'static str, QueryOperator, InputType)> {
    let ty = list(input_type(items, query_input));
    let operators = match items {
        Shape::Object(_) => (QueryOperator::EachElement, QueryOperator::AnyElement, QueryOperator::NoElement),
        _ if holds_values(items) => (QueryOperator::Eq, QueryOperator::In, QueryOperator::Nin),
        _ => return Vec::new(),
    };
    vec![("", operators.0, ty.clone()), ("_in", operators.1, ty.clone()), ("_nin", operators.2, ty)]
}

fn holds_values(shape: &Shape) -> bool {
    match shape {
        Shape::Scalar(_) => true,
        Shape::List(items) => holds_values(items),
        Shape::Object(_) | Shape::Relation(_) | Shape::Computed(_) => false,
    }
}

/// The input type of a shape; relations are inputs of their own and stand only on fields.
fn input_type(shape: &Shape, object: fn(ObjectIndex) -> InputIndex) -> InputType {
    match shape {
        Shape::Scalar(scalar) => InputType::Scalar(*scalar),
        Shape::Object(index) => InputType::Object(object(*index)),
        Shape::List(items) => list(input_type(items, object)),
        Shape::Relation(relation) => InputType::Scalar(relation.key),
        // Resolvers are added when all inputs are there.
        Shape::Computed(_) => InputType::Scalar(Scalar::String),
    }
}

pub(super) fn list(ty: InputType) -> InputType {
    InputType::List(Box::new(ty))
}

/// An input with its fields sorted.
pub(super) fn finish(name: String, mut fields: Vec<InputField>) -> InputObject {
    fields.sort_by(|a, b| a.name.cmp(&b.name));
    let by_name = positions(fields.iter().map(|field| field.name.as_str()));
    InputObject { name, fields, by_name }
}
