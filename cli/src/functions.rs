//! Exported functions: run where this binary has JavaScript, else left to be told of.

use std::collections::BTreeSet;

use backstitch::app::AppConfig;
use backstitch::builder::EngineBuilder;
use backstitch::env::Env;
#[cfg(feature = "js")]
use backstitch::functions::FunctionRuntime;
use backstitch::report::Report;

/// The builder with what runs functions.
#[cfg(feature = "js")]
pub(crate) fn with_functions(builder: EngineBuilder, env: &Env) -> EngineBuilder {
    builder.runtime(runtime(env))
}

/// The builder as it is.
#[cfg(not(feature = "js"))]
pub(crate) fn with_functions(builder: EngineBuilder, _env: &Env) -> EngineBuilder {
    builder
}

/// The functions of an app that can be run; why others cannot is reported.
#[cfg(feature = "js")]
pub(crate) fn runnable(config: &AppConfig, report: &mut Report) -> BTreeSet<String> {
    parsed(config, &runtime(&Env::system()), report)
}

/// None can be run.
#[cfg(not(feature = "js"))]
pub(crate) fn runnable(_config: &AppConfig, _report: &mut Report) -> BTreeSet<String> {
    BTreeSet::new()
}

#[cfg(feature = "js")]
fn runtime(env: &Env) -> backstitch_functions_js::JsFunctions {
    use backstitch_functions_js::{JsFunctions, Settings};
    JsFunctions::new(Settings::default(), env)
}

#[cfg(feature = "js")]
fn parsed(config: &AppConfig, runtime: &dyn FunctionRuntime, report: &mut Report) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for source in config.functions.iter().filter(|source| source.code.is_some()) {
        match runtime.function(&config.id, source) {
            Ok(_) => names.extend(
                [Some(source.name.as_str()), source.path_name()].into_iter().flatten().map(str::to_owned),
            ),
            Err(message) => report.error(&source.file, "", message),
        }
    }
    names
}
