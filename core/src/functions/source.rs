//! Functions as source code: what an exported app has, and what runs it.

use std::sync::Arc;

use serde_json::Value;

use super::Function;
use crate::id::AppId;

/// A function of an exported app.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FunctionSource {
    /// The name that it is called by: the manifest's, or else its path below `functions/`.
    pub name: String,
    /// The file, relative to the app directory; empty when there is none.
    pub file: String,
    /// Its JavaScript; `None` when the manifest names it and no file has it.
    pub code: Option<String>,
    /// How it is to be run.
    pub settings: FunctionSettings,
}

/// How a function is to be run; of native callbacks of the same name these hold as well.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FunctionSettings {
    /// Clients may not call it; rules, resolvers, triggers and other functions may.
    pub private: bool,
    /// It reads and writes as the system, which no rule binds.
    pub run_as_system: bool,
    /// It reads and writes as the user of this id.
    pub run_as_user: Option<String>,
    /// Whether a client may call it now: an expression on the actor; `None` is yes.
    pub can_evaluate: Option<Value>,
}

/// Runs functions that are given as source code.
pub trait FunctionRuntime: Send + Sync {
    /// Makes a function of an app callable.
    ///
    /// **Behaviour**
    /// - nothing of the source is run before it is called;
    /// - a source that cannot be parsed is refused, with the line;
    /// - a call that is dropped is ended, wherever it is.
    fn function(&self, app: &AppId, source: &FunctionSource) -> Result<Arc<dyn Function>, String>;
}

impl FunctionSource {
    /// Its path below `functions/`, without the ending; callers may use it in the place of the name.
    pub(crate) fn path_name(&self) -> Option<&str> {
        self.file.strip_prefix("functions/")?.strip_suffix(".js")
    }
}
