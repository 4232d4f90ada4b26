//! Which GraphQL names are taken.

use std::collections::HashSet;

use crate::graphql::names::RootNames;

/// Types that exist whatever the collections are, or that the specification reserves.
const RESERVED: &[&str] = &[
    "Boolean",
    "DateTime",
    "DefaultPayload",
    "DeleteManyPayload",
    "Float",
    "ID",
    "InsertManyPayload",
    "Int",
    "Long",
    "Mutation",
    "ObjectId",
    "Query",
    "String",
    "Subscription",
    "UpdateManyPayload",
    "_EmptyMutation",
    "_EmptySubscription",
];

/// The suffixes of an object type's inputs.
const OBJECT_INPUTS: &[&str] = &["", "QueryInput", "InsertInput", "UpdateInput"];

/// Names in use. Types, inputs and enums share one space; root fields have their own.
#[derive(Default)]
pub(super) struct Names {
    types: HashSet<String>,
    fields: HashSet<String>,
}

impl Names {
    /// Takes the names of a collection's type; a number is appended where they clash.
    pub(super) fn take_root(&mut self, wanted: &str, natural: bool) -> RootNames {
        let mut names = RootNames::new(wanted, natural);
        for number in 2_usize.. {
            if self.is_root_free(&names) {
                break;
            }
            names = RootNames::new(&format!("{wanted}{number}"), natural);
        }
        self.take_types(&names.one, OBJECT_INPUTS);
        self.types.insert(format!("{}SortByInput", names.one));
        self.fields.extend(root_fields(&names));
        names
    }

    /// Takes the names of an embedded object's type: the first wish that is free, or the last with a number.
    pub(super) fn take_object(&mut self, wishes: &[String]) -> String {
        self.take(wishes, OBJECT_INPUTS)
    }

    /// Takes the name of a single type, which has no inputs: the first wish that is free, or the last with a
    /// number.
    pub(super) fn take_single(&mut self, wishes: &[String]) -> String {
        self.take(wishes, &[""])
    }

    fn take(&mut self, wishes: &[String], suffixes: &[&str]) -> String {
        let last = wishes.last().cloned().unwrap_or_default();
        let numbered = (2_usize..).map(|number| format!("{last}{number}"));
        let mut candidates = wishes.iter().cloned().chain(numbered).map(unreserve);
        let name = candidates.find(|name| self.are_free(name, suffixes)).unwrap_or_default();
        self.take_types(&name, suffixes);
        name
    }

    fn take_types(&mut self, name: &str, suffixes: &[&str]) {
        self.types.extend(suffixes.iter().map(|suffix| format!("{name}{suffix}")));
    }

    fn is_root_free(&self, names: &RootNames) -> bool {
        self.are_free(&names.one, OBJECT_INPUTS)
            && self.are_free(&names.one, &["SortByInput"])
            && root_fields(names).iter().all(|field| !self.fields.contains(field))
    }

    fn are_free(&self, name: &str, suffixes: &[&str]) -> bool {
        suffixes
            .iter()
            .map(|suffix| format!("{name}{suffix}"))
            .all(|name| !RESERVED.contains(&name.as_str()) && !self.types.contains(&name))
    }
}

/// Names starting `__` belong to introspection (GraphQL, section 2.1.9).
fn unreserve(name: String) -> String {
    if name.starts_with("__") { format!("T{name}") } else { name }
}

/// The root fields of a collection; queries and mutations in one space, which does no harm.
fn root_fields(names: &RootNames) -> Vec<String> {
    let mut fields = vec![names.singular.clone(), names.plural.clone()];
    fields.extend(
        ["insertOne", "updateOne", "upsertOne", "replaceOne", "deleteOne"]
            .map(|verb| format!("{verb}{}", names.one)),
    );
    fields.extend(["insertMany", "updateMany", "deleteMany"].map(|verb| format!("{verb}{}", names.many)));
    fields
}
