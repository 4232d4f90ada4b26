//! The threads that there are.
//!
//! 1. A function that calls a function waits for it, and keeps its thread meanwhile. So there are threads for each depth: a
//!    call waits for threads of its own depth only, and those wait for deeper ones only.
//! 2. A call that was dropped is ended by the interpreter, which looks up every few thousand steps. Until it has ended,
//!    another thread may take its place, as many as there are workers. Some built-in functions never look up; when all
//!    threads of a depth are lost to them, calls are refused at once.
//! 3. A thread gives itself back with what its call has come to; it ends when its handle is gone.

use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

use backstitch::env::{Clock, Random, Timer};
use futures_channel::oneshot;

use crate::job::{Job, State};
use crate::settings::Settings;
use crate::worker::{HEADROOM, work};

/// What every worker has.
#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) settings: Arc<Settings>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) timer: Arc<dyn Timer>,
}

/// The threads, by the depth of the calls that they are for.
pub(crate) struct Pool {
    pub(crate) machine: Machine,
    lanes: Mutex<HashMap<usize, Lane>>,
}

const LOST: &str = "no function can be run: too many were given up that have not ended";

type Worker = Sender<Job>;

#[derive(Default)]
struct Lane {
    idle: Vec<Worker>,
    waiting: VecDeque<oneshot::Sender<Worker>>,
    /// Threads that there are.
    alive: usize,
    /// Those among them whose call was dropped.
    ending: usize,
}

impl Pool {
    pub(crate) fn new(machine: Machine) -> Arc<Self> {
        Arc::new(Self { machine, lanes: Mutex::default() })
    }

    /// A worker for a call at this depth, as soon as there is one.
    pub(crate) async fn worker(self: &Arc<Self>, depth: usize) -> Result<Worker, String> {
        let turn = {
            let mut lanes = self.lanes();
            let lane = lanes.entry(depth).or_default();
            if let Some(worker) = lane.idle.pop() {
                return Ok(worker);
            }
            if lane.may_grow(self.machine.settings.workers) {
                return self.spawn(lane, depth);
            }
            if lane.is_lost() {
                return Err(LOST.to_owned());
            }
            let (sender, turn) = oneshot::channel();
            lane.waiting.push_back(sender);
            turn
        };
        turn.await.map_err(|_| LOST.to_owned())
    }

    /// A call at this depth was dropped while it ran.
    pub(crate) fn dropped(self: &Arc<Self>, depth: usize) {
        let mut lanes = self.lanes();
        let lane = lanes.entry(depth).or_default();
        lane.ending += 1;
        self.refill(lane, depth);
        if lane.is_lost() {
            lane.waiting.clear();
        }
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<usize, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(self: &Arc<Self>, lane: &mut Lane, depth: usize) -> Result<Worker, String> {
        let (worker, jobs) = channel();
        let (machine, pool) = (self.machine.clone(), Arc::downgrade(self));
        let stack = machine.settings.stack.saturating_add(HEADROOM);
        let thread = thread::Builder::new().name("backstitch-js".to_owned()).stack_size(stack);
        match thread.spawn(move || work(&machine, &jobs, Alive::new(pool, depth))) {
            Ok(_) => {
                lane.alive += 1;
                Ok(worker)
            }
            Err(error) => Err(format!("no thread could be started: {error}")),
        }
    }

    /// Starts threads for those who wait, if there may be more.
    fn refill(self: &Arc<Self>, lane: &mut Lane, depth: usize) {
        while lane.may_grow(self.machine.settings.workers) {
            let Some(turn) = lane.next() else { return };
            match self.spawn(lane, depth) {
                // Whoever has gone meanwhile drops the worker, which then ends.
                Ok(worker) => drop(turn.send(worker)),
                Err(error) => tracing::error!("{error}"),
            }
        }
    }
}

impl Lane {
    fn may_grow(&self, workers: usize) -> bool {
        self.alive < workers + self.ending.min(workers)
    }

    /// Whether no thread is left that can be expected to come back.
    fn is_lost(&self) -> bool {
        self.alive > 0 && self.alive <= self.ending
    }

    /// The next who waits and is still there.
    fn next(&mut self) -> Option<oneshot::Sender<Worker>> {
        while let Some(turn) = self.waiting.pop_front() {
            if !turn.is_canceled() {
                return Some(turn);
            }
        }
        None
    }
}

/// A thread's place in the pool; given up when the thread ends, however it does.
pub(crate) struct Alive {
    pool: Weak<Pool>,
    depth: usize,
    /// The call that runs.
    running: Option<Arc<State>>,
}

impl Alive {
    pub(crate) fn new(pool: Weak<Pool>, depth: usize) -> Self {
        Self { pool, depth, running: None }
    }

    /// A call begins.
    pub(crate) fn begin(&mut self, state: Arc<State>) {
        self.running = Some(state);
    }

    /// The call has ended. `false` if nobody waits for it any more; then the thread is to end too.
    pub(crate) fn finish(&mut self) -> bool {
        let finished = self.running.as_ref().is_none_or(|state| state.finish());
        if finished {
            self.running = None;
        }
        finished
    }

    /// The thread is free for another call.
    pub(crate) fn give_back(&self, mut worker: Worker) {
        let Some(pool) = self.pool.upgrade() else { return };
        let mut lanes = pool.lanes();
        let lane = lanes.entry(self.depth).or_default();
        while let Some(turn) = lane.next() {
            match turn.send(worker) {
                Ok(()) => return,
                Err(back) => worker = back,
            }
        }
        lane.idle.push(worker);
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        let was_ending = !self.finish();
        let Some(pool) = self.pool.upgrade() else { return };
        let mut lanes = pool.lanes();
        let lane = lanes.entry(self.depth).or_default();
        lane.alive = lane.alive.saturating_sub(1);
        lane.ending = lane.ending.saturating_sub(usize::from(was_ending));
        pool.refill(lane, self.depth);
    }
}
