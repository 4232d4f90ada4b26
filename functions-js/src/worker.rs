//! The thread that calls run on.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use rquickjs::{Result, Runtime};

use crate::job::{Job, Told};
use crate::meter::Meter;
use crate::natives::Natives;
use crate::pool::{Alive, Machine};
use crate::prelude;
use crate::realm::{Outcome, Realm};

/// Bytes of stack that a thread has beyond what scripts may use: for the host's own functions.
pub(crate) const HEADROOM: usize = 1 << 20;

/// An interpreter, and a realm in it for the next call.
struct Interpreter {
    runtime: Runtime,
    realm: Realm,
    natives: Rc<Natives>,
}

impl Interpreter {
    fn new(machine: &Machine) -> Result<Self> {
        let runtime = Runtime::new()?;
        runtime.set_memory_limit(machine.settings.memory);
        runtime.set_max_stack_size(machine.settings.stack);
        prelude::install(&runtime)?;
        let natives = Natives::new(Arc::clone(&machine.settings), Arc::clone(&machine.random));
        let realm = Realm::new(&runtime, Rc::clone(&natives))?;
        Ok(Self { runtime, realm, natives })
    }

    /// The same for another call, if nothing of the last one is left.
    fn again(runtime: Runtime, natives: Rc<Natives>) -> Option<Self> {
        runtime.set_interrupt_handler(None);
        runtime.run_gc();
        if runtime.is_job_pending() {
            return None;
        }
        let realm = Realm::new(&runtime, Rc::clone(&natives)).ok()?;
        Some(Self { runtime, realm, natives })
    }
}

/// Runs calls, until there are none to come.
pub(crate) fn work(machine: &Machine, jobs: &Receiver<Job>, mut alive: Alive) {
    let mut ready: Option<Interpreter> = None;
    while let Ok(job) = jobs.recv() {
        alive.begin(Arc::clone(&job.state));
        let interpreter = ready.take().map_or_else(|| Interpreter::new(machine), Ok);
        let (outcome, left) = match interpreter {
            Ok(interpreter) => run(machine, interpreter, &job),
            Err(error) => (Outcome::unclean(error.to_string()), None),
        };
        let Job { told, worker, .. } = job;
        if !alive.finish() {
            return;
        }
        // The caller may have gone this very moment.
        let _ = told.unbounded_send(Told::Done(outcome.result));
        // The next realm is made before the next call asks for it.
        ready = left.and_then(|(runtime, natives)| Interpreter::again(runtime, natives));
        alive.give_back(worker);
    }
}

type Left = (Runtime, Rc<Natives>);

fn run(machine: &Machine, interpreter: Interpreter, job: &Job) -> (Outcome, Option<Left>) {
    let Interpreter { runtime, realm, natives } = interpreter;
    let meter = Meter::new(Arc::clone(&machine.clock), Arc::clone(&job.state), machine.settings.computing);
    let meter = Rc::new(meter);
    let asked = Rc::clone(&meter);
    runtime.set_interrupt_handler(Some(Box::new(move || asked.is_over())));
    let outcome = job.span.in_scope(|| realm.run(job, &meter, &machine.settings));
    let left = outcome.clean.then_some((runtime, natives));
    (outcome, left)
}
