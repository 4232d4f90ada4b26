//! Ratios, from criterion's own estimates.

use std::fs;
use std::path::{Path, PathBuf};

use crate::setup::started;

/// Prints `subject ÷ floor` for each pair of benchmark ids (`group/name`), from the run that just ended. A floor may be a
/// sum: `a/b + c/d`.
pub fn print_ratios(pairs: &[(&str, &str)]) {
    println!();
    for (subject, floor) in pairs {
        let least = floor.split(" + ").map(median).sum::<Option<f64>>();
        match (median(subject), least) {
            (Some(taken), Some(least)) => println!(
                "{subject}: {:.2} µs = {:.2} × {floor} ({:.2} µs)",
                taken / 1000.0,
                taken / least,
                least / 1000.0
            ),
            _ => println!("{subject}: not measured in this run"),
        }
    }
}

/// The median in nanoseconds.
fn median(id: &str) -> Option<f64> {
    let home = std::env::var_os("CRITERION_HOME").map(PathBuf::from).or_else(|| {
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")), PathBuf::from);
        Some(target.join("criterion"))
    })?;
    // criterion makes one folder of an id without a group.
    let read = |folder: &str| of_this_run(&home.join(folder).join("new/estimates.json"));
    let text = read(id).or_else(|| read(&id.replace('/', "_")))?;
    let estimates: serde_json::Value = serde_json::from_str(&text).ok()?;
    estimates.get("median")?.get("point_estimate")?.as_f64()
}

/// The file, unless an earlier run left it.
fn of_this_run(file: &Path) -> Option<String> {
    let written = fs::metadata(file).and_then(|about| about.modified()).ok()?;
    if started().is_some_and(|started| written < started) {
        return None;
    }
    fs::read_to_string(file).ok()
}
