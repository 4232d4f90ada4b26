//! Aggregation pipelines, run in memory on documents as their caller may read them.
//!
//! 1. [`Pipeline::parse`] reads all stages before anything runs; what is not known, or closed to the caller, is refused by name.
//! 2. What the store can do of the first stages is taken off by [`Pipeline::take_leading`].
//! 3. `stage.rs` has the list of stages, `group.rs` the accumulators, `lookup.rs` the joins.

mod group;
mod lookup;
mod parse;
mod stage;

use std::collections::HashMap;

use bson::{Bson, DateTime, Document};

use super::expression::{Budget, Parser, Scope};
use crate::error::{Error, ErrorKind, Result};
use crate::filter::{Filter, SortKey};
use stage::Stage;

/// Who asks: users may not use what reads past the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    User,
    System,
}

/// What a pipeline runs with.
pub(crate) struct Running<'r> {
    /// What `$$NOW` is.
    pub(crate) now: DateTime,
    /// The collections that `$lookup` names.
    pub(crate) foreign: &'r HashMap<String, Vec<Document>>,
    /// How many expressions may be evaluated, and documents be made.
    pub(crate) steps: u64,
}

/// A pipeline that was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pipeline {
    stages: Vec<Stage>,
}

/// What a store is asked before the first stage that is run here.
#[derive(Debug, PartialEq)]
pub(crate) struct Leading {
    pub(crate) filter: Filter,
    pub(crate) sort: Vec<SortKey>,
    pub(crate) limit: Option<u64>,
}

impl Pipeline {
    /// Reads the stages.
    ///
    /// # Errors
    /// [`ErrorKind::MongoDbError`], naming what is not known, not allowed or wrong.
    pub(crate) fn parse(stages: &[Bson], caller: Caller) -> Result<Self> {
        let stages = parse::stages(stages, caller, &Parser::default());
        stages.map(|stages| Self { stages }).map_err(refused)
    }

    /// Takes the first `$match`es and `$limit` off, and where the store may sort the `$sort` between them.
    pub(crate) fn take_leading(&mut self, sorts: bool) -> Leading {
        let mut leading = Leading { filter: Filter::Always, sort: Vec::new(), limit: None };
        let mut taken = 0;
        for stage in &self.stages {
            match stage {
                Stage::Match(filter) if leading.sort.is_empty() => {
                    leading.filter = Filter::And(vec![leading.filter, filter.clone()]).simplify();
                }
                Stage::Sort(keys) if sorts && leading.sort.is_empty() => leading.sort.clone_from(keys),
                Stage::Limit(limit) => {
                    leading.limit = Some(*limit);
                    taken += 1;
                    break;
                }
                _ => break,
            }
            taken += 1;
        }
        self.stages.drain(..taken);
        leading
    }

    /// The collections that `$lookup`s name.
    pub(crate) fn foreign(&self) -> Vec<&str> {
        stage::foreign(&self.stages)
    }

    /// Runs the stages.
    ///
    /// # Errors
    /// [`ErrorKind::MongoDbError`]: what an expression cannot do, and limits that are passed.
    pub(crate) fn run(&self, documents: Vec<Document>, running: &Running<'_>) -> Result<Vec<Document>> {
        let budget = Budget::new(running.steps);
        let root = Document::new();
        let scope = Scope { root: &root, now: running.now, variables: &[], budget: &budget };
        stage::run_all(&self.stages, documents, (scope, running.foreign)).map_err(refused)
    }
}

fn refused(problem: String) -> Error {
    Error::new(ErrorKind::MongoDbError, problem)
}

#[cfg(test)]
mod tests;
