//! Runs the list and reports.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use crate::check::{Category, Check};
use crate::checks::checks;
use crate::factory::StoreFactory;

/// A check that takes longer hangs, and fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs every check but those of the excluded categories, each with the reason why.
///
/// Prints a line for each check and a line of totals.
///
/// # Panics
/// When a check failed; the message lists all of them.
pub fn run_all(factory: &dyn StoreFactory, exclusions: &[(Category, &str)]) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("the checks need a runtime");
    let (mut passed, mut skipped, mut failures) = (0, 0, Vec::new());
    for check in checks() {
        if let Some((category, reason)) = exclusions.iter().find(|(excluded, _)| *excluded == check.category)
        {
            println!("skipped {} ({category}: {reason})", check.name);
            skipped += 1;
            continue;
        }
        match runtime.block_on(run_one(&check, factory)) {
            Ok(()) => {
                println!("ok {}", check.name);
                passed += 1;
            }
            Err(message) => {
                println!("FAILED {}", check.name);
                failures.push(format!("{}: {message}", check.name));
            }
        }
    }
    println!("{passed} passed, {} failed, {skipped} skipped", failures.len());
    assert!(failures.is_empty(), "{} checks failed:\n{}", failures.len(), failures.join("\n"));
}

async fn run_one(check: &Check, factory: &dyn StoreFactory) -> Result<(), String> {
    let guarded = AssertUnwindSafe((check.run)(factory)).catch_unwind();
    match tokio::time::timeout(PATIENCE, guarded).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(panic)) => Err(message_of(panic.as_ref())),
        Err(_) => Err(format!("no answer within {PATIENCE:?}")),
    }
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_checks_share_a_name() {
        let mut seen = HashSet::new();
        for check in checks() {
            assert!(seen.insert(check.name), "{}", check.name);
        }
    }
}
