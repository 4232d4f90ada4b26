//! One call of a function for many documents.

use std::future::Future;
use std::net::IpAddr;

use async_trait::async_trait;
use bson::{Bson, Document};

use super::{CallContext, FunctionFailure};
use crate::actor::Actor;

/// A function that computes a field of many documents in one call.
///
/// Any `Fn(BatchCall) -> impl Future<Output = Result<Vec<Bson>, FunctionFailure>>` is one:
///
/// ```
/// use backstitch::bson::Bson;
/// use backstitch::engine::Engine;
/// use backstitch::functions::BatchCall;
///
/// let builder = Engine::builder().batch_function("titleLength", async |call: BatchCall| {
///     let length = |title: &str| i32::try_from(title.chars().count()).unwrap_or(i32::MAX);
///     let lengths = call.sources.iter().map(|movie| movie.get_str("title").map(length).ok());
///     Ok(lengths.map(Bson::from).collect())
/// });
/// ```
#[async_trait]
pub trait BatchFunction: Send + Sync {
    /// Runs it.
    ///
    /// **Behaviour**
    /// - it gives one value for each source, in their order; another number fails them all;
    /// - a failure is that of all of them, and its message may be shown to the client;
    /// - it may be dropped at any await, when its deadline is over.
    async fn call(&self, call: BatchCall) -> Result<Vec<Bson>, FunctionFailure>;
}

/// What a function is called with for many documents.
#[derive(Clone, Debug)]
pub struct BatchCall {
    /// For whom: the user who calls, or the system.
    pub actor: Actor,
    /// The field's argument; `None` for a field that takes none, null where it was not given.
    pub input: Option<Bson>,
    /// The documents whose field is asked for, as the caller may read them.
    pub sources: Vec<Document>,
    /// The peer that the request came from, where it is known.
    pub peer: Option<IpAddr>,
    /// What it reaches: data under the rules, other functions, values, other servers.
    pub context: CallContext,
}

#[async_trait]
impl<F, R> BatchFunction for F
where
    F: Fn(BatchCall) -> R + Send + Sync,
    R: Future<Output = Result<Vec<Bson>, FunctionFailure>> + Send,
{
    async fn call(&self, call: BatchCall) -> Result<Vec<Bson>, FunctionFailure> {
        self(call).await
    }
}
