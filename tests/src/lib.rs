//! Flows by user story. The README's examples are compiled and run as documentation tests of this crate.

#![doc = include_str!("../../README.md")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helpers fail by panicking"
)]

mod client;
mod counting;
mod movies;

pub use client::{Client, Reply};
pub use counting::CountingStore;
pub use movies::{Movies, each_store};
