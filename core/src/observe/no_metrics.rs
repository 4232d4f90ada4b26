//! Without the feature `metrics` nothing is counted.

use chrono::TimeDelta;

pub(crate) fn describe() {}

pub(super) fn request(_: &str, _: (&'static str, &'static str), _: u16, _: TimeDelta) {}

pub(crate) fn graphql(_: &str, _: &'static str) {}

pub(crate) fn plan_cache(_: bool) {}

pub(super) fn store_request(_: &'static str) {}

pub(crate) fn function_call(_: &'static str) {}

pub(crate) fn log_in(_: &str, _: &str, _: &'static str) {}

pub(crate) fn rate_limited() {}

pub(crate) fn hashes_waiting(_: usize) {}

pub(crate) fn hash_refused() {}
