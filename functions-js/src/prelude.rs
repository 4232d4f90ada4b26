//! The library of every realm, compiled once for all of them.

use std::sync::OnceLock;

use rquickjs::loader::bundle::Bundle;
use rquickjs::module::WriteOptions;
use rquickjs::{Context, Ctx, Error, Function, Module, Object, Result, Runtime};

/// A module whose default export makes the library out of the natives.
const SOURCE: &str = concat!(
    "export default function (host) {\n",
    include_str!("prelude/bson.js"),
    include_str!("prelude/collection.js"),
    include_str!("prelude/http.js"),
    include_str!("prelude/context.js"),
    "}"
);

/// The module's name; no script can write it as a path.
const NAME: &str = "\u{1}prelude";

type Compiled = &'static [(&'static str, &'static [u8])];

static COMPILED: OnceLock<Compiled> = OnceLock::new();

/// Lets the realms of this runtime load the library, and nothing else.
pub(crate) fn install(runtime: &Runtime) -> Result<()> {
    let compiled: Compiled = match COMPILED.get() {
        Some(compiled) => compiled,
        None => {
            let made = compile()?;
            COMPILED.get_or_init(|| made)
        }
    };
    runtime.set_loader(Bundle(compiled), Bundle(compiled));
    Ok(())
}

/// The library's function in a realm of such a runtime.
pub(crate) fn function<'js>(ctx: &Ctx<'js>) -> Result<Function<'js>> {
    let loading = Module::import(ctx, NAME)?;
    while ctx.execute_pending_job() {}
    let module = loading.result::<Object<'js>>().unwrap_or(Err(Error::Unknown))?;
    module.get("default")
}

/// Compiles the library. It is kept for as long as the process, which is what a bundle wants.
fn compile() -> Result<Compiled> {
    let context = Context::full(&Runtime::new()?)?;
    let bytes = context.with(|ctx| {
        let options = WriteOptions { strip_source: true, strip_debug: true, ..WriteOptions::default() };
        Module::declare(ctx, NAME, SOURCE)?.write(options)
    })?;
    let bytes: &'static [u8] = Vec::leak(bytes);
    Ok(Vec::leak(vec![(NAME, bytes)]))
}
