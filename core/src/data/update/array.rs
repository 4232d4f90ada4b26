//! `$push` and `$pull`.

use std::cmp::Ordering;

use bson::{Bson, Document, RawDocumentBuf};

use crate::filter::{Filter, compare, equal, matches};

/// What `$push` adds, and what becomes of the array then.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Push {
    pub(super) values: Vec<Bson>,
    /// Where they are put: from the front, or negative from the end.
    pub(super) position: Option<i64>,
    /// How many stay: the first ones, or negative the last ones.
    pub(super) slice: Option<i64>,
    pub(super) sort: Option<Order>,
}

/// How an array is sorted.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Order {
    /// By the elements themselves.
    Whole { descending: bool },
    /// By fields of elements that are documents.
    Fields(Vec<(String, bool)>),
}

/// What `$pull` takes away.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pull {
    /// What equals one of these.
    Values(Vec<Bson>),
    /// Documents that the filter accepts.
    Documents(Filter),
    /// What the filter accepts as the field [`ELEMENT`] of a document.
    Tested(Filter),
}

/// The field in which [`Pull::Tested`] asks for an element.
pub(super) const ELEMENT: &str = "v";

impl Push {
    pub(super) fn onto(&self, mut elements: Vec<Bson>) -> Bson {
        let length = elements.len();
        let at = match self.position {
            None => length,
            Some(position) if position >= 0 => usize::try_from(position).unwrap_or(length).min(length),
            Some(position) => {
                length.saturating_sub(usize::try_from(position.unsigned_abs()).unwrap_or(length))
            }
        };
        elements.splice(at..at, self.values.iter().cloned());
        if let Some(order) = &self.sort {
            elements.sort_by(|one, other| order.of(one, other));
        }
        match self.slice {
            None => {}
            Some(first) if first >= 0 => elements.truncate(usize::try_from(first).unwrap_or(usize::MAX)),
            Some(last) => {
                let kept = usize::try_from(last.unsigned_abs()).unwrap_or(usize::MAX);
                elements.drain(..elements.len().saturating_sub(kept));
            }
        }
        Bson::Array(elements)
    }
}

impl Order {
    fn of(&self, one: &Bson, other: &Bson) -> Ordering {
        let directed = |order: Ordering, descending| if descending { order.reverse() } else { order };
        match self {
            Self::Whole { descending } => directed(compare(one, other), *descending),
            Self::Fields(fields) => fields
                .iter()
                .map(|(path, descending)| {
                    directed(compare(&field(one, path), &field(other, path)), *descending)
                })
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal),
        }
    }
}

/// The value at a path of an element; null where there is none.
fn field(element: &Bson, path: &str) -> Bson {
    let found = path.split('.').try_fold(element, |value, key| value.as_document()?.get(key));
    found.cloned().unwrap_or(Bson::Null)
}

impl Pull {
    pub(super) fn from(&self, elements: Vec<Bson>) -> Result<Vec<Bson>, String> {
        let mut kept = Vec::with_capacity(elements.len());
        for element in elements {
            if !self.takes(&element)? {
                kept.push(element);
            }
        }
        Ok(kept)
    }

    fn takes(&self, element: &Bson) -> Result<bool, String> {
        match self {
            Self::Values(values) => Ok(values.iter().any(|value| equal(value, element))),
            Self::Documents(filter) => match element {
                Bson::Document(document) => accepts(filter, document),
                _ => Ok(false),
            },
            Self::Tested(filter) => {
                let mut wrapped = Document::new();
                wrapped.insert(ELEMENT, element.clone());
                accepts(filter, &wrapped)
            }
        }
    }
}

fn accepts(filter: &Filter, document: &Document) -> Result<bool, String> {
    let raw = RawDocumentBuf::try_from(document).map_err(|error| error.to_string())?;
    Ok(matches(filter, &raw))
}
