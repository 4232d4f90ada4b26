//! Fields that functions answer.

use super::build::{Below, Builder, RELATED_DOCUMENTS, internal};
use super::collect::Collected;
use super::tree::{Form, FunctionUse, Resolved, Selection};
use crate::graphql::catalog::{ResolverIndex, Shape};
use crate::graphql::error::GraphqlError;

/// What a call costs, in documents: a function does more than a store does for one of them.
const CALL: u64 = 10;

impl Builder<'_> {
    /// The plan of a field that a function answers; the objects that it gives are `depth` steps from the root.
    pub(super) fn resolved(
        &mut self,
        index: ResolverIndex,
        collected: &Collected<'_>,
        depth: usize,
    ) -> Result<Resolved, GraphqlError> {
        let node = collected.node;
        let resolver = self.catalog.resolvers.get(index.0).ok_or_else(internal)?;
        let call = self.calls.len();
        let (arguments, location) = (node.arguments.clone(), node.location);
        self.calls.push(FunctionUse { resolver: index, arguments, location });
        let (form, object) = match &resolver.payload {
            Shape::Object(object) => (Form::Object, *object),
            Shape::List(item) => match &**item {
                Shape::Object(object) => (Form::Objects, *object),
                _ => return self.resolved_value(call, &resolver.payload, collected),
            },
            shape => return self.resolved_value(call, shape, collected),
        };
        // Objects may lead to the same field again.
        self.check_depth(depth, node)?;
        let document = self.object(object, &collected.selections, depth)?;
        Ok(Resolved { call, form, document })
    }

    fn resolved_value(
        &mut self,
        call: usize,
        shape: &Shape,
        collected: &Collected<'_>,
    ) -> Result<Resolved, GraphqlError> {
        let mut below = Below::default();
        let value = self.value(shape, collected, &mut below)?;
        Ok(Resolved { call, form: Form::Value(value), document: below.document(Selection::default()) })
    }
}

impl Resolved {
    /// The cost of one call with all that is below its answer.
    pub(crate) fn weight(&self) -> u64 {
        let objects = match self.form {
            Form::Value(_) | Form::Object => 1,
            Form::Objects => RELATED_DOCUMENTS,
        };
        CALL.saturating_add(self.document.weight.saturating_mul(objects))
    }
}
