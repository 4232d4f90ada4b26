//! Conditions on related documents, as hash semi-joins.
//!
//! 1. The distinct keys of the related documents that match are read first, in the state that the whole request
//!    reads, and become a membership test on the source field. Nothing is cut: where there are more keys than
//!    [`Limits::relation_filter_keys`](crate::limits::Limits), the request is refused.
//! 2. A related document is joined through only where the caller may read it, and the key that it is joined by.
//! 3. Null joins nothing, on either side.
//!
//! Stores evaluate filters on stored bytes and use SQL to walk indexes, so that a join inside of them would do the
//! same steps. A store that evaluates filters in a query language of its own would take over here.

use std::future::Future;
use std::pin::Pin;

use bson::{Bson, RawDocumentBuf};

use super::keys::{Distinct, Route};
use super::session::{Failure, Session, denied};
use crate::filter::Filter;
use crate::graphql::catalog::Relation;
use crate::graphql::error::{GraphqlError, code};
use crate::graphql::filter_input::Ask;
use crate::rules::{Query, ScopedQuery};

/// Documents that are read at once while keys are gathered.
const BATCH: usize = 1000;

impl Session<'_> {
    /// The filter without conditions on related documents.
    pub(crate) fn resolve(&mut self, ask: Ask) -> Pin<Box<dyn Future<Output = Failure<Filter>> + Send + '_>> {
        Box::pin(async move {
            Ok(match ask {
                Ask::Ready(filter) => filter,
                Ask::And(parts) => Filter::And(self.resolve_all(parts).await?).simplify(),
                Ask::Or(parts) => Filter::Or(self.resolve_all(parts).await?).simplify(),
                Ask::Not(part) => self.resolve(*part).await?.negate(),
                Ask::Related(relation, ask) => {
                    let keys = self.related_keys(&relation, *ask).await?;
                    Filter::is_in(relation.source.clone(), keys)
                }
            })
        })
    }

    async fn resolve_all(&mut self, asks: Vec<Ask>) -> Failure<Vec<Filter>> {
        let mut filters = Vec::with_capacity(asks.len());
        for ask in asks {
            filters.push(self.resolve(ask).await?);
        }
        Ok(filters)
    }

    /// The foreign keys of the readable related documents that match.
    async fn related_keys(&mut self, relation: &Relation, ask: Ask) -> Failure<Vec<Bson>> {
        self.related_filters_left = self.related_filters_left.checked_sub(1).ok_or_else(|| {
            let most = self.limits.relation_filters;
            GraphqlError::new(code::LIMIT, format!("more than {most} conditions on related documents"))
        })?;
        let filter = self.resolve(ask).await?;
        let access = self.access(relation.target).await?;
        let query = |filter| Query { filter, ..Query::default() };
        access.find(query(filter.clone())).map_err(|refusal| denied(&access, refusal))?;
        // A key that is hidden on a document counts as missing there; where it may never be read, nothing tells
        // which documents are related.
        let has_key = Filter::eq(relation.foreign.clone(), Bson::Null).negate();
        match self.judge.find(&access, query(filter.and(has_key))).await? {
            Ok(query) => self.distinct(&query, relation).await,
            Err(_) => Ok(Vec::new()),
        }
    }

    /// The distinct keys of what the query finds, within what is left of the request's limit.
    async fn distinct(&mut self, query: &ScopedQuery, relation: &Relation) -> Failure<Vec<Bson>> {
        let (route, mut keys) = (Route::of(&relation.foreign), Distinct::default());
        let (left, most) = (self.related_keys_left, self.limits.relation_filter_keys);
        let mut visit = |documents: &[RawDocumentBuf]| {
            for document in documents {
                route.each_key(document, |key| {
                    keys.number(key);
                });
            }
            if keys.values.len() <= left {
                return Ok(());
            }
            let message = format!("conditions on related documents match more than {most} keys");
            Err(GraphqlError::new(code::LIMIT, message))
        };
        self.each_batch(query, BATCH, &mut visit).await?;
        self.related_keys_left -= keys.values.len();
        Ok(keys.values)
    }
}
