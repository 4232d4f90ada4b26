//! Data service calls, carried out under the caller's rules.
//!
//! 1. A read sees one state. A write is one transaction, all or nothing; inside a mutation it is the mutation's.
//! 2. Documents come back as the caller may read them; a pipeline gets them so as well.
//! 3. What may not be read does not match; what matches and may not be written refuses the call.

use std::collections::HashMap;

use bson::{Bson, DateTime, Document, RawDocumentBuf, doc};

use super::expression::{Budget, Parser, Scope};
use super::pipeline::{Caller, Pipeline, Running};
use super::query;
use super::request::{Operation, Request};
use super::shape::{Kind, Shape};
use super::update::{Occasion, Update};
use crate::error::{Error, ErrorKind, Result};
use crate::filter::{Filter, SortKey};
use crate::graphql::code;
use crate::graphql::error::GraphqlError;
use crate::graphql::run::{Session, decode, denied, encode, id_of};
use crate::id::CollectionId;
use crate::rules::{Access, Query, ScopedQuery};

/// A call while it runs: its session, and the collection that it is about.
pub(crate) struct Call<'s, 'a> {
    session: &'s mut Session<'a>,
    access: Access,
}

/// The documents to be changed, and what they were found by.
struct Matched {
    filter: Filter,
    documents: Vec<RawDocumentBuf>,
}

impl Operation {
    /// Whether it may change something.
    pub(crate) fn writes(self) -> bool {
        match self {
            Self::Find | Self::FindOne | Self::Aggregate | Self::Count => false,
            Self::InsertOne
            | Self::InsertMany
            | Self::UpdateOne
            | Self::UpdateMany
            | Self::DeleteOne
            | Self::DeleteMany
            | Self::FindOneAndUpdate
            | Self::FindOneAndReplace
            | Self::FindOneAndDelete => true,
        }
    }
}

impl<'s, 'a> Call<'s, 'a> {
    /// A call about a collection.
    ///
    /// # Errors
    /// [`ErrorKind::NoMatchingRuleFound`] when no rule covers it.
    pub(crate) async fn new(session: &'s mut Session<'a>, collection: &CollectionId) -> Result<Self> {
        let access = session.judge.access(collection).await.map_err(failed)?;
        if access.is_uncovered() {
            let text = format!("no rule exists for namespace '{}'", collection.namespace());
            return Err(Error::new(ErrorKind::NoMatchingRuleFound, text));
        }
        Ok(Self { session, access })
    }

    /// Carries the call out, in the view that the session has opened.
    ///
    /// # Errors
    /// What the rules, the schema, the store or the request's own words refuse it with.
    pub(crate) async fn perform(&mut self, request: Request) -> Result<Bson> {
        match request.operation {
            Operation::Find => self.find(&request).await.map(documents),
            Operation::FindOne => self.find(&Request { limit: Some(1), ..request }).await.map(first),
            Operation::Aggregate => self.aggregate(&request).await,
            Operation::Count => self.count(&request).await,
            Operation::InsertOne => {
                let ids = self.insert(request.documents).await?;
                Ok(Bson::Document(doc! { "insertedId": ids.into_iter().next().unwrap_or(Bson::Null) }))
            }
            Operation::InsertMany => {
                Ok(Bson::Document(doc! { "insertedIds": self.insert(request.documents).await? }))
            }
            Operation::UpdateOne => self.update(&request, Some(1)).await,
            Operation::UpdateMany => self.update(&request, None).await,
            Operation::DeleteOne => self.delete(&request, Some(1)).await,
            Operation::DeleteMany => self.delete(&request, None).await,
            Operation::FindOneAndDelete => self.find_and_delete(&request).await,
            // The web client sends a replacement by nothing where it means a deletion.
            Operation::FindOneAndReplace if request.update.is_none() => self.find_and_delete(&request).await,
            Operation::FindOneAndReplace | Operation::FindOneAndUpdate => {
                self.find_and_update(&request).await
            }
        }
    }

    async fn find(&mut self, request: &Request) -> Result<Vec<Document>> {
        let shape = self.shape(request)?;
        let most = self.session.limits.found_documents;
        let most_with_skipped = most.saturating_add(request.skip);
        let wanted = request.limit.map_or(most_with_skipped + 1, |limit| limit.saturating_add(request.skip));
        let filter = query::filter(&request.query)?;
        let limit = Some(wanted.min(most_with_skipped + 1));
        let found = self.fetch(filter, request.sort.clone(), limit).await?;
        let skipped = usize::try_from(request.skip).unwrap_or(usize::MAX);
        let found: Vec<RawDocumentBuf> = found.into_iter().skip(skipped).collect();
        refuse_too_many(found.len(), most)?;
        let seen = self.readable(&found).await?;
        match shape {
            None => Ok(seen),
            Some(shape) => seen.iter().map(|document| self.shaped(&shape, document)).collect(),
        }
    }

    async fn aggregate(&mut self, request: &Request) -> Result<Bson> {
        let is_system = self.session.context.actor.is_system();
        let caller = if is_system { Caller::System } else { Caller::User };
        let mut pipeline = Pipeline::parse(&request.pipeline, caller)?;
        // Others are sorted as they are seen: where a document stands must not tell of a hidden field.
        let leading = pipeline.take_leading(self.access.reads_everything());
        let found = self.fetch(leading.filter, leading.sort, leading.limit).await?;
        let seen = self.readable(&found).await?;
        let foreign = self.foreign(&pipeline).await?;
        let running =
            Running { now: self.now(), foreign: &foreign, steps: self.session.limits.pipeline_steps };
        let result = pipeline.run(seen, &running)?;
        refuse_too_many(result.len(), self.session.limits.found_documents)?;
        Ok(documents(result))
    }

    /// The collections that the pipeline joins; only the system's does.
    async fn foreign(&mut self, pipeline: &Pipeline) -> Result<HashMap<String, Vec<Document>>> {
        let mut foreign = HashMap::new();
        for name in pipeline.foreign() {
            if foreign.contains_key(name) {
                continue;
            }
            let collection = CollectionId { name: name.into(), ..self.access.collection().clone() };
            let access = self.session.judge.access(&collection).await.map_err(failed)?;
            let mut call = Call { session: &mut *self.session, access };
            let found = call.fetch(Filter::Always, Vec::new(), None).await?;
            foreign.insert(name.to_owned(), call.readable(&found).await?);
        }
        Ok(foreign)
    }

    fn shape(&self, request: &Request) -> Result<Option<Shape>> {
        let parsed = |given| Shape::parse(given, Kind::Find, &Parser::default()).map_err(refused);
        request.projection.as_ref().map(parsed).transpose()
    }

    fn shaped(&self, shape: &Shape, document: &Document) -> Result<Document> {
        let budget = Budget::new(self.session.limits.pipeline_steps);
        let scope = Scope { root: document, now: self.now(), variables: &[], budget: &budget };
        shape.apply(document, scope).map_err(refused)
    }

    async fn count(&mut self, request: &Request) -> Result<Bson> {
        let asked = Query { filter: query::filter(&request.query)?, sort: Vec::new(), limit: request.limit };
        let scoped = self.scoped(asked).await?;
        let count = self.session.count(&scoped).await.map_err(failed)?;
        Ok(Bson::Int64(i64::try_from(count).unwrap_or(i64::MAX)))
    }

    async fn insert(&mut self, documents: Vec<Document>) -> Result<Vec<Bson>> {
        let inserted = self.session.insert_all(&self.access, documents).await.map_err(failed)?;
        Ok(inserted.iter().map(|document| id_of(document)).collect())
    }

    async fn update(&mut self, request: &Request, limit: Option<u64>) -> Result<Bson> {
        let update = self.parsed_update(request)?;
        let Matched { filter, documents } = self.matched(request, limit).await?;
        if documents.is_empty() && request.upserts {
            let inserted = self.upsert(&update, &filter, request).await?;
            let id = inserted.first().map_or(Bson::Null, |document| id_of(document));
            let none = 0_i32;
            return Ok(Bson::Document(
                doc! { "matchedCount": none, "modifiedCount": none, "upsertedId": id },
            ));
        }
        let matched = documents.len();
        let (_, modified) = self.replace(&update, &filter, documents).await?;
        Ok(Bson::Document(doc! { "matchedCount": number(matched), "modifiedCount": number(modified) }))
    }

    async fn delete(&mut self, request: &Request, limit: Option<u64>) -> Result<Bson> {
        let Matched { documents, .. } = self.matched(request, limit).await?;
        self.session.delete_all(&self.access, &documents).await.map_err(failed)?;
        Ok(Bson::Document(doc! { "deletedCount": number(documents.len()) }))
    }

    async fn find_and_delete(&mut self, request: &Request) -> Result<Bson> {
        let Matched { documents, .. } = self.matched(request, Some(1)).await?;
        let seen = self.shown(request, &documents).await?;
        self.session.delete_all(&self.access, &documents).await.map_err(failed)?;
        Ok(seen)
    }

    async fn find_and_update(&mut self, request: &Request) -> Result<Bson> {
        let update = self.parsed_update(request)?;
        if request.operation == Operation::FindOneAndReplace && !update.is_replacement() {
            let text = "the replacement document must not contain update operators";
            return Err(Error::new(ErrorKind::MongoDbError, text));
        }
        let Matched { filter, documents } = self.matched(request, Some(1)).await?;
        let before = self.shown(request, &documents).await?;
        let after = if !documents.is_empty() {
            self.replace(&update, &filter, documents).await?.0
        } else if request.upserts {
            self.upsert(&update, &filter, request).await?
        } else {
            Vec::new()
        };
        if !request.returns_new {
            return Ok(before);
        }
        let visible = self.session.visible(&self.access, after).await.map_err(failed)?;
        self.shown(request, &visible).await
    }

    fn parsed_update(&self, request: &Request) -> Result<Update> {
        let none = Bson::Document(Document::new());
        Update::parse(request.update.as_ref().unwrap_or(&none), &request.array_filters)
    }

    async fn matched(&mut self, request: &Request, limit: Option<u64>) -> Result<Matched> {
        let filter = query::filter(&request.query)?;
        let documents = self.fetch(filter.clone(), request.sort.clone(), limit).await?;
        Ok(Matched { filter, documents })
    }

    /// The new images, and how many of them differ from the old ones.
    async fn replace(
        &mut self,
        update: &Update,
        filter: &Filter,
        documents: Vec<RawDocumentBuf>,
    ) -> Result<(Vec<RawDocumentBuf>, usize)> {
        let occasion = Occasion { filter, now: self.now(), inserting: false };
        let mut pairs = Vec::with_capacity(documents.len());
        for before in documents {
            let after = update.apply(&decode(&before).map_err(failed)?, occasion)?;
            pairs.push((before, encode(&after).map_err(failed)?));
        }
        self.session.replace_all(&self.access, pairs).await.map_err(failed)
    }

    async fn upsert(
        &mut self,
        update: &Update,
        filter: &Filter,
        request: &Request,
    ) -> Result<Vec<RawDocumentBuf>> {
        let occasion = Occasion { filter, now: self.now(), inserting: true };
        let document = update.insertion(&request.query, occasion)?;
        self.session.insert_all(&self.access, vec![document]).await.map_err(failed)
    }

    /// When the call began, for what it stores.
    fn now(&self) -> DateTime {
        DateTime::from_millis(self.session.context.env.clock.now().timestamp_millis())
    }

    async fn scoped(&mut self, query: Query) -> Result<ScopedQuery> {
        let scoped = self.session.judge.find(&self.access, query).await.map_err(failed)?;
        scoped.map_err(|refusal| failed(denied(&self.access, refusal)))
    }

    async fn fetch(
        &mut self,
        filter: Filter,
        sort: Vec<SortKey>,
        limit: Option<u64>,
    ) -> Result<Vec<RawDocumentBuf>> {
        let scoped = self.scoped(Query { filter, sort, limit }).await?;
        self.session.fetch(&scoped).await.map_err(failed)
    }

    /// The documents as the caller may read them.
    async fn readable(&mut self, documents: &[RawDocumentBuf]) -> Result<Vec<Document>> {
        if self.access.reads_all_it_finds() {
            return documents.iter().map(|document| decode(document).map_err(failed)).collect();
        }
        let access = &self.access;
        let judge = &self.session.judge;
        if access.calls() {
            let all = || documents.iter().for_each(|document| access.judge_reading(document));
            judge.settled(all).await.map_err(failed)?;
        }
        Ok(documents.iter().map(|document| access.visibility(document).readable_part(document)).collect())
    }

    /// The first document as the caller may read it, and with what they want of it; null where there is none.
    async fn shown(&mut self, request: &Request, documents: &[RawDocumentBuf]) -> Result<Bson> {
        let seen = first(self.readable(documents.get(..1).unwrap_or_default()).await?);
        match (seen, self.shape(request)?) {
            (Bson::Document(seen), Some(shape)) => self.shaped(&shape, &seen).map(Bson::Document),
            (seen, _) => Ok(seen),
        }
    }
}

fn refused(problem: String) -> Error {
    Error::new(ErrorKind::MongoDbError, problem)
}

fn refuse_too_many(found: usize, most: u64) -> Result<()> {
    if u64::try_from(found).unwrap_or(u64::MAX) <= most {
        return Ok(());
    }
    let text = format!("the result has more than {most} documents (`found_documents`): ask for fewer");
    Err(Error::new(ErrorKind::MongoDbError, text))
}

fn documents(found: Vec<Document>) -> Bson {
    Bson::Array(found.into_iter().map(Bson::Document).collect())
}

fn first(found: Vec<Document>) -> Bson {
    found.into_iter().next().map_or(Bson::Null, Bson::Document)
}

/// A count as the original sends it: a small number.
fn number(count: usize) -> Bson {
    i32::try_from(count).map_or_else(|_| Bson::Int64(i64::try_from(count).unwrap_or(i64::MAX)), Bson::Int32)
}

/// What running under rules failed with, as the data service says it.
pub(crate) fn failed(error: GraphqlError) -> Error {
    let kind = match error.code {
        code::NO_RULE => ErrorKind::NoMatchingRuleFound,
        code::NOT_PERMITTED | code::FIELD_NOT_READABLE => ErrorKind::NotPermitted,
        code::SCHEMA_WRITE => ErrorKind::SchemaValidationFailedWrite,
        code::TIMEOUT => ErrorKind::ExecutionTimeLimitExceeded,
        code::UNAVAILABLE => {
            return Error::new(ErrorKind::Unavailable, error.message).with_retry_after(1);
        }
        code::FUNCTION_NOT_FOUND => ErrorKind::FunctionNotFound,
        code::FUNCTION_FAILED => ErrorKind::FunctionExecutionError,
        code::INTERNAL => ErrorKind::InternalServerError,
        _ => ErrorKind::MongoDbError,
    };
    Error::new(kind, error.message)
}
