//! `--store`: a description of where data are kept, opened.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use backstitch::env::Env;
use backstitch::store::{Store, StoreError};
use backstitch_storage_memory::MemoryStore;
use backstitch_storage_postgres::{PostgresConfig, PostgresStore};
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};

use crate::Failure;

/// Where data are kept.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Memory,
    Sqlite(PathBuf),
    /// The address, which may hold a password.
    Postgres(String),
}

impl Place {
    /// Reads `memory`, `sqlite:PATH` or `postgres://…`.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        match text.split_once(':') {
            None if text == "memory" => Ok(Self::Memory),
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path))),
            Some(("postgres" | "postgresql", rest)) if rest.len() > 2 && rest.starts_with("//") => {
                Ok(Self::Postgres(text.to_owned()))
            }
            // Not repeated: it may hold a password.
            Some(("postgres" | "postgresql", _)) => Err(Failure::usage(
                "the address of a PostgreSQL store is postgres://USER:PASSWORD@HOST:PORT/DATABASE",
            )),
            _ => Err(Failure::usage(format!(
                "unknown store `{text}`: expected `sqlite:PATH`, `postgres://…` or `memory`"
            ))),
        }
    }

    /// Opens what `backstitch serve` has made; an operator who mistypes a path is to be told.
    pub(crate) async fn open_existing(&self, env: &Env) -> Result<Arc<dyn Store>, Failure> {
        match self {
            Self::Memory => {
                let text = "a store in memory ends with its process: name a file with --store sqlite:PATH";
                Err(Failure::usage(text))
            }
            Self::Sqlite(path) if !path.is_file() => {
                Err(Failure::negative(format!("there is no store at `{}`", path.display())))
            }
            Self::Sqlite(_) => self.open(env).await,
            Self::Postgres(url) => self.connect(url, env, false).await,
        }
    }

    pub(crate) async fn open(&self, env: &Env) -> Result<Arc<dyn Store>, Failure> {
        match self {
            Self::Memory => Ok(Arc::new(MemoryStore::with_clock(Arc::clone(&env.clock)))),
            Self::Sqlite(path) => {
                let env = Env::system();
                let config = SqliteConfig::new(path, Arc::clone(&env.executor), Arc::clone(&env.clock));
                Ok(Arc::new(SqliteStore::open(config).map_err(|error| self.cannot_open(&error))?))
            }
            Self::Postgres(url) => self.connect(url, env, true).await,
        }
    }

    async fn connect(&self, url: &str, env: &Env, create: bool) -> Result<Arc<dyn Store>, Failure> {
        let mut config = PostgresConfig::new(url, Arc::clone(&env.clock));
        config.create = create;
        Ok(Arc::new(PostgresStore::open(config).await.map_err(|error| self.cannot_open(&error))?))
    }

    fn cannot_open(&self, error: &StoreError) -> Failure {
        let mut told = format!("cannot open {self}: {error}");
        let mut cause = std::error::Error::source(error);
        while let Some(next) = cause {
            told.push_str(&format!(": {next}"));
            cause = next.source();
        }
        Failure::negative(told)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("the store in memory"),
            Self::Sqlite(path) => write!(f, "`{}`", path.display()),
            Self::Postgres(_) => f.write_str("the PostgreSQL store"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_known_stores_are_read() {
        assert!(Place::parse("memory").unwrap() == Place::Memory);
        assert!(Place::parse("sqlite:./a:b.db").unwrap() == Place::Sqlite("./a:b.db".into()));
        for url in ["postgres://ada:secret@db:5432/app?sslmode=require", "postgresql://db/app"] {
            assert!(Place::parse(url).unwrap() == Place::Postgres(url.into()));
        }
        for bad in ["", "sqlite:", "sqlite", "mysql://x", "memory:1", "postgres:secret", "postgres://"] {
            let failure = Place::parse(bad).map(drop).unwrap_err();
            assert_eq!(failure.code, 2, "{bad}");
            assert!(!failure.message.contains("secret"), "{}", failure.message);
        }
    }
}
