//! The payload types as types that custom resolvers may answer (app-services.md, sections 5.4 and 5.8).
//!
//! Mutations write their payloads by themselves. A type of the same name and fields joins the catalog when a resolver
//! asks for it.

use std::collections::HashMap;

use super::{Builder, Origin, positions};
use crate::graphql::catalog::{Field, ObjectIndex, Scalar, Shape};

/// What a resolver without a payload type answers.
pub(super) const DEFAULT_PAYLOAD: &str = "DefaultPayload";

/// A payload type: its name, and its fields, which are never null.
pub(super) struct Payload(&'static str, &'static [(&'static str, Kind)]);

enum Kind {
    One(Scalar),
    Many(Scalar),
}

pub(super) const DEFAULT: Payload = Payload(DEFAULT_PAYLOAD, &[("status", Kind::One(Scalar::String))]);

/// Those of the mutations of many documents.
const OF_MUTATIONS: [Payload; 3] = [
    Payload("InsertManyPayload", &[("insertedIds", Kind::Many(Scalar::ObjectId))]),
    Payload(
        "UpdateManyPayload",
        &[("matchedCount", Kind::One(Scalar::Int)), ("modifiedCount", Kind::One(Scalar::Int))],
    ),
    Payload("DeleteManyPayload", &[("deletedCount", Kind::One(Scalar::Int))]),
];

/// The payload types that were made.
pub(super) type Payloads = HashMap<&'static str, ObjectIndex>;

impl Builder<'_, '_> {
    /// The payload of that name, if mutations of this app have it.
    pub(super) fn payload_named(&self, name: &str) -> Option<&'static Payload> {
        let known = if self.catalog.collections.is_empty() { &[][..] } else { &OF_MUTATIONS };
        known.iter().find(|payload| payload.0 == name)
    }

    /// The type of a payload, made when it is not there.
    pub(super) fn payload(&mut self, Payload(name, fields): &Payload, made: &mut Payloads) -> ObjectIndex {
        if let Some(known) = made.get(name) {
            return *known;
        }
        let origin = Origin { file: String::new(), pointer: String::new(), prefix: (*name).to_owned() };
        let object = self.push_object(name, origin);
        let field = |(name, kind): &(&'static str, Kind)| {
            let shape = match kind {
                Kind::One(scalar) => Shape::Scalar(*scalar),
                Kind::Many(scalar) => Shape::List(Box::new(Shape::Scalar(*scalar))),
            };
            Field { name: (*name).to_owned(), stored: (*name).to_owned(), shape, required: true }
        };
        if let Some(made) = self.catalog.objects.get_mut(object.0) {
            made.by_name = positions(fields.iter().map(|(name, _)| *name));
            made.fields = fields.iter().map(field).collect();
        }
        made.insert(name, object);
        object
    }
}
