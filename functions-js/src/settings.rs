//! What bounds a call.

use std::time::Duration;

/// How many calls run at once, and what each may use up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Calls at once; more wait for their turn. Functions that functions call have as many again, for each depth.
    pub workers: usize,
    /// How long a call may compute, without the time that it waits for data; what it may take altogether is
    /// [`Limits::function`](backstitch::limits::Limits).
    pub computing: Duration,
    /// Bytes of memory that a call may use.
    pub memory: usize,
    /// Bytes of stack that a call may use.
    pub stack: usize,
    /// Bytes of a value that a call gives, and of all values together that it has handed to services and other functions
    /// and that wait for an answer.
    pub value: usize,
    /// What a call may have asked for and not been answered yet.
    pub pending: usize,
    /// How much of that is under way at once.
    pub at_once: usize,
    /// Bytes that a call may write to the log.
    pub log: usize,
}

impl Default for Settings {
    /// 16 calls at once, each with 10 s of computing, 128 MB of memory, 1 MB of stack, values of 32 MB, 1000 requests and
    /// 64 kB of log.
    fn default() -> Self {
        Self {
            workers: 16,
            computing: Duration::from_secs(10),
            memory: 128 << 20,
            stack: 1 << 20,
            value: 32 << 20,
            pending: 1000,
            at_once: 32,
            log: 64 << 10,
        }
    }
}

impl Settings {
    /// What is told of a call that has computed for too long.
    pub(crate) fn too_long(&self) -> String {
        format!("the function computed for more than {} s", self.computing.as_secs_f32())
    }

    /// The same with so many calls at once.
    #[must_use]
    pub fn workers(self, workers: usize) -> Self {
        Self { workers: workers.max(1), ..self }
    }

    /// The same with so much time to compute.
    #[must_use]
    pub fn computing(self, computing: Duration) -> Self {
        Self { computing, ..self }
    }

    /// The same with so many bytes of memory.
    #[must_use]
    pub fn memory(self, memory: usize) -> Self {
        Self { memory, ..self }
    }
}
