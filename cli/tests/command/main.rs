//! The built command, as somebody types it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod check;
mod operate;
mod rules;
mod running;
mod schema;
mod serve;
mod stores;
mod transfer;
mod transfer_users;
