//! Running the root fields in order.

use super::outcome::Outcome;
use crate::graphql::catalog::Operation;
use crate::graphql::plan::{Call, Plan, Resolved, RootAction};
use crate::graphql::run::{Answers, Bound, Failure, Introspected, Origin, Session, simple};
use crate::graphql::write::{Output, Writer};

/// Runs a mutation. The output's body is the value of `data`; the caller commits.
///
/// # Errors
/// The first write that failed: everything has to be rolled back.
pub(crate) async fn mutation(
    session: &mut Session<'_>,
    plan: &Plan,
    bound: Vec<Bound>,
    introspected: &Introspected,
    output: &mut Output,
) -> Failure<()> {
    output.body.push(b'{');
    for (place, (root, bound)) in plan.roots.iter().zip(bound).enumerate() {
        if place > 0 {
            output.body.push(b',');
        }
        output.body.extend_from_slice(&root.label);
        let in_place = |error: crate::graphql::error::GraphqlError| error.below(&root.key).at(root.location);
        match &root.action {
            RootAction::Documents(call, document) => {
                let outcome = session.run(call, bound).await.map_err(in_place)?;
                let access = session.access(call.collection).await.map_err(in_place)?;
                let documents = session.visible(&access, outcome.documents).await.map_err(in_place)?;
                let level = session
                    .level(document, documents, Origin::Written(call.collection))
                    .await
                    .map_err(in_place)?;
                Writer::new(output, &root.key).first(document, &level);
            }
            RootAction::Payload(call, fields) => {
                let outcome = session.run(call, bound).await.map_err(in_place)?;
                match fields {
                    Ok(fields) => outcome.write(fields, &mut output.body),
                    Err(refused) => {
                        output.error(refused.clone().below(&root.key));
                        output.body.extend_from_slice(b"null");
                    }
                }
            }
            RootAction::Resolved(resolved) => {
                let answers = session.carry_out(resolved).await.map_err(in_place)?;
                Writer::new(output, &root.key).answer(resolved, &answers, root.location);
            }
            other => simple(other, root, introspected, output),
        }
    }
    output.body.push(b'}');
    Ok(())
}

impl Session<'_> {
    /// Calls a function at its place in the mutation.
    async fn carry_out(&mut self, plan: &Resolved) -> Failure<Answers> {
        let given = self.call(plan).await?;
        if plan.document.reads_store() {
            self.open_transaction().await?;
        }
        self.answers(plan, vec![Ok(given)]).await
    }

    async fn run(&mut self, call: &Call, bound: Bound) -> Failure<Outcome> {
        self.open_transaction().await?;
        let at = call.collection;
        match call.operation {
            Operation::InsertOne => self.insert_one(at, bound).await,
            Operation::InsertMany => self.insert_many(at, bound).await,
            Operation::UpdateOne => self.update(at, bound, Some(1)).await,
            Operation::UpdateMany => self.update(at, bound, None).await,
            Operation::UpsertOne => self.upsert_one(at, bound).await,
            Operation::ReplaceOne => self.replace_one(at, bound).await,
            Operation::DeleteOne => self.delete(at, bound, Some(1)).await,
            Operation::DeleteMany => self.delete(at, bound, None).await,
            Operation::FindOne | Operation::FindMany => Ok(Outcome::default()),
        }
    }
}
