//! `$lookup`: documents of another collection that belong to each document.

use std::collections::HashMap;

use bson::{Bson, Document};

use super::stage::{Foreign, Stage, put, run_all};
use crate::data::expression::{Expression, Scope};
use crate::filter::{Direction, key};

/// A join with another collection of the same database.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lookup {
    pub(super) from: String,
    pub(super) into: String,
    /// Equality of two fields; `None` where the pipeline alone decides.
    pub(super) join: Option<Join>,
    pub(super) variables: Vec<(String, Expression)>,
    pub(super) stages: Vec<Stage>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Join {
    pub(super) local: Vec<String>,
    pub(super) foreign: Vec<String>,
}

impl Lookup {
    pub(super) fn run(
        &self,
        documents: Vec<Document>,
        (scope, foreign): (Scope<'_>, &Foreign),
    ) -> Result<Vec<Document>, String> {
        let none = Vec::new();
        let others = foreign.get(&self.from).unwrap_or(&none);
        let index = self.join.as_ref().map(|join| join.index(others));
        let into: Vec<String> = self.into.split('.').map(str::to_owned).collect();
        let mut joined = Vec::with_capacity(documents.len());
        for mut document in documents {
            let matching: Vec<Document> = match (&self.join, &index) {
                (Some(join), Some(index)) => join
                    .places(&document, index)
                    .iter()
                    .filter_map(|place| others.get(*place))
                    .cloned()
                    .collect(),
                _ => others.clone(),
            };
            scope.budget.spend(u64::try_from(matching.len()).unwrap_or(u64::MAX))?;
            let found = {
                let mut variables = scope.variables.to_vec();
                for (name, value) in &self.variables {
                    variables.push((name.clone(), value.evaluate(Scope { root: &document, ..scope })?));
                }
                let inside = Scope { variables: &variables, ..scope };
                run_all(&self.stages, matching, (inside, foreign))?
            };
            let found = Bson::Array(found.into_iter().map(Bson::Document).collect());
            scope.budget.keep(&found)?;
            put(&mut document, &into, Some(found));
            joined.push(document);
        }
        Ok(joined)
    }
}

impl Join {
    /// The places of the others by the keys of their field.
    fn index(&self, others: &[Document]) -> HashMap<Vec<u8>, Vec<usize>> {
        let mut index: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (place, other) in others.iter().enumerate() {
            for key in keys(other, &self.foreign) {
                let places = index.entry(key).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        index
    }

    fn places(&self, document: &Document, index: &HashMap<Vec<u8>, Vec<usize>>) -> Vec<usize> {
        let mut places: Vec<usize> =
            keys(document, &self.local).iter().filter_map(|key| index.get(key)).flatten().copied().collect();
        places.sort_unstable();
        places.dedup();
        places
    }
}

/// What a field is found by: its value, or each of its elements; nothing counts as null.
fn keys(document: &Document, path: &[String]) -> Vec<Vec<u8>> {
    let encoded = |value: &Bson| key::encode(value, Direction::Ascending);
    let mut values = Vec::new();
    gather(&Bson::Document(document.clone()), path, &mut values);
    if values.is_empty() {
        values.push(Bson::Null);
    }
    values.iter().map(encoded).collect()
}

fn gather(value: &Bson, path: &[String], values: &mut Vec<Bson>) {
    match (value, path.split_first()) {
        (Bson::Array(elements), _) => elements.iter().for_each(|element| gather(element, path, values)),
        (value, None) => values.push(value.clone()),
        (Bson::Document(inner), Some((first, rest))) => {
            if let Some(value) = inner.get(first) {
                gather(value, rest, values);
            }
        }
        _ => {}
    }
}
