//! Log-in: what proves who somebody is, and what becomes of the proof.

pub mod config;
