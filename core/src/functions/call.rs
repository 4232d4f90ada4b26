//! One call of a function.

use std::future::Future;
use std::net::IpAddr;

use async_trait::async_trait;
use bson::Bson;

use super::CallContext;
use crate::actor::Actor;

/// A function that the configuration calls by name.
///
/// Any `Fn(FunctionCall) -> impl Future<Output = Result<Bson, FunctionFailure>>` is one:
///
/// ```
/// use backstitch::bson::{Bson, doc};
/// use backstitch::engine::Engine;
/// use backstitch::functions::{FunctionCall, FunctionFailure};
///
/// let builder = Engine::builder().function("confirmUser", async |call: FunctionCall| {
///     let user = call.arguments.first().and_then(Bson::as_document).cloned().unwrap_or_default();
///     match user.get_str("username") {
///         Ok(name) if name.ends_with("@example.com") => Ok(Bson::from(doc! { "status": "success" })),
///         Ok(_) => Ok(Bson::from(doc! { "status": "fail" })),
///         Err(_) => Err(FunctionFailure::new("no username")),
///     }
/// });
/// ```
#[async_trait]
pub trait Function: Send + Sync {
    /// Runs it.
    ///
    /// **Behaviour**
    /// - a failure's message may be shown to the client;
    /// - it may be dropped at any await, when its deadline is over;
    /// - in a GraphQL mutation that has written already, what it writes through the engine on its own waits for that
    ///   mutation to end, and so cannot come to an end itself: write first, or elsewhere.
    async fn call(&self, call: FunctionCall) -> Result<Bson, FunctionFailure>;
}

/// What a function is called with. `Debug` shows how many arguments there are and none of them: confirmation and
/// reset functions are given tokens and passwords.
#[derive(Clone)]
pub struct FunctionCall {
    /// For whom: the user who calls, or the system.
    pub actor: Actor,
    /// The arguments. A custom resolver's function gets `(input, source)`: the field's argument under the GraphQL
    /// names of its members, null where it was not given, and the object whose field it computes, as the caller
    /// may read it. There is no `input` where the field takes none, and no `source` on `Query` and `Mutation`.
    pub arguments: Vec<Bson>,
    /// The peer that the request came from, where it is known.
    pub peer: Option<IpAddr>,
    /// What it reaches: data under the rules, other functions, values, other servers.
    pub context: CallContext,
}

impl FunctionCall {
    /// A call for this actor, outside of any request and any app: [`Functions`](super::Functions) puts the app in.
    pub fn new(actor: Actor, arguments: Vec<Bson>) -> Self {
        Self { context: CallContext::detached(actor.clone()), actor, arguments, peer: None }
    }

    /// The same for a peer, where it is known.
    #[must_use]
    pub fn from_peer(self, peer: Option<IpAddr>) -> Self {
        Self { peer, ..self }
    }
}

impl std::fmt::Debug for FunctionCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("FunctionCall");
        shown.field("actor", &self.actor).field("peer", &self.peer);
        shown.field("arguments", &self.arguments.len()).finish_non_exhaustive()
    }
}

/// What a function throws. The message may be shown to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionFailure(String);

impl FunctionFailure {
    /// A failure with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl std::fmt::Display for FunctionFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FunctionFailure {}

#[async_trait]
impl<F, R> Function for F
where
    F: Fn(FunctionCall) -> R + Send + Sync,
    R: Future<Output = Result<Bson, FunctionFailure>> + Send,
{
    async fn call(&self, call: FunctionCall) -> Result<Bson, FunctionFailure> {
        self(call).await
    }
}
