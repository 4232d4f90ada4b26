//! The objects of a level that a function computes a field of.

use std::collections::HashMap;

use bson::{Document, RawBsonRef, RawDocument};

use super::level::Level;
use super::resolve::address;
use crate::filter::raw;
use crate::rules::Visibility;

/// The places of the objects at a path by their addresses, and the objects as the actor may read them. What is
/// not shown as a whole is not among them.
pub(super) fn parents(level: &Level, path: &[String]) -> (HashMap<usize, usize>, Vec<Document>) {
    let mut found = Parents::default();
    for (index, document) in level.documents.iter().enumerate() {
        let seen = level.visibility(document);
        if !matches!(seen, Visibility::Hidden) && level.misfit(index).is_none() {
            found.object(document, path, seen);
        }
    }
    (found.places, found.sources)
}

#[derive(Default)]
struct Parents {
    places: HashMap<usize, usize>,
    sources: Vec<Document>,
}

impl Parents {
    fn object(&mut self, object: &RawDocument, path: &[String], seen: Visibility<'_>) {
        match path.split_first() {
            None => {
                self.places.insert(address(object), self.sources.len());
                self.sources.push(seen.readable_part(object));
            }
            Some((key, rest)) => {
                if let Some(value) = raw::get(object, key) {
                    self.value(value, rest, seen.field(key));
                }
            }
        }
    }

    fn value(&mut self, value: RawBsonRef<'_>, path: &[String], seen: Visibility<'_>) {
        match value {
            RawBsonRef::Document(inner) if !seen.hides_all_of(inner) => self.object(inner, path, seen),
            RawBsonRef::Array(array) if !matches!(seen, Visibility::Hidden) => {
                array.into_iter().map_while(Result::ok).for_each(|item| self.value(item, path, seen));
            }
            _ => {}
        }
    }
}
