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
mod floor;
mod owned;
mod owned_floor;
mod process;
mod ratio;
mod scaled;
mod setup;
mod world;

pub use counting::CountingStore;
pub use floor::{Floor, bare, fetch, places_sql};
pub use owned::{Owned, changed_tasks, new_tasks};
pub use owned_floor::{BareMaps, BareTable, TaskRow, task_row};
pub use process::kibibytes;
pub use ratio::print_ratios;
pub use scaled::Scaled;
pub use setup::{criterion, memory, sqlite};
pub use world::{
    APP, EMAIL, FLAT, LIST, MANY, ONE, ONE_ID, OWNERS, PAGE, PASSWORD, PLACES, World, log_in, page, places,
    register, request, run, world, world_with,
};
