//! Queries as a client asks them, answered from what the client sees.

use std::cmp::Ordering;

use bson::{Bson, Document};

use super::roles::{Rules, Sight};
use super::value::{equals, lookup, ranges, sort_order};

/// A condition of a client, with MongoDB's meaning.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Equal, an array also by an element; null also when missing.
    Eq(String, Bson),
    /// Not equal.
    Ne(String, Bson),
    /// Greater, in the same bracket.
    Gt(String, Bson),
    /// Greater or equal.
    Gte(String, Bson),
    /// Less.
    Lt(String, Bson),
    /// Less or equal.
    Lte(String, Bson),
    /// Equal to one.
    In(String, Vec<Bson>),
    /// Equal to none.
    Nin(String, Vec<Bson>),
    /// Whether there is a value.
    Exists(String, bool),
    /// All.
    And(Vec<Condition>),
    /// Some.
    Or(Vec<Condition>),
    /// The opposite.
    Not(Box<Condition>),
}

/// A query: what matches, in which order, how many.
#[derive(Clone, Debug)]
pub struct Question {
    /// What matches.
    pub condition: Condition,
    /// Paths, and whether they descend.
    pub sort: Vec<(String, bool)>,
    /// How many at most.
    pub limit: Option<usize>,
}

/// How the document is looked into: every value at a path.
pub(super) type Look<'a> = dyn Fn(&str) -> Vec<Option<&'a Bson>> + 'a;

impl Condition {
    /// Whether a document matches, as far as `look` sees into it.
    pub(super) fn matches(&self, look: &Look<'_>) -> bool {
        let any = |path: &str, test: &dyn Fn(Option<&Bson>) -> bool| look(path).into_iter().any(test);
        let range = |path: &str, value: &Bson, wanted: fn(Ordering) -> bool| {
            any(path, &|stored| ranges(stored, value, wanted))
        };
        match self {
            Self::Eq(path, value) => any(path, &|stored| equals(stored, Some(value))),
            Self::Ne(path, value) => !any(path, &|stored| equals(stored, Some(value))),
            Self::Gt(path, value) => range(path, value, Ordering::is_gt),
            Self::Gte(path, value) => range(path, value, Ordering::is_ge),
            Self::Lt(path, value) => range(path, value, Ordering::is_lt),
            Self::Lte(path, value) => range(path, value, Ordering::is_le),
            Self::In(path, values) => values.iter().any(|v| any(path, &|stored| equals(stored, Some(v)))),
            Self::Nin(path, values) => !values.iter().any(|v| any(path, &|stored| equals(stored, Some(v)))),
            Self::Exists(path, wanted) => any(path, &|stored| stored.is_some()) == *wanted,
            Self::And(parts) => parts.iter().all(|part| part.matches(look)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(look)),
            Self::Not(part) => !part.matches(look),
        }
    }

    /// Every path that it uses.
    pub fn paths(&self) -> Vec<&str> {
        match self {
            Self::Eq(path, _)
            | Self::Ne(path, _)
            | Self::Gt(path, _)
            | Self::Gte(path, _)
            | Self::Lt(path, _)
            | Self::Lte(path, _)
            | Self::In(path, _)
            | Self::Nin(path, _)
            | Self::Exists(path, _) => vec![path],
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::paths).collect(),
            Self::Not(part) => part.paths(),
        }
    }
}

impl Question {
    /// The places of the documents that are found, in order, and what is seen of each, by the sight of every one.
    ///
    /// A path that is hidden on a document counts as missing there. Ties stay in the order of insertion.
    pub fn answer(
        &self,
        rules: &Rules<'_>,
        documents: &[Document],
        sights: &[Sight],
    ) -> Vec<(usize, Document)> {
        let mut found: Vec<(usize, &Document, &Document)> = Vec::new();
        for (place, (document, sight)) in documents.iter().zip(sights).enumerate() {
            let Sight::Part(seen) = sight else { continue };
            let look = |path: &str| {
                if rules.reads_path(document, path) { lookup(document, path) } else { vec![None] }
            };
            if self.condition.matches(&look) {
                found.push((place, document, seen));
            }
        }
        found.sort_by(|(_, left, _), (_, right, _)| {
            let keys = self.sort.iter().map(|(path, descending)| {
                let order = sort_order(first(left, path), first(right, path), *descending);
                if *descending { order.reverse() } else { order }
            });
            keys.fold(Ordering::Equal, Ordering::then)
        });
        let found = found.into_iter().map(|(place, _, seen)| (place, seen.clone()));
        found.take(self.limit.unwrap_or(usize::MAX)).collect()
    }
}

/// What a sort looks at; the tests sort by no path across an array.
fn first<'a>(document: &'a Document, path: &str) -> Option<&'a Bson> {
    lookup(document, path).into_iter().next().flatten()
}
