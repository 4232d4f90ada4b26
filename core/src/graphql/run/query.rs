//! The root fields of a query.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::bind::Bound;
use super::level::Origin;
use super::session::{Failure, Session, denied};
use crate::filter::Filter;
use crate::graphql::catalog::{CollectionIndex, Operation};
use crate::graphql::error::GraphqlError;
use crate::graphql::filter_input::ask;
use crate::graphql::plan::{DocumentPlan, Plan, Resolved, Root, RootAction};
use crate::graphql::write::{Output, Writer};
use crate::rules::Query;

/// What the introspection fields of a plan answer, by response key.
pub(crate) type Introspected = [(String, Arc<RawValue>)];

/// Runs a query. The output's body is the value of `data`; false when it is null as a whole.
pub(crate) async fn query(
    session: &mut Session<'_>,
    plan: &Plan,
    bound: Vec<Bound>,
    introspected: &Introspected,
    output: &mut Output,
) -> bool {
    output.body.push(b'{');
    for (place, (root, bound)) in plan.roots.iter().zip(bound).enumerate() {
        if place > 0 {
            output.body.push(b',');
        }
        output.body.extend_from_slice(&root.label);
        match &root.action {
            RootAction::Documents(call, document) => {
                let is_list = call.operation == Operation::FindMany;
                if let Err(error) =
                    session.find_into(output, root, (call.collection, document), (is_list, bound)).await
                {
                    output.error(error.below(&root.key).at(root.location));
                    if is_list {
                        // The list is not nullable: it takes `data` with it.
                        return false;
                    }
                    output.body.extend_from_slice(b"null");
                }
            }
            RootAction::Resolved(resolved) => {
                if let Err(error) = session.resolve_into(output, root, resolved).await {
                    output.error(error.below(&root.key).at(root.location));
                    output.body.extend_from_slice(b"null");
                }
            }
            other => simple(other, root, introspected, output),
        }
    }
    output.body.push(b'}');
    true
}

/// A root field that asks no store.
pub(crate) fn simple(action: &RootAction, root: &Root, introspected: &Introspected, output: &mut Output) {
    let known = introspected.iter().find(|(key, _)| *key == root.key);
    match (action, known) {
        (RootAction::Typename(name), _) => output.body.extend_from_slice(format!("\"{name}\"").as_bytes()),
        (RootAction::Introspection, Some((_, value))) => {
            output.body.extend_from_slice(value.get().as_bytes())
        }
        _ => output.body.extend_from_slice(b"null"),
    }
}

impl Session<'_> {
    async fn find_into(
        &mut self,
        output: &mut Output,
        root: &Root,
        (collection, plan): (CollectionIndex, &DocumentPlan),
        (is_list, bound): (bool, Bound),
    ) -> Failure<()> {
        self.open_snapshot().await?;
        let filter = self.filter(bound.query.as_ref()).await?;
        let limit = if is_list { bound.limit } else { Some(1) };
        let documents = self.find(collection, Query { filter, sort: bound.sort, limit }).await?;
        let level = self.level(plan, documents, Origin::Found(collection)).await?;
        let mut writer = Writer::new(output, &root.key);
        if is_list {
            writer.list(plan, &level)
        } else {
            writer.first(plan, &level)
        }
        Ok(())
    }

    async fn resolve_into(&mut self, output: &mut Output, root: &Root, plan: &Resolved) -> Failure<()> {
        let given = self.call(plan).await?;
        if plan.document.reads_store() {
            self.open_snapshot().await?;
        }
        let answers = self.answers(plan, vec![Ok(given)]).await?;
        Writer::new(output, &root.key).answer(plan, &answers, root.location);
        Ok(())
    }

    /// The filter that a `query` argument asks for; everything when there is none.
    pub(crate) async fn filter(&mut self, query: Option<&crate::graphql::coerce::Input>) -> Failure<Filter> {
        match query {
            None => Ok(Filter::Always),
            Some(query) => {
                let ask = ask(self.catalog, query).map_err(at_runtime)?;
                self.resolve(ask).await
            }
        }
    }

    /// The documents of a collection that match and may be seen.
    pub(crate) async fn find(
        &mut self,
        collection: CollectionIndex,
        query: Query,
    ) -> Failure<Vec<bson::RawDocumentBuf>> {
        let access = self.access(collection).await?;
        let query = self.judge.find(&access, query).await?.map_err(|refusal| denied(&access, refusal))?;
        self.fetch(&query).await
    }
}

/// An error of the input that was found when the operation already ran.
fn at_runtime(error: GraphqlError) -> GraphqlError {
    GraphqlError { request: false, ..error }
}
