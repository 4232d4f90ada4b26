//! Flows by user story. The README's examples are compiled and run as documentation tests of this crate.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![doc = include_str!("../../README.md")]
mod acting;
mod browser;
mod client;
mod counting;
mod identity_service;
mod movies;
pub mod naive_data;
pub mod naive_rules;
pub mod served;
mod signer;
mod stores;
mod things;

pub use acting::acting;
pub use browser::{Away, Browser, PAGE, assert_refused, metadata_field, oauth_settings};
pub use client::{Client, Reply};
pub use counting::CountingStore;
pub use identity_service::{
    CLIENT_ID, CLIENT_SECRET, Grant, IdentityService, PUBLIC_CLIENT_ID, metadata, pairs,
};
pub use movies::{Movies, each_store};
pub use signer::Signer;
pub use stores::{every_store, memory_store, postgres_config, postgres_store, sqlite_store};
pub use things::{Things, each_store_with_things, ids};
