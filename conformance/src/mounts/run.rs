//! Runs the checks of mounts.

use std::net::SocketAddr;

use super::Client;
use super::checks::CHECKS;

/// Runs every check against the server at `address`, which serves the fixture.
///
/// # Panics
/// When a check fails; the message names all that did.
pub async fn run_all(address: SocketAddr) {
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        match tokio::spawn(check(Client::new(address))).await {
            Ok(()) => println!("ok {name}"),
            Err(_) => failed.push(*name),
        }
    }
    println!("{} passed, {} failed", CHECKS.len() - failed.len(), failed.len());
    assert!(failed.is_empty(), "a mount does not do what it must: {failed:?}");
}
