//! What a host sees of the engine's work: spans, records of requests, metrics, and no secret in any of them.
//!
//! The subscriber and the recorder are those of the whole process, so that nothing of any thread is missed; the
//! stories run one after the other.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod capture;
mod counted;
mod records;
mod rules;
mod secrets;
mod spans;
mod story;
mod world;
