//! What is a Backstitch store: one list of named checks that every backend runs whole.
//!
//! Each **Behaviour** bullet of the traits in [`backstitch::store`] is a check here, with the same
//! wording. A backend tells how to open a fresh store and calls [`run_all`]:
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use async_trait::async_trait;
//! use backstitch::store::Store;
//! use backstitch_conformance::{Category, StoreFactory, differential, run_all};
//!
//! struct Mine;
//!
//! # fn fresh() -> Arc<dyn Store> { std::process::exit(0) }
//! #[async_trait]
//! impl StoreFactory for Mine {
//!     async fn open(&self) -> Arc<dyn Store> {
//!         fresh()
//!     }
//!
//!     async fn reopen(&self, _store: Arc<dyn Store>) -> Option<Arc<dyn Store>> {
//!         None
//!     }
//! }
//!
//! // Two tests of the backend's own crate:
//! run_all(&Mine, &[(Category::Restart, "everything is gone when the process ends")]);
//! differential(&Mine, 256);
//! ```
//!
//! 1. [`checks`] is the one ordered list. A check opens its own store, fails by panicking, and
//!    a failure does not keep the others from running.
//! 2. What a backend leaves out it leaves out by [`Category`], with a reason that the output shows.
//! 3. [`differential`] compares a store with the reference, `filter::matches` and
//!    `filter::key::sort_key`, on random documents, filters, orders and indexes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a check fails by panicking, as tests do"
)]

mod check;
mod checks;
mod differential;
mod factory;
pub mod mounts;
mod run;
mod world;

pub use check::{Category, Check, Running};
pub use checks::checks;
pub use differential::differential;
pub use factory::StoreFactory;
pub use run::run_all;
