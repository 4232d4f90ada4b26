//! What the asynchronous side and the thread of a call tell one another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, Sender};

use backstitch::functions::{FunctionCall, FunctionFailure};
use bson::Bson;
use bytes::Bytes;
use futures_channel::mpsc::UnboundedSender;
use tracing::Span;

/// A source that was parsed.
#[derive(Debug)]
pub(crate) struct Unit {
    /// The function's name, for the log.
    pub(crate) name: String,
    /// The file, for stack traces.
    pub(crate) file: String,
    /// An expression that gives the function around the source.
    pub(crate) code: String,
}

/// A call for a worker.
pub(crate) struct Job {
    pub(crate) unit: Arc<Unit>,
    pub(crate) call: FunctionCall,
    pub(crate) told: UnboundedSender<Told>,
    pub(crate) answers: Receiver<Answer>,
    pub(crate) state: Arc<State>,
    /// Where what it logs belongs.
    pub(crate) span: Span,
    /// The worker that it is for, which gives itself back with it.
    pub(crate) worker: Sender<Job>,
}

/// What the thread tells.
pub(crate) enum Told {
    /// It wants this, and will go on by this number.
    Ask(u32, Ask),
    /// It has taken one of the answers.
    Taken,
    /// It is done.
    Done(Result<Bson, FunctionFailure>),
}

/// What a script wants of the host.
pub(crate) enum Ask {
    Service { service: String, name: String, arguments: Vec<Bson> },
    Function { name: String, arguments: Vec<Bson> },
    Fetch(http::Request<Bytes>),
}

/// What the host answers to what was asked by this number.
pub(crate) struct Answer {
    pub(crate) id: u32,
    pub(crate) given: Result<Bson, Refusal>,
}

/// Why the host refuses.
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) code: Option<&'static str>,
}

/// Whether anybody still waits for a call; both sides want to be the one who ends it, and one is.
#[derive(Debug, Default)]
pub(crate) struct State(AtomicU8);

impl State {
    const RUNNING: u8 = 0;
    const FINISHED: u8 = 1;
    const DROPPED: u8 = 2;

    /// The worker is through. `false` if nobody waits any more.
    pub(crate) fn finish(&self) -> bool {
        self.end(Self::FINISHED)
    }

    /// Nobody waits any more. `false` if the worker is through already.
    pub(crate) fn abandon(&self) -> bool {
        self.end(Self::DROPPED)
    }

    pub(crate) fn is_dropped(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::DROPPED
    }

    fn end(&self, how: u8) -> bool {
        self.0.compare_exchange(Self::RUNNING, how, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}
