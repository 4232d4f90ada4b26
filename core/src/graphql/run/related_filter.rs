//! Conditions on related documents.
//!
//! This is the one place that knows how they are answered: the keys of the readable documents that
//! match are asked for first, and become a membership test on the source field. Both the number of
//! such requests and the number of keys are limited. A store that can join would take over here.

use std::future::Future;
use std::pin::Pin;

use bson::{Bson, RawBsonRef};

use super::keys::at;
use super::session::{Failure, Session, denied};
use crate::filter::Filter;
use crate::graphql::catalog::Relation;
use crate::graphql::error::{GraphqlError, code};
use crate::graphql::filter_input::Ask;
use crate::rules::Query;

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
        let most = self.limits.relation_filter_keys;
        let access = self.access(relation.target)?;
        let query = Query { filter, sort: Vec::new(), limit: Some(most.saturating_add(1)) };
        let query = access.find(query).map_err(|refusal| denied(&access, refusal))?;
        let documents = self.fetch(&query).await?;
        if u64::try_from(documents.len()).unwrap_or(u64::MAX) > most {
            let message = format!("a condition matches more than {most} related documents");
            return Err(GraphqlError::new(code::LIMIT, message));
        }
        let mut keys = Vec::with_capacity(documents.len());
        for document in &documents {
            match at(document, &relation.foreign) {
                None | Some(RawBsonRef::Null | RawBsonRef::Undefined) => {}
                Some(RawBsonRef::Array(array)) => {
                    keys.extend(
                        array.into_iter().map_while(Result::ok).filter_map(|key| key.try_into().ok()),
                    );
                }
                Some(key) => keys.extend(Bson::try_from(key).ok()),
            }
        }
        // A null key would match documents without one.
        keys.retain(|key| !matches!(key, Bson::Null | Bson::Undefined));
        Ok(keys)
    }
}
