//! Whether an actor may do something that is about no document: `can_evaluate` of a function.

use serde_json::Value;

use super::bind::bind;
use super::book::{Circumstances, RuleBook};
use super::condition::Condition;
use super::expr::Expression;
use super::parse::{Parser, Place};
use crate::limits::Limits;
use crate::report::Report;

/// An expression about the actor, the request and the app.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Permit(Expression);

impl Permit {
    /// Reads it; `None` when it is not understood, which the report says.
    pub(crate) fn parse(
        json: &Value,
        (file, pointer): (&str, &str),
        limits: &Limits,
        report: &mut Report,
    ) -> Option<Self> {
        let mut parser = Parser::new(file, report, limits.expression_depth);
        parser.within(Place::Filter, |parser| parser.expression(json, pointer)).map(Self)
    }
}

impl RuleBook {
    /// Whether it permits the actor. What calls a function that has not answered does not.
    pub(crate) fn permits(&self, circumstances: Circumstances<'_>, permit: &Permit) -> bool {
        circumstances.actor.is_system()
            || match bind(&permit.0, self.facts(circumstances)) {
                Condition::Always => true,
                Condition::Never => false,
                asked => asked.holds(super::condition::Scene::stored(
                    &bson::RawDocumentBuf::new(),
                    circumstances.answers,
                )),
            }
    }
}
