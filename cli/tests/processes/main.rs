//! Several engine processes on one store, under load and killed: nothing acknowledged is lost, nothing that was ended comes back.
//!
//! How long and how often is bounded, and can be set: `BACKSTITCH_SOAK_SECONDS=600 BACKSTITCH_KILLS=50 cargo test
//! --release -p backstitch-cli --test processes -- --nocapture --test-threads 1`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod engine;
mod killed;
mod soak;

/// A bound from the environment.
fn bound(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}
