//! Executing GraphQL requests of one app.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use bson::{Bson, RawDocument};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, debug_span};

use super::ast::OperationKind;
use super::cache::{CachedOperation, PlanCache};
use super::catalog::{Catalog, Operation, Resolution, RootField, Shape};
use super::coerce::{Input, Variables};
use super::error::{GraphqlError, code};
use super::juniper::{Introspection, Schema};
use super::mutate::mutation;
use super::neutral::told;
use super::plan::{Plan, Prepared};
use super::request::GraphqlRequest;
use super::response::GraphqlResponse;
use super::run::{Bound, Introspected, Session, query};
use super::variables::coerce_variables;
use super::write::Output;
use crate::actor::Actor;
use crate::env::Env;
use crate::functions::Functions;
use crate::id::CollectionId;
use crate::limits::Limits;
use crate::observe::{Notes, bounded, metrics};
use crate::rules::{Explanation, Lazily, RuleBook};
use crate::schema::Violation;
use crate::store::DocumentStore;

/// Says why a document does not fit its schema.
pub type Validate<'a> = dyn Fn(&CollectionId, &RawDocument) -> Result<(), String> + Send + Sync + 'a;

/// Says what becomes of a document that does not fit its schema.
pub(crate) type Violated<'a> = dyn Fn(&CollectionId, Violation) -> Result<(), String> + Send + Sync + 'a;

/// The GraphQL API of one app: its schema and its prepared operations.
///
/// 1. A document is parsed, validated and planned once; the plan knows no variables and no roles.
/// 2. Variables, arguments and limits are checked before anything runs: their errors refuse the request.
/// 3. A query reads one snapshot. A mutation is one transaction, and all or nothing.
/// 4. Custom resolvers are run by the same plan: a function is called at its place in the order of root fields, or
///    once per level for the documents whose field it computes.
pub struct Graphql {
    catalog: Arc<Catalog>,
    schema: Schema,
    plans: PlanCache,
    limits: Limits,
}

/// What a request runs in.
pub struct ExecuteContext<'a> {
    /// The documents.
    pub store: &'a dyn DocumentStore,
    /// Who asks.
    pub actor: &'a Actor,
    /// What binds them.
    pub rules: &'a RuleBook,
    /// What `%%request` stands for.
    pub request: &'a Lazily<'a>,
    /// Time and randomness, for fresh ids.
    pub env: &'a Env,
    /// Asked for every new image, before it is written.
    pub validate: &'a Validate<'a>,
    /// Asked where a new image breaks a `validate` expression; `None` where writes are not validated.
    pub(crate) violated: Option<&'a Violated<'a>>,
    /// Asked for every document that is read, where reads are validated.
    pub validate_read: Option<&'a Validate<'a>>,
    /// What custom resolvers call.
    pub functions: &'a Functions,
    /// The peer that the request came from, where it is known.
    pub peer: Option<IpAddr>,
    /// Where the rules are explained, for who may know it.
    pub explanations: Option<&'a Mutex<Vec<Explanation>>>,
    /// Where it is noted what is found out, for the log.
    pub notes: Option<&'a Notes>,
}

impl Graphql {
    /// The API that a catalog describes.
    pub fn new(catalog: Arc<Catalog>, introspection: Introspection, limits: &Limits) -> Self {
        let schema = Schema::new(catalog.clone(), introspection, limits);
        Self { catalog, schema, plans: PlanCache::new(limits.cached_plans), limits: limits.clone() }
    }

    /// The schema in the schema definition language.
    pub fn sdl(&self) -> &str {
        self.schema.sdl()
    }

    /// The limits that requests run under.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The catalog that the schema was made from.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// A query that this API answers, for a first try; empty when it has none. The collection of the
    /// given name is preferred.
    pub fn example_query(&self, preferred: &str) -> String {
        let collection = |field: &RootField| match field.resolution {
            Resolution::Collection(at, Operation::FindMany) => self.catalog.collections.get(at.0),
            Resolution::Collection(..) | Resolution::Custom(_) => None,
        };
        let is_preferred =
            |field: &&RootField| collection(field).is_some_and(|api| &*api.id.name == preferred);
        let lists = || self.catalog.queries.iter().filter(|field| collection(field).is_some());
        let example = |field: &RootField| {
            let api = collection(field)?;
            let object = self.catalog.objects.get(api.object.0)?;
            let scalars = object.fields.iter().filter(|field| matches!(field.shape, Shape::Scalar(_)));
            let names: Vec<&str> = scalars.take(4).map(|field| field.name.as_str()).collect();
            (!names.is_empty()).then(|| format!("{{ {}(limit: 5) {{ {} }} }}", field.name, names.join(" ")))
        };
        lists().find(is_preferred).into_iter().chain(lists()).find_map(example).unwrap_or_default()
    }

    /// Answers a request. It never fails: what goes wrong is in the answer.
    pub async fn execute(&self, context: &ExecuteContext<'_>, request: &GraphqlRequest) -> GraphqlResponse {
        let actor = context.actor;
        let span = debug_span!(
            "graphql",
            app_id = %actor.app(),
            user_id = actor.acting_user().map(|acting| display(acting.user.id)),
            operation = Empty,
            error_code = Empty,
        );
        // A large future is moved into its span, so without one it is awaited where it is.
        let response = if span.is_disabled() {
            self.run(context, request).await
        } else {
            self.run(context, request).instrument(span.clone()).await
        };
        let response = response
            .unwrap_or_else(|errors| GraphqlResponse::refused(&told(self.schema.introspection(), errors)));
        if let Some(code) = response.error_code {
            span.record("error_code", code);
            if let Some(notes) = context.notes {
                notes.graphql_failed(code);
            }
        }
        metrics::graphql(actor.app().as_str(), response.error_code.unwrap_or("ok"));
        response
    }

    /// # Errors
    /// What was found before anything ran.
    async fn run(
        &self,
        context: &ExecuteContext<'_>,
        request: &GraphqlRequest,
    ) -> Result<GraphqlResponse, Vec<GraphqlError>> {
        let prepare = debug_span!("prepare", cached = Empty);
        let operation = prepare.in_scope(|| self.operation(request, &prepare))?;
        note_operation(context, request);
        if request.read_only && operation.prepared.operation.kind == OperationKind::Mutation {
            let text = "a mutation must be sent by POST";
            return Err(vec![GraphqlError::request(code::MUTATION_BY_GET, text)]);
        }
        let bind = debug_span!("bind");
        let (variables, plan) = bind.in_scope(|| self.plan(&operation, request))?;
        if let Some(refused) = &plan.refused {
            return Ok(GraphqlResponse::null(&told(self.schema.introspection(), vec![refused.clone()])));
        }
        let introspected = if plan.introspection.is_empty() {
            Vec::new()
        } else {
            self.schema.introspect(&plan.introspection, &as_json(&variables))?
        };
        let (body, errors) = self.attempts(context, (&plan, &variables), &introspected, &bind).await?;
        let errors = told(self.schema.introspection(), errors);
        Ok(match body {
            Some(body) => GraphqlResponse::finish(body, &errors),
            None => GraphqlResponse::null(&errors),
        })
    }

    /// Runs a plan; a mutation again and again while other transactions come in between.
    async fn attempts(
        &self,
        context: &ExecuteContext<'_>,
        (plan, variables): (&Plan, &Variables),
        introspected: &Introspected,
        bind: &Span,
    ) -> Result<Ran, Vec<GraphqlError>> {
        let mut attempt = 0;
        loop {
            let mut session = Session::new(context, &self.catalog, &self.limits, variables).attempt(attempt);
            let bound = bind.in_scope(|| session.bind(plan))?;
            let run = debug_span!("run", kind = plan.kind.as_str(), roots = plan.roots.len());
            if plan.kind == OperationKind::Query {
                return Ok(run_query(session, plan, bound, introspected).instrument(run).await);
            }
            let view = session.view();
            let ran = run_mutation(session, plan, bound, introspected).instrument(run).await;
            attempt += 1;
            if ran.0.is_some() || !view.is_contended() || attempt >= self.limits.transaction_attempts {
                return Ok(ran);
            }
        }
    }

    /// The variables' values, and the plan that they lead to.
    fn plan(
        &self,
        operation: &CachedOperation,
        request: &GraphqlRequest,
    ) -> Result<(Variables, Arc<Plan>), Vec<GraphqlError>> {
        let declared = &operation.prepared.operation.variables;
        let variables = coerce_variables(declared, &request.variables, &self.catalog, &self.limits)?;
        let switches = operation.prepared.switch_values(&variables);
        let plan = operation
            .plan(&switches, || Plan::build(&operation.prepared, &switches, &self.catalog, &self.limits))
            .map_err(|error| vec![error])?;
        Ok((variables, plan))
    }

    /// The validated operation, from the cache when it was seen before.
    fn operation(
        &self,
        request: &GraphqlRequest,
        span: &Span,
    ) -> Result<Arc<CachedOperation>, Vec<GraphqlError>> {
        let name = request.operation_name.as_deref();
        let key = PlanCache::key(&request.query, name);
        let cached = self.plans.get(&key);
        span.record("cached", cached.is_some());
        metrics::plan_cache(cached.is_some());
        if let Some(operation) = cached {
            return Ok(operation);
        }
        let operation = self.schema.operation(&request.query, name)?;
        Ok(self.plans.put(key, Prepared::new(operation)))
    }
}

impl std::fmt::Debug for Graphql {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Graphql").finish_non_exhaustive()
    }
}

/// What ran: the body, which is `None` where `data` is null, and the errors.
type Ran = (Option<Vec<u8>>, Vec<GraphqlError>);

async fn run_query(
    mut session: Session<'_>,
    plan: &Plan,
    bound: Vec<Bound>,
    introspected: &Introspected,
) -> Ran {
    let mut output = start();
    let is_whole = query(&mut session, plan, bound, introspected, &mut output).await;
    (is_whole.then_some(output.body), output.errors)
}

async fn run_mutation(
    session: Session<'_>,
    plan: &Plan,
    bound: Vec<Bound>,
    introspected: &Introspected,
) -> Ran {
    let (mut session, mut output) = (session.sharing(), start());
    let ended = match mutation(&mut session, plan, bound, introspected, &mut output).await {
        Ok(()) => session.commit().await,
        Err(error) => {
            session.rollback().await;
            Err(error)
        }
    };
    match ended {
        Ok(()) => (Some(output.body), output.errors),
        Err(error) => (None, vec![error]),
    }
}

/// Only now is the name known to be one: before, it was anything that a client has sent.
fn note_operation(context: &ExecuteContext<'_>, request: &GraphqlRequest) {
    let Some(name) = request.operation_name.as_deref() else { return };
    Span::current().record("operation", bounded(name));
    if let Some(notes) = context.notes {
        notes.operation(name);
    }
}

/// The variables that introspection can use.
fn as_json(variables: &Variables) -> serde_json::Map<String, serde_json::Value> {
    let value = |input: &Input| match input {
        Input::Null => Some(serde_json::Value::Null),
        Input::Scalar(Bson::String(text)) => Some(text.as_str().into()),
        Input::Scalar(Bson::Boolean(value)) => Some((*value).into()),
        _ => None,
    };
    variables.iter().filter_map(|(name, input)| Some((name.clone(), value(input)?))).collect()
}

fn start() -> Output {
    Output { body: br#"{"data":"#.to_vec(), errors: Vec::new() }
}
