//! Root fields and sort enums (app-services.md, sections 5.4 and 5.6).

use super::inputs::{insert_input, query_input, update_input};
use super::objects::property_pointer;
use super::{Builder, RootNames};
use crate::filter::{Direction, FieldPath};
use crate::graphql::catalog::{
    CollectionIndex, InputType, ObjectIndex, Operation, Resolution, RootField, Scalar, Shape, SortEnum,
};

type Arguments = Vec<(&'static str, InputType, Option<&'static str>)>;

impl Builder<'_, '_> {
    /// Adds the sort enums and the fields of `Query` and `Mutation`, sorted by name.
    pub(super) fn add_roots(&mut self) {
        for (place, names) in std::mem::take(&mut self.roots).iter().enumerate() {
            let Some(object) = self.catalog.collections.get(place).map(|api| api.object) else { continue };
            let sort = self.add_sort_enum(object);
            self.add_fields(CollectionIndex(place), object, names, sort);
        }
        self.catalog.queries.sort_by(|a, b| a.name.cmp(&b.name));
        self.catalog.mutations.sort_by(|a, b| a.name.cmp(&b.name));
    }

    fn add_fields(
        &mut self,
        collection: CollectionIndex,
        object: ObjectIndex,
        names: &RootNames,
        sort: Option<usize>,
    ) {
        let query = || ("query", InputType::Object(query_input(object)), None);
        let asked = || ("query", required(InputType::Object(query_input(object))), None);
        let data = || ("data", required(InputType::Object(insert_input(object))), None);
        let set = || ("set", required(InputType::Object(update_input(object))), None);
        let many = required(InputType::List(Box::new(required(InputType::Object(insert_input(object))))));
        let mut page: Arguments = vec![query(), ("limit", InputType::Scalar(Scalar::Int), Some("100"))];
        page.extend(sort.map(|place| ("sortBy", InputType::Enum(place), None)));

        let (one, all) = (&names.one, &names.many);
        let field = |name: String, operation: Operation, arguments: Arguments| RootField {
            name,
            resolution: Resolution::Collection(collection, operation),
            arguments,
        };
        self.catalog.queries.extend([
            field(names.singular.clone(), Operation::FindOne, vec![query()]),
            field(names.plural.clone(), Operation::FindMany, page),
        ]);
        self.catalog.mutations.extend([
            field(format!("insertOne{one}"), Operation::InsertOne, vec![data()]),
            field(format!("insertMany{all}"), Operation::InsertMany, vec![("data", many, None)]),
            field(format!("updateOne{one}"), Operation::UpdateOne, vec![query(), set()]),
            field(format!("updateMany{all}"), Operation::UpdateMany, vec![query(), set()]),
            field(format!("upsertOne{one}"), Operation::UpsertOne, vec![query(), data()]),
            field(format!("replaceOne{one}"), Operation::ReplaceOne, vec![query(), data()]),
            field(format!("deleteOne{one}"), Operation::DeleteOne, vec![asked()]),
            field(format!("deleteMany{all}"), Operation::DeleteMany, vec![query()]),
        ]);
    }

    /// The sort enum of a collection: scalars but `Boolean`, and to-one relations by their key.
    fn add_sort_enum(&mut self, object: ObjectIndex) -> Option<usize> {
        let (object, origin) = (self.catalog.objects.get(object.0)?, self.origins.get(object.0)?);
        let mut values: Vec<(String, FieldPath, Direction)> = Vec::new();
        for field in &object.fields {
            let sorts = match &field.shape {
                Shape::Scalar(scalar) => *scalar != Scalar::Boolean,
                Shape::Relation(relation) => !relation.is_list,
                Shape::Object(_) | Shape::List(_) | Shape::Computed(_) => false,
            };
            if !sorts || field.stored.contains('.') {
                continue;
            }
            let upper = field.name.to_ascii_uppercase();
            let pair = [
                (format!("{upper}_ASC"), Direction::Ascending),
                (format!("{upper}_DESC"), Direction::Descending),
            ];
            let taken = |name: &str| name.starts_with("__") || values.iter().any(|(value, ..)| value == name);
            if pair.iter().any(|(name, _)| taken(name)) {
                let message = format!("cannot sort by `{}`: `{upper}` is taken", field.stored);
                let pointer = property_pointer(&origin.pointer, &field.stored);
                self.report.warn(&origin.file, &pointer, message);
                continue;
            }
            values.extend(pair.map(|(name, way)| (name, FieldPath::from(field.stored.as_str()), way)));
        }
        if values.is_empty() {
            return None;
        }
        values.sort_by(|a, b| a.0.cmp(&b.0));
        let name = format!("{}SortByInput", object.name);
        let place = self.catalog.enums.len();
        self.catalog.enums_by_name.insert(name.clone(), place);
        self.catalog.enums.push(SortEnum { name, values });
        Some(place)
    }
}

fn required(ty: InputType) -> InputType {
    InputType::NonNull(Box::new(ty))
}
