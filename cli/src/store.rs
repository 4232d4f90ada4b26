//! `--store`: a description of where data are kept, opened.

use std::path::PathBuf;
use std::sync::Arc;

use backstitch::env::Env;
use backstitch::store::Store;
use backstitch_storage_memory::MemoryStore;
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};

use crate::Failure;

/// Where data are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Memory,
    Sqlite(PathBuf),
}

impl Place {
    /// Reads `memory` or `sqlite:PATH`.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        match text.split_once(':') {
            None if text == "memory" => Ok(Self::Memory),
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path))),
            _ => Err(Failure::usage(format!("unknown store `{text}`: expected `sqlite:PATH` or `memory`"))),
        }
    }

    /// Opens what `backstitch serve` has made; an operator who mistypes a path is to be told.
    pub(crate) fn open_existing(&self, env: &Env) -> Result<Arc<dyn Store>, Failure> {
        match self {
            Self::Memory => {
                let text = "a store in memory ends with its process: name a file with --store sqlite:PATH";
                Err(Failure::usage(text))
            }
            Self::Sqlite(path) if !path.is_file() => {
                Err(Failure::negative(format!("there is no store at `{}`", path.display())))
            }
            Self::Sqlite(_) => self.open(env),
        }
    }

    pub(crate) fn open(&self, env: &Env) -> Result<Arc<dyn Store>, Failure> {
        match self {
            Self::Memory => Ok(Arc::new(MemoryStore::with_clock(Arc::clone(&env.clock)))),
            Self::Sqlite(path) => {
                let env = Env::system();
                let config = SqliteConfig::new(path, Arc::clone(&env.executor), Arc::clone(&env.clock));
                let store = SqliteStore::open(config).map_err(|error| {
                    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
                    Failure::negative(format!(
                        "cannot open `{}`: {error}{}",
                        path.display(),
                        cause.unwrap_or_default()
                    ))
                })?;
                Ok(Arc::new(store))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_known_stores_are_read() {
        assert_eq!(Place::parse("memory").unwrap(), Place::Memory);
        assert_eq!(Place::parse("sqlite:./a:b.db").unwrap(), Place::Sqlite("./a:b.db".into()));
        for bad in ["", "sqlite:", "sqlite", "mysql://x", "memory:1"] {
            assert_eq!(Place::parse(bad).unwrap_err().code, 2, "{bad}");
        }
    }
}
