//! Exported JavaScript functions, run in an embedded QuickJS.
//!
//! ```
//! use backstitch::engine::Engine;
//! use backstitch::env::Env;
//! use backstitch_functions_js::{JsFunctions, Settings};
//!
//! let env = Env::system();
//! let builder = Engine::builder().runtime(JsFunctions::new(Settings::default(), &env)).env(env);
//! ```
//!
//! 1. A source is parsed when the app is loaded; nothing of it runs before it is called.
//! 2. Every call has a realm of its own: its globals, its prototypes, its `context`. Nothing passes from one call to the
//!    next, and what a script does to its realm is seen by that script alone.
//! 3. A call runs on a thread of its own, one call at a time in a runtime. Calls that wait for data hold their thread;
//!    functions that call one another have threads for each depth, so that they never wait for themselves.
//! 4. A call is ended when its future is dropped, and when it reaches a limit of [`Settings`].
//!    A few of the interpreter's built-in functions run to their end without looking up, such as a search for a long text in
//!    a longer one: the call is answered in time all the same, and its thread is replaced, as many as there are workers.
//! 5. What was begun is finished: a call ends when its result is there and nothing that it asked for is outstanding.
//!
//! **What a script finds**: `exports` and `module.exports`; `context` with `user` (always the user who calls), `services`,
//! `functions`, `values`, `environment`, `request`, `app`, `http` and `runningAsSystem()`; `console`, which goes to
//! `tracing`; `BSON` and `EJSON`. There are no files, no network but what the host sends for it, no timers, and no
//! modules: `require` fails and names the module. `context.functions.execute` gives a promise, whatever it calls.
//!
//! **What it does not keep apart**: all apps of a process share the threads, and scripts are kept within limits, not within a
//! process of their own. Whoever runs apps of people they do not know runs them in processes of their own.
//!
//! **Values** pass through a function unchanged: 64-bit integers are `BSON.Long`, and `BSON.Decimal128`, `BSON.Binary`,
//! `BSON.ObjectId`, dates and regular expressions keep what they were. A number is a 32-bit integer where it is one, else a
//! double; `undefined` is null. JavaScript puts keys that are array indexes before all others, in documents too.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test fails by panicking"
    )
)]

mod call;
mod fetch;
mod from_js;
mod job;
mod meter;
mod natives;
mod pool;
mod prelude;
mod realm;
mod runtime;
mod settings;
mod to_js;
mod worker;

pub use runtime::JsFunctions;
pub use settings::Settings;
