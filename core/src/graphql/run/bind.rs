//! Binding a root field's arguments to the variables of one request.

use bson::Bson;

use super::session::{BoundCall, Session, internal};
use crate::filter::SortKey;
use crate::graphql::ast::{OperationKind, ValueNode};
use crate::graphql::build::ARGUMENT;
use crate::graphql::catalog::{InputType, RootField};
use crate::graphql::coerce::{Coercer, Given, Input};
use crate::graphql::error::{GraphqlError, code};
use crate::graphql::plan::{Call, FunctionUse, Plan, Root, RootAction};

/// The arguments of a root field, coerced.
#[derive(Debug, Default)]
pub(crate) struct Bound {
    pub(crate) query: Option<Input>,
    pub(crate) data: Option<Input>,
    pub(crate) set: Option<Input>,
    pub(crate) sort: Vec<SortKey>,
    /// Documents at most; only lists have one.
    pub(crate) limit: Option<u64>,
}

impl<'a> Session<'a> {
    /// Binds all root fields and calls of functions, and weighs the operation, before anything runs.
    ///
    /// # Errors
    /// Request errors: a value that does not fit, a limit that is passed.
    pub(crate) fn bind(&mut self, plan: &Plan) -> Result<Vec<Bound>, Vec<GraphqlError>> {
        let mut bound = Vec::with_capacity(plan.roots.len());
        let mut errors = Vec::new();
        let mut cost = 0_u64;
        for root in &plan.roots {
            let (call, weight) = match &root.action {
                RootAction::Documents(call, document) => (call, document.weight),
                RootAction::Payload(call, _) => (call, 1),
                RootAction::Resolved(resolved) => {
                    cost = cost.saturating_add(resolved.weight());
                    bound.push(Bound::default());
                    continue;
                }
                RootAction::Typename(_) | RootAction::Empty | RootAction::Introspection => {
                    bound.push(Bound::default());
                    continue;
                }
            };
            match self.bind_root(plan.kind, root, call) {
                Ok(arguments) => {
                    let rows = arguments.limit.unwrap_or(1);
                    cost = cost.saturating_add(rows.saturating_mul(weight));
                    bound.push(arguments);
                }
                Err(error) => errors.push(error),
            }
        }
        for call in &plan.calls {
            match self.bind_call(call) {
                Ok(bound) => self.calls.push(bound),
                Err(error) => errors.push(error.at(call.location)),
            }
        }
        if cost > self.limits.graphql_cost {
            let message = format!("the operation costs {cost}, more than {}", self.limits.graphql_cost);
            errors.push(GraphqlError::request(code::LIMIT, message));
        }
        if errors.is_empty() { Ok(bound) } else { Err(errors) }
    }

    fn bind_call(&self, call: &FunctionUse) -> Result<BoundCall<'a>, GraphqlError> {
        let resolver = self.catalog.resolvers.get(call.resolver.0).ok_or_else(internal)?;
        let input = match &resolver.input {
            Some(ty) => {
                let given = self.argument(&call.arguments, ARGUMENT, ty, None)?;
                Some(given.map_or(Bson::Null, |given| given.to_bson(self.catalog, ty)))
            }
            None => None,
        };
        Ok(BoundCall { resolver, input })
    }

    fn bind_root(&self, kind: OperationKind, root: &Root, call: &Call) -> Result<Bound, GraphqlError> {
        let fields = match kind {
            OperationKind::Query => &self.catalog.queries,
            OperationKind::Mutation => &self.catalog.mutations,
        };
        let field = fields.get(call.field).ok_or_else(internal)?;
        let mut bound = Bound::default();
        for (name, ty, default) in &field.arguments {
            let value = self
                .argument(&call.arguments, name, ty, *default)
                .map_err(|error| error.at(root.location))?;
            match (*name, value) {
                ("query", Some(value)) if value != Input::Null => bound.query = Some(value),
                ("data", value) => bound.data = value,
                ("set", value) => bound.set = value,
                ("limit", value) => bound.limit = Some(self.limit(value.as_ref(), *default, root)?),
                ("sortBy", Some(Input::Enum(place))) => bound.sort = self.sort(field, place),
                _ => {}
            }
        }
        Ok(bound)
    }

    fn argument(
        &self,
        arguments: &[(String, ValueNode)],
        name: &str,
        ty: &InputType,
        default: Option<&str>,
    ) -> Result<Option<Input>, GraphqlError> {
        let coercer = Coercer { catalog: self.catalog, limits: self.limits, variables: self.variables };
        let given = arguments.iter().find(|(given, _)| given == name).map(|(_, value)| value);
        let misfit = |misfit: crate::graphql::coerce::Misfit| {
            let place: String = misfit.path.iter().map(|step| format!(".{step}")).collect();
            let message = format!("argument `{name}{place}`: {}", misfit.message);
            GraphqlError::request(code::BAD_INPUT, message)
        };
        let value = match given {
            Some(value) => coercer.coerce(Given::Literal(value), ty).map_err(misfit)?,
            None => None,
        };
        match (value, default.and_then(|text| text.parse::<i64>().ok())) {
            (Some(value), _) => Ok(Some(value)),
            (None, Some(default)) => {
                coercer.coerce(Given::Literal(&ValueNode::Int(default)), ty).map_err(misfit)
            }
            (None, None) if matches!(ty, InputType::NonNull(_)) => {
                Err(GraphqlError::request(code::BAD_INPUT, format!("argument `{name}` is required")))
            }
            (None, None) => Ok(None),
        }
    }

    /// The limit: at least 1, cut to the largest page. Null counts as not given.
    fn limit(&self, value: Option<&Input>, default: Option<&str>, root: &Root) -> Result<u64, GraphqlError> {
        let asked = match value {
            Some(Input::Scalar(Bson::Int32(limit))) => i64::from(*limit),
            _ => default.and_then(|text| text.parse().ok()).unwrap_or(1),
        };
        match u64::try_from(asked) {
            Ok(limit) if limit > 0 => Ok(limit.min(self.limits.page_size)),
            _ => Err(GraphqlError::request(code::BAD_INPUT, "`limit` must be at least 1").at(root.location)),
        }
    }

    fn sort(&self, field: &RootField, place: usize) -> Vec<SortKey> {
        let ty = field.arguments.iter().find(|(name, ..)| *name == "sortBy").map(|(_, ty, _)| ty);
        let Some(InputType::Enum(index)) = ty else { return Vec::new() };
        let value = self.catalog.enums.get(*index).and_then(|sort| sort.values.get(place));
        value
            .map(|(_, path, direction)| SortKey { path: path.clone(), direction: *direction })
            .into_iter()
            .collect()
    }
}
