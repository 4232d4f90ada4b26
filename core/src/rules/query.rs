//! A query of MongoDB's as a filter.

use bson::Document;
use serde_json::Value;

use super::answers::Answers;
use super::bind::{Facts, bind};
use super::condition::Verdict;
use super::lazily::Lazily;
use super::parse::{Parser, Place};
use crate::actor::Actor;
use crate::filter::Filter;
use crate::id::AppId;
use crate::limits::Limits;
use crate::report::Report;

/// Reads `{ "year": { "$gte": 1920 }, "$or": […] }`, values in extended JSON. Expansions are those of nobody.
///
/// `None` when it is not understood, which the report says under this file's name.
pub fn parse_query(json: &Value, file: &str, report: &mut Report) -> Option<Filter> {
    let mut parser = Parser::new(file, report, Limits::default().expression_depth);
    let expression = parser.within(Place::Query, |parser| parser.expression(json, ""))?;
    let (request, answers, nothing) = (Lazily::new(&Document::new), Answers::default(), Document::new());
    let nobody = Actor::system(AppId::new(""));
    let facts = Facts {
        actor: &nobody,
        values: &nothing,
        environment: &nothing,
        request: &request,
        answers: &answers,
    };
    match bind(&expression, facts).verdict(&answers) {
        Verdict::Always => Some(Filter::Always),
        Verdict::Never => Some(Filter::Never),
        Verdict::When(filter) => Some(filter),
        Verdict::PerDocument(..) => {
            report.error(file, "", "a query calls no function");
            None
        }
    }
}
