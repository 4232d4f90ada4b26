//! The stages, run.

use std::collections::HashMap;

use bson::{Bson, Document, RawDocumentBuf};

use super::group::Group;
use super::lookup::Lookup;
use crate::data::expression::{Expression, Scope};
use crate::data::number::narrow;
use crate::data::shape::Shape;
use crate::filter::key::sort_key;
use crate::filter::{Direction, Filter, SortKey, matches};

type Outcome<T> = Result<T, String>;

/// The documents of other collections, by the name of the collection.
pub(super) type Foreign = HashMap<String, Vec<Document>>;

/// A stage that was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stage {
    Match(Filter),
    /// `$project`, `$addFields`, `$set` and `$unset`.
    Shape(Shape),
    Sort(Vec<SortKey>),
    Skip(u64),
    Limit(u64),
    Group(Group),
    SortByCount(Group),
    Unwind(Unwind),
    Count(String),
    ReplaceRoot(Expression),
    Lookup(Lookup),
}

/// One document for each element of an array.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unwind {
    pub(super) path: Vec<String>,
    /// Where the element's place is put.
    pub(super) index: Option<String>,
    /// Whether documents without elements stay.
    pub(super) keeps_empty: bool,
}

pub(super) fn run_all(
    stages: &[Stage],
    mut documents: Vec<Document>,
    (scope, foreign): (Scope<'_>, &Foreign),
) -> Outcome<Vec<Document>> {
    for stage in stages {
        scope.budget.spend(u64::try_from(documents.len()).unwrap_or(u64::MAX))?;
        scope.budget.begin_stage();
        documents = stage.run(documents, (scope, foreign))?;
        keep_all(&documents, scope)?;
    }
    Ok(documents)
}

/// Takes the room of what a stage has made.
fn keep_all(documents: &[Document], scope: Scope<'_>) -> Outcome<()> {
    scope.budget.begin_stage();
    documents.iter().try_for_each(|document| keep(document, scope))
}

/// Takes the room of a document that a stage is making.
pub(super) fn keep(document: &Document, scope: Scope<'_>) -> Outcome<()> {
    document.values().try_for_each(|value| scope.budget.keep(value))
}

/// The collections that stages name, those of inner pipelines too.
pub(super) fn foreign(stages: &[Stage]) -> Vec<&str> {
    let lookups = stages.iter().filter_map(|stage| match stage {
        Stage::Lookup(lookup) => Some(lookup),
        _ => None,
    });
    lookups.flat_map(|lookup| std::iter::once(lookup.from.as_str()).chain(foreign(&lookup.stages))).collect()
}

impl Stage {
    fn run(
        &self,
        documents: Vec<Document>,
        (scope, foreign): (Scope<'_>, &Foreign),
    ) -> Outcome<Vec<Document>> {
        match self {
            Self::Match(filter) => filtered(documents, filter),
            Self::Shape(shape) => {
                let one = |document: &Document| {
                    let shaped = shape.apply(document, within(document, scope))?;
                    keep(&shaped, scope).map(|()| shaped)
                };
                documents.iter().map(one).collect()
            }
            Self::Sort(keys) => sorted(documents, keys),
            Self::Skip(count) => Ok(documents.into_iter().skip(size(*count)).collect()),
            Self::Limit(count) => Ok(documents.into_iter().take(size(*count)).collect()),
            Self::Group(group) => group.run(&documents, scope),
            Self::SortByCount(group) => {
                let by_count = SortKey { path: "count".into(), direction: Direction::Descending };
                sorted(group.run(&documents, scope)?, &[by_count])
            }
            Self::Unwind(unwind) => unwind.run(documents, scope),
            // As the original has it: no documents, no count.
            Self::Count(_) if documents.is_empty() => Ok(documents),
            Self::Count(name) => {
                let mut counted = Document::new();
                counted.insert(name.clone(), narrow(i64::try_from(documents.len()).unwrap_or(i64::MAX)));
                Ok(vec![counted])
            }
            Self::ReplaceRoot(root) => {
                let one = |document: &Document| match root.evaluate(within(document, scope))? {
                    Some(Bson::Document(root)) => Ok(root),
                    _ => Err("the new root must be an object".to_owned()),
                };
                documents.iter().map(one).collect()
            }
            Self::Lookup(lookup) => lookup.run(documents, (scope, foreign)),
        }
    }
}

fn within<'s>(document: &'s Document, scope: Scope<'s>) -> Scope<'s> {
    Scope { root: document, ..scope }
}

fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

pub(super) fn raw(document: &Document) -> Outcome<RawDocumentBuf> {
    RawDocumentBuf::try_from(document).map_err(|error| format!("a document cannot be read: {error}"))
}

fn filtered(documents: Vec<Document>, filter: &Filter) -> Outcome<Vec<Document>> {
    let mut kept = Vec::new();
    for document in documents {
        if matches(filter, &raw(&document)?) {
            kept.push(document);
        }
    }
    Ok(kept)
}

fn sorted(documents: Vec<Document>, keys: &[SortKey]) -> Outcome<Vec<Document>> {
    let keyed = |document: Document| Ok((sort_key(&raw(&document)?, keys), document));
    let mut keyed: Vec<(Vec<u8>, Document)> = documents.into_iter().map(keyed).collect::<Outcome<_>>()?;
    keyed.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(keyed.into_iter().map(|(_, document)| document).collect())
}

impl Unwind {
    fn run(&self, documents: Vec<Document>, scope: Scope<'_>) -> Outcome<Vec<Document>> {
        let mut unwound = Vec::new();
        for document in documents {
            let value = self.path.split_first().and_then(|(first, rest)| {
                rest.iter().try_fold(document.get(first)?, |value, key| value.as_document()?.get(key))
            });
            match value.cloned() {
                Some(Bson::Array(elements)) if !elements.is_empty() => {
                    scope.budget.spend(u64::try_from(elements.len()).unwrap_or(u64::MAX))?;
                    for (place, element) in elements.into_iter().enumerate() {
                        let place = Bson::Int64(i64::try_from(place).unwrap_or(i64::MAX));
                        keep(&document, scope)?;
                        unwound.push(self.with(document.clone(), Some(element), place));
                    }
                }
                Some(Bson::Array(_)) if self.keeps_empty => {
                    unwound.push(self.with(document, None, Bson::Null));
                }
                None | Some(Bson::Null | Bson::Undefined) if self.keeps_empty => {
                    let value = value_again(&document, &self.path);
                    unwound.push(self.with(document, value, Bson::Null));
                }
                None | Some(Bson::Array(_) | Bson::Null | Bson::Undefined) => {}
                Some(alone) => unwound.push(self.with(document, Some(alone), Bson::Null)),
            }
        }
        Ok(unwound)
    }

    fn with(&self, mut document: Document, element: Option<Bson>, place: Bson) -> Document {
        put(&mut document, &self.path, element);
        if let Some(name) = &self.index {
            let keys: Vec<String> = name.split('.').map(str::to_owned).collect();
            put(&mut document, &keys, Some(place));
        }
        document
    }
}

fn value_again(document: &Document, path: &[String]) -> Option<Bson> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(document.get(first)?, |value, key| value.as_document()?.get(key)).cloned()
}

/// Puts a value at a path of documents, or takes away what is there.
pub(super) fn put(document: &mut Document, path: &[String], value: Option<Bson>) {
    let Some((first, rest)) = path.split_first() else { return };
    match (value, rest.is_empty()) {
        (Some(value), true) => {
            document.insert(first.clone(), value);
        }
        (None, true) => {
            document.remove(first);
        }
        (value, false) => {
            if value.is_some() && !matches!(document.get(first), Some(Bson::Document(_))) {
                document.insert(first.clone(), Document::new());
            }
            if let Some(Bson::Document(inner)) = document.get_mut(first) {
                put(inner, rest, value);
            }
        }
    }
}
