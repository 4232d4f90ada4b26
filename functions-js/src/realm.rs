//! The realm of one call: its globals, and the life of the call in it.

use std::rc::Rc;

use backstitch::functions::FunctionFailure;
use bson::{Bson, doc};
use rquickjs::context::EvalOptions;
use rquickjs::promise::PromiseState;
use rquickjs::{Context, Ctx, Error, Function, Object, Promise, Result, Runtime, Value};

use crate::from_js::Reader;
use crate::job::{Answer, Job};
use crate::meter::Meter;
use crate::natives::{Natives, shorten};
use crate::prelude;
use crate::settings::Settings;
use crate::to_js::Codec;

/// Where what the prelude gives is kept until a call takes it.
const ENTRY: &str = "\u{1}entry";

/// Bytes of what is told of an error.
const MESSAGE: usize = 4096;

/// A realm that no call has used yet.
pub(crate) struct Realm {
    context: Context,
    natives: Rc<Natives>,
}

/// How a call has ended.
pub(crate) struct Outcome {
    pub(crate) result: std::result::Result<Bson, FunctionFailure>,
    /// Whether the runtime may be used again.
    pub(crate) clean: bool,
}

/// Why there is no result.
enum Stop {
    /// A script threw, or what it gave is no value.
    Thrown(Error),
    /// It is to be ended.
    Over,
    /// It waits for what nobody will answer.
    Stuck,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Thrown(error)
    }
}

/// The prelude's functions.
struct Entry<'js> {
    codec: Codec<'js>,
    start: Function<'js>,
    settle: Function<'js>,
    failure: Function<'js>,
}

impl<'js> Entry<'js> {
    fn take(ctx: &Ctx<'js>) -> Result<Self> {
        let globals = ctx.globals();
        let entry: Object<'js> = globals.get(ENTRY)?;
        globals.remove(ENTRY)?;
        Ok(Self {
            codec: Codec::of(&entry.get("codec")?)?,
            start: entry.get("start")?,
            settle: entry.get("settle")?,
            failure: entry.get("failure")?,
        })
    }

    /// Settles the promise that an answer is for.
    fn settle(&self, ctx: &Ctx<'js>, answer: Answer) -> Result<()> {
        let (failed, value) = match answer.given {
            Ok(value) => (false, value),
            Err(refusal) => {
                (true, Bson::from(doc! { "message": refusal.message, "error_code": refusal.code }))
            }
        };
        self.settle.call((answer.id, failed, self.codec.to_js(ctx, &value)?))
    }

    /// What was thrown: the message, the stack, and whether there was memory left.
    fn failure(&self, ctx: &Ctx<'js>, error: Error) -> (String, String, bool) {
        let told = match error {
            Error::Exception => self.failure.call::<_, Vec<String>>((ctx.catch(),)),
            other => Ok(vec![other.to_string()]),
        };
        // Asking a thrown object for its message may throw as well.
        let told = told.unwrap_or_else(|_| {
            ctx.catch();
            vec!["the function failed".to_owned()]
        });
        let mut told = told.into_iter().map(|text| shorten(&text, MESSAGE).to_owned());
        let mut next = || told.next().unwrap_or_default();
        (next(), next(), next().is_empty())
    }
}

impl Realm {
    pub(crate) fn new(runtime: &Runtime, natives: Rc<Natives>) -> Result<Self> {
        let context = Context::full(runtime)?;
        context.with(|ctx| {
            let prelude = prelude::function(&ctx)?;
            let entry: Object<'_> = prelude.call((natives.object(&ctx)?,))?;
            ctx.globals().set(ENTRY, entry)
        })?;
        Ok(Self { context, natives })
    }

    /// Runs a call to its end.
    pub(crate) fn run(self, job: &Job, meter: &Meter, settings: &Settings) -> Outcome {
        self.natives.begin(job);
        self.context.with(|ctx| {
            let entry = match Entry::take(&ctx) {
                Ok(entry) => entry,
                Err(error) => return Outcome::unclean(error.to_string()),
            };
            match self.play(&ctx, &entry, job, (meter, settings)) {
                Ok(value) => Outcome { result: Ok(value), clean: true },
                Err(Stop::Stuck) => {
                    Outcome::unclean("the function waits for a promise that nothing will settle")
                }
                Err(_) if meter.has_run_out() => {
                    ctx.catch();
                    Outcome::unclean(settings.too_long())
                }
                Err(Stop::Over) => Outcome::unclean("the function was ended"),
                Err(Stop::Thrown(error)) => {
                    // What is left of a script that had no memory is not to be relied on.
                    let (message, stack, clean) = entry.failure(&ctx, error);
                    if meter.has_run_out() {
                        return Outcome::unclean(settings.too_long());
                    }
                    let function = job.unit.name.as_str();
                    tracing::warn!(target: "backstitch::js", function, stack, "the function threw: {message}");
                    Outcome { result: Err(FunctionFailure::new(message)), clean }
                }
            }
        })
    }

    fn play<'js>(
        &self,
        ctx: &Ctx<'js>,
        entry: &Entry<'js>,
        job: &Job,
        (meter, settings): (&Meter, &Settings),
    ) -> std::result::Result<Bson, Stop> {
        let unit: Function<'js> = ctx.eval_with_options(job.unit.code.as_str(), options(&job.unit.file))?;
        let arguments = entry.codec.array(ctx, &job.call.arguments)?;
        let promise: Promise<'js> = entry.start.call((unit, arguments))?;
        loop {
            while ctx.execute_pending_job() {
                if meter.is_over() {
                    return Err(Stop::Over);
                }
            }
            if meter.is_over() {
                return Err(Stop::Over);
            }
            if self.natives.pending() == 0 {
                break;
            }
            let Ok(answer) = meter.waiting(|| job.answers.recv()) else { return Err(Stop::Over) };
            self.natives.answered(answer.id);
            entry.settle(ctx, answer)?;
        }
        if promise.state() == PromiseState::Pending {
            return Err(Stop::Stuck);
        }
        let value = promise.result::<Value<'js>>().unwrap_or(Err(Error::Unknown))?;
        Ok(Reader::new(ctx, &entry.codec, settings.value).value(value)?)
    }
}

impl Outcome {
    pub(crate) fn unclean(message: impl Into<String>) -> Self {
        Self { result: Err(FunctionFailure::new(message)), clean: false }
    }
}

/// How sources are read: as they were written, most of them without `'use strict'`.
pub(crate) fn options(file: &str) -> EvalOptions {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(file.replace('\0', ""));
    options
}
