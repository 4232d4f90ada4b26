//! Calling functions, and what they answered.
//!
//! 1. A function is called for the actor, with the coerced input and, where it computes a field, with the
//!    object as the actor may read it.
//! 2. What it gives is taken as it is: nothing of it is hidden, since it was given to this actor. Related
//!    documents are fetched under the actor's rules.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

use bson::{Bson, RawDocument, RawDocumentBuf, doc};

use super::level::{Level, Origin};
use super::parents::parents;
use super::session::{BoundCall, Failure, Session, internal};
use crate::error::{Error, ErrorKind};
use crate::functions::{BatchCall, FunctionCall};
use crate::graphql::error::{GraphqlError, code};
use crate::graphql::plan::{ComputedPlan, Form, Resolved, WRAPPED};

/// What a function answered to each of its calls.
#[derive(Debug)]
pub(crate) struct Answers {
    /// The objects in all the answers.
    pub(crate) level: Level,
    each: Vec<Answer>,
}

/// One answer.
#[derive(Debug)]
pub(crate) enum Answer {
    /// An object, or a value that is wrapped in one.
    One(Element),
    /// A list of objects.
    Many(Vec<Element>),
    /// The function failed.
    Failed(GraphqlError),
}

/// An object in an answer, or what stands in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    /// A place in the level's documents.
    Object(usize),
    Null,
    /// It is no object.
    Misfit,
}

/// What a function computed for the objects of a level.
#[derive(Debug)]
pub(crate) struct Computed {
    pub(crate) answers: Answers,
    /// Which answer belongs to which object, by where its bytes lie.
    places: HashMap<usize, usize>,
}

impl Answers {
    /// The answer to the call at this place.
    pub(crate) fn get(&self, place: usize) -> Option<&Answer> {
        self.each.get(place)
    }
}

impl Computed {
    /// The answer for an object; `None` when the function was not asked about it.
    pub(crate) fn of(&self, object: &RawDocument) -> Option<&Answer> {
        self.answers.get(*self.places.get(&address(object))?)
    }
}

/// What tells the objects of a level apart.
///
/// INVARIANT: the bytes of a level's documents stay where they are as long as the level is there, and no two
/// objects begin at the same byte.
pub(super) fn address(object: &RawDocument) -> usize {
    object.as_bytes().as_ptr().addr()
}

impl Session<'_> {
    /// What the function of a root field gives.
    ///
    /// # Errors
    /// What the function failed with.
    pub(crate) async fn call(&mut self, plan: &Resolved) -> Failure<Bson> {
        let BoundCall { resolver, input } = self.calls.get(plan.call).ok_or_else(internal)?.clone();
        let (actor, peer) = (self.context.actor.clone(), self.context.peer);
        let context = self.judge.call_context();
        let call = FunctionCall { actor, arguments: input.into_iter().collect(), peer, context };
        self.tally_function(&resolver.function, 1);
        let given = self.context.functions.call(&resolver.function, call).await;
        let given = given.map_err(|error| failed(&error))?;
        Ok(if resolver.is_default { complete() } else { given })
    }

    /// Calls the function of a computed field for all objects of a level that have it.
    pub(super) fn compute<'f>(
        &'f mut self,
        plan: &'f ComputedPlan,
        level: &'f Level,
    ) -> Pin<Box<dyn Future<Output = Failure<Computed>> + Send + 'f>> {
        Box::pin(async move {
            let BoundCall { resolver, input } =
                self.calls.get(plan.resolved.call).ok_or_else(internal)?.clone();
            let (places, sources) = parents(level, &plan.path);
            let count = sources.len();
            let given = if count == 0 {
                Ok(Vec::new())
            } else {
                let (actor, peer) = (self.context.actor.clone(), self.context.peer);
                let context = self.judge.call_context();
                let call = BatchCall { actor, input, sources, peer, context };
                let functions = self.context.functions;
                self.tally_function(&resolver.function, functions.calls_for(&resolver.function, count));
                functions.call_for_each(&resolver.function, call, self.limits.function_calls).await
            };
            let given = match given {
                Ok(given) => given.into_iter().map(|one| one.map_err(|error| failed(&error))).collect(),
                Err(error) => vec![Err(failed(&error)); count],
            };
            let given = if resolver.is_default {
                given.into_iter().map(|one: Failure<Bson>| one.map(|_| complete())).collect()
            } else {
                given
            };
            Ok(Computed { answers: self.answers(&plan.resolved, given).await?, places })
        })
    }

    /// Takes apart what a function gave, and fetches what the plan follows from it.
    pub(crate) async fn answers(&mut self, plan: &Resolved, given: Vec<Failure<Bson>>) -> Failure<Answers> {
        let mut objects = Vec::new();
        let mut each = Vec::with_capacity(given.len());
        for given in given {
            each.push(match (given, &plan.form) {
                (Err(error), _) => Answer::Failed(error),
                (Ok(value), Form::Value(_)) => {
                    Answer::One(element(Bson::Document(doc! { WRAPPED: value }), &mut objects))
                }
                (Ok(Bson::Array(items)), Form::Objects) => {
                    Answer::Many(items.into_iter().map(|item| element(item, &mut objects)).collect())
                }
                (Ok(Bson::Null | Bson::Undefined), _) => Answer::One(Element::Null),
                (Ok(value), Form::Object) => Answer::One(element(value, &mut objects)),
                (Ok(_), Form::Objects) => Answer::One(Element::Misfit),
            });
        }
        Ok(Answers { level: self.level(&plan.document, objects, Origin::Given).await?, each })
    }
}

/// Puts a value among the objects.
fn element(value: Bson, objects: &mut Vec<RawDocumentBuf>) -> Element {
    let raw = match value {
        Bson::Null | Bson::Undefined => return Element::Null,
        Bson::Document(object) => RawDocumentBuf::try_from(&object),
        _ => return Element::Misfit,
    };
    let Ok(raw) = raw else { return Element::Misfit };
    objects.push(raw);
    Element::Object(objects.len() - 1)
}

/// What `DefaultPayload` always says.
fn complete() -> Bson {
    Bson::Document(doc! { "status": "complete" })
}

/// What the client learns of a function's failure.
fn failed(error: &Error) -> GraphqlError {
    let code = match error.kind() {
        ErrorKind::FunctionNotFound => code::FUNCTION_NOT_FOUND,
        ErrorKind::ExecutionTimeLimitExceeded => code::TIMEOUT,
        _ => code::FUNCTION_FAILED,
    };
    GraphqlError::new(code, error.hint())
}
