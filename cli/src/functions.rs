//! Exported functions: run where this binary has JavaScript, else left to be told of.

use backstitch::builder::EngineBuilder;
use backstitch::env::Env;

/// The builder with what runs functions.
#[cfg(feature = "js")]
pub(crate) fn with_functions(builder: EngineBuilder, env: &Env) -> EngineBuilder {
    use backstitch_functions_js::{JsFunctions, Settings};
    builder.runtime(JsFunctions::new(Settings::default(), env))
}

/// The builder as it is.
#[cfg(not(feature = "js"))]
pub(crate) fn with_functions(builder: EngineBuilder, _env: &Env) -> EngineBuilder {
    builder
}

/// What runs functions, where this binary has it.
#[cfg(feature = "js")]
pub(crate) fn runtime() -> Option<Box<dyn backstitch::functions::FunctionRuntime>> {
    use backstitch_functions_js::{JsFunctions, Settings};
    Some(Box::new(JsFunctions::new(Settings::default(), &Env::system())))
}

/// Nothing runs functions.
#[cfg(not(feature = "js"))]
pub(crate) fn runtime() -> Option<Box<dyn backstitch::functions::FunctionRuntime>> {
    None
}
