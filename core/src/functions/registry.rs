//! The functions that there are, by name.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use bson::{Bson, Document};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use tracing::{Instrument as _, debug_span};

use super::bounded::{Ended, bounded};
use super::{
    BatchCall, BatchFunction, CallContext, Function, FunctionCall, FunctionFailure, FunctionHost,
    FunctionRuntime, FunctionSettings, FunctionSource,
};
use crate::actor::Actor;
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::id::AppId;
use crate::observe::metrics;
use crate::report::Report;
use crate::rules::RuleCall;

/// The functions of an engine. Cloning it is cheap.
#[derive(Clone)]
pub struct Functions {
    named: Arc<HashMap<String, Arc<dyn Function>>>,
    batches: Arc<HashMap<String, Arc<dyn BatchFunction>>>,
    settings: Arc<HashMap<String, FunctionSettings>>,
    /// The app that they belong to, once there is one.
    home: Arc<OnceLock<Weak<dyn FunctionHost>>>,
    env: Env,
    deadline: Duration,
    depth: usize,
}

impl Functions {
    /// How many functions may call one another unless [`Limits::function_depth`](crate::limits::Limits) says otherwise.
    const DEPTH: usize = 16;

    /// These functions, each with `deadline` to run.
    pub fn new(named: HashMap<String, Arc<dyn Function>>, env: Env, deadline: Duration) -> Self {
        Self {
            named: Arc::new(named),
            batches: Arc::default(),
            settings: Arc::default(),
            home: Arc::default(),
            env,
            deadline,
            depth: Self::DEPTH,
        }
    }

    /// So many functions may call one another.
    #[must_use]
    pub(crate) fn with_depth(self, depth: usize) -> Self {
        Self { depth, ..self }
    }

    /// The functions of an app: these, and behind them what a runtime makes of the app's sources. A source that the
    /// runtime refuses is no function, and the report says why.
    #[must_use]
    pub(crate) fn of_app(
        &self,
        app: &AppId,
        (sources, runtime): (&[FunctionSource], Option<&dyn FunctionRuntime>),
        report: &mut Report,
    ) -> Self {
        let mut named = HashMap::clone(&self.named);
        let mut settings = HashMap::new();
        for source in sources {
            let names = [Some(source.name.as_str()), source.path_name()];
            for name in names.into_iter().flatten() {
                settings.entry(name.to_owned()).or_insert_with(|| source.settings.clone());
            }
            let (Some(runtime), true) = (runtime, source.code.is_some()) else { continue };
            if self.has(&source.name) {
                continue;
            }
            match runtime.function(app, source) {
                Ok(function) => {
                    for name in names.into_iter().flatten() {
                        named.entry(name.to_owned()).or_insert_with(|| Arc::clone(&function));
                    }
                }
                Err(message) => report.error(&source.file, "", message),
            }
        }
        let (named, settings, home) = (Arc::new(named), Arc::new(settings), Arc::default());
        Self { named, settings, home, ..self.clone() }
    }

    /// Says which app they belong to.
    pub(crate) fn move_into(&self, home: Weak<dyn FunctionHost>) {
        // There is but one app; a second one would be a defect, and is passed over.
        let _ = self.home.set(home);
    }

    /// Fails as calling it would, if there is no function of this name that clients may call.
    pub(crate) fn need_public(&self, name: &str) -> Result<()> {
        let is_private = self.settings.get(name).is_some_and(|settings| settings.private);
        if self.has(name) && !is_private { Ok(()) } else { Err(not_found(name)) }
    }

    /// Also these, which compute a field of many documents in one call.
    #[must_use]
    pub fn with_batches(mut self, batches: HashMap<String, Arc<dyn BatchFunction>>) -> Self {
        self.batches = Arc::new(batches);
        self
    }

    /// Whether there is a function of this name.
    pub fn has(&self, name: &str) -> bool {
        self.named.contains_key(name) || self.batches.contains_key(name)
    }

    /// Fails as calling it would, if there is no function of this name.
    pub(crate) fn need(&self, name: &str) -> Result<()> {
        if self.has(name) { Ok(()) } else { Err(not_found(name)) }
    }

    /// How many calls it takes to call a function for so many sources.
    pub(crate) fn calls_for(&self, name: &str, sources: usize) -> u64 {
        if self.batches.contains_key(name) { 1 } else { u64::try_from(sources).unwrap_or(u64::MAX) }
    }

    /// Calls a function by name. One that only a batch function has is called for a single, empty document.
    ///
    /// # Errors
    /// [`ErrorKind::FunctionNotFound`]; [`ErrorKind::FunctionExecutionError`] with what it threw;
    /// [`ErrorKind::ExecutionTimeLimitExceeded`].
    pub async fn call(&self, name: &str, call: FunctionCall) -> Result<Bson> {
        if let Some(function) = self.named.get(name) {
            let span = debug_span!("function", function = name, calls = 1);
            return async {
                let context = self.context(name, call.context).await?;
                self.guarded(name, function.call(FunctionCall { context, ..call })).await
            }
            .instrument(span)
            .await;
        }
        let FunctionCall { actor, arguments, peer, context } = call;
        let (input, sources) = (arguments.into_iter().next(), vec![Document::new()]);
        let mut values =
            self.call_for_each(name, BatchCall { actor, input, sources, peer, context }, 1).await?;
        values.pop().unwrap_or_else(|| Err(not_found(name)))
    }

    /// Calls a function for each source: once where a batch function has the name, else source by source with
    /// the arguments `(input, source)`, at most `at_once` of them at a time. The values come in the order of the
    /// sources.
    ///
    /// # Errors
    /// As [`call`](Self::call): as a whole where all sources share the failure, else source by source.
    pub async fn call_for_each(
        &self,
        name: &str,
        call: BatchCall,
        at_once: usize,
    ) -> Result<Vec<Result<Bson>>> {
        if let Some(batch) = self.batches.get(name) {
            let wanted = call.sources.len();
            let span = debug_span!("function", function = name, calls = 1, parents = wanted);
            let values = self.guarded(name, batch.call(call)).instrument(span).await?;
            if values.len() != wanted {
                tracing::error!(function = name, "a batch function gave another number of values than asked");
                let text = format!("the function gave {} values for {wanted} documents", values.len());
                return Err(Error::new(ErrorKind::FunctionExecutionError, text));
            }
            return Ok(values.into_iter().map(Ok).collect());
        }
        let Some(function) = self.named.get(name) else { return Err(not_found(name)) };
        let BatchCall { actor, input, sources, peer, context } = call;
        let context = self.context(name, context).await?;
        let calls: Vec<BoxFuture<'_, Result<Bson>>> = sources
            .into_iter()
            .map(|source| {
                let arguments = input.iter().cloned().chain([Bson::Document(source)]).collect();
                let call = FunctionCall { context: context.clone(), actor: actor.clone(), arguments, peer };
                self.guarded(name, function.call(call)).boxed()
            })
            .collect();
        let span = debug_span!("function", function = name, calls = calls.len(), parents = calls.len());
        Ok(stream::iter(calls).buffered(at_once.max(1)).collect().instrument(span).await)
    }

    /// Answers what rules want to know of functions, in the order of the calls and at most `at_once` at a time.
    ///
    /// # Errors
    /// As [`call`](Self::call): the first failure.
    pub(crate) async fn answer_all(
        &self,
        (actor, context): (&Actor, &CallContext),
        peer: Option<IpAddr>,
        calls: Vec<RuleCall>,
        at_once: usize,
    ) -> Result<Vec<Bson>> {
        let calls: Vec<BoxFuture<'_, Result<Bson>>> = calls
            .into_iter()
            .map(|RuleCall { function, arguments }| {
                let call = FunctionCall { actor: actor.clone(), arguments, peer, context: context.clone() };
                async move { self.call(&function, call).await }.boxed()
            })
            .collect();
        let answers: Vec<Result<Bson>> = stream::iter(calls).buffered(at_once.max(1)).collect().await;
        answers.into_iter().collect()
    }

    /// What a function reaches: its app, as whom its settings say.
    async fn context(&self, name: &str, context: CallContext) -> Result<CallContext> {
        if context.depth >= self.depth {
            let text = format!("more than {} functions call one another", self.depth);
            return Err(Error::new(ErrorKind::FunctionExecutionError, text));
        }
        let mut context = match self.home.get().and_then(Weak::upgrade) {
            Some(home) if !context.has_host() => context.hosted(home),
            _ => context,
        };
        context.depth += 1;
        context.actor = context.caller.clone();
        if let Some(settings) = self.settings.get(name) {
            if settings.run_as_system {
                context.actor = Actor::system(context.actor.app().clone());
            } else if let Some(user) = &settings.run_as_user {
                context.actor = context.user(user).await?;
            }
        }
        Ok(context)
    }

    /// What a function gives, within its deadline and with its panics caught.
    async fn guarded<T>(
        &self,
        name: &str,
        running: impl Future<Output = std::result::Result<T, FunctionFailure>> + Send,
    ) -> Result<T> {
        let outcome = match bounded(self.env.timer.as_ref(), self.deadline, running).await {
            Ended::Returned(Ok(value)) => Ok(value),
            Ended::Returned(Err(failure)) => {
                Err(Error::new(ErrorKind::FunctionExecutionError, failure.to_string()))
            }
            Ended::Panicked => {
                tracing::error!(function = name, "a native function panicked");
                Err(Error::new(ErrorKind::FunctionExecutionError, "the function failed"))
            }
            Ended::Overran => {
                let text = format!("the function `{name}` ran past {} s", self.deadline.as_secs());
                Err(Error::new(ErrorKind::ExecutionTimeLimitExceeded, text))
            }
        };
        let code = outcome.as_ref().err().and_then(|error| error.kind().code());
        metrics::function_call(code.unwrap_or("ok"));
        outcome
    }
}

fn not_found(name: &str) -> Error {
    Error::new(ErrorKind::FunctionNotFound, format!("function not found: `{name}`"))
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.named.keys().chain(self.batches.keys()).collect();
        names.sort();
        names.dedup();
        f.debug_tuple("Functions").field(&names).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bson::doc;

    use super::*;
    use crate::actor::Actor;
    use crate::id::AppId;

    fn call(argument: i32) -> FunctionCall {
        FunctionCall::new(Actor::system(AppId::new("a")), vec![argument.into()])
    }

    fn functions() -> Functions {
        let mut named: HashMap<String, Arc<dyn Function>> = HashMap::new();
        named.insert(
            "double".to_owned(),
            Arc::new(async |call: FunctionCall| {
                let number = call.arguments.first().and_then(Bson::as_i32);
                number.map(|n| Bson::from(n * 2)).ok_or_else(|| FunctionFailure::new("a number, please"))
            }),
        );
        named.insert("panics".to_owned(), Arc::new(async |_: FunctionCall| panic!("s3cret")));
        named.insert("hangs".to_owned(), Arc::new(async |_: FunctionCall| std::future::pending().await));
        Functions::new(named, Env::system(), Duration::from_millis(20))
    }

    #[tokio::test]
    async fn results_failures_panics_and_overruns_are_told_apart() {
        let functions = functions();
        assert_eq!(functions.call("double", call(4)).await.unwrap(), Bson::from(8));
        for (name, kind, text) in [
            ("lost", ErrorKind::FunctionNotFound, "function not found: `lost`"),
            ("panics", ErrorKind::FunctionExecutionError, "the function failed"),
            ("hangs", ErrorKind::ExecutionTimeLimitExceeded, "the function `hangs` ran past 0 s"),
        ] {
            let error = functions.call(name, call(1)).await.unwrap_err();
            assert_eq!((error.kind(), error.hint()), (kind, text));
        }
        let thrown = functions.call("double", FunctionCall { arguments: Vec::new(), ..call(1) }).await;
        assert_eq!(thrown.unwrap_err().hint(), "a number, please");
    }

    fn for_each(sources: Vec<Document>) -> BatchCall {
        let actor = Actor::system(AppId::new("a"));
        let context = CallContext::detached(actor.clone());
        BatchCall { actor, input: Some(2.into()), sources, peer: None, context }
    }

    #[tokio::test]
    async fn each_source_has_a_call_and_only_so_many_run_at_once() {
        let running = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let seen = Arc::clone(&running);
        let mut named: HashMap<String, Arc<dyn Function>> = HashMap::new();
        let times = move |call: FunctionCall| {
            let seen = Arc::clone(&seen);
            async move {
                seen.1.fetch_max(seen.0.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                seen.0.fetch_sub(1, Ordering::SeqCst);
                let [Bson::Int32(input), Bson::Document(source)] = call.arguments.as_slice() else {
                    return Err(FunctionFailure::new("(input, source), please"));
                };
                match source.get_i32("n") {
                    Ok(n) => Ok(Bson::from(n * input)),
                    Err(_) => Err(FunctionFailure::new("no number")),
                }
            }
        };
        named.insert("times".to_owned(), Arc::new(times));
        let functions = Functions::new(named, Env::system(), Duration::from_secs(5));
        let sources = (0..9)
            .map(|n| {
                if n == 4 {
                    doc! {}
                } else {
                    doc! { "n": n }
                }
            })
            .collect();
        let values = functions.call_for_each("times", for_each(sources), 3).await.unwrap();
        let values: Vec<_> = values.into_iter().map(std::result::Result::ok).collect();
        let expected: Vec<_> = (0..9).map(|n| (n != 4).then(|| Bson::from(n * 2))).collect();
        assert_eq!(values, expected);
        assert_eq!(running.1.load(Ordering::SeqCst), 3);
        let error = functions.call_for_each("lost", for_each(Vec::new()), 3).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FunctionNotFound);
    }

    #[tokio::test]
    async fn a_batch_is_one_call_and_gives_as_many_values_as_there_are_sources() {
        let mut batches: HashMap<String, Arc<dyn BatchFunction>> = HashMap::new();
        batches.insert(
            "count".to_owned(),
            Arc::new(async |call: BatchCall| {
                let all = Bson::from(i64::try_from(call.sources.len()).unwrap());
                Ok(call.sources.iter().filter(|source| !source.is_empty()).map(|_| all.clone()).collect())
            }),
        );
        let functions = functions().with_batches(batches);
        assert!(functions.has("count") && functions.has("double"));
        // For a single call it is asked about one document, an empty one, for which this one gives nothing.
        let alone = functions.call("count", call(1)).await.unwrap_err();
        assert_eq!(alone.hint(), "the function gave 0 values for 1 documents");
        let both = functions.call_for_each("count", for_each(vec![doc! { "a": 1 }; 2]), 1).await.unwrap();
        assert!(both.into_iter().all(|value| value.unwrap() == Bson::Int64(2)));
        let short = functions.call_for_each("count", for_each(vec![doc! { "a": 1 }, doc! {}]), 1).await;
        let error = short.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FunctionExecutionError);
        assert_eq!(error.hint(), "the function gave 1 values for 2 documents");
    }
}
