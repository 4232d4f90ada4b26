//! The list of attacks on log-in and sessions, each a test of its number, on every store, with a clock that the
//! test moves. Unit tests beside the code go further into single ones; SECURITY.md names what is the host's duty
//! or is not offered.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

/// A test on every store: `attack!(a_name, |world| { … });` makes `a_name::memory` and `a_name::sqlite`, the body
/// being async.
macro_rules! attack {
    ($(#[$meta:meta])* $name:ident, |$world:ident| $body:block) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "the attacks' own helpers")]
            use super::*;

            async fn survive($world: $crate::world::World) $body

            #[tokio::test(flavor = "multi_thread")]
            async fn memory() {
                survive($crate::world::World::on_memory().await).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                survive($crate::world::World::on_sqlite().await).await;
            }
        }
    };
}

mod addresses;
mod api_keys;
mod claims;
mod crossing;
mod encoding;
mod federation;
mod forge;
mod keys;
mod linking;
mod logged;
mod one_time;
mod passwords;
mod secrets;
mod services;
mod sessions;
mod signatures;
mod throttling;
mod tokens;
mod under_load;
mod world;
