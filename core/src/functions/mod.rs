//! Named functions: what an app's configuration calls by name and the host (or a JavaScript runtime) has.
//!
//! 1. The host's native callbacks are asked first (decision 25); a name that nobody has is
//!    [`FunctionNotFound`](crate::error::ErrorKind::FunctionNotFound).
//! 2. A call has a deadline; a function that runs past it is dropped.
//! 3. A field of many documents is computed in one call where a [`BatchFunction`] has the name, else in one call
//!    for each document, a bounded number of them at once.
//! 4. What a function throws may be shown to the client, as the original does; what it panics with may not.

mod batch;
mod bounded;
mod call;
mod context;
mod registry;
mod source;

pub use batch::{BatchCall, BatchFunction};
pub(crate) use bounded::{Ended, bounded};
pub use call::{Function, FunctionCall, FunctionFailure};
pub use context::{CallContext, FunctionHost};
pub use registry::Functions;
pub use source::{FunctionRuntime, FunctionSettings, FunctionSource};
