//! Custom resolvers: functions that answer fields of `Query`, `Mutation` and generated types, on every store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod answers;
mod formats;
mod requests;
mod world;
