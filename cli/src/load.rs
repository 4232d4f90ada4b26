//! Loads the data of an app directory, with a progress bar on a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use backstitch::engine::{App, LoadProgress};
use indicatif::{ProgressBar, ProgressStyle};

use crate::Failure;

/// Loads what was never loaded before into the collections that are empty.
pub(crate) async fn load(app: &App) -> Result<(), Failure> {
    let bar = std::io::stderr().is_terminal().then(progress_bar);
    let outcome = app
        .load_data(&mut |progress: LoadProgress<'_>| {
            if let Some(bar) = &bar {
                bar.set_length(progress.bytes_total);
                bar.set_position(progress.bytes_read);
                bar.set_message(progress.collection.to_owned());
            }
        })
        .await;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let loaded = outcome.map_err(|error| Failure::negative(format!("cannot load data: {error}")))?;
    for collection in loaded {
        tracing::info!(collection = %collection.collection, documents = collection.documents, "data loaded");
    }
    Ok(())
}

fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("loading {msg:24} [{bar:40}] {percent:>3} %")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(0).with_style(style.progress_chars("=> "));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
