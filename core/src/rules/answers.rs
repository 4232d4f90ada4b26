//! What functions have answered to the rules of one request.
//!
//! 1. Rules are judged without waiting. A call that has not been answered yet makes the judgement
//!    [`Unknown`](super::condition::Judgement), which permits nothing, and is noted as wanted.
//! 2. Who asks the rules answers what is wanted and asks again, until nothing is: [`Answers::settle`].
//! 3. A function is called once for the same arguments in a request.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bson::{Bson, RawArrayBuf};

/// A call of a function by a rule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RuleCall {
    /// The function's name.
    pub(crate) function: Arc<str>,
    /// What it is called with.
    pub(crate) arguments: Vec<Bson>,
}

/// The answers so far. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    known: HashMap<Key, Bson>,
    /// In the order of asking.
    wanted: Vec<(Key, RuleCall)>,
    /// The keys of these, for a page asks about many documents at once.
    noted: HashSet<Key>,
}

/// What is equal for equal calls: the function and its arguments' bytes.
type Key = (Arc<str>, Vec<u8>);

impl Answers {
    /// The answer to a call; `None` when it has still to be called, which is noted.
    pub(crate) fn of(&self, call: RuleCall) -> Option<Bson> {
        let key = key(&call);
        let mut table = self.lock();
        if let Some(known) = table.known.get(&key) {
            return Some(known.clone());
        }
        if table.noted.insert(key.clone()) {
            table.wanted.push((key, call));
        }
        None
    }

    /// Asks the rules, and answers the calls that they make on the way, until they need no more.
    ///
    /// # Errors
    /// The first failure of a call.
    pub(crate) async fn settle<T, E, F>(
        &self,
        mut ask: impl FnMut() -> T,
        answer: impl Fn(Vec<RuleCall>) -> F,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<Vec<Bson>, E>>,
    {
        loop {
            let found = ask();
            let wanted = std::mem::take(&mut self.lock().wanted);
            if wanted.is_empty() {
                return Ok(found);
            }
            let (keys, calls): (Vec<Key>, Vec<RuleCall>) = wanted.into_iter().unzip();
            let values = answer(calls).await?;
            let mut table = self.lock();
            table.noted.clear();
            table.known.extend(keys.into_iter().zip(values));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Values that cannot be written down as BSON are told apart by nothing; there are none.
fn key(call: &RuleCall) -> Key {
    let arguments = RawArrayBuf::from_iter(
        call.arguments.iter().filter_map(|value| bson::RawBson::try_from(value.clone()).ok()),
    );
    (Arc::clone(&call.function), arguments.as_bytes().to_vec())
}
