//! Mounts of Backstitch in web frameworks, and the client that asks other servers.
//!
//! | feature | what it gives | frameworks |
//! |---|---|---|
//! | `tower` (default) | [`tower::EngineService`] | axum, hyper, warp, poem, anything of `http` 1 |
//! | `actix` | [`actix::mount`] | actix-web 4 |
//! | `client` | [`client::HttpsClient`] | anything on tokio |
//!
//! A mount does three things and has no policy of its own: it reads the body under the engine's
//! limit, it tells the engine the peer's address ([`PeerAddress`](backstitch::http::PeerAddress)), and it
//! hands the answer on. Any other framework does the same with
//! [`Engine::handle`](backstitch::engine::Engine::handle).

#[cfg(feature = "actix")]
pub mod actix;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "tower")]
pub mod tower;
