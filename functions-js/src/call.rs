//! The asynchronous side of a call: it does what the script asks for.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{SendError, Sender, channel};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use backstitch::error::Error;
use backstitch::functions::{CallContext, Function, FunctionCall, FunctionFailure};
use bson::Bson;
use futures_channel::mpsc::{UnboundedReceiver, unbounded};
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::FuturesUnordered;

use crate::fetch;
use crate::job::{Answer, Ask, Job, Refusal, State, Told, Unit};
use crate::pool::{Machine, Pool};

/// A function whose source is JavaScript.
pub(crate) struct JsFunction {
    pub(crate) unit: Arc<Unit>,
    pub(crate) pool: Arc<Pool>,
}

#[async_trait]
impl Function for JsFunction {
    async fn call(&self, call: FunctionCall) -> Result<Bson, FunctionFailure> {
        let (context, depth) = (call.context.clone(), call.context.depth());
        let mut worker = self.pool.worker(depth).await.map_err(FunctionFailure::new)?;
        let (told, messages) = unbounded();
        let (answering, answers) = channel();
        let state = Arc::new(State::default());
        let (unit, span) = (Arc::clone(&self.unit), tracing::Span::current());
        let mut job =
            Job { unit, call, told, answers, state: Arc::clone(&state), span, worker: worker.clone() };
        // A worker that has ended meanwhile gives the job back.
        while let Err(SendError(back)) = worker.send(job) {
            worker = self.pool.worker(depth).await.map_err(FunctionFailure::new)?;
            job = Job { worker: worker.clone(), ..back };
        }
        drop(worker);
        let held = Held { pool: &self.pool, depth, state };
        let side = Side { context, messages, answering, machine: &self.pool.machine };
        let result = side.serve().await;
        drop(held);
        result
    }
}

/// A call that runs. Dropped before it has ended, it is ended.
struct Held<'a> {
    pool: &'a Arc<Pool>,
    depth: usize,
    state: Arc<State>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if self.state.abandon() {
            self.pool.dropped(self.depth);
        }
    }
}

/// How long a script that computes for too long may go on until it is given up: the interpreter looks up every few thousand
/// steps, but not in each of its built-in functions.
const GRACE: Duration = Duration::from_millis(500);

struct Side<'a> {
    context: CallContext,
    messages: UnboundedReceiver<Told>,
    answering: Sender<Answer>,
    machine: &'a Machine,
}

impl Side<'_> {
    /// Answers until the script is done.
    async fn serve(mut self) -> Result<Bson, FunctionFailure> {
        let settings = &self.machine.settings;
        let (mut waiting, mut running) = (VecDeque::new(), FuturesUnordered::new());
        // Answers that the script has not taken yet.
        let mut untaken = 0_usize;
        loop {
            while running.len() + untaken < settings.at_once.max(1)
                && let Some((id, ask)) = waiting.pop_front()
            {
                running.push(answer(self.context.clone(), id, ask));
            }
            let happened = if running.is_empty() {
                // Nothing is asked for, so the script computes.
                let longest = self.machine.timer.sleep(settings.computing.saturating_add(GRACE));
                match select(pin!(self.next(&mut running)), longest).await {
                    Either::Left((happened, _)) => happened,
                    Either::Right(_) => return Err(FunctionFailure::new(settings.too_long())),
                }
            } else {
                self.next(&mut running).await
            };
            match happened {
                Happened::Told(Told::Ask(id, ask)) => waiting.push_back((id, ask)),
                Happened::Told(Told::Taken) => untaken = untaken.saturating_sub(1),
                Happened::Told(Told::Done(result)) => return result,
                // The thread has ended without a word: it panicked, which is a defect of ours.
                Happened::Silence => return Err(FunctionFailure::new("the function failed")),
                // A script that is ended takes no answers.
                Happened::Answered(answer) => {
                    untaken += 1;
                    drop(self.answering.send(answer));
                }
            }
        }
    }

    /// What comes first: a word of the script, or the end of something that it asked for.
    async fn next(&mut self, running: &mut FuturesUnordered<BoxFuture<'static, Answer>>) -> Happened {
        poll_fn(|context| {
            if let Poll::Ready(told) = self.messages.poll_next_unpin(context) {
                return Poll::Ready(told.map_or(Happened::Silence, Happened::Told));
            }
            match running.poll_next_unpin(context) {
                Poll::Ready(Some(answer)) => Poll::Ready(Happened::Answered(answer)),
                Poll::Ready(None) | Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

enum Happened {
    Told(Told),
    Answered(Answer),
    Silence,
}

fn answer(context: CallContext, id: u32, ask: Ask) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let given = match ask {
            Ask::Service { service, name, arguments } => {
                context.call_service(&service, &name, arguments).await
            }
            Ask::Function { name, arguments } => context.call_function(&name, arguments).await,
            Ask::Fetch(request) => context.fetch(request).await.map(fetch::response),
        };
        Answer { id, given: given.map_err(|error| refusal(&error)) }
    })
}

/// What a script may know of an error: what a client may.
fn refusal(error: &Error) -> Refusal {
    Refusal { message: error.hint().to_owned(), code: error.kind().code() }
}
