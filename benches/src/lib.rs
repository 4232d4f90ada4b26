//! Benchmarks, each with the floor that it is compared with, printed as a ratio.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

// The same counter as in the tests, without the frameworks that the tests depend on.
#[path = "../../tests/src/counting.rs"]
mod counting;
mod ratio;
mod world;

pub use counting::CountingStore;
pub use ratio::print_ratios;
pub use world::{
    APP, EMAIL, FLAT, LIST, OWNERS, PAGE, PASSWORD, World, log_in, page, register, request, run, world,
    world_with,
};
