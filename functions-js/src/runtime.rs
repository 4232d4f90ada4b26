//! The runtime that an engine is given.

use std::cell::Cell;
use std::sync::Arc;

use backstitch::env::Env;
use backstitch::functions::{Function, FunctionRuntime, FunctionSource};
use backstitch::id::AppId;
use rquickjs::{CatchResultExt as _, CaughtError, Context, Runtime};

use crate::call::JsFunction;
use crate::job::Unit;
use crate::pool::{Machine, Pool};
use crate::realm::options;
use crate::settings::Settings;

/// Runs the JavaScript functions of exported apps.
///
/// Its threads end when it and all functions that it has made are dropped.
pub struct JsFunctions {
    pool: Arc<Pool>,
}

impl JsFunctions {
    /// Runs calls within these bounds. Of the environment it uses the clock and the timer, to bound how long a call computes,
    /// and the randomness, for `Math.random` and new ObjectIds; `Date` is the machine's.
    pub fn new(settings: Settings, env: &Env) -> Self {
        let (clock, random, timer) =
            (Arc::clone(&env.clock), Arc::clone(&env.random), Arc::clone(&env.timer));
        Self { pool: Pool::new(Machine { settings: Arc::new(settings), clock, random, timer }) }
    }
}

impl FunctionRuntime for JsFunctions {
    fn function(&self, _app: &AppId, source: &FunctionSource) -> Result<Arc<dyn Function>, String> {
        let code = source.code.as_deref().ok_or_else(|| format!("`{}` has no source", source.name))?;
        // On the line of the source's first one, so that lines are counted as in the file.
        let code =
            format!("(function (exports, module, require) {{{code}\n;return [exports, module.exports];\n}})");
        let file = if source.file.is_empty() { source.name.clone() } else { source.file.clone() };
        let unit = Unit { name: source.name.clone(), file, code };
        parse(&unit, &self.pool.machine.settings)?;
        Ok(Arc::new(JsFunction { unit: Arc::new(unit), pool: Arc::clone(&self.pool) }))
    }
}

impl std::fmt::Debug for JsFunctions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("JsFunctions").field(&self.pool.machine.settings).finish()
    }
}

/// Stack for parsing, which happens on the caller's thread.
const PARSING_STACK: usize = 256 << 10;
/// How often the interpreter may look up while it parses. Nothing is run then, unless a source ends the function around it
/// and goes on after it; such a one finds nothing here, and is stopped.
const PARSING_CHECKS: u32 = 8;

/// Lines that a unit has beyond its source.
const TAIL: usize = 2;

/// Reads a source, and says what is wrong and in which line.
fn parse(unit: &Unit, settings: &Settings) -> Result<(), String> {
    let runtime = Runtime::new().map_err(|error| error.to_string())?;
    runtime.set_memory_limit(settings.memory);
    runtime.set_max_stack_size(PARSING_STACK);
    let left = Cell::new(PARSING_CHECKS);
    runtime.set_interrupt_handler(Some(Box::new(move || {
        left.set(left.get().saturating_sub(1));
        left.get() == 0
    })));
    let context = Context::full(&runtime).map_err(|error| error.to_string())?;
    context.with(|ctx| {
        let read =
            ctx.eval_with_options::<rquickjs::Function<'_>, _>(unit.code.as_str(), options(&unit.file));
        match read.catch(&ctx) {
            Ok(_) => Ok(()),
            Err(CaughtError::Exception(error)) => {
                let message = error.message().unwrap_or_default();
                let line = error.get::<_, Option<usize>>("lineNumber").ok().flatten();
                // The end of a source that is cut off is seen after it.
                let lines = unit.code.lines().count().saturating_sub(TAIL);
                let line = line.or_else(|| line_of(&error.stack()?, &unit.file)).map(|line| lines.min(line));
                Err(match line {
                    Some(line) => format!("line {line}: {message}"),
                    None => message,
                })
            }
            Err(error) => Err(error.to_string()),
        }
    })
}

/// The line that a stack trace begins with: `at functions/a.js:3:7`.
fn line_of(stack: &str, file: &str) -> Option<usize> {
    let (_, place) = stack.split_once(file)?;
    place.trim_start_matches(':').split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
