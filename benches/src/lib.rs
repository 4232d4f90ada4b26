//! Benchmarks, each with the floor that it is compared with, printed as a ratio.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a benchmark that cannot be set up ends")]

mod ratio;
mod world;

pub use ratio::print_ratios;
pub use world::{FLAT, LIST, OWNERS, PAGE, World, page, run, world};
