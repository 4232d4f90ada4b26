//! The one connection that writes, on a thread of its own.
//!
//! 1. Everything that writes asks for a turn; turns are given in the order of asking.
//! 2. A single write has its turn for one closure, which runs inside `BEGIN IMMEDIATE … COMMIT`.
//! 3. A transaction has its turn until it commits, rolls back, is dropped or passes its deadline.
//! 4. Whoever waits for longer than the turn timeout gets `Busy`; nothing of it was written.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use backstitch::env::Clock;
use backstitch::store::{Durability, Result, StoreError, StoreErrorKind, TransactionOptions};
use chrono::{DateTime, Utc};
use futures_channel::oneshot;
use rusqlite::Connection;

use crate::SqliteConfig;
use crate::catalog::CatalogCache;
use crate::error::from_sqlite;

/// Asks the writer's thread for turns. The thread ends with the last of these.
#[derive(Clone)]
pub(crate) struct Writer {
    inbox: Sender<Message>,
    clock: Arc<dyn Clock>,
    turn_timeout: Duration,
}

/// What a closure on the writer's thread works with: a connection inside a transaction.
pub(crate) struct Backend {
    pub(crate) connection: Connection,
    pub(crate) catalog: CatalogCache,
    durability: Durability,
}

/// An open transaction on the writer's thread; dropping it rolls back.
pub(crate) struct Turn {
    inbox: Sender<Message>,
    number: u64,
    open: bool,
}

type Work = Box<dyn FnOnce(Result<&mut Backend>) + Send>;

enum Message {
    Wait(Waiting),
    Step(u64, Step),
}

struct Waiting {
    until: DateTime<Utc>,
    durability: Durability,
    wish: Wish,
}

enum Wish {
    Once(Work),
    Transaction { deadline: Duration, grant: oneshot::Sender<Result<u64>> },
}

enum Step {
    Run(Work),
    Commit(oneshot::Sender<Result<()>>),
    Rollback(Option<oneshot::Sender<Result<()>>>),
}

impl Writer {
    pub(crate) fn start(connection: Connection, config: &SqliteConfig) -> Result<Self> {
        let (inbox, messages) = channel();
        let backend =
            Backend { connection, catalog: CatalogCache::default(), durability: Durability::Process };
        let mut thread = Thread {
            backend,
            messages,
            waiting: VecDeque::new(),
            clock: Arc::clone(&config.clock),
            turns: 0,
        };
        thread::Builder::new()
            .name("backstitch-sqlite-writer".to_owned())
            .spawn(move || thread.serve())
            .map_err(|cause| {
                StoreError::new(StoreErrorKind::Io, "no thread for the writer").with_cause(cause)
            })?;
        Ok(Self { inbox, clock: Arc::clone(&config.clock), turn_timeout: config.turn_timeout })
    }

    /// Runs one closure in a transaction of its own, and commits when it succeeds.
    pub(crate) async fn once<T, F>(&self, durability: Durability, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Backend) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |backend| {
            // The caller may have given up; the write was done all the same.
            let _ = reply.send(backend.and_then(|backend| in_transaction(backend, durability, work)));
        });
        self.wait(durability, Wish::Once(work))?;
        answer.await.unwrap_or_else(|_| Err(writer_gone()))
    }

    pub(crate) async fn begin(&self, options: TransactionOptions) -> Result<Turn> {
        let (grant, granted) = oneshot::channel();
        self.wait(options.durability, Wish::Transaction { deadline: options.deadline, grant })?;
        let number = granted.await.unwrap_or_else(|_| Err(writer_gone()))?;
        Ok(Turn { inbox: self.inbox.clone(), number, open: true })
    }

    fn wait(&self, durability: Durability, wish: Wish) -> Result<()> {
        let until = self.clock.now() + self.turn_timeout;
        self.inbox.send(Message::Wait(Waiting { until, durability, wish })).map_err(|_| writer_gone())
    }
}

impl Turn {
    /// Runs a closure inside the transaction.
    pub(crate) async fn run<T, F>(&mut self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Backend) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |backend| {
            let _ = reply.send(backend.and_then(work));
        });
        self.send(Step::Run(work))?;
        answer.await.unwrap_or_else(|_| Err(writer_gone()))
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        self.open = false;
        self.send(Step::Commit(reply))?;
        answer.await.unwrap_or_else(|_| Err(writer_gone()))
    }

    pub(crate) async fn rollback(mut self) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        self.open = false;
        self.send(Step::Rollback(Some(reply)))?;
        answer.await.unwrap_or_else(|_| Err(writer_gone()))
    }

    fn send(&self, step: Step) -> Result<()> {
        self.inbox.send(Message::Step(self.number, step)).map_err(|_| writer_gone())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.open {
            // A writer that is gone has rolled back.
            let _ = self.send(Step::Rollback(None));
        }
    }
}

struct Thread {
    backend: Backend,
    messages: Receiver<Message>,
    waiting: VecDeque<Waiting>,
    clock: Arc<dyn Clock>,
    turns: u64,
}

impl Thread {
    /// Gives turns until nobody can ask any more.
    fn serve(&mut self) {
        loop {
            let next = match self.waiting.pop_front() {
                Some(next) => next,
                None => match self.messages.recv() {
                    Ok(Message::Wait(next)) => next,
                    Ok(Message::Step(_, step)) => {
                        refuse(step);
                        continue;
                    }
                    Err(_) => return,
                },
            };
            self.give_turn(next);
        }
    }

    fn give_turn(&mut self, next: Waiting) {
        if next.until <= self.clock.now() {
            return time_out(next);
        }
        match next.wish {
            Wish::Once(work) => work(Ok(&mut self.backend)),
            Wish::Transaction { deadline, grant } => {
                let deadline = self.clock.now() + deadline;
                if let Err(error) = self.backend.begin(next.durability) {
                    let _ = grant.send(Err(error));
                    return;
                }
                self.turns += 1;
                if grant.send(Ok(self.turns)).is_ok() {
                    self.serve_transaction(deadline);
                } else {
                    // Nobody waits for it any more.
                    self.backend.roll_back();
                }
            }
        }
    }

    /// Serves one transaction to its end; others queue meanwhile.
    fn serve_transaction(&mut self, deadline: DateTime<Utc>) {
        loop {
            let now = self.clock.now();
            if now >= deadline {
                return self.backend.roll_back();
            }
            self.time_out_waiting(now);
            let wake = self.waiting.front().map_or(deadline, |first| first.until.min(deadline));
            let step = match self.messages.recv_timeout((wake - now).to_std().unwrap_or_default()) {
                Ok(Message::Wait(waiting)) => {
                    self.waiting.push_back(waiting);
                    continue;
                }
                Ok(Message::Step(number, step)) if number == self.turns => step,
                Ok(Message::Step(_, step)) => {
                    refuse(step);
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return self.backend.roll_back(),
            };
            if self.clock.now() >= deadline {
                self.backend.roll_back();
                return refuse(step);
            }
            match step {
                Step::Run(work) => work(Ok(&mut self.backend)),
                Step::Commit(reply) => {
                    let _ = reply.send(self.backend.commit());
                    return;
                }
                Step::Rollback(reply) => {
                    self.backend.roll_back();
                    if let Some(reply) = reply {
                        let _ = reply.send(Ok(()));
                    }
                    return;
                }
            }
        }
    }

    fn time_out_waiting(&mut self, now: DateTime<Utc>) {
        while self.waiting.front().is_some_and(|first| first.until <= now) {
            if let Some(late) = self.waiting.pop_front() {
                time_out(late);
            }
        }
    }
}

impl Backend {
    fn begin(&mut self, durability: Durability) -> Result<()> {
        if self.durability != durability {
            // It cannot be changed inside a transaction.
            let level = match durability {
                Durability::Process => "NORMAL",
                Durability::Power => "FULL",
            };
            self.connection.pragma_update(None, "synchronous", level).map_err(from_sqlite)?;
            self.durability = durability;
        }
        self.execute("BEGIN IMMEDIATE")
    }

    fn commit(&mut self) -> Result<()> {
        let result = self.execute("COMMIT");
        if result.is_err() {
            self.roll_back();
        }
        result
    }

    fn roll_back(&mut self) {
        // What was read inside may never have been.
        self.catalog = CatalogCache::default();
        // A full disk has rolled back by itself.
        if !self.connection.is_autocommit() {
            // What fails here fails the next BEGIN as well, where somebody is told.
            let _ = self.execute("ROLLBACK");
        }
    }

    fn execute(&self, sql: &str) -> Result<()> {
        let mut statement = self.connection.prepare_cached(sql).map_err(from_sqlite)?;
        statement.execute([]).map(drop).map_err(from_sqlite)
    }
}

fn in_transaction<T>(
    backend: &mut Backend,
    durability: Durability,
    work: impl FnOnce(&mut Backend) -> Result<T>,
) -> Result<T> {
    backend.begin(durability)?;
    match work(backend) {
        Ok(value) => backend.commit().map(|()| value),
        Err(error) => {
            backend.roll_back();
            Err(error)
        }
    }
}

fn time_out(waiting: Waiting) {
    let busy = StoreError::new(StoreErrorKind::Busy, "waited too long for a turn to write");
    match waiting.wish {
        Wish::Once(work) => work(Err(busy)),
        Wish::Transaction { grant, .. } => drop(grant.send(Err(busy))),
    }
}

/// Answers a step of a transaction whose turn is over.
fn refuse(step: Step) {
    let late = StoreError::new(StoreErrorKind::DeadlineExceeded, "the transaction outlived its deadline");
    match step {
        Step::Run(work) => work(Err(late)),
        Step::Commit(reply) => drop(reply.send(Err(late))),
        // It is rolled back already.
        Step::Rollback(reply) => drop(reply.map(|reply| reply.send(Ok(())))),
    }
}

fn writer_gone() -> StoreError {
    StoreError::new(StoreErrorKind::Io, "the writer's thread has ended")
}
