//! Blocking work off the async threads, under a bounded pool with a bounded queue.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::error::{Error, ErrorKind, Result};

/// A piece of blocking work.
pub type Job = Box<dyn FnOnce() + Send>;

/// The pool's queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saturated;

/// Runs blocking work somewhere else than on the caller's thread.
pub trait Executor: Send + Sync {
    /// Queues the job.
    ///
    /// **Behaviour**
    /// - never blocks the caller;
    /// - a queued job runs even when nobody waits for its result any more, so a dropped request
    ///   does not free its place early;
    /// - a full queue refuses with [`Saturated`] at once.
    fn spawn(&self, job: Job) -> Result<(), Saturated>;
}

impl dyn Executor {
    /// Runs `work` on the executor and waits for what it returns.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the queue is full; internal when the job died.
    pub async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (done, result) = futures_channel::oneshot::channel();
        let job = Box::new(move || {
            // The waiter may have given up; the work itself was done all the same.
            let _ = done.send(work());
        });
        self.spawn(job).map_err(|Saturated| {
            Error::new(ErrorKind::Unavailable, "the server is busy, try again").with_retry_after(1)
        })?;
        result.await.map_err(|_| Error::internal("a blocking job ended without a result"))
    }
}

/// A fixed number of threads behind one bounded queue. Dropping it ends them after the queued work.
pub struct ThreadPool {
    jobs: SyncSender<Job>,
}

impl ThreadPool {
    /// A pool of `threads` threads, on which at most `queue` jobs wait.
    pub fn new(threads: usize, queue: usize) -> Self {
        let (jobs, inbox) = sync_channel::<Job>(queue.max(1));
        let inbox = Arc::new(Mutex::new(inbox));
        for index in 0..threads.max(1) {
            let inbox = Arc::clone(&inbox);
            // A machine that can give no thread at all fails at the first job, as `Unavailable`.
            let _ = thread::Builder::new()
                .name(format!("backstitch-blocking-{index}"))
                .spawn(move || work_until_closed(&inbox));
        }
        Self { jobs }
    }

    /// As many threads as the machine has cores, and 64 waiting jobs for each.
    pub fn sized_to_machine() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self::new(cores, cores * 64)
    }
}

impl Executor for ThreadPool {
    fn spawn(&self, job: Job) -> Result<(), Saturated> {
        self.jobs.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => Saturated,
        })
    }
}

impl std::fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ThreadPool")
    }
}

fn work_until_closed(inbox: &Mutex<Receiver<Job>>) {
    loop {
        let job = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            // A panicking job must not take the thread with it; its waiter sees a closed channel.
            Ok(job) => drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(job))),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn a_full_queue_refuses_at_once_and_a_panic_leaves_the_pool_alive() {
        let pool = ThreadPool::new(1, 1);
        let (release, gate) = channel::<()>();
        let (started, running) = channel::<()>();
        pool.spawn(Box::new(move || {
            started.send(()).unwrap();
            gate.recv().unwrap();
            panic!("a job that dies");
        }))
        .unwrap();
        running.recv().unwrap();
        let (done, finished) = channel::<()>();
        pool.spawn(Box::new(move || done.send(()).unwrap())).unwrap();
        assert_eq!(pool.spawn(Box::new(|| ())), Err(Saturated));
        release.send(()).unwrap();
        finished.recv().unwrap();
    }
}
