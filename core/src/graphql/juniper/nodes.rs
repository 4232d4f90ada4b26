//! The catalog as juniper types.
//!
//! One Rust type stands for every output type, one for every input object, one for every enum; which one
//! it is, is in the [`NodeInfo`]. `Query` registers everything by name in one flat loop, so that neither
//! cycles nor long chains of relations make juniper recurse.

use std::sync::Arc;

use juniper::meta::{Argument, DeprecationStatus, EnumValue, Field, MetaType};
use juniper::{
    ArcStr, Arguments, ExecutionResult, Executor, FieldError, FromInputValue, GraphQLType, GraphQLValue, ID,
    InputValue, Registry, Type,
};

use crate::graphql::build::ARGUMENT;
use crate::graphql::catalog::{Catalog, CollectionIndex, InputType, Operation, Resolution, RootField, Shape};
use crate::graphql::scalars::{DateTimeScalar, IntScalar, Literal, LongScalar, ObjectIdScalar};

/// Any output type.
pub(in crate::graphql) struct Node;

/// Any input object.
struct InputNode;

/// Any enum.
struct EnumNode;

/// Which type a node is.
#[derive(Clone)]
pub(in crate::graphql) struct NodeInfo {
    catalog: Arc<Catalog>,
    name: ArcStr,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Query,
    Mutation,
    Object(usize),
    Input(usize),
    Enum(usize),
    Payload(Payload),
}

/// What the mutations of many documents answer: name, and its fields of `Int!`.
type Payload = &'static (&'static str, &'static [&'static str]);

const INSERT_MANY: Payload = &("InsertManyPayload", &[]);
const UPDATE_MANY: Payload = &("UpdateManyPayload", &["matchedCount", "modifiedCount"]);
const DELETE_MANY: Payload = &("DeleteManyPayload", &["deletedCount"]);

impl NodeInfo {
    pub(super) fn query(catalog: &Arc<Catalog>) -> Self {
        Self { catalog: catalog.clone(), name: "Query".into(), kind: Kind::Query }
    }

    pub(super) fn mutation(catalog: &Arc<Catalog>) -> Self {
        // juniper takes this name for "there is no mutation".
        let name = if catalog.mutations.is_empty() { "_EmptyMutation" } else { "Mutation" };
        Self { catalog: catalog.clone(), name: name.into(), kind: Kind::Mutation }
    }

    fn at(&self, name: &str, kind: Kind) -> Self {
        Self { catalog: self.catalog.clone(), name: name.into(), kind }
    }

    fn fields(&self) -> Vec<Field<Literal>> {
        match self.kind {
            Kind::Query if self.catalog.queries.is_empty() => {
                vec![field("_empty", Type::nullable("Boolean"), None)]
            }
            Kind::Query => self.catalog.queries.iter().map(|root| self.root_field(root)).collect(),
            Kind::Mutation => self.catalog.mutations.iter().map(|root| self.root_field(root)).collect(),
            Kind::Object(place) => {
                let fields = self.catalog.objects.get(place).map(|object| object.fields.as_slice());
                let shaped = fields.unwrap_or_default().iter().map(|one| {
                    let ty = self.output(&one.shape);
                    let ty = if one.required { ty.wrap_non_null() } else { ty };
                    field(&one.name, ty, self.computed_arguments(&one.shape))
                });
                shaped.collect()
            }
            Kind::Payload(INSERT_MANY) => {
                vec![field("insertedIds", Type::nullable("ObjectId").wrap_list(None).wrap_non_null(), None)]
            }
            Kind::Payload((_, counts)) => {
                counts.iter().map(|name| field(name, Type::nullable("Int").wrap_non_null(), None)).collect()
            }
            Kind::Input(_) | Kind::Enum(_) => Vec::new(),
        }
    }

    fn root_field(&self, root: &RootField) -> Field<Literal> {
        let ty = match root.resolution {
            Resolution::Collection(collection, operation) => self.answer(collection, operation),
            Resolution::Custom(index) => self.output(&Shape::Computed(index)),
        };
        let arguments = root.arguments.iter().map(|(name, ty, default)| {
            let argument = Argument::new(*name, self.input(ty));
            match default.and_then(|text| text.parse::<i32>().ok()) {
                Some(number) => argument.default_value(InputValue::scalar(number)),
                None => argument,
            }
        });
        field(&root.name, ty, Some(arguments.collect()))
    }

    fn answer(&self, collection: CollectionIndex, operation: Operation) -> Type {
        let own = || {
            let object = self.catalog.collections.get(collection.0).map(|collection| collection.object.0);
            self.object_type(object)
        };
        match operation {
            Operation::FindMany => own().wrap_list(None).wrap_non_null(),
            Operation::InsertMany => Type::nullable(INSERT_MANY.0),
            Operation::UpdateMany => Type::nullable(UPDATE_MANY.0),
            Operation::DeleteMany => Type::nullable(DELETE_MANY.0),
            Operation::FindOne
            | Operation::InsertOne
            | Operation::UpdateOne
            | Operation::UpsertOne
            | Operation::ReplaceOne
            | Operation::DeleteOne => own(),
        }
    }

    fn computed_arguments(&self, shape: &Shape) -> Option<Vec<Argument<Literal>>> {
        let Shape::Computed(index) = shape else { return None };
        let input = self.catalog.resolvers.get(index.0)?.input.as_ref()?;
        Some(vec![Argument::new(ARGUMENT, self.input(input))])
    }

    fn output(&self, shape: &Shape) -> Type {
        match shape {
            Shape::Scalar(scalar) => Type::nullable(scalar.name()),
            Shape::Object(object) => self.object_type(Some(object.0)),
            Shape::List(items) => self.output(items).wrap_list(None),
            Shape::Relation(relation) => {
                let target = self.catalog.collections.get(relation.target.0);
                let ty = self.object_type(target.map(|collection| collection.object.0));
                if relation.is_list { ty.wrap_list(None) } else { ty }
            }
            Shape::Computed(index) => match self.catalog.resolvers.get(index.0) {
                Some(resolver) => self.output(&resolver.payload),
                None => self.object_type(None),
            },
        }
    }

    fn object_type(&self, place: Option<usize>) -> Type {
        let object = place.and_then(|place| self.catalog.objects.get(place));
        Type::nullable(object.map_or("Boolean", |object| object.name.as_str()))
    }

    fn input(&self, ty: &InputType) -> Type {
        match ty {
            InputType::Scalar(scalar) => Type::nullable(scalar.name()),
            InputType::Enum(place) => {
                Type::nullable(self.catalog.enums.get(*place).map_or("String", |found| found.name.as_str()))
            }
            InputType::Object(place) => {
                Type::nullable(self.catalog.inputs.get(place.0).map_or("String", |found| found.name.as_str()))
            }
            InputType::List(items) => self.input(items).wrap_list(None),
            InputType::NonNull(inner) => self.input(inner).wrap_non_null(),
        }
    }

    /// Registers every type of the schema but the two roots.
    fn register_all(&self, registry: &mut Registry<Literal>) {
        registry.get_type::<IntScalar>(&());
        registry.get_type::<f64>(&());
        registry.get_type::<ID>(&());
        registry.get_type::<LongScalar>(&());
        registry.get_type::<ObjectIdScalar>(&());
        registry.get_type::<DateTimeScalar>(&());
        for (place, object) in self.catalog.objects.iter().enumerate() {
            registry.get_type::<Node>(&self.at(&object.name, Kind::Object(place)));
        }
        for (place, input) in self.catalog.inputs.iter().enumerate() {
            registry.get_type::<InputNode>(&self.at(&input.name, Kind::Input(place)));
        }
        for (place, found) in self.catalog.enums.iter().enumerate() {
            registry.get_type::<EnumNode>(&self.at(&found.name, Kind::Enum(place)));
        }
        if !self.catalog.collections.is_empty() {
            for payload in [INSERT_MANY, UPDATE_MANY, DELETE_MANY] {
                registry.get_type::<Node>(&self.at(payload.0, Kind::Payload(payload)));
            }
        }
    }
}

impl GraphQLType<Literal> for Node {
    fn name(info: &NodeInfo) -> Option<ArcStr> {
        Some(info.name.clone())
    }

    fn meta(info: &NodeInfo, registry: &mut Registry<Literal>) -> MetaType<Literal> {
        if let Kind::Query = info.kind {
            info.register_all(registry);
        }
        registry.build_object_type::<Self>(info, &info.fields()).into_meta()
    }
}

impl GraphQLType<Literal> for InputNode {
    fn name(info: &NodeInfo) -> Option<ArcStr> {
        Some(info.name.clone())
    }

    fn meta(info: &NodeInfo, registry: &mut Registry<Literal>) -> MetaType<Literal> {
        let input = match info.kind {
            Kind::Input(place) => info.catalog.inputs.get(place),
            _ => None,
        };
        let fields = input.map(|input| input.fields.as_slice()).unwrap_or_default();
        let arguments: Vec<_> =
            fields.iter().map(|one| Argument::new(one.name.as_str(), info.input(&one.ty))).collect();
        registry.build_input_object_type::<Self>(info, &arguments).into_meta()
    }
}

impl GraphQLType<Literal> for EnumNode {
    fn name(info: &NodeInfo) -> Option<ArcStr> {
        Some(info.name.clone())
    }

    fn meta(info: &NodeInfo, registry: &mut Registry<Literal>) -> MetaType<Literal> {
        let found = match info.kind {
            Kind::Enum(place) => info.catalog.enums.get(place),
            _ => None,
        };
        let values = found.map(|found| found.values.as_slice()).unwrap_or_default();
        let values: Vec<_> = values.iter().map(|(name, ..)| EnumValue::new(name.as_str())).collect();
        registry.build_enum_type::<Self>(info, &values).into_meta()
    }
}

macro_rules! values {
    ($($type:ident)*) => {$(
        impl GraphQLValue<Literal> for $type {
            type Context = ();
            type TypeInfo = NodeInfo;

            fn type_name(&self, info: &NodeInfo) -> Option<ArcStr> {
                <Self as GraphQLType<Literal>>::name(info)
            }

            fn concrete_type_name(&self, (): &(), info: &NodeInfo) -> String {
                info.name.to_string()
            }

            fn resolve_field(
                &self,
                _: &NodeInfo,
                _: &str,
                _: &Arguments<'_, Literal>,
                _: &Executor<'_, '_, (), Literal>,
            ) -> ExecutionResult<Literal> {
                Err("data is not executed here".into())
            }
        }
    )*};
}

values! { Node InputNode EnumNode }

impl FromInputValue<Literal> for InputNode {
    type Error = FieldError<Literal>;

    fn from_input_value(value: &InputValue<Literal>) -> Result<Self, Self::Error> {
        match value {
            InputValue::Object(_) => Ok(Self),
            _ => Err("not an input object".into()),
        }
    }
}

/// Takes any enum value: juniper gives no way to see which enum is meant, so the values are checked by
/// our own pass over the document.
impl FromInputValue<Literal> for EnumNode {
    type Error = FieldError<Literal>;

    fn from_input_value(value: &InputValue<Literal>) -> Result<Self, Self::Error> {
        match value {
            InputValue::Enum(_) => Ok(Self),
            _ => Err("not an enum value".into()),
        }
    }
}

fn field(name: &str, field_type: Type, arguments: Option<Vec<Argument<Literal>>>) -> Field<Literal> {
    Field {
        name: name.into(),
        description: None,
        arguments,
        field_type,
        deprecation_status: DeprecationStatus::Current,
    }
}
