//! `$group` and its accumulators.

use std::cmp::Ordering;
use std::collections::HashMap;

use bson::{Bson, Document};

use crate::data::expression::{Expression, Scope, Value, average, extreme, merged, sum};
use crate::data::number::{narrow, real};
use crate::filter::{Direction, equal, key};

/// Documents put together by a key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    pub(super) by: Expression,
    pub(super) accumulators: Vec<(String, Accumulator)>,
}

/// What is gathered of a group.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Accumulator {
    kind: AccumulatorKind,
    argument: Expression,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccumulatorKind {
    Sum,
    Avg,
    Min,
    Max,
    First,
    Last,
    Push,
    AddToSet,
    Count,
    MergeObjects,
    StdDevPop,
    StdDevSamp,
}

const KINDS: [(&str, AccumulatorKind); 12] = [
    ("$sum", AccumulatorKind::Sum),
    ("$avg", AccumulatorKind::Avg),
    ("$min", AccumulatorKind::Min),
    ("$max", AccumulatorKind::Max),
    ("$first", AccumulatorKind::First),
    ("$last", AccumulatorKind::Last),
    ("$push", AccumulatorKind::Push),
    ("$addToSet", AccumulatorKind::AddToSet),
    ("$count", AccumulatorKind::Count),
    ("$mergeObjects", AccumulatorKind::MergeObjects),
    ("$stdDevPop", AccumulatorKind::StdDevPop),
    ("$stdDevSamp", AccumulatorKind::StdDevSamp),
];

impl AccumulatorKind {
    pub(super) fn named(name: &str) -> Option<Self> {
        KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }
}

impl Accumulator {
    pub(super) fn new(kind: AccumulatorKind, argument: Expression) -> Self {
        Self { kind, argument }
    }

    /// What the values of a group come to.
    fn result(&self, values: Vec<Value>) -> Result<Bson, String> {
        let there = |values: Vec<Value>| values.into_iter().flatten().collect::<Vec<Bson>>();
        Ok(match self.kind {
            AccumulatorKind::Sum => sum(&there(values)),
            AccumulatorKind::Avg => average(&there(values)),
            AccumulatorKind::Min => extreme(there(values), Ordering::is_lt).unwrap_or(Bson::Null),
            AccumulatorKind::Max => extreme(there(values), Ordering::is_gt).unwrap_or(Bson::Null),
            AccumulatorKind::First => values.into_iter().next().flatten().unwrap_or(Bson::Null),
            AccumulatorKind::Last => values.into_iter().next_back().flatten().unwrap_or(Bson::Null),
            AccumulatorKind::Push => Bson::Array(there(values)),
            AccumulatorKind::AddToSet => {
                let mut set: Vec<Bson> = there(values);
                set.sort_by(crate::filter::compare);
                set.dedup_by(|one, other| equal(one, other));
                Bson::Array(set)
            }
            AccumulatorKind::Count => narrow(i64::try_from(values.len()).unwrap_or(i64::MAX)),
            AccumulatorKind::MergeObjects => Bson::Document(merged(there(values))?),
            AccumulatorKind::StdDevPop => deviation(&there(values), 0),
            AccumulatorKind::StdDevSamp => deviation(&there(values), 1),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "so many values there are not")]
fn deviation(values: &[Bson], fewer: usize) -> Bson {
    let numbers: Vec<f64> = values.iter().filter_map(real).collect();
    if numbers.len() <= fewer {
        return Bson::Null;
    }
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    Bson::Double((squares / (numbers.len() - fewer) as f64).sqrt())
}

/// A group while it is gathered.
struct Gathered {
    id: Bson,
    values: Vec<Vec<Value>>,
}

impl Group {
    /// One document for each key, in the order in which the keys come.
    pub(super) fn run(&self, documents: &[Document], scope: Scope<'_>) -> Result<Vec<Document>, String> {
        let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut groups: Vec<Gathered> = Vec::new();
        for document in documents {
            let within = Scope { root: document, ..scope };
            // Nothing is grouped with null.
            let id = self.by.evaluate(within)?.unwrap_or(Bson::Null);
            let place = *places.entry(key::encode(&id, Direction::Ascending)).or_insert(groups.len());
            if place == groups.len() {
                groups.push(Gathered { id, values: vec![Vec::new(); self.accumulators.len()] });
            }
            let Some(group) = groups.get_mut(place) else { continue };
            for ((_, accumulator), values) in self.accumulators.iter().zip(&mut group.values) {
                let value = accumulator.argument.evaluate(within)?;
                value.iter().try_for_each(|value| scope.budget.keep(value))?;
                values.push(value);
            }
        }
        groups.into_iter().map(|group| self.document(group)).collect()
    }

    fn document(&self, group: Gathered) -> Result<Document, String> {
        let mut document = Document::new();
        document.insert("_id", group.id);
        for ((name, accumulator), values) in self.accumulators.iter().zip(group.values) {
            document.insert(name.clone(), accumulator.result(values)?);
        }
        Ok(document)
    }
}
