//! `backstitch store copy|backup`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use backstitch::env::Env;
use backstitch::store::copy::{Copied, Part, copy};
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};
use indicatif::ProgressBar;
use serde_json::{Value, json};

use crate::Failure;
use crate::args::{Store, StoreVerb};
use crate::store::Place;

pub(crate) fn run(args: &Store) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::negative(format!("cannot start the runtime: {error}")))?;
    runtime.block_on(async {
        match &args.verb {
            StoreVerb::Copy { from, to, json } => {
                copied(&Place::parse(from)?, &Place::parse(to)?, *json).await
            }
            StoreVerb::Backup { store, file } => backup(&Place::parse(store)?, file).await,
        }
    })
}

async fn copied(from: &Place, to: &Place, json: bool) -> Result<(), Failure> {
    if from == to {
        return Err(Failure::usage("a store is not copied into itself"));
    }
    if *to == Place::Memory {
        return Err(Failure::usage(
            "a store in memory ends with its process: nothing would be left of the copy",
        ));
    }
    let env = Env::system();
    let (source, target) = (from.open_existing(&env).await?, to.open(&env).await?);
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    let mut progress = |part: &Part, count| bar.set_message(format!("{part}: {count}"));
    let copied = copy(&*source, &*target, &mut progress).await;
    bar.finish_and_clear();
    let copied = copied.map_err(told)?;
    if json {
        println!("{}", Value::Array(copied.iter().map(shown).collect()));
        return Ok(());
    }
    let mut counts: BTreeMap<String, (u64, String)> = BTreeMap::new();
    for one in copied {
        counts.insert(one.part.to_string(), (one.count, one.hash));
    }
    for (part, (count, hash)) in &counts {
        println!("{count:>12}  {}  {part}", hash.get(..12).unwrap_or(hash));
    }
    println!("both stores hold the same");
    Ok(())
}

fn shown(copied: &Copied) -> Value {
    json!({ "part": copied.part.to_string(), "count": copied.count, "sha256": copied.hash })
}

fn told(error: impl std::error::Error) -> Failure {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        // The error of a copy tells of its cause already.
        if !text.contains(&next.to_string()) {
            text.push_str(&format!(": {next}"));
        }
        cause = next.source();
    }
    Failure::negative(text)
}

async fn backup(store: &Place, file: &Path) -> Result<(), Failure> {
    let Place::Sqlite(path) = store else {
        let text = "a backup is made of a SQLite store; PostgreSQL has tools of its own (pg_dump), and \
                    `backstitch store copy` copies between any two stores";
        return Err(Failure::usage(text));
    };
    if !path.is_file() {
        return Err(Failure::negative(format!("there is no store at `{}`", path.display())));
    }
    let env = Env::system();
    let config = SqliteConfig::new(path, env.executor, env.clock);
    let store = SqliteStore::open(config).map_err(told)?;
    store.backup(file).await.map_err(told)?;
    println!("{}", json!({ "backup": file.display().to_string() }));
    Ok(())
}
