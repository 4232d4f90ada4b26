//! The functions that there are, by name.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bson::Bson;

use super::bounded::{Ended, bounded};
use super::{Function, FunctionCall};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};

/// The functions of an engine. Cloning it is cheap.
#[derive(Clone)]
pub struct Functions {
    named: Arc<HashMap<String, Arc<dyn Function>>>,
    env: Env,
    deadline: Duration,
}

impl Functions {
    /// These functions, each with `deadline` to run.
    pub fn new(named: HashMap<String, Arc<dyn Function>>, env: Env, deadline: Duration) -> Self {
        Self { named: Arc::new(named), env, deadline }
    }

    /// Whether there is a function of this name.
    pub fn has(&self, name: &str) -> bool {
        self.named.contains_key(name)
    }

    /// Fails as calling it would, if there is no function of this name.
    pub(crate) fn need(&self, name: &str) -> Result<()> {
        if self.has(name) { Ok(()) } else { Err(not_found(name)) }
    }

    /// Calls a function by name.
    ///
    /// # Errors
    /// [`ErrorKind::FunctionNotFound`]; [`ErrorKind::FunctionExecutionError`] with what it threw;
    /// [`ErrorKind::ExecutionTimeLimitExceeded`].
    pub async fn call(&self, name: &str, call: FunctionCall) -> Result<Bson> {
        let Some(function) = self.named.get(name) else {
            return Err(not_found(name));
        };
        // A call that panics before its first await is caught like any other.
        let running = async { function.call(call).await };
        match bounded(self.env.timer.as_ref(), self.deadline, running).await {
            Ended::Returned(Ok(value)) => Ok(value),
            Ended::Returned(Err(failure)) => {
                Err(Error::new(ErrorKind::FunctionExecutionError, failure.to_string()))
            }
            Ended::Panicked => {
                tracing::error!(function = name, "a native function panicked");
                Err(Error::new(ErrorKind::FunctionExecutionError, "the function failed"))
            }
            Ended::Overran => {
                let text = format!("the function `{name}` ran past {} s", self.deadline.as_secs());
                Err(Error::new(ErrorKind::ExecutionTimeLimitExceeded, text))
            }
        }
    }
}

fn not_found(name: &str) -> Error {
    Error::new(ErrorKind::FunctionNotFound, format!("function not found: `{name}`"))
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.named.keys().collect();
        names.sort();
        f.debug_tuple("Functions").field(&names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Actor;
    use crate::functions::FunctionFailure;
    use crate::id::AppId;

    fn call(argument: i32) -> FunctionCall {
        FunctionCall { actor: Actor::system(AppId::new("a")), arguments: vec![argument.into()], peer: None }
    }

    fn functions() -> Functions {
        let mut named: HashMap<String, Arc<dyn Function>> = HashMap::new();
        named.insert(
            "double".to_owned(),
            Arc::new(async |call: FunctionCall| {
                let number = call.arguments.first().and_then(Bson::as_i32);
                number.map(|n| Bson::from(n * 2)).ok_or_else(|| FunctionFailure::new("a number, please"))
            }),
        );
        named.insert("panics".to_owned(), Arc::new(async |_: FunctionCall| panic!("s3cret")));
        named.insert("hangs".to_owned(), Arc::new(async |_: FunctionCall| std::future::pending().await));
        Functions::new(named, Env::system(), Duration::from_millis(20))
    }

    #[tokio::test]
    async fn results_failures_panics_and_overruns_are_told_apart() {
        let functions = functions();
        assert_eq!(functions.call("double", call(4)).await.unwrap(), Bson::from(8));
        for (name, kind, text) in [
            ("lost", ErrorKind::FunctionNotFound, "function not found: `lost`"),
            ("panics", ErrorKind::FunctionExecutionError, "the function failed"),
            ("hangs", ErrorKind::ExecutionTimeLimitExceeded, "the function `hangs` ran past 0 s"),
        ] {
            let error = functions.call(name, call(1)).await.unwrap_err();
            assert_eq!((error.kind(), error.hint()), (kind, text));
        }
        let thrown = functions.call("double", FunctionCall { arguments: Vec::new(), ..call(1) }).await;
        assert_eq!(thrown.unwrap_err().hint(), "a number, please");
    }
}
